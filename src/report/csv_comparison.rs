//! `comparison.csv`: a row for each quantity of each row that was compared.
//!
//! Response times are microseconds, throughput is per second, changes are ratios of the run to the baseline. What is not
//! known is empty. Fields are only ever added.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    csv_table::{self, or_all},
    number::{micros, per_second, ratio, rounded},
    subject::ComparisonReport,
};
use crate::analysis::baseline::{Quantity, QuantityChange, RowChange, Standing};

/// One quantity of one row. Its fields are the columns of `comparison.csv`, in their order.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct QuantityRecord<'a> {
    /// Service; `*` for all.
    service: &'a str,
    /// Operation; `*` for all of the service.
    operation: &'a str,
    /// Quantity, with its unit.
    quantity: Quantity,
    /// Geometric mean of the runs of the baseline.
    base: Option<f64>,
    /// Value of the run.
    run: Option<f64>,
    /// Run over baseline; where calibrated, both divided by the reference of the machine.
    ratio: Option<f64>,
    /// Lower bound of the 95 % confidence interval of the ratio.
    ratio_low: Option<f64>,
    /// Upper bound of the 95 % confidence interval of the ratio.
    ratio_high: Option<f64>,
    /// Number of runs of the baseline that have a value.
    base_runs: usize,
    /// Standard deviation of the logarithms of the runs of the baseline.
    spread: Option<f64>,
    /// Probability of a run as much worse without any change.
    p_value: Option<f64>,
    /// Smallest change for the worse that is found in 95 % of all cases, as a share.
    smallest_effect: Option<f64>,
    /// Whether ratio, interval and statistics are those of values divided by the reference of the machine.
    calibrated: bool,
    /// Verdict; null where the quantity is for information only.
    #[schemars(extend("enum" = ["regression", "ok", "improved", "inconclusive", null]))]
    verdict: Option<Standing>,
    /// Whether the quantity counts for the verdict of the whole.
    decides: bool,
}

/// The file.
pub(super) fn render(compared: &ComparisonReport) -> Vec<u8> {
    csv_table::records(records(compared))
}

/// Every quantity of every row.
pub(super) fn records(compared: &ComparisonReport) -> Vec<QuantityRecord<'_>> {
    let rows = &compared.comparison.rows;
    rows.iter().flat_map(|row| row.quantities.iter().map(move |change| (row, change))).map(record).collect()
}

fn record<'a>((row, change): (&'a RowChange, &'a QuantityChange)) -> QuantityRecord<'a> {
    let value = |value: f64| match change.quantity {
        Quantity::Throughput => per_second(value),
        Quantity::P50 | Quantity::P99 => micros(value),
    };
    QuantityRecord {
        service: or_all(row.service.as_ref()),
        operation: or_all(row.operation.as_ref()),
        quantity: change.quantity,
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
        verdict: change.standing,
        decides: change.standing.is_some(),
    }
}
