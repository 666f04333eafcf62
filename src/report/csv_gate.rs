//! Tables of a gate for spreadsheets and scripts: `gate.csv`, `quantiles.csv` and `slices.csv`.
//!
//! Values have their unit beside them; ratios are B over A, shares lie between 0 and 1. What is not known is empty. Fields are
//! only ever added.

use super::{
    csv_table::table,
    json_gate::rows,
    number::{micros, per_second, ratio, rounded},
    subject::GateReport,
};
use crate::{analysis::gate::GateMetric, results::GateStage};

/// Name of all services or operations.
const ALL: &str = "*";

/// `gate.csv`: one row per metric, row and stage.
pub(super) fn metrics(outcome: &GateReport) -> Vec<u8> {
    let rows = rows(outcome);
    let metrics = rows.iter().flat_map(|row| row.metrics.iter().map(move |metric| (row, metric)));
    let changes = metrics.flat_map(|(row, metric)| {
        let stages = [(GateStage::Screen, Some(&metric.screen)), (GateStage::Confirm, metric.confirm.as_ref())];
        let deciding =
            if metric.suspected && metric.confirm.is_some() { GateStage::Confirm } else { GateStage::Screen };
        stages.into_iter().filter_map(move |(stage, change)| Some((row, metric, stage, stage == deciding, change?)))
    });
    table!(changes, |(row, metric, stage, decides, change)| [
        ("service", row.service.unwrap_or(ALL)),
        ("operation", row.operation.unwrap_or(ALL)),
        ("metric", metric.name),
        ("unit", if metric.name == GateMetric::Throughput { "per_s" } else { "us" }),
        ("stage", stage),
        ("decides", decides),
        ("verdict", metric.verdict),
        ("suspected", metric.suspected),
        ("shape", row.shape),
        ("a", change.a),
        ("b", change.b),
        ("ratio", change.ratio),
        ("ratio_low", change.low),
        ("ratio_high", change.high),
        ("p_worse", change.p_worse),
        ("p_better", change.p_better),
        ("matters_from", metric.matters_from),
        ("detectable", change.detectable),
    ])
}

/// `quantiles.csv`: one row per row and quantile, of the stage that decides.
pub(super) fn quantiles(outcome: &GateReport) -> Vec<u8> {
    let rows = rows(outcome);
    let quantiles = rows.iter().flat_map(|row| row.quantiles.iter().map(move |quantile| (row, quantile)));
    table!(quantiles, |(row, quantile)| [
        ("service", row.service.unwrap_or(ALL)),
        ("operation", row.operation.unwrap_or(ALL)),
        ("quantile", quantile.quantile),
        ("a_us", quantile.change.a),
        ("b_us", quantile.change.b),
        ("ratio", quantile.change.ratio),
        ("ratio_low", quantile.change.low),
        ("ratio_high", quantile.change.high),
        ("p_worse", quantile.change.p_worse),
    ])
}

/// `slices.csv`: one row per slice, in the order in which they were made.
pub(super) fn slices(outcome: &GateReport) -> Vec<u8> {
    let blocks = outcome.gate.blocks.iter();
    let slices = blocks.flat_map(|block| block.slices.iter().map(move |slice| (block, slice)));
    table!(slices, |(block, slice)| [
        ("stage", block.stage),
        ("block", block.number),
        ("kind", slice.kind),
        ("quad", slice.quad),
        ("arm", slice.arm.to_string().to_lowercase()),
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
