//! A baseline by itself: its runs, how far apart they lie, and how small a change it can see.

use super::{method::table_of_runs, words::quantity_words};
use crate::{
    analysis::baseline::{ENOUGH_RUNS, Quantity, RowSpread, spreads},
    report::{
        format,
        subject::BaselineReport,
        view::{
            Block, Headline, RowKind, Section, Shown, Table, Tone, View,
            names::{address, row_name},
        },
    },
    results::Abstract,
};

impl View {
    /// The document of a baseline.
    pub(crate) fn of_baseline(stored: &BaselineReport<'_>) -> Self {
        let BaselineReport { name, baseline } = stored;
        let rows = spreads(&baseline.runs);
        let runs = table_of_runs(&format!("Runs of {name}"), &baseline.runs).block();
        let spread = spread_table(&rows, is_enough(&baseline.runs));
        let sections = [
            Section::new("runs", "Runs", runs).detailed(Shown::Everything),
            Section::new("spread", "Spread", [Block::Table(spread)]).detailed(Shown::Everything),
        ];
        let subtitle = baseline.runs.last().map(|last| {
            let target = &last.target;
            format!("{} at {}, newest run of {}.", target.software(), address(target), last.started)
        });
        let headline = headline_from(stored, &rows);
        Self::new(format!("Baseline {name}"), subtitle.unwrap_or_default(), headline, sections, String::new())
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
            format!("Baseline {name} has {counted}; smallest detectable rise of p50 {}.", format::share(effect))
        }
        None => format!(
            "Baseline {name} has {counted}: only large changes are detectable. From {ENOUGH_RUNS} runs on, their \
             spread decides instead of a threshold."
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
    let caption = "Spread of the runs, and smallest regression detected in 95 % of all cases";
    let mut table = Table::of("spread-by-row", caption, rows)
        .kinds(|row| RowKind::of(row.service.as_deref(), row.operation.as_deref()))
        .head("Row", |row| row_name(row.service.as_deref(), row.operation.as_deref()));
    for quantity in Quantity::ALL {
        let of = |row: &RowSpread| row.quantities.iter().find(|(other, _)| *other == quantity).and_then(|(_, of)| *of);
        table = table
            .numbers(&format!("{} spread", quantity_words(quantity)), 2, |row| {
                of(row).map(|of| format::share(of.spread.exp_m1()))
            })
            .numbers("smallest", 1, |row| {
                of(row).and_then(|of| of.smallest_effect).filter(|_| enough).map(format::share)
            });
    }
    table.table().explained([
        ("p50 spread, p99 spread, throughput spread", "standard deviation of the logarithms"),
        ("smallest", "regression detected in 95 % of all cases, with 1 % false alarms over all rows"),
    ])
}
