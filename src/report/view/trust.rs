//! Why the numbers can be trusted, or not: accounts, checks and confidence intervals.

use std::cmp::Ordering;

use super::{
    Block, Cell, Column, RowKind, Section, Shown, Table, TableRow, Tone,
    checks::{limit, quantity, words},
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
    Section::new("trust", "Why the numbers can be trusted", blocks)
        .detailed(Shown::Paragraphs)
        .brief_line("Trust", Some(checks_in_words(&analysis.checks)))
}

fn checks_in_words(checks: &[Check]) -> String {
    let total = checks.len();
    let passed = checks.iter().filter(|check| check.level == Level::Ok).count();
    if passed == total {
        return format!("All {total} checks of the measurement passed.");
    }
    let list = |label: &str, level| match kinds(checks.iter().filter(|check| check.level == level)) {
        names if names.is_empty() => String::new(),
        names => format!(" {label}: {}.", names.join(", ")),
    };
    format!(
        "{passed} of {total} checks of the measurement passed.{}{}{}",
        list("Refused by", Level::Refuse),
        list("Warnings", Level::Warn),
        list("Not known", Level::Unknown),
    )
}

/// Each kind of check once, with what it is about: `Schedule lag (api, chat)`.
fn kinds<'a>(checks: impl Iterator<Item = &'a Check>) -> Vec<String> {
    let checks: Vec<_> = checks.collect();
    let groups = checks.chunk_by(|one, next| one.kind == next.kind);
    let named = groups.map(|group| {
        let about: Vec<_> = group.iter().filter_map(|check| check.subject.as_deref()).collect();
        let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(", ")) };
        format!("{}{about}", words(group[0].kind).name)
    });
    named.collect()
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
    let rows = worth_showing(checks).map(|(check, of)| {
        let words = words(check.kind);
        let result = match check.level {
            Level::Ok => Cell::new("passed", Tone::Good),
            Level::Unknown => Cell::new("not known", Tone::Quiet),
            Level::Warn => Cell::new("warning", Tone::Fair),
            Level::Refuse => Cell::new("refused", Tone::Bad),
        };
        let measured = if check.level == Level::Unknown { NOTHING.to_owned() } else { quantity(check) };
        let limit = |value: Option<f64>| value.map_or_else(|| NOTHING.to_owned(), |value| limit(check.kind, value));
        let cells = vec![
            words.name.into(),
            match (&check.subject, of) {
                (None, _) => "whole run".into(),
                (Some(subject), 1) => subject.as_str().into(),
                (Some(subject), of) => format!("{subject}, the worst of {of}").into(),
            },
            measured.into(),
            limit(Some(check.warn)).into(),
            limit(check.refuse).into(),
            result,
            Cell::new(words.guards, Tone::Quiet),
        ];
        TableRow { kind: RowKind::Entry, cells }
    });
    Table::new("checks", "Checks of the measurement", columns, rows)
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

/// Percentiles of which the table of certainty has the intervals, beside the one that is judged.
const SHOWN: [f64; 4] = [50.0, 95.0, 99.0, 99.9];

fn certainty(scenario: &Scenario, analysis: &Analysis) -> Table {
    let objective = &scenario.objective;
    let mut shown = SHOWN.to_vec();
    if !shown.contains(&objective.percentile) {
        shown.push(objective.percentile);
        shown.sort_by(f64::total_cmp);
    }
    let mut columns = vec![Column::head("Service"), Column::head("Operation"), Column::numbers("In time", None, 0)];
    columns.extend(shown.iter().map(|percentile| {
        let judged = percentile.total_cmp(&objective.percentile).is_eq();
        Column::times(format::percentile(*percentile), if judged { 0 } else { 2 })
    }));
    columns.extend([Column::numbers("Burstiness", None, 1), Column::words("Objective", 0)]);
    let rows = grouped(analysis).filter(|row| row.scope.role == SeriesRole::Operation).map(|row| {
        let mut cells = Vec::from(names(row));
        cells.push(in_time(&row.bad).into());
        cells.extend(shown.iter().map(|percentile| interval(row.response.percentile(*percentile).value)));
        cells.push(format::significant(row.response.burstiness).into());
        cells.push(outcome(row.outcome));
        TableRow { kind: kind(row), cells }
    });
    let in_time = format!(
        "share of requests answered within {}, with its confidence interval; late, failed and unfinished ones are not",
        format::setting(objective.latency),
    );
    let burstiness = "how much more the number of slow requests varies from second to second than chance would have it; 1 is \
                      chance";
    Table::new("certainty", "The objective for each row", columns, rows).explained([
        ("In time", in_time.as_str()),
        ("Burstiness", burstiness),
        ("Objective", "inconclusive where there are too few requests to decide for this row alone"),
    ])
}

/// A percentile with its confidence interval.
fn interval(value: PercentileValue) -> Cell {
    match value {
        PercentileValue::Known { nanos, low, high, .. } => {
            Cell::times("{} [{}, {}]", [nanos, low, high].map(|value| value as f64))
        }
        PercentileValue::TooFew { .. } => Cell::new(NOTHING, Tone::Quiet),
    }
}

fn in_time(bad: &Proportion) -> String {
    if bad.of == 0 {
        NOTHING.to_owned()
    } else {
        format::share_interval(1.0 - bad.share, 1.0 - bad.high, 1.0 - bad.low)
    }
}
