//! Checks of a measurement.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kind of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// Shortfall of the achieved rate against the offered rate while the pool was not exhausted, 0..=1.
    AchievedRate,
    /// p99 of the schedule lag as a share of the median response time. Refused only where it is also more than 1 ms and than 1 % of
    /// the objective's latency.
    ScheduleLag,
    /// Share of the time in which a worker had something to do, 0..=1.
    WorkerCpu,
    /// Share of CPU time stolen by the hypervisor.
    Steal,
    /// Share of time in which the container was throttled.
    Throttling,
    /// Share of time in which a worker thread did not run although it should have, 0..=1.
    Pauses,
    /// Relative drift of the per-second median over the run, below 0 where it falls; limits hold for its size. 0 where
    /// chance explains it.
    Drift,
    /// Growth of the backlog per second as a share of the offered rate.
    Backlog,
    /// Relative difference between the mean number in the system and throughput x mean response time.
    LittlesLaw,
    /// Share of reads that missed although their keys were prefilled.
    Misses,
    /// Share of failed requests.
    Errors,
    /// Difference between scheduled requests and completed + failed + unfinished; must be 0.
    Accounts,
    /// Number of worker threads that panicked, which ended the run early; must be 0.
    Panics,
    /// Share of the measured period that a load failure cut off, 0..=1; the run is invalid also where that is 0.
    LoadFailure,
    /// Largest error of a generator's start, as a share of a second.
    Start,
    /// p99 of the schedule lag of the generator with the longest one, like [`Self::ScheduleLag`].
    GeneratorLag,
    /// Durations beyond the range of a histogram.
    BeyondRange,
}

/// The check that makes the harness the limit of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HarnessLimit {
    /// The check, with what was measured.
    Check {
        /// Identity.
        kind: CheckKind,
        /// Service or worker; `None` for the whole run.
        subject: Option<String>,
        /// The measured quantity, in the unit of its limit.
        value: f64,
        /// Limit.
        limit: f64,
        /// The quantity as a time, in nanoseconds, where the share alone says little.
        nanos: Option<f64>,
    },
    /// The check in words, as formats 1 and 2 had it; read and never written.
    Words(String),
}
