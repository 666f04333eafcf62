//! Searches that end before their time: the server is lost, or the disk is full.

use plimsoll::results::{Ended, Trial};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use super::bench::{beside, scenario_of};
use crate::{
    support::{Outcome, Server, block_on, deployment, for_each_client, signal, until, url},
    target::topologies::ask,
};

const SHORT: [&str; 6] = ["--trial", "1s", "--warmup", "100ms", "--budget", "10m"];

for_each_client!(a_server_that_is_lost_is_in_the_headline, a_search_goes_to_all_primaries_of_a_cluster);

fn a_server_that_is_lost_is_in_the_headline(client: &str) {
    let desk = beside(&scenario_of(500, "50ms", "command = \"GET\"", "drain = \"1s\""));
    let server = Server::start();
    let arguments = ["capacity", "known.toml", "--out", "out", "--current-rate", "1", "--target", &server.url()];
    let child = desk.start(&[&arguments[..], &SHORT, &["--client", client]].concat());
    until("a trial is saved", || desk.trials() >= 1);
    drop(server);
    let outcome = Outcome::of_child(child).ends_with(3).complains("--resume out continues it");
    assert!(outcome.stdout.starts_with("The server was lost in trial "), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("; recommended "), "{}", outcome.stdout);
    assert_eq!(desk.saved().0.ended, Ended::Lost);
}

fn a_search_goes_to_all_primaries_of_a_cluster(client: &str) {
    let server = block_on(deployment("cluster:2x0"));
    let target = url(&server);
    for target in [&["--current-rate", "1", "--target", &target][..], &["--topology", "cluster:2x0", "--tls"]] {
        let desk = beside(&scenario_of(500, "50ms", "command = \"GET\"", "drain = \"1s\""));
        let arguments = ["capacity", "known.toml", "--out", "out", "--client", client];
        let child = desk.start(&[&arguments[..], &SHORT, target].concat());
        until("a trial is saved", || desk.trials() >= 1);
        signal(&child, Signal::INT);
        Outcome::of_child(child).ends_with(130);
        let (capacity, _) = desk.saved();
        assert!(capacity.target.address.contains("+cluster://127.0.0.1:"), "{}", capacity.target.address);
        assert_eq!(capacity.target.nodes.iter().map(|node| node.slots).sum::<u32>(), 16_384);
    }
    for node in server.nodes() {
        assert!(ask(&server, node, "DBSIZE").starts_with(":0"), "its data is removed again");
    }
}

#[test]
fn a_small_budget_has_time_for_a_trial_or_is_refused_before_any_load() {
    let desk = beside(&scenario_of(500, "50ms", "command = \"GET\"", "drain = \"1s\""));
    let server = Server::start();
    let lengths = ["--trial", "1s", "--warmup", "100ms", "--out", "out", "--target", &server.url()];
    let with = |budget: &str| desk.run(&[&["capacity", "known.toml", "--budget", budget], &lengths[..]].concat());
    let refused = with("5s").ends_with(2).complains("--budget: 5s is too short: inspecting the server takes ");
    let (_, enough) = refused.stderr.split_once(": use --budget ").unwrap();
    let outcome = with(enough.split_once(',').unwrap().0);
    assert!(outcome.stderr.contains("before: commands of other clients are counted for "), "{}", outcome.stderr);
    let (capacity, _) = desk.saved();
    assert!(!capacity.trials.is_empty() && capacity.current_rate.is_some(), "{}", outcome.stderr);
    let ends = |trial: &Trial| trial.began_ns + trial.measured_ns;
    assert!(capacity.trials[1..].iter().all(|trial| ends(trial) <= capacity.plan.budget_ns), "{}", outcome.stderr);
}

#[test]
fn a_search_on_a_full_disk_reports_all_its_trials() {
    let desk = beside(&scenario_of(500, "50ms", "command = \"GET\"", "drain = \"1s\""));
    let child =
        desk.start(&[&["capacity", "known.toml", "--out", "out", "--format", "json", "--quiet"], &SHORT[..]].concat());
    until("a trial is saved", || desk.trials() >= 1);
    let none = Rlimit { current: Some(0), maximum: None };
    prlimit(Some(Pid::from_child(&child)), Resource::Fsize, none).unwrap();
    let outcome = Outcome::of_child(child).ends_with(2).complains("File too large");
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    let summary: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let reported = summary["trials"].as_u64();
    assert_eq!(reported, Some(desk.trials() as u64 + 1), "with the one that could not be saved: {summary}");
}
