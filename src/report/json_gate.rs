//! The verdict of a gate as JSON for programs.
//!
//! Fields are only ever added; one that changes its meaning gets another name and raises `schema_version`. Units are those of
//! `gate.csv`. The JSON Schema is derived from these types.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    format::plain,
    json_parts::{ServiceClient, Software, Target, clients, remarks, text},
    number::{micros, per_second, ratio, rounded},
    record::record,
    subject::GateReport,
    view::{Headline, gate_headline},
};
use crate::{
    analysis::gate::{self, Change, ChangeShape, Failures, GateMetric, GateRow, MetricResult, TooFew},
    results::{Ended, GateArm, InGate},
    scenario,
};

/// Version of the layout of this summary.
const SCHEMA_VERSION: u32 = 1;

record! {
    /// Output of `gate --format json`. Times are microseconds (`_us`), rates per second (`_per_s`), shares between 0 and 1. What
    /// is not known is null.
    #[schemars(title = "Verdict of a gate of plimsoll")]
    pub(super) struct GateDocument<'a>(outcome: &'a GateReport, headline: &Headline) {
        /// Version of this layout.
        #[schemars(extend("const" = SCHEMA_VERSION))]
        schema_version: u32 = SCHEMA_VERSION,
        /// Verdict.
        verdict: InGate = InGate(outcome.analysis.verdict),
        /// Verdict in one sentence.
        headline: String = plain(&headline.sentence),
        /// Remarks beside the verdict.
        remarks: Vec<String> = remarks(headline),
        /// Whether a regression is only a hint.
        advisory: bool = outcome.gate.plan.advisory.is_some(),
        /// Start of the gate.
        started: &'a str = &outcome.gate.started,
        /// End of the gate.
        #[schemars(extend("enum" = ["running", "finished", "interrupted", "lost"]))]
        ended: Ended = outcome.gate.ended,
        /// Profile.
        profile: &'a str = &outcome.gate.plan.profile,
        /// Smallest change of median, mean and throughput that matters, as a share.
        threshold: f64 = outcome.gate.plan.threshold,
        /// Smallest change of the 99th percentile that matters, as a share.
        tail_threshold: f64 = outcome.gate.plan.tail_threshold,
        /// Smallest change of a response time that matters.
        floor_us: f64 = micros(outcome.gate.plan.floor_ns as f64),
        /// Offered rate; null where there are only closed loops.
        rate_per_s: Option<f64> = outcome.gate.plan.rate.map(per_second),
        /// A and B.
        arms: [GateArmRecord<'a>; 2] = outcome.gate.arms.as_ref().map(GateArmRecord::new).into(),
        /// Operations, services and the whole, which comes last.
        rows: Vec<GateRowRecord<'a>> = rows(outcome),
        /// Share of failed and unfinished requests of A and of B: the larger one of both stages.
        failed: [f64; 2] = outcome.analysis.failures.worst().map(ratio).into(),
        /// Failed and unfinished requests by stage.
        failed_in: FailedIn = FailedIn::new(&outcome.analysis.failures),
        /// Metrics that were not compared for lack of requests.
        too_few: Vec<TooFewRecord<'a>> = outcome.analysis.too_few.iter().map(TooFewRecord::new).collect(),
        /// Median response time of A compared with itself, and of B with itself.
        control: [Option<ChangeRecord>; 2] =
            outcome.analysis.controls.as_ref().map(|of| Some(ChangeRecord::new(GateMetric::Median, of.as_ref()?))).into(),
        /// Noise of the ratio of medians.
        noise: Option<Noise> =
            outcome.analysis.noise.map(|noise| Noise { quad: ratio(noise.quad), block: ratio(noise.block) }),
        /// Number of quads that were made.
        quads: u32 = outcome.analysis.dropped.quads,
        /// Quads that were left out.
        dropped: Dropped = Dropped::new(outcome.analysis.dropped),
        /// Build of plimsoll that conducted the gate.
        software: Software<'a> = Software::new(&outcome.gate.software),
    }
}

record! {
    /// One side of the comparison.
    struct GateArmRecord<'a>(arm: &'a GateArm) {
        /// Name.
        name: &'a str = &arm.name,
        /// Differences from the other side.
        differences: Vec<ArmDifference<'a>> =
            arm.differences.iter().map(|(what, value)| ArmDifference { what, value }).collect(),
        /// Server.
        target: Target<'a> = Target::new(&arm.target),
        /// Client library and protocol of each service.
        clients: Vec<ServiceClient> =
            scenario::parse(&arm.scenario, "arm").map_or_else(|_| Vec::new(), |scenario| clients(&scenario)),
        /// Build of plimsoll that loaded the server.
        software: Software<'a> = Software::new(&arm.software),
    }
}

/// One difference of an arm.
#[derive(Serialize, JsonSchema)]
struct ArmDifference<'a> {
    /// Name, as on the command line.
    what: &'a str,
    /// Value.
    value: &'a str,
}

