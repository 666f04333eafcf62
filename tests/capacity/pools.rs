//! Pools of known capacity: each connection carries 500 requests a second, and nothing else is in short supply.

use plimsoll::{analysis::capacity::Advice, results::Ended};

use crate::{
    bench::{Desk, Server, scenario_of},
    proxy,
};

const RUN: &str = "drain = \"1s\"";

fn known(capacity: f64, measured: f64) {
    assert!((measured / capacity - 1.0).abs() < 0.10, "{measured} of {capacity}");
}

#[test]
fn a_pool_that_is_too_small_is_found_and_worth_growing() {
    let desk = Desk::new(&scenario_of(4_000, "150ms", "command = \"GET\"", RUN));
    let server = Server::start(&[]);
    let target = server.url(proxy::before(server.port));
    let arguments = ["--target", &target, "--pool", "5,10", "--trial", "2s", "--warmup", "300ms", "--budget", "150s"];
    let (outcome, capacity, analysis) = desk.measure(&arguments);
    let rates: Vec<_> = analysis.arms.iter().filter_map(|arm| Some(arm.sustainable?.rate)).collect();
    assert_eq!(rates.len(), 2, "{}", outcome.stderr);
    known(2_500.0, rates[0]);
    known(5_000.0, rates[1]);
    assert_eq!(analysis.comparisons[0].advice, Advice::Grow, "{:?}", analysis.comparisons);
    assert_ne!(capacity.ended, Ended::Running);
    let outcome = outcome.ends_with(0);
    assert!(!outcome.stderr.contains(&target), "no password is shown: {}", outcome.stderr);
    assert_eq!(desk.run(&["report", "out"]).ends_with(0).stdout, outcome.stdout);
    assert!(desk.run(&["list", "."]).ends_with(0).stdout.starts_with("out "));
}

#[test]
fn a_pool_that_suffices_gains_nothing_by_growing() {
    let desk = Desk::new(&scenario_of(1_000, "1s", "command = \"GET\"", RUN));
    let server = Server::start(&[]);
    let target = server.url(proxy::before(server.port));
    let limits = ["--max-rate", "1000", "--budget", "60s"];
    let arguments = [&["--target", &target, "--pool", "10,20", "--trial", "1s", "--warmup", "300ms"], &limits[..]];
    let (outcome, capacity, analysis) = desk.measure(&arguments.concat());
    assert_eq!(analysis.comparisons[0].advice, Advice::NoBenefit, "{:?}", analysis.comparisons);
    for arm in &analysis.arms {
        let sustainable = arm.sustainable.unwrap();
        assert!((sustainable.rate - 1_000.0).abs() < 1e-6 && sustainable.above.is_none(), "{sustainable:?}");
    }
    assert!(capacity.trials.iter().all(|trial| trial.offered.is_none_or(|rate| rate <= 1_000.0)));
    outcome.ends_with(0);
}
