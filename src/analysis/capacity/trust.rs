//! Proof that the search finds what is there: simulated servers of known capacity, two hundred of each kind
//! and eighty of the one that takes long to play.

use rand::RngExt;

use super::{
    draw::generator,
    simulated::{Server, found, plan},
};
use crate::results::CapacityPlan;

const SECOND: u64 = 1_000_000_000;

const SEEDS: u64 = 200;

/// Seeds of a server that takes long to play.
const PLAYED: u64 = 80;

/// Searches that come within 5 % of the known capacity and are confirmed, and the mean number of trials they take.
fn near(lies: f64, server: impl Fn(f64) -> Server) -> (usize, usize) {
    let mut all_trials = 0;
    let near = (0..SEEDS).filter(|seed| {
        // Somewhere between half the start rate and 25 times as much.
        let size = 2_000.0 * 50.0_f64.powf(generator(*seed, 0).random::<f64>());
        let server = server(size);
        let (rate, confirmed, trials) = found(server, plan(&[], *seed), lies);
        all_trials += trials;
        confirmed && rate.is_some_and(|rate| (rate / server.capacity() - 1.0).abs() <= 0.05)
    });
    (near.count(), all_trials / SEEDS as usize)
}

fn assert_near((near, trials): (usize, usize), most_trials: usize) {
    assert!(near as u64 * 100 >= 95 * SEEDS, "only {near} of {SEEDS} are within 5 %");
    assert!(trials <= most_trials, "{trials} trials on average");
}

fn one(size: f64) -> Server {
    Server::Markov(1, 1.0 / size)
}

fn eight(size: f64) -> Server {
    Server::Markov(8, 2.0 / size)
}

/// 2 ms longer than the objective allows, once a second: sustained to 80 % of what it can do.
fn stalling(size: f64) -> Server {
    Server::Stalling(1.0 / size, 0.012)
}

/// Capacities in closed form: that of M/M/1 is the service rate less ln(1/(1 - p)) over the objective's latency.
#[test]
fn capacities_are_known() {
    assert!((one(10_000.0).capacity() - (10_000.0 - 100.0_f64.ln() / 0.01)).abs() < 1e-3);
    assert!((stalling(10_000.0).capacity() - 8_000.0).abs() < 1e-3);
    assert!(eight(10_000.0).capacity() > 38_000.0);
}

#[test]
fn one_server_is_found() {
    assert_near(near(0.0, one), 20);
}

#[test]
fn eight_servers_are_found() {
    assert_near(near(0.0, eight), 20);
}

#[test]
fn a_stalling_server_is_found() {
    assert_near(near(0.0, stalling), 25);
}

#[test]
fn a_tenth_of_lies_does_not_mislead() {
    assert_near(near(0.1, one), 30);
    assert_near(near(0.1, eight), 30);
    assert_near(near(0.1, stalling), 30);
}

/// The same with every request played through, so that lateness comes in the bursts that a queue makes.
#[test]
fn queues_that_are_played_through_are_found() {
    for lies in [0.0, 0.1] {
        let near = (0..PLAYED).filter(|seed| {
            let server = Server::Played(1.0 / (5_000.0 + 50.0 * *seed as f64));
            let plan =
                CapacityPlan { warmup_ns: SECOND, trial_ns: 3 * SECOND, confirm_ns: 5 * SECOND, ..plan(&[], *seed) };
            let (rate, _, _) = found(server, plan, lies);
            rate.is_some_and(|rate| (rate / server.capacity() - 1.0).abs() <= 0.05)
        });
        let near = near.count() as u64;
        assert!(near * 100 >= 95 * PLAYED, "only {near} of {PLAYED} are within 5 %, with lies in {lies} of the trials");
    }
}
