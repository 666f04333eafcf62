//! Abstract of a run for comparisons: a thousandth of its size, small enough to commit.

use std::slice;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Calibration, Environment, InRun, Software, TargetFacts, Verdict};
use crate::measure::{Nanos, PackedHistogram};

/// A run boiled down to what comparisons need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Abstract {
    /// Name: that of its result folder.
    pub name: String,
    /// What measured.
    pub software: Software,
    /// Start of the measured period, RFC 3339 in UTC with seconds.
    pub started: String,
    /// Length of the measured period, in nanoseconds.
    pub measured_ns: Nanos,
    /// TOML text of the scenario as it was run.
    pub scenario: String,
    /// Target of the measurement.
    pub target: TargetFacts,
    /// The machine of the harness.
    pub environment: Environment,
    /// Machines of the processes that sent the load, in the order of their numbers; none where the harness sent it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub generators: Vec<Environment>,
    /// Pacing of the workers: `spin` or `adaptive`, both where they differed.
    pub pacing: String,
    /// Threads that put on the load; `None` in what was kept before this was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// Speed of the machine; `None` if not measured.
    pub calibration: Option<Calibration>,
    /// Verdict of the run.
    #[serde(with = "InRun")]
    pub verdict: Verdict,
    /// Whether the user ended it early; false in what was kept before this was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// The operations of each service with their sum behind them; last the whole.
    #[schemars(extend("contains" = {
        "properties": { "service": { "type": "null" }, "operation": { "type": "null" } },
        "additionalProperties": true,
    }))]
    pub rows: Vec<AbstractRow>,
    /// The whole over time.
    pub course: Vec<Stretch>,
}

/// One row of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AbstractRow {
    /// Service; `None` stands for all.
    pub service: Option<String>,
    /// Operation; `None` stands for all of the service.
    pub operation: Option<String>,
    /// Requests that were answered.
    pub completed: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests that never finished.
    pub unfinished: u64,
    /// Requests answered per second.
    pub rate: f64,
    /// Mean response time, in nanoseconds; `None` where nothing was answered.
    pub mean_ns: Option<f64>,
    /// Burstiness of response times at the judged percentile, at least 1.
    pub burstiness: f64,
    /// Percentiles of response time that there are enough samples for.
    pub percentiles: Vec<KnownPercentile>,
    /// Response times of the whole measured period.
    pub response: PackedHistogram,
}

/// A percentile with its 95 % confidence interval within the run, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KnownPercentile {
    /// In percent.
    pub percentile: f64,
    /// The value.
    pub nanos: Nanos,
    /// Lower bound.
    pub low: Nanos,
    /// Upper bound.
    pub high: Nanos,
}

/// A second of the whole, or some of them where a run is long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stretch {
    /// First second, from the start of the measured period.
    pub second: u32,
    /// Requests answered per second; `None` behind the measured period.
    pub rate: Option<f64>,
    /// Response time in its worst seconds; `None` where nothing was answered.
    pub response: Option<WorstSeconds>,
}

/// Percentiles of response time in the worst second of a stretch, each by itself, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorstSeconds {
    /// Median.
    pub p50: Nanos,
    /// 99th percentile.
    pub p99: Nanos,
}

impl Abstract {
    /// Machines that the load came from, one for each process.
    pub fn machines(&self) -> &[Environment] {
        if self.generators.is_empty() { slice::from_ref(&self.environment) } else { &self.generators }
    }

    /// Whether the run counts in comparisons: its measurement is valid and was not interrupted.
    pub fn counts(&self) -> bool {
        self.verdict != Verdict::Invalid && !self.interrupted
    }

    /// Whether both are of one run, whatever it is called.
    pub fn is_of_same_run(&self, other: &Self) -> bool {
        self.started == other.started && self.rows == other.rows
    }

    /// The row of everything.
    pub fn whole(&self) -> Option<&AbstractRow> {
        self.rows.iter().find(|row| row.service.is_none() && row.operation.is_none())
    }
}

impl AbstractRow {
    /// A percentile, where there are enough samples for it.
    pub fn percentile(&self, percentile: f64) -> Option<&KnownPercentile> {
        self.percentiles.iter().find(|known| (known.percentile - percentile).abs() < 1e-9)
    }

    /// Share of requests that failed or never finished, 0..=1; 0 where there were none.
    pub fn failed_share(&self) -> f64 {
        let lost = self.failed + self.unfinished;
        lost as f64 / (self.completed + lost).max(1) as f64
    }

    /// Whether two rows are about the same.
    pub fn is_about(&self, other: &Self) -> bool {
        (&self.service, &self.operation) == (&other.service, &other.operation)
    }
}
