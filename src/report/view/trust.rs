//! Why the numbers can be trusted, or not: accounts, checks and confidence intervals.

use std::cmp::Ordering;

use super::{
    Block, Cell, Section, Shown, Table, Tone,
    checks::{limit, quantity, words},
    results::{by_row, grouped, outcome, with_judged},
};
use crate::{
    analysis::{Analysis, Check, Level, PercentileValue, Proportion},
    measure::SeriesRole,
    report::format::{self, NOTHING},
    results::{Run, Verdict},
    scenario::{Load, Scenario},
};

pub(super) fn section(run: &Run, scenario: &Scenario, analysis: &Analysis) -> Section {
    let checks = checks_in_words(&analysis.checks, analysis.conclusion.verdict);
    let mut blocks = vec![Block::Paragraph(checks.clone())];
    blocks.extend(accounts(run, analysis).map(Block::Paragraph));
    blocks.push(Block::Paragraph(method_in_words(scenario)));
    if !analysis.checks.is_empty() {
        blocks.push(Block::Table(checks_table(&analysis.checks, analysis.conclusion.verdict)));
    }
    blocks.push(Block::Table(certainty(scenario, analysis)));
    Section::new("trust", "Trust in the numbers", blocks).detailed(Shown::Paragraphs).brief_line("Trust", Some(checks))
}

fn checks_in_words(checks: &[Check], verdict: Verdict) -> String {
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
        list(if verdict == Verdict::Invalid { "Refused by" } else { "Beyond their limit" }, Level::Refuse),
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
        "Response time counts from the due instant, whether or not the server was ready."
    } else if open == 0 {
        "Response time counts from the request for a connection, since a closed loop has no schedule."
    } else {
        "Response time counts from the due instant, or, in a closed loop, from the request for a connection."
    };
    format!(
        "{response} Percentiles come from merged histograms of three significant digits, never averaged or \
         back-filled. Confidence intervals (95 %) are widened for bursts of slow requests."
    )
}

fn checks_table(checks: &[Check], verdict: Verdict) -> Table {
    let result = move |level| match level {
        Level::Ok => Cell::new("passed", Tone::Good),
        Level::Unknown => Cell::new("not known", Tone::Quiet),
        Level::Warn => Cell::new("warning", Tone::Fair),
        Level::Refuse if verdict == Verdict::Invalid => Cell::new("refused", Tone::Bad),
        Level::Refuse => Cell::new("beyond its limit", Tone::Fair),
    };
    let about = |check: &Check, of: usize| match (&check.subject, of) {
        (None, _) => "whole run".to_owned(),
        (Some(subject), 1) => subject.clone(),
        (Some(subject), of) => format!("{subject}, the worst of {of}"),
    };
    Table::of("checks", "Checks of the measurement", worth_showing(checks))
        .head("Check", |(check, _)| words(check.kind).name)
        .words("Of", 1, |(check, of)| about(check, *of))
        .numbers("Measured", 0, |(check, _)| (check.level != Level::Unknown).then(|| quantity(check)))
        .numbers("Warns above", 2, |(check, _)| limit(check.kind, check.warn))
        .numbers("Refuses above", 2, |(check, _)| check.refuse.map(|refuse| limit(check.kind, refuse)))
        .words("Result", 0, |(check, _)| result(check.level))
        .words("Guards against", 3, |(check, _)| Cell::new(words(check.kind).guards, Tone::Quiet))
        .table()
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
const SHOWN: [(f64, u8); 4] = [(50.0, 2), (95.0, 2), (99.0, 2), (99.9, 2)];

fn certainty(scenario: &Scenario, analysis: &Analysis) -> Table {
    let objective = &scenario.objective;
    let rows = grouped(analysis).filter(|row| row.scope.role == SeriesRole::Operation);
    let mut table =
        by_row("certainty", "The objective for each row", rows).numbers("In time", 0, |row| in_time(&row.bad));
    for (percentile, dispensable) in with_judged(&SHOWN, objective) {
        table = table.times(&format::percentile(percentile), dispensable, |row| {
            interval(row.response.percentile(percentile).value)
        });
    }
    let in_time = format!(
        "share of requests answered within {}, with its confidence interval; late, failed and unfinished requests are \
         not",
        format::setting(objective.latency),
    );
    let burstiness =
        "variance of the number of slow requests per second over that of independent requests; 1 is chance";
    table
        .numbers("Burstiness", 4, |row| format::significant(row.response.burstiness))
        .words("Objective", 0, |row| outcome(row.verdict))
        .table()
        .explained([
            ("In time", in_time.as_str()),
            ("Burstiness", burstiness),
            ("Objective", "inconclusive if the row has too few requests"),
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

fn in_time(bad: &Proportion) -> Option<String> {
    (bad.of > 0).then(|| format::share_interval(1.0 - bad.share, 1.0 - bad.high, 1.0 - bad.low))
}
