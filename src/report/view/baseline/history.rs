//! What a history says: where it changed, and its runs.

use super::{
    method::table_of_runs,
    words::{changed, p_digits, quantity_words, value},
};
use crate::{
    analysis::baseline::{ChangePoint, LEAST_VALUES, Quantity},
    report::{
        format,
        subject::HistoryReport,
        view::{Chart, Headline, Section, Shown, Table, Tone, View, charts::charts_section},
    },
    results::{Abstract, Verdict},
};

impl View {
    /// The document of a history, with its chart.
    pub(crate) fn of_history(chronicle: &HistoryReport, charts: &[Chart]) -> Self {
        let history = &chronicle.history;
        let runs = table_of_runs("Runs, the oldest first", &history.runs).block();
        let sections = [
            changes(chronicle),
            charts_section("charts", "Charts", charts),
            Section::new("runs", "Runs", runs).detailed(Shown::Everything),
        ];
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
            format!("History: too short for change points, which need {LEAST_VALUES} valid runs.")
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
            changed(change.after / change.before),
        ),
    };
    let mut remarks = Vec::new();
    if history.left_out > 0 {
        remarks.push(format!(
            "{} left out, with another scenario, server or setting than the newest.",
            format::counted(history.left_out as u64, "run", "runs")
        ));
    }
    let early = history.runs.iter().filter(|run| run.interrupted).count() as u64;
    if early > 0 {
        remarks.push(format!(
            "{} interrupted: shown below, and not used for change points.",
            format::counted(early, "run was", "runs were")
        ));
    }
    let invalid = history.runs.iter().filter(|run| run.verdict == Verdict::Invalid && !run.interrupted).count() as u64;
    if invalid > 0 {
        remarks.push(format!(
            "{} invalid: neither shown nor used for change points.",
            format::counted(invalid, "run", "runs")
        ));
    }
    if !found.is_empty() {
        remarks.push("Change points are a report, not a verdict.".to_owned());
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
    let caption = "Lasting changes: the first run after each, with the geometric means of both levels";
    let table = Table::of("change-by-change", caption, found(chronicle))
        .head("Quantity", |(quantity, ..)| quantity_words(*quantity))
        .words("From run", 0, |(.., run)| &run.name)
        .words("Started", 3, |(.., run)| &run.started)
        .numbers("Before", 1, |(quantity, change, _)| value(*quantity, change.before))
        .numbers("After", 1, |(quantity, change, _)| value(*quantity, change.after))
        .numbers("Change", 0, |(_, change, _)| changed(change.after / change.before))
        .numbers("p-value", 2, |(_, change, _)| p_digits(change.p_value))
        .table()
        .noted([
            "E-divisive on logarithms of all services together, each change with a t-test (p up to 0.001), at least five runs on \
             either side.",
        ]);
    Section::new("change-points", "Change points", table.block()).detailed(Shown::Everything)
}
