//! The load engine: carries out a scenario against a target and hands back a recording.
//!
//! Each worker is one thread with a single-threaded runtime that holds its own connections, queues and recorder;
//! nothing is shared on the measured path. The calling thread collects intervals, samples the machine and passes on
//! progress. Nothing here judges or prints.

mod api;
mod collector;
mod host;
mod lane;
mod ledger;
mod pacing;
mod packer;
mod part;
mod plan;
mod pool;
mod relay;
mod snapshot;
mod source;
mod station;
mod throttling;
mod turns;
mod worker;

#[cfg(test)]
mod engine_tests;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod lane_tests;

use std::time::Instant;

use tokio_util::sync::CancellationToken;

use crate::{
    measure::{Recording, Timeframe},
    scenario::{Client, Scenario},
    target::{Reading, ReadingConnector, Target},
};
use collector::Collector;
use pool::Opener;

pub use api::{LoadError, OnSecond, Phase, Progress, Second, ServiceProgress, Settings};
pub use pacing::{Pacer, Pacing};
pub use relay::{Relay, SecondReport, Tally};
pub use turns::Turns;

/// Runs the scenario against a target and blocks until it is over, or until `stop` is cancelled, which ends the run early.
/// `on_progress` is called from this thread, about four times a second while connecting and once a second afterwards.
pub fn run(
    scenario: &Scenario,
    target: &Target,
    settings: Settings,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Recording, LoadError> {
    let recording = run_observed(scenario, target, settings, stop, on_progress, |_| {}, None)?;
    match recording.panicked() {
        Some(worker) => Err(LoadError::Panicked { worker }),
        None => Ok(recording),
    }
}

/// Number of workers that have a part of the load.
pub fn workers(scenario: &Scenario, settings: Settings) -> usize {
    plan::Plan::new(scenario, settings, &[]).workers.len()
}

/// Like [`run`], but keeps what was measured before a worker panicked; see [`Recording::panicked`]. `on_start` is called with the measured period as soon as that is fixed, before the warm-up begins, and
/// `on_second` with every second.
pub fn run_observed(
    scenario: &Scenario,
    target: &Target,
    settings: Settings,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(Progress),
    on_start: impl FnOnce(Timeframe),
    on_second: Option<OnSecond>,
) -> Result<Recording, LoadError> {
    run_from(scenario, target, settings, stop, || Ok(None), on_progress, on_start, on_second)
}

/// Like [`run_observed`], from an instant that `begin` gives once all connections are open.
///
/// # Errors
///
/// [`LoadError::NotReady`] where that instant is over by then.
#[expect(clippy::too_many_arguments, reason = "what a run needs, what it is watched by, and when it begins")]
pub fn run_shard(
    scenario: &Scenario,
    target: &Target,
    settings: Settings,
    stop: &CancellationToken,
    begin: impl FnOnce() -> Result<Instant, LoadError>,
    on_progress: &mut dyn FnMut(Progress),
    on_start: impl FnOnce(Timeframe),
    on_second: Option<OnSecond>,
) -> Result<Recording, LoadError> {
    run_from(scenario, target, settings, stop, || begin().map(Some), on_progress, on_start, on_second)
}

#[expect(clippy::too_many_arguments, reason = "those of the two above")]
fn run_from(
    scenario: &Scenario,
    target: &Target,
    settings: Settings,
    stop: &CancellationToken,
    begin: impl FnOnce() -> Result<Option<Instant>, LoadError>,
    on_progress: &mut dyn FnMut(Progress),
    on_start: impl FnOnce(Timeframe),
    on_second: Option<OnSecond>,
) -> Result<Recording, LoadError> {
    let driver = |service: usize| -> Box<dyn Opener> {
        match scenario.services[service].client {
            Client::Fred => opener(target.connector(service)),
            Client::Wire => match target.cluster_connector(service) {
                Some(connector) => opener(connector),
                None => opener(target.wire_connector(service)),
            },
        }
    };
    let plan = plan::Plan::new(scenario, settings, &target.node_addresses());
    let _keepers = target.keep_nodes();
    Collector::connect(scenario, driver, plan, stop, on_progress)?.run(begin, on_progress, on_start, on_second)
}

/// Opens the connections of a driver, and those to replicas where a service of the target reads from them.
fn opener<D: Reading>(driver: D) -> Box<dyn Opener> {
    match ReadingConnector::over(driver.clone()) {
        Some(reading) => Box::new(reading),
        None => Box::new(driver),
    }
}
