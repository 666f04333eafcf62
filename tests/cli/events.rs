//! Events of a scenario: what is done to a private server during the load, and what is refused.

use std::fs;

use serde_json::Value;

use super::{Desk, SHORT, files};

/// The events of a saved run.
fn events(desk: &Desk, folder: &str) -> Vec<Value> {
    let run = fs::read_to_string(desk.path(folder).join("run.json")).unwrap();
    let run: Value = serde_json::from_str(&run).unwrap();
    run["events"].as_array().cloned().unwrap_or_default()
}

#[test]
fn events_happen_at_their_times_and_are_in_every_result() {
    let desk = Desk::new();
    fs::write(desk.path("planned.toml"), format!("{SHORT}\n[[event]]\nat = \"200ms\"\ndo = \"stop:1:300ms\"\n"))
        .unwrap();
    let outcome = desk.run(&[
        "run",
        "planned.toml",
        "--out",
        "r",
        "--duration",
        "2s",
        "--at",
        "1s=config:maxmemory=500mb",
        "--at",
        "1200ms=config:no-such-setting=1",
        "--at",
        "1500ms=restart:primary",
    ]);
    outcome.measured().says("stop:1:300ms at 0.2");
    let events = events(&desk, "r");
    let actions: Vec<_> = events.iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["stop:1:300ms", "config:maxmemory=500mb", "config:no-such-setting=1", "restart:primary"]);
    for event in &events {
        assert!(event["began_ns"].as_u64().unwrap() >= event["planned_ns"].as_u64().unwrap(), "{event}");
    }
    let length = |event: &Value| event["ended_ns"].as_u64().unwrap() - event["began_ns"].as_u64().unwrap();
    assert!(length(&events[0]) >= 300_000_000, "{}", events[0]);
    let failed: Vec<_> = events.iter().map(|event| event["failure"].is_string()).collect();
    assert_eq!(failed, [false, false, true, false]);
    assert!(events[3]["node"].as_str().unwrap().starts_with("redis://127.0.0.1:"), "{}", events[3]);
    let table = fs::read_to_string(desk.path("r").join("events.csv")).unwrap();
    assert!(table.starts_with("action,planned_s,began_s,ended_s,node,failure\nstop:1:300ms,0.2,"), "{table}");
    let report = fs::read_to_string(desk.path("r").join("report.md")).unwrap();
    assert!(report.contains("## Events") && report.contains("restart:primary"), "{report}");
}

#[test]
fn a_run_without_events_has_none_in_its_results() {
    let desk = Desk::new();
    desk.run(&["run", "short.toml", "--out", "r"]).measured();
    assert!(events(&desk, "r").is_empty() && !desk.path("r").join("events.csv").exists());
}

#[test]
fn events_that_cannot_happen_are_refused_before_the_load() {
    let desk = Desk::new();
    let refused = |arguments: &[&str], reason: &str| {
        let outcome = desk.run(&[&["run", "short.toml"], arguments].concat()).ends_with(2);
        outcome.complains(reason);
    };
    refused(
        &["--at", "0s=explode"],
        "actions are kill:NODE, stop:NODE:TIME, restart:NODE, failover, config:NAME=VALUE",
    );
    refused(&["--at", "soon=failover"], "is not a duration");
    refused(&["--at", "1s=kill:1"], "not within the measured period of 1s");
    refused(&["--at", "0s=kill:2"], "there is no node 2; the last is 1");
    refused(&["--at", "0s=kill:127.0.0.1:1"], "there is no node at 127.0.0.1:1");
    refused(&["--at", "0s=stop:replica:1s"], "no node is a replica");
    refused(&["--at", "0s=failover"], "a failover needs Sentinels, or a cluster with replicas");
    refused(&["--at", "0s=kill:1", "--target", "redis://127.0.0.1:1"], "happen to private servers only");
    fs::write(desk.path("planned.toml"), format!("{SHORT}\n[[event]]\nat = \"0s\"\ndo = \"kill:1\"\n")).unwrap();
    desk.run(&["capacity", "planned.toml"]).ends_with(2).complains("a capacity run has no events");
    desk.run(&["gate", "planned.toml", "--b", "config:io-threads=2"]).ends_with(2).complains("a gate has no events");
    assert_eq!(files(&desk.path("results")), []);
}
