//! The verdict of a gate as JSON for programs.
//!
//! Fields are only ever added; one that changes its meaning gets another name and raises `schema_version`. Units are those of
//! `gate.csv`. The schema is `gate.schema.json` beside this file.

use serde::Serialize;

use super::{
    format::plain,
    json_parts::{Software, Target, text},
    number::{micros, per_second, rounded},
    subject::GateReport,
    view::{ended_slug, gate_headline, metric_slug, shape_slug, verdict_slug},
};
use crate::{
    analysis::{
        Effect,
        gate::{Change, GateMetric, GateRow, MetricResult, TooFew},
    },
    results::GateArm,
};

/// Version of the layout of this summary.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Summary<'a> {
    schema_version: u32,
    verdict: &'static str,
    headline: String,
    remarks: Vec<String>,
    advisory: bool,
    started: &'a str,
    ended: &'static str,
    profile: &'a str,
    threshold: f64,
    tail_threshold: f64,
    floor_us: f64,
    rate_per_s: Option<f64>,
    arms: [Arm<'a>; 2],
    rows: Vec<Row<'a>>,
    failed: [f64; 2],
    failed_in: FailedIn,
    too_few: Vec<TooFewRecord<'a>>,
    control: [Option<ChangeRecord>; 2],
    noise: Option<Noise>,
    quads: u32,
    dropped: Dropped,
    software: Software<'a>,
}

#[derive(Serialize)]
struct Arm<'a> {
    name: &'a str,
    differences: Vec<Difference<'a>>,
    target: Target<'a>,
    software: Software<'a>,
}

#[derive(Serialize)]
struct Difference<'a> {
    what: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Row<'a> {
    service: Option<&'a str>,
    operation: Option<&'a str>,
    verdict: &'static str,
    shape: Option<&'static str>,
    metrics: Vec<Metric>,
    quantiles: Vec<Quantile>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "it is called so in the document")]
struct Metric {
    metric: &'static str,
    verdict: &'static str,
    suspected: bool,
    matters_from: f64,
    screen: ChangeRecord,
    confirm: Option<ChangeRecord>,
}

#[derive(Serialize)]
struct FailedIn {
    verdict: &'static str,
    screen: [f64; 2],
    confirm: Option<[f64; 2]>,
}

#[derive(Serialize)]
struct TooFewRecord<'a> {
    service: Option<&'a str>,
    operation: Option<&'a str>,
    metrics: Vec<&'static str>,
}

#[derive(Serialize)]
struct Quantile {
    quantile: f64,
    change: ChangeRecord,
}

#[derive(Serialize)]
struct ChangeRecord {
    a: f64,
    b: f64,
    ratio: f64,
    low: Option<f64>,
    high: Option<f64>,
    p_worse: f64,
    p_better: f64,
    detectable: Option<f64>,
    blocks: Vec<f64>,
}

#[derive(Serialize)]
struct Noise {
    quad: f64,
    block: f64,
}

#[derive(Serialize)]
struct Dropped {
    late: u32,
    stolen: u32,
    throttled: u32,
}

pub(super) fn render(outcome: &GateReport) -> String {
    let headline = gate_headline(outcome);
    let (gate, analysis) = (&outcome.gate, &outcome.analysis);
    let plan = &gate.plan;
    let share = |share: f64| rounded(share, 6);
    let [a, b] = &gate.arms;
    text(&Summary {
        schema_version: SCHEMA_VERSION,
        verdict: verdict_slug(analysis.verdict),
        headline: plain(&headline.sentence),
        remarks: headline.remarks.iter().map(|remark| plain(remark)).collect(),
        advisory: plan.advisory.is_some(),
        started: &gate.started,
        ended: ended_slug(gate.ended),
        profile: &plan.profile,
        threshold: plan.threshold,
        tail_threshold: plan.tail_threshold,
        floor_us: micros(plan.floor_ns as f64),
        rate_per_s: plan.rate.map(per_second),
        arms: [arm(a), arm(b)],
        rows: analysis.rows.iter().map(row).collect(),
        failed: analysis.failures.worst().map(share),
        failed_in: FailedIn {
            verdict: verdict_slug(analysis.failures.verdict),
            screen: analysis.failures.screen.shares.map(share),
            confirm: analysis.failures.confirm.map(|confirm| confirm.shares.map(share)),
        },
        too_few: analysis.too_few.iter().map(too_few).collect(),
        control: [0, 1].map(|arm| analysis.controls[arm].as_ref().map(|change| record(GateMetric::Median, change))),
        noise: analysis.noise.map(|noise| Noise { quad: rounded(noise.quad, 6), block: rounded(noise.block, 6) }),
        quads: analysis.dropped.quads,
        dropped: Dropped {
            late: analysis.dropped.late,
            stolen: analysis.dropped.stolen,
            throttled: analysis.dropped.throttled,
        },
        software: (&gate.software).into(),
    })
}

fn arm(arm: &GateArm) -> Arm<'_> {
    Arm {
        name: &arm.name,
        differences: arm.differences.iter().map(|(what, value)| Difference { what, value }).collect(),
        target: (&arm.target).into(),
        software: (&arm.software).into(),
    }
}

fn too_few(too_few: &TooFew) -> TooFewRecord<'_> {
    TooFewRecord {
        service: too_few.scope.service.as_deref(),
        operation: too_few.scope.operation.as_deref(),
        metrics: too_few.metrics.iter().map(|metric| metric_slug(*metric)).collect(),
    }
}

fn row(row: &GateRow) -> Row<'_> {
    Row {
        service: row.scope.service.as_deref(),
        operation: row.scope.operation.as_deref(),
        verdict: verdict_slug(row.verdict),
        shape: row.shape.map(shape_slug),
        metrics: row.metrics.iter().map(metric).collect(),
        quantiles: row
            .quantiles
            .iter()
            .map(|(quantile, change)| Quantile { quantile: *quantile, change: record(GateMetric::Median, change) })
            .collect(),
    }
}

fn metric(result: &MetricResult) -> Metric {
    Metric {
        metric: metric_slug(result.metric),
        verdict: verdict_slug(result.verdict),
        suspected: result.suspected,
        matters_from: rounded(result.limit, 6),
        screen: record(result.metric, &result.screen),
        confirm: result.confirm.as_ref().map(|change| record(result.metric, change)),
    }
}

fn record(metric: GateMetric, change: &Change) -> ChangeRecord {
    let level = |level: f64| if metric.more_is_worse() { micros(level) } else { per_second(level) };
    let known = |value: f64| rounded(value, 6);
    let Effect { ratio, smallest_detectable, .. } = change.effect;
    ChangeRecord {
        a: level(change.levels[0]),
        b: level(change.levels[1]),
        ratio: known(ratio.point),
        low: ratio.low.map(known),
        high: ratio.high.map(known),
        p_worse: rounded(change.p_worse(), 8),
        p_better: rounded(change.p_better, 8),
        detectable: smallest_detectable.map(known),
        blocks: change.blocks.iter().map(|log| rounded(log.exp(), 6)).collect(),
    }
}
