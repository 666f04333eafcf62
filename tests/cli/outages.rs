//! Outages, recovery and acknowledged writes, where the answer is known.

use std::{collections::BTreeMap, fs, path::Path, thread, time::Duration};

use serde_json::Value;

use super::{Desk, Outcome, Server, USER, faults::refused, sites::start};
use crate::{
    support::{until, url},
    target::topologies::ask,
};

/// A run of 5 s whose only service is suspended for a while; nothing of it fails, since everything waits.
const STOPPED: [&str; 12] = [
    "run",
    "short.toml",
    "--duration",
    "5s",
    "--at",
    "1s=stop:1:1500ms",
    "--set",
    "service.shop.pool.command_timeout=5s",
    "--set",
    "service.shop.pool.checkout_timeout=5s",
    "--set",
    "objective.percentile=50",
];

fn table(desk: &Desk, file: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(desk.path(file)).unwrap();
    reader.deserialize().collect::<Result<_, _>>().unwrap()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {row:?}"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_suspended_server_is_an_outage_of_that_length() {
    let desk = Desk::new();
    desk.run(&[&STOPPED[..], &["--out", "r"]].concat()).measured().says("Service shop completed no request for 1.");
    let outages = table(&desk, "r/outages.csv");
    let [outage] = &outages[..] else { panic!("{outages:?}") };
    let event = &table(&desk, "r/events.csv")[0];
    let stopped = number(event, "ended_s") - number(event, "began_s");
    for bound in ["length_least_s", "length_most_s"] {
        let factor = number(outage, bound) / stopped;
        assert!((0.9..=1.1).contains(&factor), "{bound} is {factor} times the stop: {outage:?}");
    }
    assert_eq!((outage["service"].as_str(), outage["event"].as_str()), ("shop", "stop:1:1500ms"));
    assert_eq!(outage["failed"], "0");
    assert!(number(outage, "recovery_least_s") >= number(outage, "length_least_s"));
    let report = fs::read_to_string(desk.path("r/report.html")).unwrap();
    assert!(report.contains("Outages and recovery") && report.contains("Red strip at the top: outages"));
}

#[test]
fn a_recovery_that_takes_longer_than_its_limit_is_a_miss() {
    let desk = Desk::new();
    let with_limit = |limit: &str| {
        let limit = format!("objective.recovery={limit}");
        let outcome = desk.run(&[&STOPPED[..], &["--set", &limit, "--format", "json"]].concat());
        json(&outcome.stdout)
    };
    let missed = with_limit("1s");
    assert!(["fail", "invalid"].contains(&missed["verdict"].as_str().unwrap()), "{missed}");
    if missed["verdict"] == "fail" {
        assert!(missed["headline"].as_str().unwrap().contains("of an outage of shop"), "{missed}");
    }
    assert_eq!(missed["objective"]["recovery_s"].as_f64(), Some(1.0));
    let kept = with_limit("1h");
    assert!(!kept["headline"].as_str().unwrap().contains("of an outage"), "{kept}");
}

#[test]
fn a_run_without_an_outage_has_none_in_its_results() {
    let desk = Desk::new();
    let outcome = desk.run(&["run", "short.toml", "--format", "json", "--out", "r"]);
    assert!(json(&outcome.stdout).get("outages").is_none() && !desk.path("r/outages.csv").exists());
}

/// The audit of writes of a run, whose accounts close.
fn audit(desk: &Desk, arguments: &[&str]) -> Value {
    let audited = ["run", "short.toml", "--set", "audit_writes.rate=200", "--format", "json"];
    let outcome = desk.run(&[&audited[..], arguments].concat());
    let audit = json(&outcome.stdout)["write_audit"].clone();
    let of = |name: &str| audit[name].as_u64().unwrap_or_else(|| panic!("{name}: {audit}"));
    assert_eq!(of("sent"), of("acknowledged") + of("refused") + of("unknown"), "{audit}");
    assert!(of("lost_least") <= of("lost_most") && of("lost_most") <= of("acknowledged"), "{audit}");
    assert!(of("acknowledged") > 0 && of("repeated") == 0, "{audit}");
    audit
}

