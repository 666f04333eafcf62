//! Runs on private topologies, and what stays of them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use rustix::process::{Pid, Signal, test_kill_process};

use super::{Desk, Outcome};
use crate::support::{for_each_client, signal, until};

for_each_client!(a_run_has_the_topology_and_leaves_nothing_of_it);

/// A run with a folder of its own for temporary files.
fn start(desk: &Desk, arguments: &[&str]) -> Child {
    let folder = desk.path("temporary");
    fs::create_dir_all(&folder).unwrap();
    let mut command = desk.command(arguments);
    command.env("TMPDIR", folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Temporary files that are left.
fn temporary(desk: &Desk) -> Vec<PathBuf> {
    fs::read_dir(desk.path("temporary")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Process number of a node, once it is known.
fn pid(folder: &Path, node: usize) -> Option<Pid> {
    let number = fs::read_to_string(folder.join(format!("{node}/server.pid"))).ok()?;
    Pid::from_raw(number.parse().ok()?)
}

fn a_run_has_the_topology_and_leaves_nothing_of_it(client: &str) {
    let desk = Desk::new();
    for (topology, tls, address) in [
        ("standalone", None, "redis://127.0.0.1:"),
        ("replica", None, "redis://127.0.0.1:"),
        ("sentinel", None, "redis+sentinel://127.0.0.1:"),
        ("cluster:2x1", None, "redis+cluster://127.0.0.1:"),
        ("sentinel", Some("--tls"), "rediss+sentinel://127.0.0.1:"),
        ("cluster:2x1", Some("--tls"), "rediss+cluster://127.0.0.1:"),
    ] {
        let out = format!("{topology}{}", tls.unwrap_or_default());
        let mut arguments = vec!["run", "short.toml", "--topology", topology, "--client", client, "--out", &out];
        arguments.extend(tls);
        Outcome::of_child(start(&desk, &arguments)).measured().says(address);
        let run = fs::read_to_string(desk.path(&out).join("run.json")).unwrap();
        let run: serde_json::Value = serde_json::from_str(&run).unwrap();
        assert_eq!(run["target"]["private"], true);
        assert!(run["target"]["address"].as_str().unwrap().starts_with(address), "{}", run["target"]);
        let sampled = run["inspection"]["slots"]["commands"].as_u64();
        assert_eq!(sampled.is_some_and(|commands| commands > 0), topology.starts_with("cluster"), "{sampled:?}");
        assert_eq!(temporary(&desk), [""; 0].map(PathBuf::from));
    }
}

#[test]
fn an_interruption_ends_all_servers_of_a_topology() {
    let desk = Desk::new();
    let arguments = ["run", "short.toml", "--topology", "cluster", "--duration", "10m"];
    // The cluster takes two seconds from the start of its last node; the load begins later.
    for (how, during_load) in [(Signal::INT, false), (Signal::TERM, false), (Signal::TERM, true)] {
        let child = start(&desk, &arguments);
        let folder = || temporary(&desk).first().cloned();
        until("all servers are started", || folder().is_some_and(|folder| pid(&folder, 6).is_some()));
        let folder = folder().unwrap();
        let pids: Vec<_> = (1..=6).filter_map(|node| pid(&folder, node)).collect();
        assert!(pids.len() == 6 && pids.iter().all(|pid| test_kill_process(*pid).is_ok()));
        if during_load {
            std::thread::sleep(std::time::Duration::from_secs(5));
        }
        signal(&child, how);
        Outcome::of_child(child).ends_with(130);
        assert!(pids.iter().all(|pid| test_kill_process(*pid).is_err()));
        assert_eq!(temporary(&desk), [""; 0].map(PathBuf::from));
    }
}
