//! What a comparison rests on: what differs, what it could see, and the runs of the baseline.

use super::words::{difference_words, percent, probability, quantity_words};
use crate::{
    analysis::baseline::{Method, QuantityChange, TAIL_FACTOR, Weight},
    report::{
        format::{self, NOTHING},
        subject::ComparisonReport,
        view::{Block, Cell, Column, RowKind, Section, Shown, Table, TableRow, Tone},
    },
    results::{Abstract, Judged},
};

/// What is not the same.
pub(super) fn differences(compared: &ComparisonReport) -> Section {
    let differences = &compared.comparison.differences;
    if differences.is_empty() {
        return Section::new("differences", "What differs from the baseline", Vec::new());
    }
    let shown = |value: &str| if value.is_empty() { NOTHING.to_owned() } else { value.to_owned() };
    let rows = differences.iter().map(|difference| {
        let (meaning, tone) = match difference.weight() {
            Weight::Refuses => ("another thing was measured", Tone::Bad),
            Weight::Warns => ("worth knowing", Tone::Fair),
        };
        TableRow {
            kind: RowKind::Entry,
            cells: vec![
                difference_words(difference).into(),
                shown(&difference.base).into(),
                shown(&difference.run).into(),
                Cell::new(meaning, tone),
            ],
        }
    });
    let table = Table::new(
        "difference-by-field",
        "What is not the same in the baseline and in the run",
        vec![Column::head("What"), Column::words("Baseline", 0), Column::words("Run", 0), Column::words("Meaning", 1)],
        rows,
    );
    Section::new("differences", "What differs from the baseline", vec![Block::Table(table)]).detailed(Shown::Everything)
}

/// How it was judged, and what could be seen.
pub(super) fn section(compared: &ComparisonReport) -> Section {
    let comparison = &compared.comparison;
    let Some(whole) = comparison.rows.last() else {
        return Section::new("could-be-seen", "What a comparison could see", Vec::new());
    };
    let mut blocks = vec![Block::Paragraph(match comparison.method {
        Method::Tolerance { runs } => format!(
            "A quantity has regressed where it is worse than a further run of the same thing would be, judged by how far apart the \
             {runs} runs of the baseline lie (Student's distribution, on logarithms), with a probability of false alarms of 1 % for \
             all rows and quantities together, half of it for the whole (Holm), and by at least half the threshold of {} (p99: {}). \
             Response times must also change by at least 20 µs and three steps of the histogram, throughput by 1 %. It is ok where \
             a change beyond the threshold can be excluded; that this is not known of p99 decides nothing.",
            format::limit(comparison.threshold),
            format::limit(comparison.threshold * TAIL_FACTOR),
        ),
        Method::Threshold { .. } => format!(
            "The whole has regressed where p50 or throughput is worse by more than {}, or p99 by more than {} with intervals that \
             lie apart; response times must also change by at least 20 µs and three steps of the histogram.",
            format::limit(comparison.threshold),
            format::limit(comparison.threshold * TAIL_FACTOR),
        ),
    })];
    if whole.quantities.iter().any(|change| change.spread.is_some()) {
        blocks.push(Block::Table(seen(&whole.quantities)));
    }
    if let Some(machine) = comparison.machine {
        blocks.push(Block::Paragraph(format!(
            "The machine's reference, round trips to a responder within the harness, took {} in the baseline and {} in the run \
             ({}); beyond 10 % it is taken for another machine.",
            format::duration(machine.base_ns),
            format::duration(machine.run_ns),
            percent(machine.run_ns / machine.base_ns),
        )));
    }
    let seen = whole.quantities.iter().filter_map(|change| {
        Some(format!("{} {}", quantity_words(change.quantity), format::share(change.smallest_detectable()?)))
    });
    let seen: Vec<_> = seen.collect();
    Section::new("could-be-seen", "What a comparison could see", blocks)
        .detailed(Shown::ParagraphsAnd("seen-by-quantity"))
        .brief_line("Smallest change for the worse that is found", (!seen.is_empty()).then(|| seen.join(", ")))
}

fn seen(quantities: &[QuantityChange]) -> Table {
    let rows = quantities.iter().map(|change| {
        let or_nothing = |text: Option<String>| Cell::from(text.unwrap_or_else(|| NOTHING.to_owned()));
        TableRow {
            kind: RowKind::Entry,
            cells: vec![
                quantity_words(change.quantity).into(),
                change.runs.to_string().into(),
                or_nothing(change.spread.map(|spread| format::share(spread.exp_m1()))),
                or_nothing(change.smallest_detectable().map(format::share)),
                or_nothing(change.p().map(probability)),
                if change.calibrated { "yes" } else { "no" }.into(),
            ],
        }
    });
    let caption = "All services: how far apart the baseline's runs lie, and the smallest change for the worse that is found in \
                   95 % of all cases";
    Table::new("seen-by-quantity", caption, vec![
            Column::head("Quantity"),
            Column::numbers("Runs", None, 2),
            Column::numbers("Spread", None, 0),
            Column::numbers("Smallest detectable", None, 0),
            Column::numbers("p-value", None, 1),
            Column::words("Calibrated", 3),
        ], rows).explained([(
            "Calibrated",
            "divided by the machine's reference, which is done from fifteen runs on where it lowers the spread by a fifth or more",
        )])
}

/// The runs of the baseline and the run itself.
pub(super) fn runs(compared: &ComparisonReport) -> Section {
    let mut rows: Vec<TableRow> = compared.base.iter().map(|run| row_of(run, RowKind::Entry)).collect();
    rows.push(row_of(&compared.run, RowKind::Total));
    let caption = format!("The runs of {}, and the one that is compared with them", compared.against);
    let table = Table::new("run-by-run", caption, run_columns(), rows);
    Section::new("runs", "Runs", vec![Block::Table(table)])
}

/// Columns of a table of runs.
pub(super) fn run_columns() -> Vec<Column> {
    vec![
        Column::head("Run"),
        Column::words("Started", 2),
        Column::times("p50", 0),
        Column::times("p99", 0),
        Column::numbers("Throughput", Some("1/s"), 1),
        Column::times("Reference", 3),
        Column::words("Objective", 4),
    ]
}

/// A run as a row of such a table.
pub(super) fn row_of(run: &Abstract, kind: RowKind) -> TableRow {
    let whole = run.whole();
    let percentile = |percentile| {
        let known = whole.and_then(|row| row.percentile(percentile));
        Cell::time(known.map(|known| known.nanos as f64))
    };
    let or_nothing = |text: Option<String>| Cell::from(text.unwrap_or_else(|| NOTHING.to_owned()));
    let (word, tone) = match run.verdict {
        Judged::Pass => ("met", Tone::Good),
        Judged::Fail => ("missed", Tone::Bad),
        Judged::Inconclusive => ("inconclusive", Tone::Fair),
        Judged::Invalid => ("invalid", Tone::Fair),
    };
    let word = if run.interrupted { format!("{word}, ended early") } else { word.to_owned() };
    let tone = if run.counts() { tone } else { Tone::Fair };
    TableRow {
        kind,
        cells: vec![
            run.name.clone().into(),
            run.started.clone().into(),
            percentile(50.0),
            percentile(99.0),
            or_nothing(whole.map(|row| format::significant(row.rate))),
            Cell::time(run.calibration.map(|calibration| calibration.nanos())),
            Cell::new(word, tone),
        ],
    }
}
