//! Tables of a gate for spreadsheets and scripts: `gate.csv`, `quantiles.csv` and `slices.csv`.
//!
//! Values have their unit beside them; ratios are B over A, shares lie between 0 and 1. What is not known is empty. Fields are
//! only ever added.

use serde::Serialize;

use super::{
    csv_table::{or_all, table, write},
    number::{micros, per_second, ratio, rounded},
    subject::GateReport,
    view::{metric_slug, shape_slug, verdict_slug},
};
use crate::{
    analysis::gate::{Change, GateMetric, GateRow, MetricResult},
    results::slug,
};

/// Columns of `gate.csv`.
const METRICS: [&str; 18] = [
    "service",
    "operation",
    "metric",
    "unit",
    "stage",
    "decides",
    "verdict",
    "suspected",
    "shape",
    "a",
    "b",
    "ratio",
    "ratio_low",
    "ratio_high",
    "p_worse",
    "p_better",
    "matters_from",
    "detectable",
];

/// Columns of `quantiles.csv`.
const QUANTILES: [&str; 9] =
    ["service", "operation", "quantile", "a_us", "b_us", "ratio", "ratio_low", "ratio_high", "p_worse"];

#[derive(Serialize)]
struct MetricRecord<'a> {
    service: &'a str,
    operation: &'a str,
    metric: &'static str,
    unit: &'static str,
    stage: &'static str,
    decides: bool,
    verdict: &'static str,
    suspected: bool,
    shape: Option<&'static str>,
    a: f64,
    b: f64,
    ratio: f64,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    p_worse: f64,
    p_better: f64,
    matters_from: f64,
    detectable: Option<f64>,
}

#[derive(Serialize)]
struct QuantileRecord<'a> {
    service: &'a str,
    operation: &'a str,
    quantile: f64,
    a_us: f64,
    b_us: f64,
    ratio: f64,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    p_worse: f64,
}

/// `gate.csv`: one row per metric, row and stage.
pub(super) fn metrics(outcome: &GateReport) -> Vec<u8> {
    let rows = outcome.analysis.rows.iter();
    let records = rows.flat_map(|row| {
        row.metrics.iter().flat_map(move |metric| {
            let confirm = metric.confirm.as_ref().map(|change| record(row, metric, "confirm", change));
            [record(row, metric, "screen", &metric.screen)].into_iter().chain(confirm)
        })
    });
    write(&METRICS, records)
}

fn record<'a>(row: &'a GateRow, metric: &MetricResult, stage: &'static str, change: &Change) -> MetricRecord<'a> {
    let (service, operation) = scope(row);
    let [a, b] = change.levels.map(|level| value(metric.metric, level));
    let effect = change.effect;
    MetricRecord {
        service,
        operation,
        metric: metric_slug(metric.metric),
        unit: if metric.metric == GateMetric::Throughput { "per_s" } else { "us" },
        stage,
        decides: std::ptr::eq(metric.deciding(), change),
        verdict: verdict_slug(metric.verdict),
        suspected: metric.suspected,
        shape: row.shape.map(shape_slug),
        a,
        b,
        ratio: ratio(effect.ratio.point),
        ratio_low: effect.ratio.low.map(ratio),
        ratio_high: effect.ratio.high.map(ratio),
        p_worse: rounded(change.p_worse(), 8),
        p_better: rounded(change.p_better, 8),
        matters_from: ratio(metric.limit),
        detectable: effect.smallest_detectable.map(ratio),
    }
}

/// `quantiles.csv`: one row per row and quantile, of the stage that decides.
pub(super) fn quantiles(outcome: &GateReport) -> Vec<u8> {
    let records = outcome.analysis.rows.iter().flat_map(|row| {
        let (service, operation) = scope(row);
        row.quantiles.iter().map(move |(quantile, change)| {
            let [a_us, b_us] = change.levels.map(micros);
            let effect = change.effect;
            QuantileRecord {
                service,
                operation,
                quantile: *quantile,
                a_us,
                b_us,
                ratio: ratio(effect.ratio.point),
                ratio_low: effect.ratio.low.map(ratio),
                ratio_high: effect.ratio.high.map(ratio),
                p_worse: rounded(change.p_worse(), 8),
            }
        })
    });
    write(&QUANTILES, records)
}

/// `slices.csv`: one row per slice, in the order in which they were made.
pub(super) fn slices(outcome: &GateReport) -> Vec<u8> {
    let blocks = outcome.gate.blocks.iter();
    let slices = blocks.flat_map(|block| block.slices.iter().map(move |slice| (block, slice)));
    table!(slices, |(block, slice)| [
        ("stage", slug(&block.stage)),
        ("block", block.number),
        ("kind", slug(&slice.kind)),
        ("quad", slice.quad),
        ("arm", if slice.arm == 0 { "a" } else { "b" }),
        ("began_s", rounded(slice.began_ns as f64 / 1e9, 3)),
        ("measured_s", rounded(slice.measured_ns as f64 / 1e9, 3)),
        ("scheduled", slice.scheduled),
        ("completed", slice.series.iter().map(|tally| tally.completed).sum::<u64>()),
        ("failed", slice.series.iter().map(|tally| tally.failed).sum::<u64>()),
        ("throughput_per_s", per_second(slice.throughput)),
        ("lag_p50_us", micros(slice.lag_p50 as f64)),
        ("lag_p99_us", micros(slice.lag_p99 as f64)),
        ("stolen", slice.stolen.map(ratio)),
        ("throttled", slice.throttled.map(ratio)),
    ])
}

fn scope(row: &GateRow) -> (&str, &str) {
    (or_all(row.scope.service.as_ref()), or_all(row.scope.operation.as_ref()))
}

fn value(metric: GateMetric, level: f64) -> f64 {
    if metric.more_is_worse() { micros(level) } else { per_second(level) }
}
