//! `comparison.csv`: a row for each quantity of each row that was compared.
//!
//! Response times are microseconds, throughput is per second, changes are ratios of the run to the baseline. What is not
//! known is empty. Fields are only ever added.

use super::{
    csv_table::{self, or_all},
    number::{micros, per_second, ratio, rounded},
    record::record,
    subject::ComparisonReport,
};
use crate::{
    analysis::baseline::{Quantity, QuantityChange, RowChange},
    results::InComparison,
};

record! {
    /// One quantity of one row. Its fields are the columns of `comparison.csv`, in their order.
    #[derive(Debug)]
    pub(super) struct QuantityRecord<'a>(row: &'a RowChange, change: &'a QuantityChange) {
        /// Service; `*` for all.
        service: &'a str = or_all(row.service.as_ref()),
        /// Operation; `*` for all of the service.
        operation: &'a str = or_all(row.operation.as_ref()),
        /// Quantity, with its unit.
        quantity: Quantity = change.quantity,
        /// Geometric mean of the runs of the baseline.
        base: Option<f64> = change.base.map(|value| in_unit(change.quantity, value)),
        /// Value of the run.
        run: Option<f64> = change.run.map(|value| in_unit(change.quantity, value)),
        /// Run over baseline; where calibrated, both divided by the reference of the machine.
        ratio: Option<f64> = change.ratio().map(ratio),
        /// Lower bound of the 95 % confidence interval of the ratio.
        ratio_low: Option<f64> = change.effect.and_then(|effect| effect.ratio.low).map(ratio),
        /// Upper bound of the 95 % confidence interval of the ratio.
        ratio_high: Option<f64> = change.effect.and_then(|effect| effect.ratio.high).map(ratio),
        /// Number of runs of the baseline that have a value.
        base_runs: usize = change.runs,
        /// Standard deviation of the logarithms of the runs of the baseline.
        spread: Option<f64> = change.spread.map(ratio),
        /// Probability of a run as much worse without any change.
        p_value: Option<f64> = change.p().map(|p| rounded(p, 9)),
        /// Smallest change for the worse that is found in 95 % of all cases, as a share.
        smallest_effect: Option<f64> = change.smallest_detectable().map(ratio),
        /// Whether ratio, interval and statistics are those of values divided by the reference of the machine.
        calibrated: bool = change.calibrated,
        /// Verdict; null where the quantity is for information only.
        #[schemars(extend("enum" = ["regression", "ok", "improved", "inconclusive", null]))]
        verdict: Option<InComparison> = change.verdict.map(InComparison),
        /// Whether the quantity counts for the verdict of the whole.
        decides: bool = change.verdict.is_some(),
    }
}

/// The file.
pub(super) fn render(compared: &ComparisonReport) -> Vec<u8> {
    csv_table::records(records(compared))
}

/// Every quantity of every row.
pub(super) fn records(compared: &ComparisonReport) -> Vec<QuantityRecord<'_>> {
    let rows = compared.comparison.rows.iter();
    rows.flat_map(|row| row.quantities.iter().map(move |change| QuantityRecord::new(row, change))).collect()
}

/// A value of a quantity: microseconds, or per second.
fn in_unit(quantity: Quantity, value: f64) -> f64 {
    match quantity {
        Quantity::Throughput => per_second(value),
        Quantity::P50 | Quantity::P99 => micros(value),
    }
}
