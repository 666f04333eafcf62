//! A baseline by itself: its runs, how far apart they lie, and how small a change it can see.

use super::method::{row_of, run_columns};
use crate::{
    analysis::baseline::{ENOUGH_RUNS, Quantity, RowSpread, spreads},
    report::{
        format::{self, NOTHING},
        subject::BaselineReport,
        view::{Block, Cell, Column, Headline, RowKind, Section, Shown, Table, TableRow, Tone, View, names::row_name},
    },
    results::Abstract,
};

impl View {
    /// The document of a baseline.
    pub(crate) fn of_baseline(stored: &BaselineReport<'_>) -> Self {
        let BaselineReport { name, baseline } = stored;
        let runs = &baseline.runs;
        let enough = is_enough(runs);
        let rows = spreads(runs);
        let table = Table::new(
            "run-by-run",
            format!("Runs of {name}"),
            run_columns(),
            runs.iter().map(|run| row_of(run, RowKind::Entry)),
        );
        let sections = vec![
            Section::new("runs", "Runs", vec![Block::Table(table)]).detailed(Shown::Everything),
            Section::new("spread", "How far apart they lie", vec![Block::Table(spread_table(&rows, enough))])
                .detailed(Shown::Everything),
        ];
        Self {
            title: format!("Baseline {name}"),
            subtitle: runs.last().map_or_else(String::new, |last| {
                format!(
                    "{} {} at {}, newest run of {}.",
                    last.target.product, last.target.version, last.target.address, last.started
                )
            }),
            headline: headline_from(stored, &rows),
            sections,
            footer: String::new(),
        }
    }
}

/// Whether the spread of the runs decides instead of a threshold.
fn is_enough(runs: &[Abstract]) -> bool {
    runs.iter().filter(|run| run.counts()).count() >= ENOUGH_RUNS
}

/// How small a change the baseline can see.
pub(in crate::report) fn headline(stored: &BaselineReport<'_>) -> Headline {
    headline_from(stored, &spreads(&stored.baseline.runs))
}

fn headline_from(stored: &BaselineReport<'_>, rows: &[RowSpread]) -> Headline {
    let BaselineReport { name, baseline } = stored;
    let (runs, enough) = (&baseline.runs, is_enough(&baseline.runs));
    let counted = format::counted(runs.len() as u64, "run", "runs");
    let whole = rows.last().and_then(|row| row.quantities.first().copied()).and_then(|of| of.1);
    let sentence = match whole.and_then(|spread| spread.smallest_effect).filter(|_| enough) {
        Some(effect) => {
            format!("Baseline {name} has {counted} and can see a rise of p50 from {} on.", format::share(effect))
        }
        None => format!(
            "Baseline {name} has {counted}: only gross changes show. From {ENOUGH_RUNS} on, their spread decides instead of a threshold."
        ),
    };
    Headline {
        verdict: "Baseline",
        sentence,
        tone: if enough { Tone::Good } else { Tone::Fair },
        remarks: Vec::new(),
        numbers: Vec::new(),
    }
}

fn spread_table(rows: &[RowSpread], enough: bool) -> Table {
    let mut columns = vec![Column::head("Row")];
    for name in ["p50", "p99", "throughput"] {
        columns.push(Column::numbers(format!("{name} spread"), None, 2));
        columns.push(Column::numbers("smallest", None, 1));
    }
    let cells = |row: &RowSpread| {
        let mut cells = vec![Cell::from(row_name(row.service.as_deref(), row.operation.as_deref()))];
        for quantity in Quantity::ALL {
            let of = row.quantities.iter().find(|(other, _)| *other == quantity).and_then(|(_, spread)| *spread);
            let told = |share: Option<f64>| Cell::from(share.map_or_else(|| NOTHING.to_owned(), format::share));
            cells.push(told(of.map(|spread| spread.spread.exp_m1())));
            cells.push(told(of.and_then(|spread| spread.smallest_effect).filter(|_| enough)));
        }
        cells
    };
    let rows = rows
        .iter()
        .map(|row| TableRow { kind: RowKind::of(row.service.as_deref(), row.operation.as_deref()), cells: cells(row) });
    Table::new(
        "spread-by-row",
        "Spread of the runs, and the smallest change for the worse that is found in 95 % of all cases",
        columns,
        rows,
    )
    .explained([
        ("p50 spread, p99 spread, throughput spread", "standard deviation of the logarithms"),
        (
            "smallest",
            "change for the worse that is found in 95 % of all cases, false alarms of all rows together being 1 %",
        ),
    ])
}
