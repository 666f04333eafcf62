//! Whose limit it was, and when the load ends.

use plimsoll::{
    analysis::capacity::{Advice, Limit},
    results::Ended,
};

use super::bench::{alone, scenario_of};
use crate::support::Server;

#[test]
fn a_harness_that_cannot_keep_up_never_blames_the_server() {
    let desk = alone(&scenario_of(1_000_000, "50ms", "command = \"GET\"", "drain = \"1s\""));
    let arguments = ["capacity", "known.toml", "--workers", "1", "--trial", "2s", "--warmup", "100ms", "--out", "out"];
    let outcome = desk.run(&[&arguments[..], &["--budget", "20s", "--set", "service.api.pool.size=50"]].concat());
    outcome.ends_with(3).complains("the harness was the limit");
    let (capacity, analysis) = desk.saved();
    assert!(capacity.trials[0].client_limited.is_some(), "{:?}", capacity.trials[0]);
    let answer = &analysis.arms[0];
    assert!(answer.client_limited.is_some() && answer.first_failure.is_none(), "{answer:?}");
    assert!(!matches!(answer.limit, Limit::ServerCpu(_) | Limit::Command(..) | Limit::Pool(_)), "{answer:?}");
}

/// Commands that take the server a millisecond each, and its clients nothing, asked for faster than it can: pools are compared near
/// its end.
#[test]
fn a_busy_server_gains_nothing_by_a_larger_pool() {
    let script = "local n = 0 for i = 1, 100000 do n = n + i end return 1";
    let slow = format!("command = \"EVAL\"\nscript = \"{script}\"");
    let desk = alone(&scenario_of(100, "50ms", &slow, "drain = \"1s\""));
    let most = desk.throughput(&["--set", "service.api.load.model=closed", "--set", "service.api.load.clients=4"]);
    let offered = format!("service.api.load.rate={:.0}", 2.0 * most);
    let arguments = ["--set", &offered, "--start-rate", &format!("{:.0}", 0.6 * most), "--pool", "4,16"];
    let lengths = ["--trial", "1s", "--warmup", "400ms", "--budget", "80s"];
    let capacity = ["capacity", "known.toml", "--out", "out"];
    let outcome = desk.run(&[&capacity[..], &arguments, &lengths].concat());
    let (_, analysis) = desk.saved();
    for arm in &analysis.arms {
        assert!(matches!(arm.limit, Limit::ServerCpu(busy) if busy > 0.85), "{arm:?}");
    }
    assert!(outcome.stdout.contains("server CPU"), "{}", outcome.stdout);
    assert_eq!(analysis.comparisons.len(), 1, "{analysis:?}");
    let comparison = &analysis.comparisons[0];
    // By its CPU or, where the machine has become a little faster since the rate was chosen, by the command that takes most of it.
    let is_server = matches!(&comparison.limit, Limit::ServerCpu(_))
        || matches!(&comparison.limit, Limit::Command(name, share, _) if name == "EVAL" && *share > 0.7);
    assert!(is_server, "{comparison:?}");
    // A machine whose speed moves by a quarter within a minute may leave it open whether growing harms, but it never pays.
    assert!(!matches!(comparison.advice, Advice::Grow), "{comparison:?}");
}

#[test]
fn too_many_errors_end_the_load_of_a_trial_at_once() {
    // It takes a few thousand values, and refuses all others.
    let server = Server::with(&[("maxmemory", "4mb"), ("maxmemory-policy", "noeviction")]);
    let scenario = scenario_of(2_000, "50ms", "command = \"SET\"", "drain = \"1s\"\nprefill = false");
    let scenario = scenario.replace("count = 100", "count = 1_000_000").replace("size = 16", "size = 1000");
    let desk = alone(&scenario);
    let arguments = ["capacity", "known.toml", "--target", &server.url(), "--trial", "30s", "--warmup", "1s"];
    let rates = ["--max-rate", "2000", "--current-rate", "1", "--budget", "3m", "--out", "out", "--pool", "4"];
    let outcome = desk.run(&[&arguments[..], &rates].concat());
    let (capacity, _) = desk.saved();
    assert_ne!(capacity.ended, Ended::Running);
    let stopped: Vec<_> = capacity.trials.iter().filter(|trial| trial.failed > 0).collect();
    assert!(!stopped.is_empty());
    for trial in stopped {
        assert!(trial.measured_ns < trial.planned_ns / 2, "{trial:?}");
        assert!(trial.failed as f64 > 0.01 * trial.scheduled as f64, "{trial:?}");
    }
    outcome.ends_with(1).complains("errors");
}
