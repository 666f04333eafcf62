//! Events of a scenario: what is done to a private server, or on this machine, during the load, and what is refused.

use std::{fs, thread, time::Duration};

use plimsoll::results::Run;
use rustix::process::Signal;
use serde_json::Value;

use super::{Desk, Outcome, SHORT, Server, files};
use crate::{
    load::bench::balance,
    support::{for_each_client, signal, until},
};

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
    assert!(table.starts_with("action,planned_s,began_s,ended_s,node,failure,outcome\nstop:1:300ms,0.2,"), "{table}");
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
        "one of kill:NODE, stop:NODE:TIME, restart:NODE, failover, reshard:SLOTS, config:NAME=VALUE, exec:COMMAND",
    );
    refused(&["--at", "soon=failover"], "is not a duration");
    refused(&["--at", "1s=kill:1"], "not within the measured period of 1s");
    refused(&["--at", "0s=kill:2"], "there is no node 2; the last is 1");
    refused(&["--at", "0s=kill:127.0.0.1:1"], "there is no node at 127.0.0.1:1");
    refused(&["--at", "0s=stop:replica:1s"], "no node is a replica");
    refused(&["--at", "0s=failover"], "a failover needs Sentinels, or a cluster with replicas");
    refused(&["--at", "0s=reshard:1"], "a reshard needs a cluster with two primaries or more");
    let on_cluster = ["--topology", "cluster:2x0", "--at"];
    refused(&[&on_cluster[..], &["0s=reshard:8193"]].concat(), "a primary has 8192 slots");
    let shared = ["0s=reshard:1", "--set", "service.shop.pool.checkout=shared"];
    refused(&[&on_cluster[..], &shared].concat(), "fred mixes up replies");
    let elsewhere = ["--target", "redis://127.0.0.1:1", "--at"];
    for action in ["kill:1", "stop:1:1s", "restart:1", "failover", "reshard:1", "config:a=b"] {
        let event = format!("0s={action}");
        let reason =
            format!("event {event}: kill, stop, restart, failover, reshard and config happen to private servers only");
        refused(&[&elsewhere[..], &[&event]].concat(), &reason);
        refused(&[&elsewhere[..], &[&event]].concat(), "or use exec:COMMAND");
    }
    fs::write(desk.path("planned.toml"), format!("{SHORT}\n[[event]]\nat = \"0s\"\ndo = \"kill:1\"\n")).unwrap();
    desk.run(&["capacity", "planned.toml"]).ends_with(2).complains("a capacity run has no events");
    desk.run(&["gate", "planned.toml", "--b", "config:io-threads=2"]).ends_with(2).complains("a gate has no events");
    assert_eq!(files(&desk.path("results")), []);
}

#[test]
fn commands_are_carried_out_on_consent_only_and_their_outcome_is_reported() {
    let (desk, server) = (Desk::new(), Server::start());
    let (url, count) = (server.url(), "200ms=exec:touch carried-out; echo first >&2; echo $((6*7)) >&2");
    let run = ["run", "short.toml", "--target", &url, "--out", "r", "--at", count, "--at", "300ms=exec:exit 7"];
    let refused = desk.run(&run).ends_with(2).complains("carry out commands on this machine (`touch carried-out;");
    refused.complains("`exit 7`), and no terminal is there to confirm").complains("confirm with --yes");
    assert_eq!((desk.names(), server.keys()), (Vec::new(), 0));
    desk.run(&[&run[..], &["--yes"]].concat()).measured().says("(exit code 0: 42)");
    assert!(desk.path("carried-out").exists());
    let outcomes: Vec<_> =
        events(&desk, "r").iter().map(|event| (event["outcome"].clone(), event["failure"].clone())).collect();
    assert_eq!(outcomes, [(Value::from("exit code 0: 42"), Value::Null), (Value::Null, Value::from("exit code 7"))]);
    let report = fs::read_to_string(desk.path("r").join("report.md")).unwrap();
    assert!(report.contains("exit code 0: 42") && report.contains("failed: exit code 7"), "{report}");
    let text = format!("{SHORT}\n[[event]]\nat = \"0s\"\ndo = \"exec:touch on-private\"\n");
    fs::write(desk.path("planned.toml"), text).unwrap();
    desk.run(&["ci", "planned.toml", "--out", "ci"]).ends_with(2).says("confirm with --yes");
    assert!(!desk.path("on-private").exists());
    desk.run(&["run", "planned.toml", "--out", "p", "--yes"]).measured();
    assert!(desk.path("on-private").exists());
}

#[test]
fn commands_end_with_a_run_that_is_interrupted_or_killed() {
    let desk = Desk::new();
    let beats = desk.path("beats");
    let count = || fs::metadata(&beats).map_or(0, |data| data.len());
    let stands_still = || {
        let before = count();
        thread::sleep(Duration::from_millis(300));
        count() == before
    };
    let start = |out: &str| {
        let command = "0s=exec:while :; do echo >> beats; sleep 0.02; done & wait";
        let child = desk.start(&["run", "short.toml", "--duration", "10m", "--yes", "--out", out, "--at", command]);
        until("the command has begun", || count() > 0);
        child
    };
    let child = start("r");
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130);
    assert!(stands_still());
    let event = &events(&desk, "r")[0];
    assert!(event["failure"].as_str().unwrap().starts_with("ended with the run; "), "{event}");
    fs::remove_file(&beats).unwrap();
    let mut child = start("killed");
    child.kill().unwrap();
    child.wait().unwrap();
    until("the command ends too", stands_still);
}

for_each_client!(without_a_quorum_nobody_replaces_a_primary_and_the_run_reports_the_failures);

fn without_a_quorum_nobody_replaces_a_primary_and_the_run_reports_the_failures(client: &str) {
    let desk = Desk::new();
    let kills = ["--at", "0s=kill:4", "--at", "0s=kill:5", "--at", "500ms=kill:primary"];
    let run = ["run", "short.toml", "--topology", "sentinel", "--client", client, "--duration", "4s", "--out", "r"];
    let outcome = desk.run(&[&run[..], &kills, &["--set", "run.drain=500ms", "--no-keyspace-sampling"]].concat());
    assert!(matches!(outcome.code, Some(1 | 3)), "{}\n{}", outcome.stdout, outcome.stderr);
    let saved = Run::from_json(&fs::read_to_string(desk.path("r").join("run.json")).unwrap()).unwrap();
    assert!(saved.events.iter().all(|event| event.failure.is_none()), "{:?}", saved.events);
    let (completed, failed, _) = balance(&saved.recording);
    assert!(completed > 0 && failed > 0, "{completed} completed, {failed} failed");
    let seconds = saved.recording.series.iter().flat_map(|series| &series.seconds);
    let after = seconds.filter(|second| second.second > 0).map(|second| second.counts.completed).sum::<u64>();
    assert_eq!(after, 0, "no replica takes over, which takes two seconds with a quorum");
    let report = fs::read_to_string(desk.path("r").join("report.md")).unwrap();
    assert!(report.contains("kill:primary") && report.contains("connection lost"), "{report}");
}
