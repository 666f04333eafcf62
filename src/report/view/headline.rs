//! The verdict in one sentence, and what has to be said along with it.

use std::time::Duration;

use super::{
    Headline, KeyNumber, Tone,
    checks::{self, quantity, subject},
};
use crate::{
    analysis::{Analysis, Level, Outcome, Percentile, PercentileValue, Proportion, Reason},
    report::format::{
        NOTHING, THIN, count, counted, duration, limit as allowance, percentile, rate, setting, share, share_interval,
    },
    results::Run,
    scenario::{Load, Objective, Scenario},
};

/// Words for an outcome.
fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "Objective met",
        Outcome::Fail => "Objective missed",
        Outcome::Inconclusive => "Inconclusive",
        Outcome::Invalid => "Measurement invalid",
    }
}

/// Colour of an outcome.
fn outcome_tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Pass => Tone::Good,
        Outcome::Fail => Tone::Bad,
        Outcome::Inconclusive | Outcome::Invalid => Tone::Fair,
    }
}

/// The headline of a report.
pub(super) fn headline(run: &Run, scenario: &Scenario, analysis: &Analysis) -> Headline {
    let verdict = &analysis.verdict;
    let mut clauses = verdict.reasons.iter().map(|reason| clause(reason, verdict.outcome, scenario, analysis));
    let words = outcome_words(verdict.outcome);
    let sentence = match clauses.next() {
        Some(clause) => format!("{words}{}: {clause}.", interruption(run)),
        None => format!("{words}{}.", interruption(run)),
    };
    let remarks = clauses.map(|clause| format!("{}.", capitalised(&clause))).chain(closed_loop(scenario)).collect();
    let tone = outcome_tone(verdict.outcome);
    Headline { verdict: words, sentence, tone, remarks, numbers: numbers(scenario, analysis) }
}

fn numbers(scenario: &Scenario, analysis: &Analysis) -> Vec<KeyNumber> {
    let Some(total) = analysis.rows.last() else { return Vec::new() };
    let objective = &scenario.objective;
    let number = |name: &str, value: String, against: String| KeyNumber { name: name.to_owned(), value, against };
    let known = total.judged.nanos().map_or_else(|| NOTHING.to_owned(), |nanos| duration(nanos as f64));
    let offered = scenario.offered_rate().unwrap_or(0.0);
    let offered = match scenario.services.iter().filter(|service| service.offered_rate().is_none()).count() {
        0 => format!("of {} offered", rate(offered)),
        closed if closed == scenario.services.len() => "closed loop".to_owned(),
        _ => format!("{} offered, the rest closed loop", rate(offered)),
    };
    vec![
        number(
            &format!("Response time, {}", percentile(objective.percentile)),
            known,
            format!("of {} allowed", setting(objective.latency)),
        ),
        number(
            "Answered in time",
            if total.bad.of == 0 { NOTHING.to_owned() } else { share(1.0 - total.bad.share) },
            format!("{}{THIN}% required", objective.percentile),
        ),
        number("Throughput", rate(total.rate), offered),
        number(
            "Failed or unfinished",
            count(total.counts.failed() + total.unfinished),
            format!("of {}", counted(total.bad.of, "request", "requests")),
        ),
    ]
}

fn interruption(run: &Run) -> String {
    let period = &run.recording.period;
    if !period.interrupted {
        return String::new();
    }
    let planned = setting(Duration::from_nanos(period.planned_ns));
    format!(" (run interrupted after {} of {planned})", elapsed(period.measured_ns))
}

/// A measured length of time, which needs no more digits than a reader takes in.
pub(super) fn elapsed(nanos: u64) -> String {
    setting(Duration::from_millis(nanos.div_ceil(1_000_000)))
}

fn clause(reason: &Reason, outcome: Outcome, scenario: &Scenario, analysis: &Analysis) -> String {
    let objective = &scenario.objective;
    match reason {
        Reason::Objective { service, bad, .. } => in_time(bad, service.as_deref(), outcome, objective, analysis),
        Reason::Errors { service, rate, allowed } => {
            let whose =
                service.as_ref().map_or_else(|| "all requests".to_owned(), |name| format!("the requests of {name}"));
            format!("{} of {whose} failed ({} allowed)", share(*rate), allowance(*allowed))
        }
        Reason::Check(kind) => {
            let refused = analysis.checks.iter().find(|check| check.kind == *kind && check.level == Level::Refuse);
            match refused.and_then(|check| Some((check, check.refuse?))) {
                Some((check, limit)) => format!(
                    "{}: {}, and above {} the numbers cannot be trusted",
                    lower_case(&subject(check)),
                    quantity(*kind, check.value),
                    checks::limit(*kind, limit),
                ),
                None => format!("the check “{}” refuses it", checks::words(*kind).name),
            }
        }
        Reason::Empty => "no request was completed".to_owned(),
        Reason::TooFewSamples { needed, have } => format!(
            "{} are too few to judge {} against {}; it takes {}",
            counted(*have, "request", "requests"),
            percentile(objective.percentile),
            setting(objective.latency),
            count(*needed),
        ),
        Reason::Overloaded { growth } => format!(
            "the offered load is above capacity: the backlog grew every second by {} of the offered rate, so latency \
             depends on how long one measures",
            share(*growth),
        ),
    }
}

fn in_time(
    bad: &Proportion,
    service: Option<&str>,
    outcome: Outcome,
    objective: &Objective,
    analysis: &Analysis,
) -> String {
    let good = share_interval(1.0 - bad.share, 1.0 - bad.high, 1.0 - bad.low);
    let only = if outcome == Outcome::Fail { "only " } else { "" };
    let whose = service.map(|service| format!(" of {service}")).unwrap_or_default();
    let required = match outcome {
        Outcome::Inconclusive => format!("too close to the {}{THIN}% required to tell", objective.percentile),
        Outcome::Pass | Outcome::Fail | Outcome::Invalid => format!("{}{THIN}% required", objective.percentile),
    };
    let row = analysis.rows.iter().find(|row| row.scope.operation.is_none() && row.scope.service.as_deref() == service);
    let judged = row.map(|row| format!("; {}", judged(&row.judged))).unwrap_or_default();
    format!(
        "{only}{good} of {}{whose} answered within {} ({required}){judged}",
        counted(bad.of, "request", "requests"),
        setting(objective.latency),
    )
}

fn judged(judged: &Percentile) -> String {
    let name = percentile(judged.percentile);
    match judged.value {
        PercentileValue::Known { nanos, .. } => format!("{name}{THIN}{}", duration(nanos as f64)),
        PercentileValue::TooFew { needed, have } => {
            format!("{name} needs {} samples, have {}", count(needed), count(have))
        }
    }
}

fn closed_loop(scenario: &Scenario) -> Option<String> {
    let closed: Vec<_> = scenario
        .services
        .iter()
        .filter(|service| matches!(service.load, Load::Closed { .. }))
        .map(|service| service.name.as_str())
        .collect();
    if closed.is_empty() {
        return None;
    }
    let who = if closed.len() == scenario.services.len() {
        "Closed loop".to_owned()
    } else {
        closed.join(", ") + ": closed loop"
    };
    Some(format!(
        "{who}: response time counts from asking the pool for a connection. Clients wait for the server before they send \
         again, so a stall delays few requests here where it would delay many users."
    ))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn lower_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
