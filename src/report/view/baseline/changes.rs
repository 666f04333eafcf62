//! The table of what has changed, row by row.

use super::words::{CALIBRATED, change, mark};
use crate::{
    analysis::baseline::{Quantity, QuantityChange, RowChange},
    report::{
        format::{self, NOTHING},
        subject::ComparisonReport,
        view::{Block, Cell, RowKind, Section, Shown, Table, Tone, names::row_name, verdict::tone},
    },
    results::{InComparison, Verdict},
};

pub(super) fn section(compared: &ComparisonReport) -> Section {
    let comparison = &compared.comparison;
    let only = |in_run: bool, whose: &str| {
        let of_one = comparison.missing.iter().filter(|(.., there)| *there == in_run);
        let names = of_one.map(|(service, operation, _)| row_name(service.as_deref(), operation.as_deref()));
        let names = names.collect::<Vec<_>>().join(", ");
        let tells = !names.is_empty() && !comparison.rows.is_empty();
        tells.then(|| Block::Paragraph(format!("Only {whose} has {names}.")))
    };
    let blocks = [table(compared).block(), only(false, "the baseline"), only(true, "the run")];
    Section::new("changes", "Changes", blocks.into_iter().flatten()).detailed(Shown::Everything)
}

fn table(compared: &ComparisonReport) -> Table {
    let comparison = &compared.comparison;
    let verdict = |row: &RowChange| match row.verdict {
        Some(verdict) => Cell::new(InComparison::word(verdict), tone(verdict)),
        None => Cell::new("for information", Tone::Quiet),
    };
    let failing = comparison.rows.iter().any(|row| row.failures.iter().any(|share| *share > 0.0));
    let failed = |row: &RowChange| format!("{} → {}", format::share(row.failures.a), format::share(row.failures.b));
    let levels = |row: &RowChange, quantity| row.of(quantity).map(levels);
    let changed = |row: &RowChange, quantity| row.of(quantity).map(changed);
    let intervals = if compared.base.len() == 1 {
        "Intervals (95 %) are those of percentiles within both runs, without the spread between runs."
    } else {
        "Intervals (95 %) of the change follow from the spread of the baseline's runs."
    };
    let arrows = "Arrows: from the geometric mean of the baseline's runs to the run.";
    let calibrated = comparison.rows.iter().flat_map(|row| &row.quantities).any(|change| change.calibrated);
    let caption = format!("Response time and throughput against {}", compared.against);
    Table::of("change-by-row", caption, &comparison.rows)
        .kinds(|row| RowKind::of(row.service.as_deref(), row.operation.as_deref()))
        .head("Service", |row| row.service.as_deref().unwrap_or("all services"))
        .head("Operation", |row| row.operation.as_deref().unwrap_or(if row.is_whole() { "" } else { "all operations" }))
        .words("Verdict", 0, |row| verdict(row))
        .times("p50", 2, |row| levels(row, Quantity::P50))
        .numbers("p50 change", 1, |row| changed(row, Quantity::P50))
        .times("p99", 3, |row| levels(row, Quantity::P99))
        .numbers("p99 change", 2, |row| changed(row, Quantity::P99))
        .rates("Throughput", 5, |row| levels(row, Quantity::Throughput))
        .numbers("Throughput change", 4, |row| changed(row, Quantity::Throughput))
        .also_if(failing, |table| table.numbers("Failed", 6, |row| failed(row)))
        .table()
        .noted([intervals, arrows].into_iter().chain(calibrated.then_some(CALIBRATED)))
}

/// The value in the baseline and that in the run.
fn levels(of: &QuantityChange) -> Cell {
    match (of.quantity, of.base, of.run) {
        (_, None, None) => NOTHING.into(),
        (Quantity::Throughput, base, run) => {
            let rate = |rate: Option<f64>| rate.map_or_else(|| NOTHING.to_owned(), format::significant);
            format!("{} → {}", rate(base), rate(run)).into()
        }
        (_, base, run) => {
            let hole = |known: Option<f64>| if known.is_some() { "{}" } else { NOTHING };
            let times: Vec<_> = [base, run].into_iter().flatten().collect();
            Cell::times(&format!("{} → {}", hole(base), hole(run)), times)
        }
    }
}

fn changed(of: &QuantityChange) -> Cell {
    let tone = match of.verdict {
        // Nothing to look at.
        None | Some(Verdict::Pass) => Tone::Plain,
        Some(verdict) => tone(verdict),
    };
    Cell::new(change(of), tone).marked(mark(of))
}
