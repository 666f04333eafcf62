//! Ctrl-C, once and twice.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, thread, time::Duration};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{Desk, Outcome, Server, USER};
use crate::support::{for_each_client, signal, until};

for_each_client!(
    the_first_ends_the_run_early_and_reports_what_there_is,
    the_second_says_that_keys_stay_and_how_to_remove_them,
    an_interruption_of_the_drain_ends_the_wait_for_a_server_that_is_gone,
);

fn the_first_ends_the_run_early_and_reports_what_there_is(client: &str) {
    for how in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (desk, server) = (Desk::new(), Server::start());
        let arguments = ["run", "short.toml", "--target", &server.url(), "--duration", "10m", "--out", "out"];
        let child = desk.start(&[&arguments[..], &["--client", client]].concat());
        // By then the warm-up of 100 requests is over.
        until("load is put on", || server.gets() > 1000);
        signal(&child, how);
        Outcome::of_child(child).ends_with(130).complains("interrupted").says("nterrupted");
        assert_eq!(server.keys(), 0, "keys are removed all the same");
        let run = fs::read_to_string(desk.path("out/run.json")).unwrap();
        let run: serde_json::Value = serde_json::from_str(&run).unwrap();
        assert_eq!(run["recording"]["period"]["interrupted"], true);
        assert_eq!(run["scenario"].as_str().unwrap().contains("\"wire\""), client == "wire");
        desk.run(&["report", "out"]).ends_with(0).says("nterrupted");
    }
}

fn the_second_says_that_keys_stay_and_how_to_remove_them(client: &str) {
    let (desk, server) = (Desk::new(), Server::start());
    let arguments = ["run", "short.toml", "--target", &server.url(), "--duration", "10m", "--out", "out"];
    let child = desk.start(&[&arguments[..], &["--client", client]].concat());
    until("load is put on", || server.gets() > 1000);
    let mut other = desk.run(&["run", "short.toml", "--target", &server.url(), "--out", "other"]).ends_with(3);
    other = other.complains("the keys under `shop:` belong to another run (").complains("process");
    assert!(other.stderr.contains(&format!("process {} on ", child.id())), "{}", other.stderr);
    let beside = ["run", "short.toml", "--target", &server.url(), "--no-prefill", "--out", "beside"];
    desk.run(&beside).complains("warning: service `shop`: the keys under `shop:` belong to another run (");
    // A server that answers nobody keeps the run from removing them.
    server.pause();
    signal(&child, Signal::INT);
    thread::sleep(Duration::from_millis(500));
    signal(&child, Signal::INT);
    let outcome = Outcome::of_child(child).ends_with(130);
    outcome.complains("keys of the scenario stay on redis://127.0.0.1:").complains("`plimsoll clean`");
}

#[test]
fn keys_of_a_run_that_was_killed_are_removed_by_the_next() {
    let (desk, server) = (Desk::new(), Server::start());
    assert!(server.ask("SET shop:user:1 theirs").starts_with("+OK"));
    let run = ["run", "short.toml", "--target", &server.url(), "--out", "out", "--force"];
    let mut child = desk.start(&[&run[..], &["--duration", "10m"]].concat());
    until("load is put on", || server.gets() > 1000);
    child.kill().unwrap();
    child.wait().unwrap();
    let noted = desk.run(&run);
    noted.complains(&format!("process {} on ", child.id())).complains(", and the 100 keys that it wrote");
    assert!(desk.path("out/run.json").exists());
    assert_eq!(server.keys(), 1, "keys of others stay");
}

/// A gate of both arms on one server, as short as it can be.
fn gate_of(server: &Server) -> Vec<String> {
    let arm = format!("target={}", server.url());
    ["gate", "short.toml", "--quiet", "--blocks", "7", "--rate", "600", "--out", "out", "--a", &arm, "--b", &arm]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn a_gate_that_is_ended_while_it_removes_its_keys_leaves_none() {
    let (desk, server) = (Desk::new(), Server::start());
    let count = "service.shop.keys.count=200000".to_owned();
    let arguments = [gate_of(&server), vec!["--set".to_owned(), count]].concat();
    let child = desk.start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    until("the keys are written", || server.keys() > 200_000);
    until("the keys are removed after a block", || server.keys() < 200_000);
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130);
    assert_eq!(server.keys(), 0, "neither keys nor a claim");
}

