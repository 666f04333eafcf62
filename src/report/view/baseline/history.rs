//! What a history says: where it changed, and its runs.

use super::{
    method::{row_of, run_columns},
    words::{percent, probability, quantity_words, value},
};
use crate::{
    analysis::baseline::{ChangePoint, LEAST_VALUES, Quantity},
    report::{
        chart::Chart,
        format,
        subject::HistoryReport,
        view::{Block, Column, Headline, RowKind, Section, Shown, Table, TableRow, Tone, View, charts::charts_section},
    },
    results::{Abstract, Judged},
};

impl View {
    /// The document of a history, with its chart.
    pub(crate) fn of_history(chronicle: &HistoryReport, charts: &[Chart]) -> Self {
        let history = &chronicle.history;
        let sections = [changes(chronicle), charts_section("charts", "Charts", charts), runs(chronicle)];
        let subtitle = match (history.runs.first(), history.runs.last()) {
            (Some(first), Some(last)) => format!(
                "{} of {} from {} to {}, on {} {}.",
                format::counted(history.runs.len() as u64, "run", "runs"),
                chronicle.scenario,
                first.started,
                last.started,
                last.target.product,
                last.target.version
            ),
            _ => format!("No runs of {}.", chronicle.scenario),
        };
        let software = history.runs.last().map(|run| format!("plimsoll {}", run.software.version));
        let title = format!("History of {}", chronicle.scenario);
        Self::new(title, subtitle, headline(chronicle), sections, software.unwrap_or_default())
    }
}

/// All changes of all quantities, in order.
fn found(chronicle: &HistoryReport) -> Vec<(Quantity, &ChangePoint, &Abstract)> {
    let history = &chronicle.history;
    let of_courses =
        history.courses.iter().flat_map(|course| course.changes.iter().map(|change| (course.quantity, change)));
    let mut found: Vec<_> = of_courses.map(|(quantity, change)| (quantity, change, &history.runs[change.at])).collect();
    found.sort_by_key(|(_, change, _)| change.at);
    found
}

pub(in crate::report) fn headline(chronicle: &HistoryReport) -> Headline {
    let history = &chronicle.history;
    let found = found(chronicle);
    let sentence = match found.last() {
        _ if !history.is_long_enough() => {
            format!("History: too short for change points, which are looked for from {LEAST_VALUES} valid runs on.")
        }
        None => "History: no change points.".to_owned(),
        Some((quantity, change, run)) => format!(
            "History: {}; the last with {} of {}: {} {} → {} ({}).",
            format::counted(found.len() as u64, "change point", "change points"),
            run.name,
            run.started,
            quantity_words(*quantity),
            value(*quantity, change.before),
            value(*quantity, change.after),
            percent(change.after / change.before),
        ),
    };
    let mut remarks = Vec::new();
    if history.left_out > 0 {
        remarks.push(format!(
            "{} left out that measured something else than the newest, in scenario, server or settings.",
            format::counted(history.left_out as u64, "run", "runs")
        ));
    }
    let early = history.runs.iter().filter(|run| run.interrupted).count() as u64;
    if early > 0 {
        remarks.push(format!(
            "{} ended early: shown below, and not looked at for change points.",
            format::counted(early, "run was", "runs were")
        ));
    }
    let invalid = history.runs.iter().filter(|run| run.verdict == Judged::Invalid && !run.interrupted).count() as u64;
    if invalid > 0 {
        remarks.push(format!(
            "{} could not be trusted: neither shown nor looked at for change points.",
            format::counted(invalid, "run", "runs")
        ));
    }
    if !found.is_empty() {
        remarks.push("Change points are a report, not a verdict: a cause is for people to find.".to_owned());
    }
    Headline {
        verdict: "History",
        sentence,
        tone: if found.is_empty() { Tone::Plain } else { Tone::Fair },
        remarks,
        numbers: Vec::new(),
    }
}

fn changes(chronicle: &HistoryReport) -> Section {
    let found = found(chronicle);
    if found.is_empty() {
        return Section::new("change-points", "Where it changed", Vec::new());
    }
    let rows = found.into_iter().map(|(quantity, change, run)| TableRow {
        kind: RowKind::Entry,
        cells: vec![
            quantity_words(quantity).into(),
            run.name.clone().into(),
            run.started.clone().into(),
            value(quantity, change.before).into(),
            value(quantity, change.after).into(),
            percent(change.after / change.before).into(),
            probability(change.p_value).into(),
        ],
    });
    let table = Table::new("change-by-change", "Changes that stayed: the first run behind each, with the geometric means of the levels on both sides", vec![
            Column::head("Quantity"),
            Column::words("From run", 0),
            Column::words("Started", 3),
            Column::numbers("Before", None, 1),
            Column::numbers("After", None, 1),
            Column::numbers("Change", None, 0),
            Column::numbers("p-value", None, 2),
        ], rows).noted([
            "E-divisive on logarithms of all services together, each change with a t-test (p up to 0.001), at least five runs on \
             either side.",
        ]);
    Section::new("change-points", "Where it changed", vec![Block::Table(table)]).detailed(Shown::Everything)
}

fn runs(chronicle: &HistoryReport) -> Section {
    let history = &chronicle.history;
    if history.runs.is_empty() {
        return Section::new("runs", "Runs", Vec::new());
    }
    let table = Table::new(
        "run-by-run",
        "Runs, the oldest first",
        run_columns(),
        history.runs.iter().map(|run| row_of(run, RowKind::Entry)),
    );
    Section::new("runs", "Runs", vec![Block::Table(table)]).detailed(Shown::Everything)
}
