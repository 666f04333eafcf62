//! Load from several processes: shards that are started one by one and merged, and those that `plimsoll scale` starts.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command},
    thread::sleep,
    time::Duration,
};

use jiff::{Timestamp, ToSpan};
use plimsoll::{scenario, workload::scheduled};
use rustix::process::Signal;
use serde_json::Value;

use super::{Desk, Outcome, SHORT, Server};
use crate::support::{signal, until};

/// Requests that fall due in the measured period of [`SHORT`] with a duration.
pub(super) fn due(duration: &str) -> u64 {
    let text = SHORT.replace("duration = \"1s\"", &format!("duration = \"{duration}\""));
    scheduled(&scenario::parse(&text, "short.toml").unwrap()).into_iter().flatten().sum()
}

/// Summary of a result folder, for programs.
pub(super) fn summary(desk: &Desk, folder: &str) -> Value {
    let outcome = desk.run(&["report", folder, "--format", "json"]).ends_with(0);
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// Why the load of the run in `out` failed. The run is invalid, and has what all of its generators reported.
#[track_caller]
pub(super) fn failure(desk: &Desk, outcome: Outcome) -> String {
    let outcome = outcome.ends_with(3);
    assert!(outcome.stdout.contains("nvalid"), "{}", outcome.stderr);
    let found = summary(desk, "out");
    assert_eq!(found["verdict"], "invalid", "{}", outcome.stdout);
    assert_eq!(found["generators"].as_array().unwrap().len(), 4);
    assert!(found["rows"][0]["count"].as_u64().unwrap() > 0, "{found}");
    let checks = found["checks"].as_array().unwrap();
    let failed = checks.iter().find(|check| check["kind"] == "load_failure").unwrap();
    let reason = failed["subject"].as_str().unwrap().to_owned();
    assert!(reason.contains("are unaccounted for"), "{reason}");
    reason
}

/// Fails unless the generators of a summary account for every request that was due.
#[track_caller]
pub(super) fn accounts(summary: &Value, generators: usize, due: u64) {
    let rows = summary["generators"].as_array().unwrap();
    assert_eq!(rows.len(), generators);
    let sum = |name: &str| rows.iter().map(|row| row[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum("scheduled"), due);
    assert_eq!(sum("count") + sum("errors") + sum("unfinished"), due);
    for row in rows {
        let share = row["scheduled"].as_f64().unwrap() * generators as f64 / due as f64;
        assert!((0.9..1.1).contains(&share), "{row}");
        assert_eq!(row["clock"], "server");
    }
}

/// Processes of the program that run as shards.
pub(crate) fn shards(parent: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let all = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let of_threads = all.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let mut found: Vec<u32> = children
        .into_iter()
        .chain(of_threads)
        .flat_map(|text| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .filter(|pid| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| words.ends_with(b"\0shard\0")))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

pub(crate) fn is_there(pid: u32) -> bool {
    // A process that has ended and that nobody has waited for has no command line.
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| !words.is_empty())
}

fn kill(pid: u32, signal: Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

fn start_shards(desk: &Desk, server: &Server, more: &[&str]) -> Vec<Child> {
    let start = (Timestamp::now() + 4.seconds()).to_string();
    let shard = |number: u32| {
        let (shard, url, out) = (format!("{number}/4"), server.url(), number.to_string());
        let arguments = ["run", "short.toml", "--target", &url, "--shard", &shard, "--start-at", &start, "--out", &out];
        desk.start(&[&arguments[..], more].concat())
    };
    (0..4).map(shard).collect()
}

#[test]
fn four_shards_send_what_one_process_would() {
    let (desk, server) = (Desk::new(), Server::start());
    for shard in start_shards(&desk, &server, &[]) {
        Outcome::of_child(shard).ends_with(0).says("recorded for `plimsoll merge`");
    }
    desk.run(&["merge", "0", "1", "2", "3", "--out", "whole", "--quiet"]).measured();
    let whole = summary(&desk, "whole");
    accounts(&whole, 4, due("1s"));
    // Order does not matter, and the sum is a run like any other.
    desk.run(&["merge", "3", "1", "0", "2", "--out", "again", "--quiet"]).measured();
    assert_eq!(summary(&desk, "again")["rows"], whole["rows"]);
    desk.run(&["compare", "./whole", "again"]).ends_with(2).complains("both are the same run");

    desk.run(&["merge", "0", "1", "3"]).ends_with(3).complains("shard 2 is missing of 4");
    desk.run(&["merge", "0", "1", "2", "3", "3"]).ends_with(3).complains("are both shard 3 of 4");
    desk.run(&["report", "2"]).ends_with(2).complains("is one shard of a run");
    desk.run(&["merge", "0", "1", "2", "3", "--out", "0", "--force"]).ends_with(2).complains("use another --out");
    desk.run(&["merge", "0", "whole"]).ends_with(2).complains("no shard of a run in whole");
    let file = desk.path("1/shard.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("\"completed\":", "\"completed\": ", 1)).unwrap();
    desk.run(&["merge", "0", "1", "2", "3"]).ends_with(2).complains("damaged").complains("SHA-256");
}

#[test]
fn a_shard_that_cannot_begin_with_the_others_fails() {
    let (desk, server) = (Desk::new(), Server::start());
    let url = server.url();
    let shard = ["run", "short.toml", "--target", &url, "--out", "out", "--start-at"];
    let with = |more: &[&str]| desk.run(&[&shard[..], more].concat());
    with(&["2020-01-01T00:00:00Z", "--shard", "0/4"]).ends_with(3).complains("after the agreed start");
    with(&["2020-01-01T00:00:00Z", "--shard", "4/4"]).ends_with(2).complains("numbered from 0 to 3");
    with(&["tomorrow", "--shard", "0/4"]).ends_with(2).complains("such as 2026-02-14T03:17:00Z");
    with(&["2020-01-01T00:00:00Z"]).ends_with(2).complains("which shard is this?");
    with(&["2020-01-01T00:00:00Z", "--shard", "0/8"]).ends_with(2).complains("--set service.shop.pool.size=8");
    with(&["2020-01-01T00:00:00Z", "--shard", "0/4", "--at", "1s=exec:true"])
        .ends_with(2)
        .complains("cannot be used with");
    desk.run(&["run", "short.toml", "--shard", "0/4"]).ends_with(2).complains("--start-at");
    desk.run(&["run", "short.toml", "--shard", "0/4", "--start-at", "2020-01-01T00:00:00Z"])
        .ends_with(2)
        .complains("needs a server that all shards reach");
}

#[test]
fn generators_on_this_machine_make_one_run() {
    let desk = Desk::new();
    for topology in ["standalone", "cluster:2x0"] {
        let arguments = ["scale", "short.toml", "-n", "4", "--launcher", "local", "--topology", topology];
        desk.run(&[&arguments[..], &["--out", topology, "--quiet"]].concat()).measured();
        let summary = summary(&desk, topology);
        accounts(&summary, 4, due("1s"));
        assert!(desk.path(topology).join("generators.csv").exists());
    }
}

/// A scale that goes on for long, once all of its shards send.
fn under_way(desk: &Desk, server: &Server, more: &[&str]) -> Child {
    let url = server.url();
    let arguments = ["scale", "short.toml", "-n", "4", "--target", &url, "--duration", "10m", "--out", "out"];
    let child = desk.start(&[&arguments[..], more].concat());
    // More than a second of what is measured.
    until("load is put on", || server.gets() > 3_000);
    child
}

const LOCAL: [&str; 2] = ["--launcher", "local"];

#[test]
fn a_generator_that_is_killed_ends_the_run_and_is_named() {
    let (desk, server) = (Desk::new(), Server::start());
    let child = under_way(&desk, &server, &LOCAL);
    let all = shards(child.id());
    assert_eq!(all.len(), 4);
    kill(all[2], Signal::KILL);
    let reason = failure(&desk, Outcome::of_child(child));
    assert!(reason.starts_with("generator 2 of 4 on ") && reason.contains("SIGKILL"), "{reason}");
    assert!(all.iter().all(|pid| !is_there(*pid)), "the others are stopped");
    assert_eq!(server.keys(), 0, "keys are removed");
}

#[test]
fn a_generator_that_stands_still_ends_the_run_and_is_named() {
    let (desk, server) = (Desk::new(), Server::start());
    let child = under_way(&desk, &server, &LOCAL);
    kill(shards(child.id())[1], Signal::STOP);
    let reason = failure(&desk, Outcome::of_child(child));
    assert!(reason.starts_with("generator 1 of 4 on ") && reason.contains("reported nothing for 3 s"), "{reason}");
    assert_eq!(server.keys(), 0);
}

#[test]
fn generators_end_with_the_one_that_started_them() {
    let (desk, server) = (Desk::new(), Server::start());
    let mut child = under_way(&desk, &server, &LOCAL);
    let all = shards(child.id());
    assert_eq!(all.len(), 4);
    child.kill().unwrap();
    child.wait().unwrap();
    until("the generators end", || all.iter().all(|pid| !is_there(*pid)));
    let before = server.gets();
    sleep(Duration::from_millis(300));
    assert_eq!(server.gets(), before, "nothing is sent any more");
}

#[test]
fn an_interruption_reports_what_there_is() {
    let (desk, server) = (Desk::new(), Server::start());
    let child = under_way(&desk, &server, &LOCAL);
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130).complains("interrupted").says("nterrupted");
    assert_eq!(summary(&desk, "out")["generators"].as_array().unwrap().len(), 4);
    assert_eq!(server.keys(), 0);
}

#[test]
fn a_generator_that_is_asked_to_end_ends_the_run() {
    let (desk, server) = (Desk::new(), Server::start());
    let child = under_way(&desk, &server, &LOCAL);
    kill(shards(child.id())[1], Signal::TERM);
    let reason = failure(&desk, Outcome::of_child(child));
    assert!(reason.starts_with("generator 1 of 4 on ") && reason.contains("was ended by a signal"), "{reason}");
}

/// A program in the folder.
pub(super) fn script(desk: &Desk, name: &str, text: &str) -> String {
    let path = desk.path(name);
    // Written by another process: what this one has open for writing cannot be started.
    let write = "printf '%s\\n' \"$1\" > \"$0\" && chmod +x \"$0\"";
    let written =
        Command::new("sh").arg("-c").arg(write).arg(&path).arg(format!("#!/bin/sh\n{text}")).status().unwrap();
    assert!(written.success());
    assert_ne!(fs::metadata(&path).unwrap().permissions().mode() & 0o111, 0);
    path.to_str().unwrap().to_owned()
}

#[test]
fn generators_of_another_build_or_number_are_refused() {
    let (desk, server) = (Desk::new(), Server::start());
    let url = server.url();
    let scale = |launcher: &str, program: &[&str]| {
        let arguments = ["scale", "short.toml", "-n", "2", "--target", &url, "--launcher", launcher, "--out", "out"];
        desk.run(&[&arguments[..], program].concat())
    };
    scale("local", &["--program", "/nowhere/plimsoll"]).ends_with(2).complains("could not start /nowhere/plimsoll");
    scale("ssh one", &[]).ends_with(2).complains("names 1 hosts for 2 generators");
    let one = script(&desk, "starts-one", "SLURM_PROCID=0 SLURM_NTASKS=1 exec \"$@\"");
    scale(&one, &[]).ends_with(3).complains("started 1 processes instead of 2");
    let none = script(&desk, "starts-none", "echo no machines >&2; exit 7");
    scale(&none, &[]).ends_with(3).complains("the launcher ended (exit status: 7)").complains("no machines");
    desk.run(&["scale", "short.toml", "-n", "2", "--launcher", &one])
        .ends_with(2)
        .complains("a private server listens on this machine only");
    let wide = ["scale", "short.toml", "-n", "5", "--launcher", "local"];
    desk.run(&wide).ends_with(2).complains("--set service.shop.pool.size=5");
    assert!(!Path::new(&desk.path("out")).exists());
}
