//! The manifests of deploy/kubernetes: valid by the schemas of Kubernetes, and the command of the pods carried out in the image of
//! deploy/container, whose root file system is read-only.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use super::{
    Desk, Outcome, Server,
    container::Image,
    scale::{accounts, due, summary},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The container of the Job, once the manifests are valid.
fn container() -> Value {
    let python = Path::new(ROOT).join("target/venv/bin/python");
    assert!(python.is_file(), "no Python in target/venv; `make test` installs it, or run deploy/install-deps.sh test");
    let root = Path::new(ROOT);
    let output =
        Command::new(python).arg(root.join("tests/manifest.py")).arg(root.join("deploy/kubernetes")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn words(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap())
}

#[test]
fn the_command_of_the_pods_sends_the_load_of_a_run() {
    let container = container();
    let image = Image::build();
    assert_eq!([&container["user"]["runAsUser"], &container["user"]["runAsGroup"]], [image.user, image.group]);
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    let (desk, server) = (Desk::new(), Server::start());
    fs::create_dir(desk.path("results")).unwrap();
    fs::create_dir(desk.path("scenario")).unwrap();
    fs::copy(desk.path("short.toml"), desk.path("scenario/scenario.toml")).unwrap();
    let volumes = ["scenario", "results"].map(|name| (name, desk.path(name)));
    let mounts = container["volumeMounts"].as_array().unwrap().iter().map(|mount| {
        let (_, folder) = volumes.iter().find(|(name, _)| mount["name"] == *name).unwrap();
        (folder.as_path(), mount["mountPath"].as_str().unwrap())
    });
    let mounts: Vec<_> = mounts.collect();
    let pods = container["completions"].as_u64().unwrap();
    assert_eq!((&container["parallelism"], &container["backoffLimit"]), (&Value::from(pods), &Value::from(0)));
    let start = (Timestamp::now() + 4.seconds()).to_string();
    // What the cluster would fill in.
    let of_cluster = BTreeMap::from([("plimsoll-start/at", start), ("plimsoll-target/url", server.url())]);
    let variables: Vec<(String, String)> = container["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| {
            let source = &variable["valueFrom"];
            let reference = ["configMapKeyRef", "secretKeyRef"].iter().find_map(|kind| source.get(kind));
            let value = reference.map_or_else(
                || variable["value"].as_str().unwrap().to_owned(),
                |named| {
                    let [name, key] = ["name", "key"].map(|field| named[field].as_str().unwrap());
                    of_cluster[format!("{name}/{key}").as_str()].clone()
                },
            );
            (variable["name"].as_str().unwrap().to_owned(), value)
        })
        .collect();
    let pod = |index: u64| {
        let place = |word: &str| word.replace("$(JOB_COMPLETION_INDEX)", &index.to_string());
        let command: Vec<_> = words(&container["command"]).chain(words(&container["args"])).map(place).collect();
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        let mut command = image.command(&command, &mounts);
        command.envs(variables.clone()).env("JOB_COMPLETION_INDEX", index.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let pods: Vec<_> = (0..pods).map(pod).collect();
    let generators = pods.len();
    for pod in pods {
        Outcome::of_child(pod).ends_with(0);
    }
    desk.run(&["merge", "results", "--out", "whole", "--quiet"]).measured();
    accounts(&summary(&desk, "whole"), generators, due("1s"));
}