#[test]
fn keys_that_a_gate_cannot_remove_stay_claimed_for_the_next_run() {
    let (desk, server) = (Desk::new(), Server::start());
    let arguments = gate_of(&server);
    let child = desk.start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    until("load is put on", || server.gets() > 1000);
    // It may remove the claim, and no other key.
    let rights = format!("ACL SETUSER {USER} -del -unlink \"(~shop:plimsoll-claim +del +unlink)\"");
    assert!(server.ask(&rights).starts_with("+OK"));
    signal(&child, Signal::INT);
    let outcome = Outcome::of_child(child).ends_with(130);
    outcome.complains("keys of the scenario stay on redis://127.0.0.1:").complains("`plimsoll clean`");
    assert_eq!(server.keys(), 101, "the keys and their claim");
    assert!(server.ask(&format!("ACL SETUSER {USER} clearselectors +del +unlink")).starts_with("+OK"));
    let next = desk.run(&["run", "short.toml", "--target", &server.url(), "--out", "next"]);
    next.complains(", and the 100 keys that it wrote");
    assert_eq!(server.keys(), 0);
}

#[test]
fn before_the_load_nothing_is_saved() {
    let desk = Desk::new();
    let mut scenario = fs::read_to_string(desk.path("short.toml")).unwrap();
    scenario = scenario.replace("count = 100", "count = 100000000");
    fs::write(desk.path("short.toml"), scenario).unwrap();
    let server = Server::start();
    let child = desk.start(&["run", "short.toml", "--target", &server.url(), "--out", "out"]);
    until("the prefill has begun", || server.keys() > 1000);
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130).complains("interrupted");
    assert_eq!(server.keys(), 0);
    assert_eq!(desk.names(), [""; 0]);
}

#[test]
fn the_second_stops_at_once_and_takes_the_private_server_along() {
    let desk = Desk::new();
    let program = desk.path("server");
    fs::write(&program, "#!/bin/sh\necho $$ > pid\nexec redis-server \"$@\"\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let arguments = ["run", "short.toml", "--server-bin", "./server", "--duration", "10m", "--set", "run.drain=10m"];
    let child = desk.start(&arguments);
    let number = || fs::read_to_string(desk.path("pid")).ok()?.trim().parse::<i32>().ok();
    until("the server has started", || number().is_some());
    let server = Pid::from_raw(number().unwrap()).unwrap();
    thread::sleep(Duration::from_secs(2));
    // A server that does not answer keeps the run from ending.
    kill_process(server, Signal::STOP).unwrap();
    signal(&child, Signal::INT);
    thread::sleep(Duration::from_millis(500));
    signal(&child, Signal::INT);
    let outcome = Outcome::of_child(child).ends_with(130);
    assert_eq!(outcome.stdout, "", "there is no time for a report");
    assert!(!outcome.stderr.contains("keys of the scenario stay"), "they are gone with it: {}", outcome.stderr);
    until("the server is gone", || test_kill_process(server).is_err());
    assert!(!Path::new(&desk.path("results")).exists() || fs::read_dir(desk.path("results")).unwrap().count() == 0);
}

fn an_interruption_of_the_drain_ends_the_wait_for_a_server_that_is_gone(client: &str) {
    let (desk, server) = (Desk::new(), Server::start());
    let patient = ["run.drain", "service.shop.pool.checkout_timeout", "service.shop.pool.command_timeout"];
    let patient = patient.map(|field| format!("--set={field}=5m"));
    let arguments = ["run", "short.toml", "--target", &server.url(), "--duration", "3s", "--out", "out"];
    let child = desk.start(&[&arguments[..], &["--client", client], &patient.each_ref().map(String::as_str)].concat());
    until("load is put on", || server.gets() > 500);
    server.pause();
    // The measured period is over by then.
    thread::sleep(Duration::from_secs(4));
    signal(&child, Signal::INT);
    let outcome = Outcome::of_child(child).ends_with(130);
    outcome.complains("keys of the scenario stay on redis://127.0.0.1:").says("nterrupted");
}
