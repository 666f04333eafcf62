//! Processes that sent the load of one run together: what each of them was, and when it began.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Calibration, Environment};
use crate::measure::{HostInterval, Nanos, PackedHistogram, Span};

/// Which part of a run a recording is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShardRecord {
    /// Its number, from 0.
    pub number: u32,
    /// Number of shards of the run.
    pub of: u32,
    /// Name of the machine.
    pub host: String,
    /// Agreed start of the load, RFC 3339 in UTC, on the reference clock.
    pub start: String,
    /// How this machine's clock was compared with the reference clock.
    pub clock: ClockRecord,
    /// Time from the agreed start until the load began.
    pub late_ns: Nanos,
    /// Run ID of the server, or of the cluster's node whose clock was read; `None` where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

/// Comparison of a machine's clock with the one that all machines of a run go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockRecord {
    /// The clock that all go by.
    pub reference: ClockReference,
    /// Reference clock less this machine's, in nanoseconds.
    pub offset_ns: i64,
    /// Largest error of the offset: half of the shortest round trip. Not known where the machine's own clock is the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty_ns: Option<Nanos>,
    /// Change of the offset from before the load until after it; `None` where it was not measured again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_ns: Option<i64>,
}

/// The clock that all machines of a run go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClockReference {
    /// That of the server under test (`TIME`).
    Server,
    /// That of each machine itself, where the server does not answer `TIME`.
    Machine,
}

/// One of the processes that sent the load of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Generator {
    /// Its part of the run.
    pub shard: ShardRecord,
    /// Its machine.
    pub environment: Environment,
    /// Whether the server's address is one of its machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_machine: bool,
    /// Number of its worker threads; the recording has those of all generators, in order.
    pub workers: u32,
    /// Requests that fell due in the measured period.
    pub scheduled: u64,
    /// Of these, requests that succeeded.
    pub completed: u64,
    /// Of these, requests that failed.
    pub failed: u64,
    /// Of these, requests that were not finished when the drain ended.
    pub unfinished: u64,
    /// Response time of successes, in nanoseconds.
    pub response: PackedHistogram,
    /// Schedule lag of open-loop requests, in nanoseconds.
    pub lag: PackedHistogram,
    /// Its machine, second by second.
    pub host: Vec<HostInterval>,
    /// Time without an answer, of each service that had a second of it or more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<ServiceSilence>,
    /// Speed of its machine; `None` if not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// Why a run with several generators ended before its load did. What it recorded ends with the last second that all of them
/// reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoadFailure {
    /// The reason, for people: which generator, and how it ended.
    pub reason: String,
    /// Time of the measured period until it was noticed, in nanoseconds.
    pub after_ns: Nanos,
    /// Requests of the measured period that fell due until then, by the schedule; `None` where a service has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<u64>,
    /// Of these, requests that the generators have reported as completed or failed.
    pub reported: u64,
}

impl LoadFailure {
    /// The failure in a sentence, with what is not known of the load.
    pub fn sentence(&self) -> String {
        let Self { reason, after_ns, due, reported } = self;
        let unknown = match due {
            Some(due) => {
                format!(
                    "{} of the {due} requests that were due in it are unaccounted for",
                    due.saturating_sub(*reported)
                )
            }
            None => format!("{reported} requests of it were reported"),
        };
        format!("{reason} after {:.0} s of the measured period; {unknown}", *after_ns as f64 / 1e9)
    }
}

/// Spans of a second and more in which requests of a service were under way and none was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceSilence {
    /// The service.
    pub service: String,
    /// The spans, since the start of the measured period.
    pub spans: Vec<Span>,
}

impl Generator {
    /// Its name for people.
    pub fn name(&self) -> String {
        format!("generator {} on {}", self.shard.number, self.shard.host)
    }
}
