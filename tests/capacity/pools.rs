//! Pools of known capacity: each connection carries 500 requests a second, and nothing else is in short supply.

use plimsoll::{
    analysis::capacity::{Advice, Apart, CapacityAnalysis, Limit},
    results::{Capacity, Ended, Sides, Trial},
};

use super::{
    bench::{alone, scenario_of},
    proxy::{self, HOLD},
};
use crate::support::Server;

const RUN: &str = "drain = \"1s\"";

/// Rates that are found for pools behind the proxy.
const TIMES: [&str; 4] = ["--trial", "1s", "--warmup", "400ms"];

/// Each arm carries 500 operations a second over each of its connections, within 10 %.
#[track_caller]
fn carry(analysis: &CapacityAnalysis, pools: &[u32]) {
    assert_eq!(analysis.arms.len(), pools.len());
    for (arm, pool) in analysis.arms.iter().zip(pools) {
        let capacity = f64::from(*pool) / HOLD.as_secs_f64();
        let rate = arm.sustainable.map_or(0.0, |found| found.rate);
        assert!((rate / capacity - 1.0).abs() < 0.10, "{rate} of {capacity}");
    }
}

/// The trial of the highest rate that an arm kept up.
fn highest(capacity: &Capacity, analysis: &CapacityAnalysis, arm: u32) -> Trial {
    let rate = analysis.arms[arm as usize].sustainable.unwrap().rate;
    let of_rate = |trial: &&Trial| trial.arm == arm && trial.offered == Some(rate);
    capacity.trials.iter().find(of_rate).unwrap().clone()
}

/// Three connections carry 1 500 operations a second, six carry twice as many; the scenario offers a rate between the two.
fn too_small() -> String {
    scenario_of(2_000, "25ms", "command = \"GET\"", RUN)
}

/// Searches of both sizes, of which the larger one sustains the scenario's rate so clearly that it need not be confirmed.
const SEARCHES: [&str; 6] = ["--pool", "3,6", "--start-rate", "1200", "--budget", "50s"];

#[test]
fn a_pool_that_is_too_small_is_found_and_worth_growing() {
    let desk = alone(&too_small());
    let server = Server::start();
    let target = server.url_at(proxy::before(server.port));
    let arguments = [&["--target", &target, "--current-rate", "1000"], &SEARCHES[..], &TIMES];
    let (outcome, capacity, analysis) = desk.measure(&arguments.concat());
    carry(&analysis, &[3, 6]);
    let grow = &analysis.comparisons[0];
    assert_eq!(grow.advice, Advice::Grow, "{grow:?}");
    assert!(matches!(grow.limit, Limit::Pool(_)), "{grow:?}");
    assert_eq!(grow.apart, Some(Apart { rate: 2_000.0, larger: true }), "{grow:?}");
    assert_ne!(capacity.ended, Ended::Running);
    // Requests wait for a connection, and hold it for no longer than the proxy takes.
    let trial = highest(&capacity, &analysis, 0);
    assert!(trial.service.mean < 1.5 * HOLD.as_nanos() as f64, "{trial:?}");
    let outcome = outcome.ends_with(0);
    assert!(!outcome.stderr.contains(&target), "no password is shown: {}", outcome.stderr);
    assert_eq!(desk.run(&["report", "out"]).ends_with(0).stdout, outcome.stdout);
    assert!(desk.run(&["list", "--results", "."]).ends_with(0).stdout.starts_with("out "));
}

/// Requests that share a connection are answered one after the other all the same: it carries as many, but they queue within it,
/// where the pool does not see them.
#[test]
fn a_shared_connection_carries_as_much_and_hides_the_queue() {
    let desk = alone(&too_small());
    let server = Server::start();
    let target = server.url_at(proxy::before(server.port));
    let shared = ["--target", &target, "--current-rate", "1000", "--set", "service.api.pool.checkout=shared"];
    let (outcome, capacity, analysis) = desk.measure(&[&shared[..], &SEARCHES, &TIMES].concat());
    carry(&analysis, &[3, 6]);
    assert_eq!(analysis.comparisons[0].advice, Advice::Grow, "{:?}", analysis.comparisons);
    assert!(analysis.arms.iter().all(|arm| arm.erlang.is_empty()), "its connections are no servers of Erlang's");
    let trial = highest(&capacity, &analysis, 0);
    assert!(trial.service.mean > 2.0 * HOLD.as_nanos() as f64, "{trial:?}");
    outcome.ends_with(0);
}

