//! The verdict of a gate as JSON for programs.
//!
//! Fields are only ever added; one that changes its meaning gets another name and raises `schema_version`. Units are those of
//! `gate.csv`. The JSON Schema is derived from these types.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    format::plain,
    json_parts::{Software, Target, remarks, text},
    number::{micros, per_second, ratio, rounded},
    subject::GateReport,
    view::gate_headline,
};
use crate::{
    analysis::gate::{Change, ChangeShape, GateMetric, GateRow, GateVerdict, MetricResult, TooFew},
    results::{Ended, GateArm},
};

/// Version of the layout of this summary.
const SCHEMA_VERSION: u32 = 1;

/// Output of `gate --format json`. Times are microseconds (`_us`), rates per second (`_per_s`), shares between 0 and 1. What
/// is not known is null.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Verdict of a gate of plimsoll")]
pub(super) struct GateDocument<'a> {
    /// Version of this layout.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// Verdict.
    verdict: GateVerdict,
    /// Verdict in one sentence.
    headline: String,
    /// Remarks beside the verdict.
    remarks: Vec<String>,
    /// Whether a regression is only a hint.
    advisory: bool,
    /// Start of the gate.
    started: &'a str,
    /// End of the gate.
    #[schemars(extend("enum" = ["running", "finished", "interrupted", "lost"]))]
    ended: Ended,
    /// Profile.
    profile: &'a str,
    /// Smallest change of median, mean and throughput that matters, as a share.
    threshold: f64,
    /// Smallest change of the 99th percentile that matters, as a share.
    tail_threshold: f64,
    /// Smallest change of a response time that matters.
    floor_us: f64,
    /// Offered rate; null where there are only closed loops.
    rate_per_s: Option<f64>,
    /// A and B.
    arms: [GateArmRecord<'a>; 2],
    /// Operations, services and the whole, which comes last.
    rows: Vec<GateRowRecord<'a>>,
    /// Share of failed and unfinished requests of A and of B: the larger one of both stages.
    failed: [f64; 2],
    /// Failed and unfinished requests by stage.
    failed_in: FailedIn,
    /// Metrics that were not compared for lack of requests.
    too_few: Vec<TooFewRecord<'a>>,
    /// Median response time of A compared with itself, and of B with itself.
    control: [Option<ChangeRecord>; 2],
    /// Noise of the ratio of medians.
    noise: Option<Noise>,
    /// Number of quads that were made.
    quads: u32,
    /// Quads that were left out.
    dropped: Dropped,
    /// Build of plimsoll that conducted the gate.
    software: Software<'a>,
}

/// One side of the comparison.
#[derive(Serialize, JsonSchema)]
struct GateArmRecord<'a> {
    /// Name.
    name: &'a str,
    /// Differences from the other side.
    differences: Vec<ArmDifference<'a>>,
    /// Server.
    target: Target<'a>,
    /// Build of plimsoll that loaded the server.
    software: Software<'a>,
}

/// One difference of an arm.
#[derive(Serialize, JsonSchema)]
struct ArmDifference<'a> {
    /// Name, as on the command line.
    what: &'a str,
    /// Value.
    value: &'a str,
}

/// One row of the comparison.
#[derive(Serialize, JsonSchema)]
pub(super) struct GateRowRecord<'a> {
    /// Service; null for all.
    pub(super) service: Option<&'a str>,
    /// Operation; null for all.
    pub(super) operation: Option<&'a str>,
    /// Verdict.
    verdict: GateVerdict,
    /// Spread of a regression over the quantiles.
    pub(super) shape: Option<ChangeShape>,
    /// Metrics.
    pub(super) metrics: Vec<MetricRecord>,
    /// Change of each quantile.
    pub(super) quantiles: Vec<QuantileRecord>,
}

/// One metric of a row.
#[derive(Serialize, JsonSchema)]
pub(super) struct MetricRecord {
    /// Name.
    #[serde(rename = "metric")]
    pub(super) name: GateMetric,
    /// Verdict.
    pub(super) verdict: GateVerdict,
    /// Whether the first stage raised a suspicion.
    pub(super) suspected: bool,
    /// Smallest worsening that matters, as a share.
    pub(super) matters_from: f64,
    /// Change in the first stage.
    pub(super) screen: ChangeRecord,
    /// Change in the second stage; null where there was none.
    pub(super) confirm: Option<ChangeRecord>,
}

/// Change of one quantile.
#[derive(Serialize, JsonSchema)]
pub(super) struct QuantileRecord {
    /// Quantile, 0 to 1.
    pub(super) quantile: f64,
    /// Change.
    pub(super) change: ChangeRecord,
}

/// B over A; values in microseconds, of throughput per second.
#[derive(Serialize, JsonSchema)]
pub(super) struct ChangeRecord {
    /// Typical value of A.
    pub(super) a: f64,
    /// Typical value of B.
    pub(super) b: f64,
    /// B over A.
    pub(super) ratio: f64,
    /// Lower end of the 95 % confidence interval of the ratio.
    pub(super) low: Option<f64>,
    /// Upper end of the interval; null with too few blocks.
    pub(super) high: Option<f64>,
    /// One-sided p-value of a change for the worse.
    pub(super) p_worse: f64,
    /// One-sided p-value of a change for the better.
    pub(super) p_better: f64,
    /// Worsening that both stages of 95 of 100 such gates would have found, as a share; null for none.
    pub(super) detectable: Option<f64>,
    /// B over A in each block.
    blocks: Vec<f64>,
}

