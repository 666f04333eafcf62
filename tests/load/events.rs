//! Events of a scenario under load: what they do to the requests, and what is reported of them.

use std::time::Duration;

use plimsoll::{
    load::Settings,
    measure::{Recording, SeriesRecord, merged},
    results::EventRecord,
    target::PrivateRole,
};

use super::bench::{Bench, balance, one_service};

const PHASES: &str = "warmup = \"200ms\"\nduration = \"4s\"\ndrain = \"10s\"";
const OPEN: &str = "model = \"open\"\nrate = 600\narrivals = \"uniform\"";
const POOL: &str = "size = 2\ncheckout = \"shared\"\nin_flight = 1000\ncommand_timeout = \"10s\"";
const MIX: &[&str] = &["command = \"GET\"", "command = \"SET\""];

/// A scenario with events: times and actions.
fn planned(phases: &str, events: &[(&str, &str)]) -> String {
    let lines = events.iter().map(|(at, action)| format!("\n[[event]]\nat = \"{at}\"\ndo = \"{action}\"\n"));
    one_service(phases, POOL, OPEN, MIX) + &lines.collect::<String>()
}

/// Length of an event.
fn length(event: &EventRecord) -> Duration {
    assert_eq!(event.failure, None, "{event:?}");
    Duration::from_nanos(event.ended_ns.unwrap() - event.began_ns.unwrap())
}

fn finished(series: &SeriesRecord) -> u64 {
    let totals = series.totals();
    totals.completed + totals.failed()
}

/// Requests of a node that took longer than a time.
fn later(series: &SeriesRecord, than: Duration) -> u64 {
    let times = merged(series.seconds.iter().map(|second| &second.response));
    times.len() - times.count_between(0, than.as_nanos() as u64)
}

#[test]
fn a_node_is_suspended_for_the_time_of_the_event_and_the_others_serve() {
    let bench = Bench::on("cluster:3x0", "wire", &planned(PHASES, &[("1s", "stop:1:1s")]));
    let (recording, events) = bench.start(Settings::default()).finish_with_events();
    let stopped = bench.server.nodes()[0].endpoint().to_string();
    assert_eq!(events[0].node.as_ref(), Some(&stopped));
    let stop = length(&events[0]);
    let nodes: Vec<_> = recording.nodes.iter().filter(|series| finished(series) > 0).collect();
    assert_eq!(nodes.len(), 3);
    for series in nodes {
        let late = later(series, stop / 2);
        assert_eq!(late > 0, series.key.operation == stopped, "{late} of {}", series.key.operation);
        assert_eq!(series.totals().failed(), 0);
    }
}

#[test]
fn a_run_that_ends_early_continues_the_node_and_leaves_out_later_events() {
    let phases = "warmup = \"0s\"\nduration = \"10m\"\ndrain = \"1s\"";
    let bench = Bench::of("wire", &planned(phases, &[("0s", "stop:primary:9m"), ("9m", "kill:1")]), &[]);
    let running = bench.start(Settings::default());
    running.wait_until_measuring();
    running.stop.cancel();
    let (recording, events) = running.finish_with_events();
    assert!(recording.period.interrupted);
    assert!(length(&events[0]) < Duration::from_mins(9));
    assert_eq!((events[1].began_ns, &events[1].node), (None, &None));
    bench.command(&["PING"]);
}

/// Whether some requests failed, and whether later ones succeeded.
fn failed_then_succeeded(recording: &Recording) -> (bool, bool) {
    let seconds = || recording.series.iter().flat_map(|series| &series.seconds);
    let last = seconds().filter(|second| second.counts.failed() > 0).map(|second| second.second).max();
    (last.is_some(), last.is_some_and(|last| seconds().any(|at| at.second > last && at.counts.completed > 0)))
}

#[test]
fn sentinels_replace_a_primary_that_is_killed() {
    let phases = "warmup = \"200ms\"\nduration = \"8s\"\ndrain = \"10s\"";
    let bench = Bench::on("sentinel", "wire", &planned(phases, &[("1s", "kill:primary")]));
    let (recording, events) = bench.start(Settings::default()).finish_with_events();
    let first = &bench.server.nodes()[0];
    assert_eq!((first.role(), events[0].node.clone()), (PrivateRole::Primary, Some(first.endpoint().to_string())));
    balance(&recording);
    assert_eq!(failed_then_succeeded(&recording), (true, true));
}

#[test]
fn a_replica_takes_over_where_a_failover_is_planned() {
    for topology in ["sentinel", "cluster:2x1"] {
        let bench =
            Bench::on(topology, "wire", &planned(PHASES, &[("1s", "failover"), ("3s", "config:maxclients=500")]));
        let (recording, events) = bench.start(Settings::default()).finish_with_events();
        balance(&recording);
        let first = &bench.server.nodes()[0];
        assert_eq!(events[0].node, Some(first.endpoint().to_string()));
        let _ = (length(&events[0]), length(&events[1]));
        crate::support::until("another node is the primary", || {
            crate::target::topologies::ask(&bench.server, first, "ROLE").contains("slave")
        });
    }
}
