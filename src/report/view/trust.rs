//! Why the numbers can be trusted, or not: accounts, checks and confidence intervals.

use std::cmp::Ordering;

use super::{
    Block, Brief, Cell, Column, RowKind, Section, Table, TableRow, Tone,
    checks::{limit, quantity, subject, words},
    results::{grouped, kind, names, outcome},
};
use crate::{
    analysis::{Analysis, Check, Level, PercentileValue, Proportion},
    measure::SeriesRole,
    report::format::{self, NOTHING},
    results::Run,
    scenario::{Load, Scenario},
};

pub(super) fn section(run: &Run, scenario: &Scenario, analysis: &Analysis) -> Section {
    let mut blocks = vec![Block::Paragraph(checks_in_words(&analysis.checks))];
    blocks.extend(accounts(run, analysis).map(Block::Paragraph));
    blocks.push(Block::Paragraph(method_in_words(scenario)));
    if !analysis.checks.is_empty() {
        blocks.push(Block::Table(checks_table(&analysis.checks)));
    }
    blocks.push(Block::Table(certainty(scenario, analysis)));
    Section::new("trust", "Why the numbers can be trusted", blocks).brief(Brief::Paragraphs)
}

fn checks_in_words(checks: &[Check]) -> String {
    let at = |level| -> Vec<String> { checks.iter().filter(|check| check.level == level).map(subject).collect() };
    let (unknown, warnings, refusals) = (at(Level::Unknown), at(Level::Warn), at(Level::Refuse));
    let total = checks.len();
    let passed = at(Level::Ok).len();
    if passed == total {
        return format!("All {total} checks of the measurement passed.");
    }
    let list = |label: &str, names: &[String]| {
        if names.is_empty() { String::new() } else { format!(" {label}: {}.", names.join(", ")) }
    };
    format!(
        "{passed} of {total} checks of the measurement passed.{}{}{}",
        list("Refused by", &refusals),
        list("Warnings", &warnings),
        list("Not known", &unknown),
    )
}

fn accounts(run: &Run, analysis: &Analysis) -> Option<String> {
    let total = analysis.rows.last()?;
    let scheduled = run.recording.scheduled();
    let accounted = total.counts.completed + total.counts.failed() + total.unfinished;
    Some(format!(
        "Accounts: {} scheduled, {} completed + {} failed + {} unfinished = {}; {}.",
        format::count(scheduled),
        format::count(total.counts.completed),
        format::count(total.counts.failed()),
        format::count(total.unfinished),
        format::count(accounted),
        if accounted == scheduled {
            "no request is missing".to_owned()
        } else {
            format!("{} do not add up", format::count(accounted.abs_diff(scheduled)))
        },
    ))
}

fn method_in_words(scenario: &Scenario) -> String {
    let open = scenario.services.iter().filter(|service| matches!(service.load, Load::Open { .. })).count();
    let response = if open == scenario.services.len() {
        "Response time counts from the instant at which a request was due, whether or not the server was ready for it."
    } else if open == 0 {
        "Response time counts from asking the pool for a connection, since a closed loop has no schedule."
    } else {
        "Response time counts from the instant at which a request was due, or, in a closed loop, from asking the pool for \
         a connection."
    };
    format!(
        "{response} Percentiles are taken from merged histograms of three significant digits, never averaged and never \
         back-filled. Intervals are of 95 % confidence and widened where slow requests come in bursts."
    )
}

