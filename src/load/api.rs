//! What a caller of the load engine gives and gets beside the recording: settings, progress, seconds and errors.

use std::time::Duration;

use super::{pacing::Pacing, turns::Turns};
use crate::{
    measure::{Nanos, Series, SeriesId, SeriesKey, ServiceInterval},
    scenario::Shard,
    target::TargetError,
};

/// Use of the machine by the engine: workers and pacing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Number of worker threads; by default one per core, a core left for a server on the same machine.
    pub workers: Option<usize>,
    /// Pacing of the workers; by default they spin where every worker has a core of its own.
    pub pacing: Option<Pacing>,
    /// Whether the server runs on this machine.
    pub same_machine: bool,
    /// Whether two halves of the services take turns; by default all are loaded at once.
    pub turns: Option<Turns>,
    /// Part of the load that this process sends.
    pub shard: Shard,
    /// Further processes on this machine that send parts of the same load.
    pub sharing: u32,
}

/// State of a run, for display.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Current phase.
    pub phase: Phase,
    /// Time since the phase began.
    pub elapsed: Duration,
    /// Planned length of the phase; unknown for [`Phase::Connecting`].
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

/// One second of the load, summed over all workers. The last seconds of the drain may be reported more than once, a part
/// each.
#[derive(Debug)]
pub struct Second<'a> {
    /// Seconds since the start of the measured period; negative during the warm-up, which counts for nothing.
    pub second: i64,
    /// Length: a second, unless the run ended within it.
    pub length: Nanos,
    /// Every series, with its number in the run and what it is about.
    pub series: Vec<(SeriesId, &'a SeriesKey, &'a Series)>,
    /// Every service, with its index in the scenario.
    pub services: &'a [(usize, &'a ServiceInterval)],
}

/// Called once per elapsed second on the packing thread, never on a worker. Must return within about a second.
pub type OnSecond = Box<dyn FnMut(&Second<'_>) + Send>;

/// Reason why a run made no recording.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A connection could not be opened.
    #[error("service \"{service}\": could not open connection {number} of {of}")]
    Connect {
        /// Service.
        service: String,
        /// Number of the connection within its pool, from 1.
        number: u64,
        /// Number of connections of the pool.
        of: u64,
        /// Cause.
        #[source]
        source: Box<TargetError>,
    },
    /// A worker thread could not be set up.
    #[error("could not set up worker thread {worker}")]
    Worker {
        /// Number of the worker.
        worker: usize,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// A worker thread panicked.
    #[error("worker thread {worker} panicked; this is a defect of plimsoll, please report it")]
    Panicked {
        /// Number of the worker.
        worker: usize,
    },
    /// The packing thread could not be set up.
    #[error("could not set up the packing thread")]
    Packer(#[source] std::io::Error),
    /// The packing thread panicked.
    #[error("the packing thread panicked; this is a defect of plimsoll, please report it")]
    PackerPanicked,
    /// The instant of the start was over before all connections were open.
    #[error(
        "all connections were open {} ms after the agreed start: agree on a later one (--start-at, or --start-in of plimsoll scale)",
        late.as_millis()
    )]
    NotReady {
        /// Time since the start.
        late: Duration,
    },
    /// The user ended the run before the load began.
    #[error("interrupted before the load began")]
    Interrupted,
}
