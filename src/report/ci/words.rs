//! Words and numbers that all formats share.

use crate::results::{Ci, CiCheck, CiMeasure, CiScenario, Leniency, Unit, Verdict};

/// What a check is about: `objective`, `objective of api GET`.
pub(super) fn subject(check: &CiCheck) -> String {
    let about: Vec<_> = [&check.service, &check.operation].into_iter().flatten().map(String::as_str).collect();
    if about.is_empty() { check.name.clone() } else { format!("{} of {}", check.name, about.join(" ")) }
}

/// Whether a check counts and is not as it should be.
pub(super) fn is_finding(check: &CiCheck) -> bool {
    check.decides && check.outcome != Verdict::Pass
}

/// All findings, the worst first.
pub(super) fn findings(ci: &Ci) -> Vec<&CiCheck> {
    let checks = ci.scenarios.iter().flat_map(|scenario| &scenario.checks);
    let mut findings: Vec<_> = checks.filter(|check| is_finding(check)).collect();
    findings.sort_by_key(|check| std::cmp::Reverse(check.outcome));
    findings
}

/// Whether a check that is not as it should be keeps the process from ending well.
pub(super) fn is_error(outcome: Verdict, leniency: Leniency) -> bool {
    match outcome {
        Verdict::Fail | Verdict::Invalid => true,
        Verdict::Inconclusive => leniency == Leniency::Fail,
        _ => false,
    }
}

/// What a series of measures is called: `mixed/api/GET`, and `mixed/api` and `mixed` for sums.
pub(super) fn path(scenario: &CiScenario, measure: &CiMeasure) -> String {
    let parts = [Some(&scenario.name), measure.service.as_ref(), measure.operation.as_ref()];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("/")
}

/// Measures that may enter a history, each with its scenario.
pub(super) fn history(ci: &Ci) -> impl Iterator<Item = (&CiScenario, &CiMeasure)> {
    let trusted = ci.scenarios.iter().filter(|scenario| scenario.trusted);
    trusted.flat_map(|scenario| scenario.measures.iter().map(move |measure| (scenario, measure)))
}

/// Whether a measure is a response time.
pub(super) fn is_latency(measure: &CiMeasure) -> bool {
    measure.unit == Unit::Microseconds
}

/// Text for formats that have no room for line breaks, and no place for control characters.
pub(super) fn one_line(text: &str) -> String {
    let printable = |letter: char| match letter {
        '\n' | '\r' | '\t' => ' ',
        // Neither XML nor a terminal takes these.
        letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => char::REPLACEMENT_CHARACTER,
        letter => letter,
    };
    text.chars().map(printable).collect()
}

/// Rounded to nine digits, so that a change of unit leaves no dust behind.
pub(super) fn tidy(value: f64) -> f64 {
    format!("{value:.8e}").parse().unwrap_or(value)
}