fn checks_table(checks: &[Check]) -> Table {
    let columns = vec![
        Column::head("Check"),
        Column::words("Of", 1),
        Column::numbers("Measured", None, 0),
        Column::numbers("Warns above", None, 2),
        Column::numbers("Refuses above", None, 2),
        Column::words("Result", 0),
        Column::words("Guards against", 3),
    ];
    let rows = worth_showing(checks)
        .map(|(check, of)| {
            let words = words(check.kind);
            let result = match check.level {
                Level::Ok => Cell::new("passed", Tone::Good),
                Level::Unknown => Cell::new("not known", Tone::Quiet),
                Level::Warn => Cell::new("warning", Tone::Fair),
                Level::Refuse => Cell::new("refused", Tone::Bad),
            };
            let measured = match check.level {
                Level::Unknown => NOTHING.into(),
                _ => quantity(check).into(),
            };
            let limit = |value: Option<f64>| value.map_or_else(|| NOTHING.to_owned(), |value| limit(check.kind, value));
            let cells = vec![
                words.name.into(),
                match (&check.subject, of) {
                    (None, _) => "whole run".into(),
                    (Some(subject), 1) => subject.as_str().into(),
                    (Some(subject), of) => format!("{subject}, the worst of {of}").into(),
                },
                measured,
                limit(Some(check.warn)).into(),
                limit(check.refuse).into(),
                result,
                Cell::new(words.guards, Tone::Quiet),
            ];
            TableRow { kind: RowKind::Entry, cells }
        })
        .collect();
    Table { id: "checks", caption: "Checks of the measurement".to_owned(), columns, rows, legend: Vec::new() }
}

/// Of each kind every check that did not pass and, of those that did, the one closest to its limit, with how many it
/// stands for.
fn worth_showing(checks: &[Check]) -> impl Iterator<Item = (&Check, usize)> {
    let closeness = |check: &Check| (check.value / check.warn).abs();
    checks.iter().enumerate().filter_map(move |(place, check)| {
        if check.level != Level::Ok {
            return Some((check, 1));
        }
        let alike =
            || checks.iter().enumerate().filter(|(_, other)| other.kind == check.kind && other.level == Level::Ok);
        let beaten = alike().any(|(other_place, other)| match closeness(other).total_cmp(&closeness(check)) {
            Ordering::Greater => true,
            Ordering::Equal => other_place < place,
            Ordering::Less => false,
        });
        (!beaten).then(|| (check, alike().count()))
    })
}

fn certainty(scenario: &Scenario, analysis: &Analysis) -> Table {
    let objective = &scenario.objective;
    let columns = vec![
        Column::head("Service"),
        Column::head("Operation"),
        Column::numbers("In time", None, 0),
        Column::numbers(format::percentile(objective.percentile), Some("ms"), 0),
        Column::numbers("Burstiness", None, 1),
        Column::words("Objective", 0),
    ];
    let rows = grouped(analysis)
        .filter(|row| row.scope.role == SeriesRole::Operation)
        .map(|row| {
            let mut cells = Vec::from(names(row));
            cells.push(in_time(&row.bad).into());
            cells.push(match row.judged.value {
                PercentileValue::Known { nanos, low, high, .. } => {
                    let [nanos, low, high] = [nanos, low, high].map(|value| format::milliseconds(value as f64));
                    format!("{nanos} [{low}, {high}]").into()
                }
                PercentileValue::TooFew { needed, have } => {
                    format!("needs {} samples, have {}", format::count(needed), format::count(have)).into()
                }
            });
            cells.push(format::significant(row.response.burstiness).into());
            cells.push(outcome(row.outcome));
            TableRow { kind: kind(row), cells }
        })
        .collect();
    let legend = vec![format!(
        "In time: share of requests answered within {}, with its confidence interval; late, failed and unfinished ones are \
         not. Inconclusive: too few requests to tell for this row alone. Burstiness: how much more the number of slow requests varies from second to second than chance would have \
         it; 1 is chance.",
        format::setting(objective.latency),
    )];
    Table { id: "certainty", caption: "The objective held against each row".to_owned(), columns, rows, legend }
}

fn in_time(bad: &Proportion) -> String {
    if bad.of == 0 {
        NOTHING.to_owned()
    } else {
        format::share_interval(1.0 - bad.share, 1.0 - bad.high, 1.0 - bad.low)
    }
}
