//! The table of what has changed, row by row.

use super::words::{change, mark, tone};
use crate::{
    analysis::baseline::{Quantity, QuantityChange, RowChange, Standing},
    report::{
        format::{self, NOTHING},
        subject::ComparisonReport,
        view::{Block, Cell, Column, RowKind, Section, Shown, Table, TableRow, Tone, names::row_name},
    },
    results::slug,
};

pub(super) fn section(compared: &ComparisonReport) -> Section {
    let comparison = &compared.comparison;
    let mut blocks = Vec::new();
    if !comparison.rows.is_empty() {
        blocks.push(Block::Table(table(compared)));
    }
    let only = |in_run: bool| {
        let of_one = comparison.missing.iter().filter(|(.., there)| *there == in_run);
        of_one.map(|(service, operation, _)| row_name(service.as_deref(), operation.as_deref())).collect::<Vec<_>>()
    };
    for (names, whose) in [(only(false), "the baseline"), (only(true), "the run")] {
        if !names.is_empty() && !comparison.rows.is_empty() {
            blocks.push(Block::Paragraph(format!("Only {whose} has {}.", names.join(", "))));
        }
    }
    Section::new("changes", "What has changed", blocks).detailed(Shown::Everything)
}

fn table(compared: &ComparisonReport) -> Table {
    let comparison = &compared.comparison;
    let pair = |values: Column, change: u8| {
        let changes = Column::numbers(format!("{} change", values.heading), None, change);
        [values, changes]
    };
    let mut columns = vec![Column::head("Service"), Column::head("Operation"), Column::words("Verdict", 0)];
    columns.extend(pair(Column::times("p50", 2), 1));
    columns.extend(pair(Column::times("p99", 3), 2));
    columns.extend(pair(Column::numbers("Throughput", Some("1/s"), 5), 4));
    let failing = comparison.rows.iter().any(|row| row.failures.0 > 0.0 || row.failures.1 > 0.0);
    if failing {
        columns.push(Column::numbers("Failed", None, 6));
    }
    let single = compared.base.len() == 1;
    let intervals = if single {
        "Intervals (95 %) are those of percentiles within both runs; how far apart runs of the same thing lie is not in them."
    } else {
        "Intervals (95 %) say where the change lies, given how far apart the runs of the baseline lie."
    };
    let arrows = "Arrows lead from the baseline, the geometric mean of its runs, to the run.";
    let calibrated = comparison.rows.iter().flat_map(|row| &row.quantities).any(|change| change.calibrated);
    let calibrated =
        calibrated.then_some("‡ Change of values divided by the machine's reference, since that lowers the spread.");
    let caption = format!("Response time and throughput against {}", compared.against);
    Table::new("change-by-row", caption, columns, comparison.rows.iter().map(|row| table_row(row, failing)))
        .noted([intervals, arrows].into_iter().chain(calibrated))
}

fn table_row(row: &RowChange, failing: bool) -> TableRow {
    let kind = RowKind::of(row.service.as_deref(), row.operation.as_deref());
    let mut cells: Vec<Cell> = vec![
        row.service.clone().unwrap_or_else(|| "all services".to_owned()).into(),
        row.operation.clone().unwrap_or_else(|| if row.is_whole() { "" } else { "all operations" }.to_owned()).into(),
    ];
    cells.push(match row.standing {
        Some(standing) => Cell::new(slug(&standing), tone(standing)),
        None => Cell::new("for information", Tone::Quiet),
    });
    for quantity in Quantity::ALL {
        cells.extend(row.of(quantity).map_or_else(|| [NOTHING, NOTHING].map(Cell::from), of_quantity));
    }
    if failing {
        let (before, after) = row.failures;
        cells.push(format!("{} → {}", format::share(before), format::share(after)).into());
    }
    TableRow { kind, cells }
}

fn of_quantity(of: &QuantityChange) -> [Cell; 2] {
    let tone = of.standing.map_or(Tone::Plain, |standing| match tone(standing) {
        // Nothing to look at.
        Tone::Good if standing == Standing::Ok => Tone::Plain,
        other => other,
    });
    [
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
        },
        Cell::new(change(of), tone).marked(mark(of)),
    ]
}
