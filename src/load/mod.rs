//! The load engine: carries out a scenario against a target and hands back a recording.
//!
//! Each worker is one thread with a single-threaded runtime that holds its own connections, queues and recorder;
//! nothing is shared on the measured path. The calling thread collects intervals, samples the machine and passes on
//! progress. Nothing here judges or prints.

mod collector;
mod host;
mod lane;
mod ledger;
mod pacing;
mod packer;
mod plan;
mod snapshot;
mod source;
mod station;
mod throttling;
mod turns;
mod worker;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    measure::{Nanos, Recording, Series, SeriesId, SeriesKey, ServiceInterval, Timeframe},
    scenario::Scenario,
    target::{Target, TargetError},
};

pub use turns::Turns;

pub use pacing::{Pacer, Pacing};

/// How the engine uses the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Number of worker threads; by default one per core, a core left for a server on the same machine.
    pub workers: Option<usize>,
    /// How workers wait; by default they spin where every worker has a core for itself.
    pub pacing: Option<Pacing>,
    /// Whether the server runs on this machine.
    pub same_machine: bool,
    /// Whether two halves of the services take turns; by default all are loaded at once.
    pub turns: Option<Turns>,
}

/// A snapshot for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is going on.
    pub phase: Phase,
    /// How long the phase has lasted.
    pub elapsed: Duration,
    /// How long it will last; for [`Phase::Connecting`] unknown.
    pub of: Option<Duration>,
    /// The last second of each service; while connecting only its connections.
    pub services: Vec<ServiceProgress>,
}

/// Phases of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Connections are being opened.
    Connecting,
    /// Load that is not measured.
    WarmUp,
    /// The measured period.
    Measuring,
    /// The last requests are finishing.
    Draining,
}

/// The last second of one service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceProgress {
    /// Service.
    pub name: String,
    /// Open connections.
    pub connections: u64,
    /// Completed requests per second.
    pub rate: f64,
    /// Median response time in nanoseconds.
    pub p50: Nanos,
    /// 99th percentile of the response time in nanoseconds.
    pub p99: Nanos,
    /// Failed requests.
    pub errors: u64,
    /// Mean number of requests in the system.
    pub in_system: f64,
}

/// One second of the load, what all workers recorded of it added up. At the very end of the drain a second may be told in
/// parts.
#[derive(Debug)]
pub struct Second<'a> {
    /// Seconds since the start of the measured period; negative during the warm-up, which counts for nothing.
    pub second: i64,
    /// How long it lasted: a second, unless the run ended within it.
    pub length: Nanos,
    /// Every series, with its number in the run and what it is about.
    pub series: Vec<(SeriesId, &'a SeriesKey, &'a Series)>,
    /// Every service, with its index in the scenario.
    pub services: &'a [(usize, &'a ServiceInterval)],
}

/// Is told of every second once it is over, by the thread that packs it: away from the workers, and with the patience of a
/// second.
pub type OnSecond = Box<dyn FnMut(&Second<'_>) + Send>;

/// Why no load could be made.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A connection could not be opened.
    #[error("service \"{service}\": could not open connection {number} of {of}")]
    Connect {
        /// Service.
        service: String,
        /// How many were asked for so far.
        number: u64,
        /// How many it needs.
        of: u64,
        /// Why.
        #[source]
        source: Box<TargetError>,
    },
    /// A worker thread could not be set up.
    #[error("could not set up worker thread {worker}")]
    Worker {
        /// Number of the worker.
        worker: usize,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A worker thread panicked.
    #[error("worker thread {worker} panicked; this is a defect of plimsoll, please report it")]
    Panicked {
        /// Number of the worker.
        worker: usize,
    },
    /// The thread that packs what was measured could not be set up.
    #[error("could not set up the packing thread")]
    Packer(#[source] std::io::Error),
    /// The thread that packs what was measured panicked.
    #[error("the packing thread panicked; this is a defect of plimsoll, please report it")]
    PackerPanicked,
    /// Ended by a person before the load began.
    #[error("interrupted before the load began")]
    Interrupted,
}

/// Runs the scenario against a target and blocks until it is over, or until `stop` is cancelled, which ends the run early.
/// `on_progress` is called from this thread, about four times a second while connecting and once a second afterwards.
pub fn run(
    scenario: &Scenario,
    target: &Target,
    settings: Settings,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<Recording, LoadError> {
    run_observed(scenario, target, settings, stop, on_progress, |_| {}, None)
}

/// The same; `on_start` is told of the measured period as soon as that is fixed, before the warm-up begins,
/// and `on_second` of every second.
pub fn run_observed(
    scenario: &Scenario,
    target: &Target,
    settings: Settings,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(Progress),
    on_start: impl FnOnce(Timeframe),
    on_second: Option<OnSecond>,
) -> Result<Recording, LoadError> {
    let plan = plan::Plan::new(scenario, settings);
    collector::Crew::muster(scenario, target, plan, stop, on_progress)?.run(on_progress, on_start, on_second)
}