/// Failed and unfinished requests by stage.
#[derive(Serialize, JsonSchema)]
struct FailedIn {
    /// Regression where more of B fail in both stages, inconclusive where one stage alone or single blocks show it.
    #[schemars(extend("enum" = ["regression", "ok", "inconclusive"]))]
    verdict: GateVerdict,
    /// Share in the first stage, of A and of B.
    screen: [f64; 2],
    /// Share in the second stage, of A and of B; null where there was none.
    confirm: Option<[f64; 2]>,
}

/// Metrics of an operation, of a service, or of all requests.
#[derive(Serialize, JsonSchema)]
struct TooFewRecord<'a> {
    /// Service; null for all.
    service: Option<&'a str>,
    /// Operation; null for all.
    operation: Option<&'a str>,
    /// Metrics.
    metrics: Vec<GateMetric>,
}

/// Standard deviations of the ratio of medians, on the logarithmic scale.
#[derive(Serialize, JsonSchema)]
struct Noise {
    /// Of a quad within its block.
    quad: f64,
    /// Of a block beyond its quads.
    block: f64,
}

/// Number of quads that were left out, by reason.
#[derive(Serialize, JsonSchema)]
struct Dropped {
    /// The harness was late.
    late: u32,
    /// The hypervisor took CPU time.
    stolen: u32,
    /// The container was throttled.
    throttled: u32,
}

pub(super) fn render(outcome: &GateReport) -> String {
    let headline = gate_headline(outcome);
    let (gate, analysis) = (&outcome.gate, &outcome.analysis);
    let plan = &gate.plan;
    let [a, b] = &gate.arms;
    text(&GateDocument {
        schema_version: SCHEMA_VERSION,
        verdict: analysis.verdict,
        headline: plain(&headline.sentence),
        remarks: remarks(&headline),
        advisory: plan.advisory.is_some(),
        started: &gate.started,
        ended: gate.ended,
        profile: &plan.profile,
        threshold: plan.threshold,
        tail_threshold: plan.tail_threshold,
        floor_us: micros(plan.floor_ns as f64),
        rate_per_s: plan.rate.map(per_second),
        arms: [arm(a), arm(b)],
        rows: rows(outcome),
        failed: analysis.failures.worst().map(ratio),
        failed_in: FailedIn {
            verdict: analysis.failures.verdict,
            screen: analysis.failures.screen.shares.map(ratio),
            confirm: analysis.failures.confirm.map(|confirm| confirm.shares.map(ratio)),
        },
        too_few: analysis.too_few.iter().map(too_few).collect(),
        control: [0, 1].map(|arm| analysis.controls[arm].as_ref().map(|change| record(GateMetric::Median, change))),
        noise: analysis.noise.map(|noise| Noise { quad: ratio(noise.quad), block: ratio(noise.block) }),
        quads: analysis.dropped.quads,
        dropped: Dropped {
            late: analysis.dropped.late,
            stolen: analysis.dropped.stolen,
            throttled: analysis.dropped.throttled,
        },
        software: (&gate.software).into(),
    })
}

fn arm(arm: &GateArm) -> GateArmRecord<'_> {
    GateArmRecord {
        name: &arm.name,
        differences: arm.differences.iter().map(|(what, value)| ArmDifference { what, value }).collect(),
        target: (&arm.target).into(),
        software: (&arm.software).into(),
    }
}

fn too_few(too_few: &TooFew) -> TooFewRecord<'_> {
    TooFewRecord {
        service: too_few.scope.service.as_deref(),
        operation: too_few.scope.operation.as_deref(),
        metrics: too_few.metrics.clone(),
    }
}

/// Every row of the comparison.
pub(super) fn rows(outcome: &GateReport) -> Vec<GateRowRecord<'_>> {
    outcome.analysis.rows.iter().map(row).collect()
}

fn row(row: &GateRow) -> GateRowRecord<'_> {
    GateRowRecord {
        service: row.scope.service.as_deref(),
        operation: row.scope.operation.as_deref(),
        verdict: row.verdict,
        shape: row.shape,
        metrics: row.metrics.iter().map(metric).collect(),
        quantiles: row
            .quantiles
            .iter()
            .map(|(quantile, change)| QuantileRecord {
                quantile: *quantile,
                change: record(GateMetric::Median, change),
            })
            .collect(),
    }
}

fn metric(result: &MetricResult) -> MetricRecord {
    MetricRecord {
        name: result.metric,
        verdict: result.verdict,
        suspected: result.suspected,
        matters_from: ratio(result.limit),
        screen: record(result.metric, &result.screen),
        confirm: result.confirm.as_ref().map(|change| record(result.metric, change)),
    }
}

fn record(metric: GateMetric, change: &Change) -> ChangeRecord {
    let level = |level: f64| if metric.more_is_worse() { micros(level) } else { per_second(level) };
    let effect = change.effect;
    ChangeRecord {
        a: level(change.levels[0]),
        b: level(change.levels[1]),
        ratio: ratio(effect.ratio.point),
        low: effect.ratio.low.map(ratio),
        high: effect.ratio.high.map(ratio),
        p_worse: rounded(change.p_worse(), 8),
        p_better: rounded(change.p_better, 8),
        detectable: effect.smallest_detectable.map(ratio),
        blocks: change.blocks.iter().map(|log| ratio(log.exp())).collect(),
    }
}
