//! Pools of known capacity: each connection carries 500 requests a second, and nothing else is in short supply.

use plimsoll::{
    analysis::capacity::{Advice, CapacityAnalysis, Limit},
    results::{Capacity, Ended, Trial},
};

use crate::{
    bench::{Desk, Server, scenario_of},
    proxy::{self, HOLD},
};

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

#[test]
fn a_pool_that_is_too_small_is_found_and_worth_growing() {
    let desk = Desk::new(&scenario_of(4_000, "25ms", "command = \"GET\"", RUN));
    let server = Server::start(&[]);
    let target = server.url(proxy::before(server.port));
    let arguments =
        [&["--target", &target, "--current-rate", "2000", "--pool", "5,10,20", "--budget", "220s"], &TIMES[..]];
    let (outcome, capacity, analysis) = desk.measure(&arguments.concat());
    carry(&analysis, &[5, 10, 20]);
    let grow = &analysis.comparisons[0];
    assert_eq!(grow.advice, Advice::Grow, "{grow:?}");
    assert!(matches!(grow.limit, Limit::Pool(_)), "{grow:?}");
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
    let desk = Desk::new(&scenario_of(4_000, "25ms", "command = \"GET\"", RUN));
    let server = Server::start(&[]);
    let target = server.url(proxy::before(server.port));
    let shared = ["--set", "service.api.pool.checkout=shared", "--budget", "120s"];
    let arguments = [&["--target", &target, "--current-rate", "2000", "--pool", "5,10"], &TIMES[..], &shared];
    let (outcome, capacity, analysis) = desk.measure(&arguments.concat());
    carry(&analysis, &[5, 10]);
    assert_eq!(analysis.comparisons[0].advice, Advice::Grow, "{:?}", analysis.comparisons);
    assert!(analysis.arms.iter().all(|arm| arm.erlang.is_empty()), "its connections are no servers of Erlang's");
    let trial = highest(&capacity, &analysis, 0);
    assert!(trial.service.mean > 2.0 * HOLD.as_nanos() as f64, "{trial:?}");
    outcome.ends_with(0);
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
    let desk = Desk::new(&scenario_of(1_000, "100ms", "command = \"GET\"", RUN));
    let server = Server::start(&[]);
    let target = server.url(proxy::before(server.port));
    let limits = ["--current-rate", "500", "--max-rate", "1000", "--budget", "60s"];
    let times = ["--trial", "2s", "--warmup", "400ms"];
    let arguments = [&["--target", &target, "--pool", "10,20"], &times[..], &limits, shared];
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
