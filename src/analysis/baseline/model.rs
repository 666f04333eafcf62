//! Result of a comparison: facts and judgements, without prose.

use schemars::JsonSchema;
use serde::Serialize;
use strum::EnumDiscriminants;

use super::Difference;
use crate::{
    analysis::Effect,
    results::{Sides, Verdict},
};

/// A run compared with a baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Verdict of the whole.
    pub verdict: Verdict,
    /// Rules of the comparison.
    pub method: Method,
    /// Change of p50 and throughput that matters, as a share; p99 may change by [`super::TAIL_FACTOR`] times as much.
    pub threshold: f64,
    /// What is not the same in both, what refuses first.
    pub differences: Vec<Difference>,
    /// Speed of the machine; `None` if one of the two lacks the measurement.
    pub machine: Option<Machine>,
    /// Runs of the baseline that were left out since they do not count ([`crate::results::Abstract::counts`]).
    pub left_out: usize,
    /// Rows that both have, in the run's order; empty where they cannot be compared, or no run of the baseline counts. The last
    /// is the whole.
    pub rows: Vec<RowChange>,
    /// Rows that only one of the two has: service and operation, and whether the run has it.
    pub missing: Vec<(Option<String>, Option<String>, bool)>,
}

/// Rules of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(
    name(MethodName),
    derive(Serialize, JsonSchema),
    serde(rename_all = "kebab-case"),
    doc = "Name of a method, for programs."
)]
pub enum Method {
    /// By how far apart the runs of the baseline lie.
    Tolerance {
        /// Number.
        runs: usize,
    },
    /// By the threshold alone: there are too few runs to know how far apart they lie.
    Threshold {
        /// Number.
        runs: usize,
    },
}

/// Speed of the machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Reference of the baseline's runs, in nanoseconds: their geometric mean.
    pub base_ns: f64,
    /// Reference of the run, in nanoseconds.
    pub run_ns: f64,
    /// Whether they are too far apart for one machine in one state.
    pub moved: bool,
    /// Whether the reference moved as much within the run, between before and after the load.
    pub unsteady: bool,
}

/// Subjects of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Median response time, in nanoseconds.
    #[serde(rename = "response_p50_us")]
    P50,
    /// 99th percentile of response time, in nanoseconds.
    #[serde(rename = "response_p99_us")]
    P99,
    /// Requests answered per second.
    #[serde(rename = "throughput_per_s")]
    Throughput,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::P50, Self::P99, Self::Throughput];
}

/// One row of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// Service; `None` stands for all.
    pub service: Option<String>,
    /// Operation; `None` stands for all of the service.
    pub operation: Option<String>,
    /// Verdict of the row; `None` for a row without one.
    pub verdict: Option<Verdict>,
    /// Requests that failed or never finished, as a share of all: in the baseline, and in the run.
    pub failures: Sides<f64>,
    /// [`Quantity::ALL`] in that order.
    pub quantities: Vec<QuantityChange>,
}

/// One quantity of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantityChange {
    /// Identity.
    pub quantity: Quantity,
    /// Verdict; `None` where the quantity is reported only, or unknown to one of the two.
    pub verdict: Option<Verdict>,
    /// Value of the baseline: the geometric mean of its runs; `None` where none knows it.
    pub base: Option<f64>,
    /// Value of the run.
    pub run: Option<f64>,
    /// Runs of the baseline that know it.
    pub runs: usize,
    /// Value of the run over that of the baseline, where `calibrated` both divided by the machine's reference; `None` where one
    /// of the two is unknown. The interval follows from how far apart runs lie; of a single run of the baseline, from the
    /// accuracy of percentiles within a run.
    pub effect: Option<Effect>,
    /// Standard deviation of the logarithms of the baseline's runs.
    pub spread: Option<f64>,
    /// Whether effect and spread are those of values divided by the machine's reference.
    pub calibrated: bool,
}

impl QuantityChange {
    /// Value of the run over that of the baseline.
    pub fn ratio(&self) -> Option<f64> {
        Some(self.effect?.ratio.point)
    }

    /// Smallest worsening, as a share, that this comparison finds in 95 % of all cases.
    pub fn smallest_detectable(&self) -> Option<f64> {
        self.effect?.smallest_detectable
    }

    /// Probability of being worse by as much or more without any change of what is measured.
    pub fn p(&self) -> Option<f64> {
        self.effect?.p
    }
}

impl RowChange {
    /// One of its quantities.
    pub fn of(&self, quantity: Quantity) -> Option<&QuantityChange> {
        self.quantities.iter().find(|change| change.quantity == quantity)
    }

    /// Whether it is the row of everything.
    pub fn is_whole(&self) -> bool {
        self.service.is_none() && self.operation.is_none()
    }
}
