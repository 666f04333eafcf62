//! `comparison.csv`: a row for each quantity of each row that was compared.
//!
//! Response times are microseconds, throughput is per second, changes are ratios of the run to the baseline. What is not
//! known is empty. Fields are only ever added.

use serde::Serialize;

use super::{
    csv_table::{or_all, write},
    number::{micros, per_second, rounded},
    subject::ComparisonReport,
    view::{quantity_slug, standing_slug},
};
use crate::analysis::baseline::{Quantity, QuantityChange};

const HEADER: [&str; 15] = [
    "service",
    "operation",
    "quantity",
    "base",
    "run",
    "ratio",
    "ratio_low",
    "ratio_high",
    "base_runs",
    "spread",
    "p_value",
    "smallest_effect",
    "calibrated",
    "verdict",
    "decides",
];

/// One quantity of one row, also in the JSON document.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    /// `*` for all.
    service: &'a str,
    /// `*` for all of the service.
    operation: &'a str,
    quantity: &'static str,
    base: Option<f64>,
    run: Option<f64>,
    ratio: Option<f64>,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    base_runs: usize,
    /// Standard deviation of the logarithms.
    spread: Option<f64>,
    p_value: Option<f64>,
    /// As a share.
    smallest_effect: Option<f64>,
    calibrated: bool,
    /// Empty where it is told for information only.
    verdict: Option<&'static str>,
    /// Whether the row counts for the whole.
    decides: bool,
}

/// The file.
pub(super) fn render(compared: &ComparisonReport) -> Vec<u8> {
    write(&HEADER, records(compared))
}

/// Every quantity of every row.
pub(super) fn records(compared: &ComparisonReport) -> Vec<Record<'_>> {
    let rows = &compared.comparison.rows;
    rows.iter().flat_map(|row| row.quantities.iter().map(move |change| (row, change))).map(record).collect()
}

fn record<'a>((row, change): (&'a crate::analysis::baseline::RowChange, &'a QuantityChange)) -> Record<'a> {
    let value = |value: f64| match change.quantity {
        Quantity::Throughput => per_second(value),
        Quantity::P50 | Quantity::P99 => micros(value),
    };
    let ratio = |ratio: f64| rounded(ratio, 6);
    Record {
        service: or_all(row.service.as_ref()),
        operation: or_all(row.operation.as_ref()),
        quantity: quantity_slug(change.quantity),
        base: change.base.map(value),
        run: change.run.map(value),
        ratio: change.ratio().map(ratio),
        ratio_low: change.effect.and_then(|effect| effect.ratio.low).map(ratio),
        ratio_high: change.effect.and_then(|effect| effect.ratio.high).map(ratio),
        base_runs: change.runs,
        spread: change.spread.map(ratio),
        p_value: change.p().map(|p| rounded(p, 9)),
        smallest_effect: change.smallest_detectable().map(ratio),
        calibrated: change.calibrated,
        verdict: change.standing.map(standing_slug),
        decides: change.standing.is_some(),
    }
}
