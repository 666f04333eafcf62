//! What a comparison rests on: what differs, what it could see, and the runs of the baseline.

use super::words::{changed, difference_words, p_digits, quantity_words};
use crate::{
    analysis::baseline::{Difference, Method, QuantityChange, TAIL_FACTOR, Weight},
    report::{
        format,
        subject::ComparisonReport,
        view::{Block, Cell, RowKind, Section, Shown, Table, Tone, verdict},
    },
    results::Abstract,
};

/// What is not the same.
pub(super) fn differences(compared: &ComparisonReport) -> Section {
    let shown = |value: &str| Some(value.to_owned()).filter(|value| !value.is_empty());
    let meaning = |difference: &Difference| match difference.weight() {
        Weight::Refuses => Cell::new("another setup", Tone::Bad),
        Weight::Warns => Cell::new("worth knowing", Tone::Fair),
    };
    let caption = "Differences between baseline and run";
    let table = Table::of("difference-by-field", caption, &compared.comparison.differences)
        .head("What", |difference| difference_words(difference))
        .words("Baseline", 0, |difference| shown(&difference.base))
        .words("Run", 0, |difference| shown(&difference.run))
        .words("Meaning", 1, |difference| meaning(difference))
        .table();
    Section::new("differences", "Differences of the setup", table.block()).detailed(Shown::Everything)
}

/// How it was judged, and what could be seen.
pub(super) fn section(compared: &ComparisonReport) -> Section {
    let comparison = &compared.comparison;
    let Some(whole) = comparison.rows.last() else {
        return Section::new("could-be-seen", "Smallest detectable changes", Vec::new());
    };
    let mut blocks = vec![Block::Paragraph(match comparison.method {
        Method::Tolerance { runs } => format!(
            "A quantity is a regression if it is worse than a further run of the same setup would be, by the spread of \
             the {runs} runs of the baseline (Student's distribution, on logarithms), with a probability of false \
             alarms of 1 % for all rows and quantities together, half of it for the whole (Holm), and by at least half \
             the threshold of {} (p99: {}). Response times must also change by at least 20 µs and three steps of the \
             histogram, throughput by 1 %. A quantity is ok if a change beyond the threshold can be excluded; an \
             inconclusive p99 decides nothing.",
            format::limit(comparison.threshold),
            format::limit(comparison.threshold * TAIL_FACTOR),
        ),
        Method::Threshold { .. } => format!(
            "The whole is a regression if p50 or throughput is worse by more than {}, or p99 by more than {} with \
             disjoint intervals; response times must also change by at least 20 µs and three steps of the histogram.",
            format::limit(comparison.threshold),
            format::limit(comparison.threshold * TAIL_FACTOR),
        ),
    })];
    if whole.quantities.iter().any(|change| change.spread.is_some()) {
        blocks.push(Block::Table(seen(&whole.quantities)));
    }
    if let Some(machine) = comparison.machine {
        blocks.push(Block::Paragraph(format!(
            "The machine's reference, round trips to a responder within the harness, took {} in the baseline and {} in \
             the run ({}); beyond 10 % the machine counts as a different one.",
            format::duration(machine.base_ns),
            format::duration(machine.run_ns),
            changed(machine.run_ns / machine.base_ns),
        )));
    }
    let seen = whole.quantities.iter().filter_map(|change| {
        Some(format!("{} {}", quantity_words(change.quantity), format::share(change.smallest_detectable()?)))
    });
    let seen: Vec<_> = seen.collect();
    Section::new("could-be-seen", "Smallest detectable changes", blocks)
        .detailed(Shown::ParagraphsAnd("seen-by-quantity"))
        .brief_line("Smallest detectable regression", (!seen.is_empty()).then(|| seen.join(", ")))
}

fn seen(quantities: &[QuantityChange]) -> Table {
    let caption = "All services: spread of the baseline's runs, and smallest regression detected in 95 % of all cases";
    Table::of("seen-by-quantity", caption, quantities)
        .head("Quantity", |change| quantity_words(change.quantity))
        .numbers("Runs", 2, |change| change.runs.to_string())
        .numbers("Spread", 0, |change| change.spread.map(|spread| format::share(spread.exp_m1())))
        .numbers("Smallest detectable", 0, |change| change.smallest_detectable().map(format::share))
        .numbers("p-value", 1, |change| change.p().map(p_digits))
        .words("Calibrated", 3, |change| if change.calibrated { "yes" } else { "no" })
        .table()
        .explained([(
            "Calibrated",
            "divided by the machine's reference, from fifteen runs on if that lowers the spread by a fifth or more",
        )])
}

/// The runs of the baseline and the run itself.
pub(super) fn runs(compared: &ComparisonReport) -> Section {
    let caption = format!("The runs of {}, and the compared run", compared.against);
    let mut table = table_of_runs(&caption, compared.base.iter().chain([&compared.run]));
    if let Some(run) = table.rows.last_mut() {
        run.kind = RowKind::Total;
    }
    Section::new("runs", "Runs", table.block())
}

/// Columns of a table of runs.
/// A table of runs.
pub(super) fn table_of_runs<'a>(caption: &str, runs: impl IntoIterator<Item = &'a Abstract>) -> Table {
    let percentile = |run: &Abstract, percentile| {
        Cell::time(run.whole().and_then(|row| row.percentile(percentile)).map(|known| known.nanos as f64))
    };
    Table::of("run-by-run", caption, runs)
        .head("Run", |run| &run.name)
        .words("Started", 2, |run| &run.started)
        .times("p50", 0, |run| percentile(run, 50.0))
        .times("p99", 0, |run| percentile(run, 99.0))
        .rates("Throughput", 1, |run| run.whole().map(|row| format::significant(row.rate)))
        .times("Reference", 3, |run| Cell::time(run.calibration.map(|calibration| calibration.nanos())))
        .words("Objective", 4, |run| objective(run))
        .table()
}

/// A run as a row of such a table.
/// How the objective held.
fn objective(run: &Abstract) -> Cell {
    let (word, tone) = (verdict::on_objective(run.verdict), verdict::tone(run.verdict));
    let early = if run.interrupted { ", interrupted" } else { "" };
    Cell::new(format!("{word}{early}"), if run.counts() { tone } else { Tone::Fair })
}
