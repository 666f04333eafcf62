//! What the client library costs, measured behind the load of a run.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use super::{Desk, Outcome, Server};
use crate::support::{signal, until};

/// What a run saved of it.
fn saved(desk: &Desk) -> Value {
    let run = fs::read_to_string(desk.path("out/run.json")).unwrap();
    serde_json::from_str::<Value>(&run).unwrap()["client_cost"].take()
}

fn completed(cost: &Value, client: &str) -> u64 {
    let seconds = cost["seconds"].as_array().unwrap().iter();
    let tallies = seconds.flat_map(|second| second[client].as_array().unwrap());
    tallies.map(|tally| tally["completed"].as_u64().unwrap()).sum()
}

#[test]
fn both_clients_send_the_load_of_the_scenario_and_leave_no_keys() {
    let (desk, server) = (Desk::new(), Server::start());
    let run = ["run", "short.toml", "--target", &server.url(), "--client-cost", "--out", "out"];
    let run = desk.run(&run).measured().says("\n  Client: ");
    assert_eq!(server.keys(), 0, "the scenario's keys are removed");
    let cost = saved(&desk);
    assert_eq!((cost["seconds"].as_array().unwrap().len(), &cost["planned"]), (8, &Value::from(8)));
    assert_eq!(cost["operations"][0]["operation"], "GET");
    for client in ["wire", "fred"] {
        // 1 000 per second of its own, which are half of the time.
        let completed = completed(&cost, client);
        assert!((3_500..4_500).contains(&completed), "{client} {completed}");
    }
    let report = fs::read_to_string(desk.path("out/report.md")).unwrap();
    assert!(report.contains("## Client library") && report.contains(" with fred; the server spends "), "{report}");
    assert_eq!(desk.run(&["report", "out"]).ends_with(0).stdout, run.stdout);
}

#[test]
fn a_ctrl_c_in_the_turns_keeps_the_run_and_the_seconds_until_then() {
    let (desk, server) = (Desk::new(), Server::start());
    let child = desk.start(&["run", "short.toml", "--target", &server.url(), "--client-cost", "--out", "out"]);
    // The run has about 825 of them, and each second of the turns 750.
    until("the turns have gone on for some seconds", || server.gets() > 3_500);
    signal(&child, Signal::INT);
    Outcome::of_child(child).ends_with(130).complains("interrupted").says("\n  Client: ");
    assert_eq!(server.keys(), 0, "the scenario's keys are removed");
    let cost = saved(&desk);
    assert!((1..8).contains(&cost["seconds"].as_array().unwrap().len()), "{cost}");
}

#[test]
fn the_wire_client_alone_is_refused_before_anything_happens() {
    let desk = Desk::new();
    let run = desk.run(&["run", "short.toml", "--client-cost", "--client", "wire", "--out", "out"]);
    run.ends_with(2).complains("--client-cost").complains("service `shop`").complains("remove --client wire");
    assert_eq!(desk.names(), [""; 0]);
}