record! {
    /// One row of the comparison.
    pub(super) struct GateRowRecord<'a>(row: &'a GateRow) {
        /// Service; null for all.
        pub(super) service: Option<&'a str> = row.scope.service.as_deref(),
        /// Operation; null for all.
        pub(super) operation: Option<&'a str> = row.scope.operation.as_deref(),
        /// Verdict.
        verdict: InGate = InGate(row.verdict),
        /// Spread of a regression over the quantiles.
        pub(super) shape: Option<ChangeShape> = row.shape,
        /// Metrics.
        pub(super) metrics: Vec<MetricRecord> = row.metrics.iter().map(MetricRecord::new).collect(),
        /// Change of each quantile.
        pub(super) quantiles: Vec<QuantileRecord> = row.quantiles.iter().map(QuantileRecord::new).collect(),
    }
}

record! {
    /// One metric of a row.
    pub(super) struct MetricRecord(result: &MetricResult) {
        /// Name.
        #[serde(rename = "metric")]
        pub(super) name: GateMetric = result.metric,
        /// Verdict.
        pub(super) verdict: InGate = InGate(result.verdict),
        /// Whether the first stage raised a suspicion.
        pub(super) suspected: bool = result.suspected,
        /// Smallest worsening that matters, as a share.
        pub(super) matters_from: f64 = ratio(result.limit),
        /// Change in the first stage.
        pub(super) screen: ChangeRecord = ChangeRecord::new(result.metric, &result.screen),
        /// Change in the second stage; null where there was none.
        pub(super) confirm: Option<ChangeRecord> =
            result.confirm.as_ref().map(|change| ChangeRecord::new(result.metric, change)),
    }
}

record! {
    /// Change of one quantile.
    pub(super) struct QuantileRecord(of: &(f64, Change)) {
        /// Quantile, 0 to 1.
        pub(super) quantile: f64 = of.0,
        /// Change.
        pub(super) change: ChangeRecord = ChangeRecord::new(GateMetric::Median, &of.1),
    }
}

record! {
    /// B over A; values in microseconds, of throughput per second.
    pub(super) struct ChangeRecord(metric: GateMetric, change: &Change) {
        /// Typical value of A.
        pub(super) a: f64 = level(metric, change.levels.a),
        /// Typical value of B.
        pub(super) b: f64 = level(metric, change.levels.b),
        /// B over A.
        pub(super) ratio: f64 = ratio(change.effect.ratio.point),
        /// Lower end of the 95 % confidence interval of the ratio.
        pub(super) low: Option<f64> = change.effect.ratio.low.map(ratio),
        /// Upper end of the interval; null with too few blocks.
        pub(super) high: Option<f64> = change.effect.ratio.high.map(ratio),
        /// One-sided p-value of a change for the worse.
        pub(super) p_worse: f64 = rounded(change.p_worse(), 8),
        /// One-sided p-value of a change for the better.
        pub(super) p_better: f64 = rounded(change.p_better, 8),
        /// Worsening that both stages of 95 of 100 such gates would have found, as a share; null for none.
        pub(super) detectable: Option<f64> = change.effect.smallest_detectable.map(ratio),
        /// B over A in each block.
        blocks: Vec<f64> = change.blocks.iter().map(|log| ratio(log.exp())).collect(),
    }
}

record! {
    /// Failed and unfinished requests by stage.
    struct FailedIn(failures: &Failures) {
        /// Regression where more of B fail in both stages, inconclusive where one stage alone or single blocks show it.
        #[schemars(extend("enum" = ["regression", "ok", "inconclusive"]))]
        verdict: InGate = InGate(failures.verdict),
        /// Share in the first stage, of A and of B.
        screen: [f64; 2] = failures.screen.shares.map(ratio).into(),
        /// Share in the second stage, of A and of B; null where there was none.
        confirm: Option<[f64; 2]> = failures.confirm.map(|confirm| confirm.shares.map(ratio).into()),
    }
}

record! {
    /// Metrics of an operation, of a service, or of all requests.
    struct TooFewRecord<'a>(too_few: &'a TooFew) {
        /// Service; null for all.
        service: Option<&'a str> = too_few.scope.service.as_deref(),
        /// Operation; null for all.
        operation: Option<&'a str> = too_few.scope.operation.as_deref(),
        /// Metrics.
        metrics: Vec<GateMetric> = too_few.metrics.clone(),
    }
}

/// Standard deviations of the ratio of medians, on the logarithmic scale.
#[derive(Serialize, JsonSchema)]
struct Noise {
    /// Of a quad within its block.
    quad: f64,
    /// Of a block beyond its quads.
    block: f64,
}

record! {
    /// Number of quads that were left out, by reason.
    struct Dropped(dropped: gate::Dropped) {
        /// The harness was late.
        late: u32 = dropped.late,
        /// The hypervisor took CPU time.
        stolen: u32 = dropped.stolen,
        /// The container was throttled.
        throttled: u32 = dropped.throttled,
    }
}

pub(super) fn render(outcome: &GateReport) -> String {
    text(&GateDocument::new(outcome, &gate_headline(outcome)))
}

/// Every row of the comparison.
pub(super) fn rows(outcome: &GateReport) -> Vec<GateRowRecord<'_>> {
    outcome.analysis.rows.iter().map(GateRowRecord::new).collect()
}

/// A value of a metric: microseconds, or per second.
fn level(metric: GateMetric, level: f64) -> f64 {
    if metric.more_is_worse() { micros(level) } else { per_second(level) }
}
