//! Load on a cluster: accounts by node, and a node that stops.

use std::{thread, time::Duration};

use plimsoll::{
    analysis::{Subject, analyse},
    load::Settings,
    measure::{Recording, SeriesRecord, SeriesRole, merged},
    target::PrivateRole,
};

use super::bench::{Bench, one_service};
use crate::target::topologies::ask;

const PHASES: &str = "warmup = \"200ms\"\nduration = \"2s\"\ndrain = \"5s\"";
const LONGER: &str = "warmup = \"200ms\"\nduration = \"5s\"\ndrain = \"5s\"";
const OPEN: &str = "model = \"open\"\nrate = 600\narrivals = \"uniform\"";
const MIX: &[&str] = &["command = \"GET\"", "command = \"SET\"", "command = \"INCR\""];

pub(super) fn finished(series: &SeriesRecord) -> u64 {
    let totals = series.totals();
    totals.completed + totals.failed()
}

/// Requests of the rows of nodes, which are those of the operations.
pub(super) fn by_node(recording: &Recording) -> Vec<(String, u64)> {
    let operations = recording.series.iter().filter(|series| series.key.role == SeriesRole::Operation);
    let nodes: Vec<_> = recording.nodes.iter().map(|node| (node.key.operation.clone(), finished(node))).collect();
    assert_eq!(nodes.iter().map(|(_, count)| count).sum::<u64>(), operations.map(finished).sum::<u64>());
    nodes
}

#[test]
fn requests_are_accounted_for_by_node_alike_with_both_clients() {
    let of = |client: &str| {
        let bench = Bench::on("cluster:3x0", client, &one_service(PHASES, "size = 8", OPEN, MIX));
        let recording = bench.start(Settings::default()).finish();
        let nodes = by_node(&recording);
        assert!(nodes[..3].iter().all(|(_, count)| *count > 0), "{nodes:?}");
        assert!(nodes[3..].iter().all(|(_, count)| *count == 0), "{nodes:?}");
        nodes.into_iter().map(|(_, count)| count).collect::<Vec<_>>()
    };
    assert_eq!(of("fred"), of("wire"), "the same requests have the same slots");
}

/// Time that a node stands still.
const STOPPED: Duration = Duration::from_secs(3);

#[test]
fn a_node_that_stands_still_delays_its_own_requests_only_with_the_wire_client() {
    let pool = "size = 2\ncheckout = \"shared\"\nin_flight = 1000\ncommand_timeout = \"10s\"";
    let bench = Bench::on("cluster:3x0", "wire", &one_service(LONGER, pool, OPEN, MIX));
    for node in bench.server.nodes() {
        // Else the others take it for failed meanwhile, and refuse all requests.
        assert!(ask(&bench.server, node, "CONFIG SET cluster-node-timeout 15000").starts_with("+OK"));
    }
    let node = bench.server.nodes().iter().find(|node| node.role() == PrivateRole::Primary).unwrap();
    let running = bench.start(Settings::default());
    running.wait_until_measuring();
    thread::sleep(Duration::from_millis(500));
    node.stop();
    thread::sleep(STOPPED);
    node.resume();
    let (recording, server) = running.finish_with_server();
    by_node(&recording);
    let stopped = node.endpoint().to_string();
    let times = |series: &SeriesRecord| merged(series.seconds.iter().map(|second| &second.response));
    let half = STOPPED.as_nanos() as u64 / 2;
    for series in recording.nodes.iter().filter(|series| finished(series) > 0) {
        let times = times(series);
        let late = times.len() - times.count_between(0, half);
        // The load is uniform: requests of the first half of the stop wait longer than half of it.
        let expected = times.len() as f64 * (STOPPED.as_secs_f64() / 2.0) / 5.0;
        if series.key.operation == stopped {
            assert!((0.7..=1.5).contains(&(late as f64 / expected)), "{late} late, {expected} expected");
        } else {
            assert_eq!(late, 0, "{}", series.key.operation);
        }
        assert_eq!(series.totals().failed(), 0);
    }
    let analysis = analyse(&bench.saved(recording, server), &bench.scenario);
    let [outage] = &analysis.outages[..] else { panic!("{:?}", analysis.outages) };
    assert_eq!(outage.subject, Subject::Node { address: stopped, successor: None });
    let length = outage.length(u64::MAX);
    for nanos in [length.least, length.most.expect("it ends")] {
        let factor = nanos as f64 / STOPPED.as_nanos() as f64;
        assert!((0.9..=1.1).contains(&factor), "{factor} times the stop: {outage:?}");
    }
}