#[test]
fn a_server_that_keeps_its_data_loses_no_write() {
    let (desk, server) = (Desk::new(), Server::start());
    let audit = audit(&desk, &["--target", &server.url()]);
    let counts = ["refused", "unknown", "unread", "lost_most"].map(|name| audit[name].as_u64().unwrap());
    assert_eq!(counts, [0; 4], "{audit}");
    assert_eq!(server.keys(), 0, "the counters are removed");
}

#[test]
fn a_restart_without_its_data_loses_what_was_acknowledged() {
    let desk = Desk::new();
    let audit = audit(&desk, &["--duration", "3s", "--at", "1500ms=restart:1", "--out", "r"]);
    let lost = audit["lost_least"].as_u64().unwrap();
    // Half of them came before the restart.
    assert!(lost * 4 > audit["acknowledged"].as_u64().unwrap(), "{audit}");
    let run = json(&fs::read_to_string(desk.path("r/run.json")).unwrap());
    let restarted = run["events"][0]["began_ns"].as_u64().unwrap();
    let losses = run["write_audit"]["losses"].as_array().unwrap();
    assert!(losses.iter().all(|loss| loss["found_ns"].as_u64().unwrap() > restarted), "{losses:?}");
    let report = fs::read_to_string(desk.path("r/report.md")).unwrap();
    assert!(report.contains("acknowledged writes lost"), "{report}");
}

#[test]
fn an_audit_of_writes_is_refused_where_it_cannot_be_made() {
    let (desk, server) = (Desk::new(), Server::start());
    let scenario = fs::read_to_string(desk.path("short.toml")).unwrap();
    fs::write(desk.path("short.toml"), format!("{scenario}\n[audit_writes]\n")).unwrap();
    desk.run(&["capacity", "short.toml"]).ends_with(2).complains("a capacity run has no audit of writes");
    desk.run(&["gate", "short.toml", "--b", "config:io-threads=2"])
        .ends_with(2)
        .complains("a gate has no audit of writes");
    server.ask(&format!("ACL SETUSER {USER} -incr"));
    refused(&desk, &server.url()).complains("INCR").complains("which the audit of writes needs");
}

/// Seconds of the day of the first line of the logs below a folder that has a word.
fn logged(folder: &Path, word: &str) -> f64 {
    let logs = fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("server.log")).ok());
    let times =
        logs.flat_map(|log| log.lines().filter(|line| line.contains(word)).map(second_of_day).collect::<Vec<_>>());
    times.min_by(f64::total_cmp).unwrap_or_else(|| panic!("no {word} in the logs"))
}

/// The time of a line such as `123:X 30 Nov 2026 15:26:47.123 # +switch-master ...`.
fn second_of_day(line: &str) -> f64 {
    let time = line.split(' ').find(|word| word.matches(':').count() == 2).unwrap_or_else(|| panic!("no time: {line}"));
    time.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap())
}

#[test]
fn a_kill_under_sentinels_is_an_outage_of_the_time_that_their_log_has() {
    let (desk, server) = (Desk::new(), start("sentinel"));
    let child = desk.start(&[
        "run",
        "short.toml",
        "--target",
        &url(&server),
        "--client",
        "wire",
        "--duration",
        "6s",
        "--out",
        "r",
    ]);
    until("the load runs", || !ask(&server, &server.nodes()[0], "GET shop:str:1").starts_with("$-1"));
    thread::sleep(Duration::from_secs(1));
    let now = jiff::Zoned::now().time();
    let killed = f64::from(now.hour()) * 3_600.0
        + f64::from(now.minute()) * 60.0
        + f64::from(now.second())
        + f64::from(now.subsec_nanosecond()) / 1e9;
    server.kill();
    Outcome::of_child(child).measured();
    let outages = table(&desk, "r/outages.csv");
    let [outage] = &outages[..] else { panic!("{outages:?}") };
    let switched = (logged(server.folder(), "+switch-master") - killed).rem_euclid(86_400.0);
    let lasted = (number(outage, "length_least_s"), number(outage, "length_most_s"));
    assert!(lasted.1 >= 1.0 && lasted.0 <= 1.1 * switched, "{lasted:?}, the Sentinels took {switched} s: {outage:?}");
}
