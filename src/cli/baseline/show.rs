//! A baseline in words.

use crate::{
    cli::output::Look,
    report::{BaselineReport, Document, format},
    results::Baseline,
};

/// The whole of it.
pub(super) fn show(name: &str, baseline: &Baseline, look: Look) -> String {
    BaselineReport { name, baseline }.terminal(look.style())
}

/// `10 runs of queue on redis 7.0.15, 2026-02-14 to 2026-02-24`.
pub(super) fn in_a_line(baseline: &Baseline) -> String {
    let (Some(first), Some(last)) = (baseline.runs.first(), baseline.runs.last()) else { return String::new() };
    let day = |started: &str| started.split('T').next().unwrap_or(started).to_owned();
    let (from, to) = (day(&first.started), day(&last.started));
    let days = if from == to { format!("of {from}") } else { format!("from {from} to {to}") };
    let scenario = crate::scenario::parse(&last.scenario, "scenario of the baseline").map(|scenario| scenario.name);
    format!(
        "{} {days}: {} on {}",
        format::counted(baseline.runs.len() as u64, "run", "runs"),
        scenario.unwrap_or_else(|_| "a scenario of another version".to_owned()),
        last.target.software(),
    )
}