/// Three connections carry the load, but 88 % of them are in use: requests wait for one, and with six they do not.
#[test]
fn a_pool_in_which_requests_wait_is_worth_growing() {
    let desk = alone(&scenario_of(1_320, "25ms", "command = \"GET\"", RUN));
    let server = Server::start();
    let target = server.url_at(proxy::before(server.port));
    let limits = ["--current-rate", "500", "--max-rate", "1320", "--budget", "55s"];
    let (outcome, capacity, analysis) =
        desk.measure(&[&["--target", &target, "--pool", "3,6"], &TIMES[..], &limits].concat());
    let comparison = &analysis.comparisons[0];
    assert_eq!((comparison.advice, comparison.apart), (Advice::Grow, None), "{comparison:?}");
    let at = &comparison.rates[0];
    let Sides { a: smaller, b: larger } = at.wait_p99.levels;
    assert!(smaller > 2e6 && larger < 0.5 * smaller, "{at:?}");
    assert!(at.response_p99.effect.ratio.high < Some(0.9) && at.server_busy.is_some_and(|busy| busy < 0.8), "{at:?}");
    // Both sizes replay the same requests, in turns that are long enough for a queue.
    for block in &capacity.blocks {
        let Sides { a: smaller, b: larger } = &block.sides;
        assert!(smaller.scheduled.abs_diff(larger.scheduled) < smaller.scheduled / 20, "{block:?}");
        assert!(block.turn_ns >= Some(50_000_000), "{block:?}");
    }
    assert!(outcome.stderr.contains("  connections: at most 9\n"), "both at once: {}", outcome.stderr);
}

/// Twenty requests at once take sixteen times as long as five, so that the queue that twenty connections let in never ends.
#[test]
fn a_server_that_slows_down_with_its_connections_gets_worse_by_more() {
    let desk = alone(&scenario_of(2_000, "25ms", "command = \"GET\"", RUN));
    let server = Server::start();
    let target = server.url_at(proxy::crowded_before(server.port, 5));
    let limits = ["--current-rate", "500", "--max-rate", "2000", "--budget", "40s"];
    let (_, _, analysis) = desk.measure(&[&["--target", &target, "--pool", "5,20"], &TIMES[..], &limits].concat());
    let comparison = &analysis.comparisons[0];
    assert_eq!(comparison.advice, Advice::Worse, "{comparison:?}");
    assert_eq!(comparison.apart, Some(Apart { rate: 2_000.0, larger: false }), "{comparison:?}");
}

#[test]
fn a_pool_that_suffices_gains_nothing_by_growing() {
    gains_nothing(&[]);
}

/// A fifth of what they carry: whoever shares a connection seldom finds another request on it.
#[test]
fn nor_do_connections_that_are_shared() {
    gains_nothing(&["--set", "service.api.pool.checkout=shared"]);
}

#[track_caller]
fn gains_nothing(shared: &[&str]) {
    let desk = alone(&scenario_of(1_000, "50ms", "command = \"GET\"", RUN));
    let server = Server::start();
    let target = server.url_at(proxy::before(server.port));
    let limits = ["--current-rate", "500", "--max-rate", "1000", "--budget", "55s"];
    let arguments = [&["--target", &target, "--pool", "10,20"], &TIMES[..], &limits, shared];
    let (outcome, capacity, analysis) = desk.measure(&arguments.concat());
    assert_eq!(analysis.comparisons[0].advice, Advice::NoBenefit, "{:?}", analysis.comparisons);
    for arm in &analysis.arms {
        let sustainable = arm.sustainable.unwrap();
        assert!((sustainable.rate - 1_000.0).abs() < 1e-6 && sustainable.above.is_none(), "{sustainable:?}");
    }
    assert!(capacity.trials.iter().all(|trial| trial.offered.is_none_or(|rate| rate <= 1_000.0)));
    assert!((analysis.headroom.unwrap().times - 2.0).abs() < 1e-9);
    outcome.ends_with(0);
}
