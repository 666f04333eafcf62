//! Analysis of a gate: facts and judgements, without prose.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    analysis::paired::Change,
    results::{GateStage, Side, Sides, Verdict},
};

/// Subjects of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateMetric {
    /// Median response time.
    #[serde(rename = "p50")]
    Median,
    /// Mean response time.
    Mean,
    /// 99th percentile of the response time.
    P99,
    /// Answers per second in a closed loop.
    Throughput,
}

impl GateMetric {
    /// All of them, in the order in which they are reported.
    pub const ALL: [Self; 4] = [Self::Median, Self::Mean, Self::P99, Self::Throughput];

    /// Whether more is worse.
    pub fn more_is_worse(self) -> bool {
        self != Self::Throughput
    }

    /// Whether it decides if all is well; the others count only where they are worse for certain.
    pub fn decides(self) -> bool {
        matches!(self, Self::Median | Self::Throughput)
    }
}

/// Everything that the reports say of a gate.
#[derive(Debug, Clone, PartialEq)]
pub struct GateAnalysis {
    /// The verdict of the whole.
    pub verdict: Verdict,
    /// Reason of an invalid result.
    pub invalid: Option<Invalidity>,
    /// One per operation, one per service of several, and the whole, which comes last.
    pub rows: Vec<GateRow>,
    /// Metrics that were not compared since there were too few requests for them, by what they are of.
    pub too_few: Vec<TooFew>,
    /// Failed and unfinished requests of each arm.
    pub failures: Failures,
    /// A's second slice of each quad against its first, and the same of B: what comes out where nothing differs. Each is a
    /// [`Change`] of the median response time.
    pub controls: Sides<Option<Change>>,
    /// Standard deviations on the logarithmic scale of the median response time; `None` with fewer than two blocks.
    pub noise: Option<Noise>,
    /// Slices that were left out, with their quads.
    pub dropped: Dropped,
    /// Response times by quantile of all requests of each arm, over the stage that decides.
    pub curves: Sides<Vec<CurvePoint>>,
    /// Every slice at the offered rate, in order, for a look at the course of things.
    pub course: Vec<CoursePoint>,
}

/// Reasons that make a gate invalid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Invalidity {
    /// More than a quarter of the quads of a stage had to be left out: what was left out of it.
    Disturbed(Dropped),
    /// There are fewer blocks in which both arms answered than any verdict takes.
    TooFewBlocks(u32),
    /// Too many requests of A itself failed: their share.
    BaselineFails(f64),
}

/// Subject of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateScope {
    /// Service; `None` for all of them.
    pub service: Option<String>,
    /// Operation; `None` for all of them.
    pub operation: Option<String>,
}

/// One row of the comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct GateRow {
    /// Subject.
    pub scope: GateScope,
    /// The verdict over its metrics.
    pub verdict: Verdict,
    /// Metrics, in the order of [`GateMetric::ALL`]; those with too few samples are missing.
    pub metrics: Vec<MetricResult>,
    /// Change of every quantile that has the samples for it, over the stage that decides: quantile and change.
    pub quantiles: Vec<(f64, Change)>,
    /// Shape of the change over the quantiles, if there is a change.
    pub shape: Option<ChangeShape>,
}

/// Shape of a regression over the quantiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeShape {
    /// The median takes part.
    Uniform,
    /// The median does not: only the slow requests became slower.
    TailOnly,
    /// Whether the median takes part is not certain.
    Undetermined,
}

/// One metric of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricResult {
    /// Identity.
    pub metric: GateMetric,
    /// Verdict.
    pub verdict: Verdict,
    /// Whether the first stage raised a suspicion.
    pub suspected: bool,
    /// The least worsening that matters here, as a share: the threshold, or the floor where that is more.
    pub limit: f64,
    /// Result of the first stage.
    pub screen: Change,
    /// Result of the second stage.
    pub confirm: Option<Change>,
}

impl MetricResult {
    /// The stage that decides: the second alone where a suspicion led to it.
    pub fn deciding(&self) -> &Change {
        self.confirm.as_ref().filter(|_| self.suspected).unwrap_or(&self.screen)
    }
}

/// Metrics that had too few requests to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooFew {
    /// Subject.
    pub scope: GateScope,
    /// Identity.
    pub metrics: Vec<GateMetric>,
}

/// Failed and unfinished requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Failures {
    /// In the first stage.
    pub screen: FailedShares,
    /// In the second, where there was one.
    pub confirm: Option<FailedShares>,
    /// Regression where more of B's fail in both stages; inconclusive where only one shows it, or blocks of B alone failed.
    pub verdict: Verdict,
}

impl Failures {
    /// The larger share of the two stages, 0..=1: of A, and of B.
    pub fn worst(&self) -> Sides<f64> {
        let confirm = self.confirm.unwrap_or_default();
        Sides::each(|arm| self.screen.shares[arm].max(confirm.shares[arm]))
    }
}

/// Failed and unfinished requests of one stage.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FailedShares {
    /// Their share, 0..=1: of A, and of B.
    pub shares: Sides<f64>,
    /// Whether B has more than the objective allows, and more than A from block to block by more than chance.
    pub more: bool,
    /// Blocks in which more than 5 % of B's requests failed, and not of A's.
    pub outages: u32,
}

/// Variation of the median response time without a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Of a quad, within its block.
    pub quad: f64,
    /// Of a block beyond what its quads explain: servers, memory, connections.
    pub block: f64,
}

/// Quads that were left out without a look at their response times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// All that were made.
    pub quads: u32,
    /// Those left out, because of a slice in which the hypervisor took CPU time,
    pub stolen: u32,
    /// in which the container was throttled,
    pub throttled: u32,
    /// or in which the harness was late.
    pub late: u32,
}

impl Dropped {
    /// All that were left out.
    pub fn all(&self) -> u32 {
        self.stolen + self.throttled + self.late
    }
}

/// One point of a percentile curve, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// 0..=1.
    pub quantile: f64,
    /// Of all blocks together.
    pub value: f64,
    /// Of the block where it is lowest.
    pub low: f64,
    /// Of the block where it is highest.
    pub high: f64,
}

/// One slice at the offered rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoursePoint {
    /// When it began, in nanoseconds since the gate did.
    pub began_ns: u64,
    /// Loaded arm.
    pub arm: Side,
    /// Its stage.
    pub stage: GateStage,
    /// Median response time of all requests, in nanoseconds.
    pub median: f64,
    /// Whether its quad was left out.
    pub dropped: bool,
}
