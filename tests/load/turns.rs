//! Two halves of the services that take turns.

use std::time::Duration;

use plimsoll::{
    load::{self, Settings, Turns},
    measure::{Recording, ServiceRecord},
    scenario::Scenario,
};
use tokio_util::sync::CancellationToken;

use super::bench::{Bench, one_service};

const RUN: &str = "warmup = \"400ms\"\nduration = \"2s\"\ndrain = \"2s\"";
const TURN: Duration = Duration::from_millis(100);

/// The same service twice, on one server.
fn twice(load: &str) -> Recording {
    let text = one_service(RUN, "size = 4", load, &["command = \"GET\"\nweight = 2", "command = \"SET\""]);
    let bench = Bench::new(&text, &[]);
    let services = [bench.scenario.services.clone(), bench.scenario.services.clone()].concat();
    let scenario = Scenario { services, ..bench.scenario.clone() };
    let turns = Turns { window: TURN, half: 1 };
    let settings = Settings { same_machine: true, turns: Some(turns), ..Settings::default() };
    let target = bench.target.beside(&bench.target);
    load::run(&scenario, &target, settings, &CancellationToken::new(), &mut |_| {}).unwrap()
}

/// Completed requests of each operation of one half.
fn completed(recording: &Recording, half: usize) -> Vec<u64> {
    let of_half = recording.series.len() / 2;
    let own = recording.series.iter().skip(half * of_half).take(of_half);
    own.map(|series| series.totals().completed).collect()
}

#[test]
fn schedules_run_in_their_turns_alone_and_make_the_same_requests() {
    let recording = twice("model = \"open\"\nrate = 2000\narrivals = \"uniform\"");
    let scheduled: Vec<u64> = recording.services.iter().map(|service| service.scheduled).collect();
    // At 2 000/s half of the time, for 2 s; a schedule may begin or end within its own gap.
    assert!(scheduled.iter().all(|scheduled| (1999..=2001).contains(scheduled)), "{scheduled:?}");
    assert_eq!(completed(&recording, 0), completed(&recording, 1), "the same mix, request by request");
    let late = |service: &ServiceRecord| service.seconds.iter().all(|second| second.backlog == 0);
    assert!(recording.services.iter().all(late), "nobody waits for a turn: due instants lie within it");
}

#[test]
fn clients_of_a_closed_loop_rest_while_it_is_not_their_turn() {
    let recording = twice("model = \"closed\"\nclients = 4");
    // Four of four for half of the time; a request that is under way when its turn ends is finished.
    for service in &recording.services {
        let seconds: Vec<f64> = service.seconds.iter().filter(|at| at.second < 2).map(|at| at.in_system).collect();
        assert!(!seconds.is_empty() && seconds.iter().all(|level| *level > 0.5 && *level < 3.0), "{seconds:?}");
    }
}
