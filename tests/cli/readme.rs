//! Every command in the README is executed, against a private server and with less load.

use std::{collections::HashMap, fs, path::Path, process::Command};

use super::{Desk, Outcome, Server};

/// What an option of an example stands for here, so that all examples together take a minute.
const SHORTER: [(&str, &str); 7] = [
    ("--duration 20s --at 5s=", "--duration 2s --at 1s="),
    ("--duration 30s", "--duration 1s"),
    ("--duration 60s", "--duration 1s"),
    ("--duration 10m", "--duration 1s"),
    ("--rate 20000", "--rate 500"),
    ("--rate 2000", "--rate 500"),
    ("--pool 50,100", "--pool 50"),
];

/// Arguments that shorten a command whose example has none.
const LITTLE: [(&str, &[&str]); 4] = [
    ("run", &["--rate 500", "--duration 1s"]),
    ("ci", &["--rate 500", "--duration 1s"]),
    ("gate", &["--rate 500", "--blocks 7"]),
    ("capacity", &["--trial 2s", "--budget 40s"]),
];

/// Lines of the shell blocks of a document, without comments.
fn commands(document: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside {
            let command = line.split("  #").next().unwrap().split("   ").next().unwrap().trim();
            found.extend((!command.is_empty()).then(|| command.to_owned()));
        }
    }
    assert!(found.len() >= 5, "{document} has {} commands", found.len());
    found
}

/// Executes the commands of a document one after another in one folder, as a reader would.
fn execute(document: &str) {
    let (desk, server) = (Desk::new(), Server::start());
    let program = env!("CARGO_BIN_EXE_plimsoll");
    let mut environment: HashMap<String, String> = HashMap::new();
    // The scenario and the results that examples name: the reader has these before.
    fs::copy(desk.path("short.toml"), desk.path("mine.toml")).unwrap();
    desk.run(&["run", "short.toml", "--quiet", "--out", "results/mine-20260214T101500Z"]).measured();
    for command in commands(document) {
        let mut line = command
            .replace("redis://app:password@db.example:6379", &server.url())
            .replace("redis://db.example:6379", &server.url())
            .replace("server-bin=/usr/bin/redis-server", "config:hz=10")
            .replace("server-bin=/opt/redis-8/bin/redis-server", "config:hz=11")
            .replace("./plimsoll-main", program)
            .replace("target/release/plimsoll", program)
            .replace("/tmp/", "");
        for (option, shorter) in SHORTER {
            line = line.replace(option, shorter);
        }
        if let Some(assignment) = line.strip_prefix("export ") {
            let (name, value) = assignment.split_once('=').unwrap();
            environment.insert(name.to_owned(), value.to_owned());
            continue;
        }
        if line.starts_with("make ") {
            let dry = Command::new("sh").arg("-c").arg(line.replacen("make", "make --dry-run", 1)).output().unwrap();
            assert!(dry.status.success(), "{document}: {command}: {}", String::from_utf8_lossy(&dry.stderr));
            continue;
        }
        // The build itself: `make test` and `make bench` are the test of these.
        if line.starts_with("cargo ") {
            continue;
        }
        let arguments = line.strip_prefix("plimsoll ").unwrap_or_else(|| panic!("{document}: what is `{command}`?"));
        let name = arguments.split(' ').next().unwrap().to_owned();
        for option in LITTLE.iter().filter(|(of, _)| *of == name).flat_map(|(_, options)| *options) {
            if !line.contains(option.split(' ').next().unwrap()) {
                line = match line.split_once(" > ") {
                    Some((before, after)) => format!("{before} {option} > {after}"),
                    None => format!("{line} {option}"),
                };
            }
        }
        let line = line.replacen("plimsoll", program, 1);
        let output = desk.shell(&line).envs(&environment).output().unwrap();
        let outcome = Outcome::of(output);
        // A measurement on a busy machine may end with any verdict; an example that is refused ends with 2.
        let allowed: &[i32] =
            if ["run", "capacity", "gate", "ci", "compare"].contains(&name.as_str()) { &[0, 1, 3, 4] } else { &[0] };
        let code = outcome.code.unwrap();
        assert!(
            allowed.contains(&code),
            "{document}: `{command}` as `{line}` ended with {code}:\n{}{}",
            outcome.stdout,
            outcome.stderr
        );
        assert!(!outcome.stderr.contains("error:"), "{document}: `{command}` as `{line}`:\n{}", outcome.stderr);
    }
}

#[test]
fn commands_of_the_readme_work() {
    execute("README.md");
}
