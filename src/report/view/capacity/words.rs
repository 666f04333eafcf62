//! Words that several sections of a capacity report share: rates, ratios, what limits, why a trial fails.

use std::time::Duration;

use super::super::checks;
use crate::{
    analysis::capacity::{Apart, ArmAnswer, Comparison, FailReason, Limit, Sustainable, Undone},
    report::{
        format::{self, THIN},
        subject::capacity::{CapacityReport, carried, missed, three_digits},
    },
    results::{Arm, CheckKind, Ended, HarnessLimit},
};

/// `99 % within 100 ms`.
pub(super) fn objective(answers: &CapacityReport) -> String {
    let swept = |arm: &Arm| arm.coordinates.iter().any(|(field, _)| field.starts_with("objective"));
    if answers.capacity.plan.arms.iter().any(swept) {
        return "the objective of each variant".to_owned();
    }
    let objective = &answers.scenario.objective;
    format!("{}{THIN}% within {}", objective.percentile, format::setting(objective.latency))
}

/// A rate to the three digits that it is good for: `23 400/s`.
pub(super) fn rate(per_second: f64) -> String {
    format::rate(three_digits(per_second, f64::round))
}

/// The same of a rate that can be carried, rounded down.
pub(super) fn carried_rate(per_second: f64) -> String {
    format::rate(carried(per_second))
}

/// The same of a rate that fails, rounded up.
pub(super) fn missed_rate(per_second: f64) -> String {
    format::rate(missed(per_second))
}

/// The rate to run at; none where it is not known how far the server can go, or whether it would still be there.
pub(super) fn run_at(answers: &CapacityReport, answer: &ArmAnswer) -> Option<f64> {
    answer.sustainable.filter(|_| answers.capacity.ended != Ended::Lost)?.recommended
}

/// The same as [`carried_rate`], as a bound where no higher rate failed: `at least 23 400/s`.
pub(super) fn sustained_rate(known: &Sustainable) -> String {
    format!("{}{}", if known.above.is_none() { "at least " } else { "" }, carried_rate(known.rate))
}

/// A rate without its unit, for columns that name it.
pub(super) fn bare_rate(per_second: f64) -> String {
    format::significant(three_digits(per_second, f64::round))
}

/// The same of one that can be carried.
pub(super) fn bare_carried(per_second: f64) -> String {
    format::significant(carried(per_second))
}

/// The same of one that fails.
pub(super) fn bare_missed(per_second: f64) -> String {
    format::significant(missed(per_second))
}

/// A length of time as the user plans it.
pub(super) fn time(nanos: u64) -> String {
    const MINUTE: u64 = 60_000_000_000;
    if nanos > 2 * MINUTE && !nanos.is_multiple_of(MINUTE) {
        return format!("{}{THIN}min", format::significant(nanos as f64 / MINUTE as f64));
    }
    format::setting(Duration::from_millis(nanos.div_ceil(1_000_000)))
}

/// What limits, as the subject of a sentence, and how near it is to its limit: `the server's CPU`, `92 % of a core`.
pub(super) fn limit(limit: &Limit) -> Option<(String, String)> {
    let words = |what: &str, figure: String| Some((what.to_owned(), figure));
    match limit {
        Limit::ServerCpu(share) => words("the server's CPU", format!("{} of a core", format::portion(*share))),
        Limit::Command(name, share, mean) => Some((
            format!("the command {name}"),
            format!("{} of the server's time, {} each", format::portion(*share), format::duration(*mean)),
        )),
        Limit::Client(busy) => words(
            "the harness",
            busy.map_or_else(
                || "see its checks".to_owned(),
                |busy| format!("busiest worker {} busy", format::portion(busy)),
            ),
        ),
        Limit::Pool(share) => words("the pool", format!("{} in use", format::portion(*share))),
        Limit::RoundTrip(nanos) => {
            words("the network and client round trip", format!("{} outside the command", format::duration(*nanos)))
        }
        Limit::Unknown => None,
    }
}

/// The harness of an arm with its client, and what to do where it was the limit.
pub(super) fn harness(answers: &CapacityReport, arm: u32) -> (&'static str, &'static str) {
    if answers.uses_fred(arm) {
        ("the harness with fred", "repeat with --client wire")
    } else {
        ("the harness with the wire client", more_machines(answers))
    }
}

/// What to do where the harness was the limit, whatever its client.
pub(super) fn more_machines(answers: &CapacityReport) -> &'static str {
    if answers.capacity.plan.generators.is_some() {
        "use more generators (--scale), each on a machine of its own"
    } else {
        "give the harness more cores or a machine of its own, or several machines (--scale)"
    }
}

/// The same as a clause: `the server's CPU is the limit (92 % of a core)`. `arm` is the one that it limits.
pub(super) fn limit_clause(answers: &CapacityReport, arm: u32, of: &Limit) -> String {
    match limit(of) {
        Some((_, figure)) if matches!(of, Limit::Client(_)) => {
            let (harness, remedy) = harness(answers, arm);
            format!("{harness} was the limit ({figure}): {remedy}")
        }
        // What takes the time where all have room is no limit.
        Some((what, figure)) if matches!(of, Limit::RoundTrip(_)) => {
            format!("no measured resource is near its limit; {what} takes most of the time ({figure})")
        }
        Some((what, figure)) => format!("{what} is the limit ({figure})"),
        None => "no measured resource is near its limit".to_owned(),
    }
}

/// The same in the cell of a table, whose legend explains the figure.
pub(super) fn limit_cell(limit: &Limit) -> String {
    let name = match limit {
        Limit::ServerCpu(_) => "server CPU",
        Limit::Command(name, ..) => name,
        Limit::Client(None) => "harness",
        Limit::Client(Some(_)) => "harness CPU",
        Limit::Pool(_) => "pool",
        Limit::RoundTrip(_) => "round trip",
        Limit::Unknown => "nothing seen",
    };
    match limit_figures(limit) {
        (Some(share), _) => format!("{name} {}", format::portion(share)),
        (None, Some(nanos)) => format!("{name} {}", format::duration(nanos)),
        (None, None) => name.to_owned(),
    }
}

/// The check that makes the harness the limit, as a clause.
pub fn harness_limit_words(of: &HarnessLimit) -> String {
    let (kind, subject, value, limit, nanos) = match of {
        HarnessLimit::Check { kind, subject, value, limit, nanos } => (kind, subject, value, limit, nanos),
        HarnessLimit::Words(words) => return words.clone(),
    };
    let (subject, percent, limit) = (subject.as_deref().unwrap_or_default(), value * 100.0, limit * 100.0);
    match kind {
        CheckKind::AchievedRate => {
            format!("it released {percent:.1} % fewer requests of {subject} than fell due (at most {limit:.0} %)")
        }
        CheckKind::ScheduleLag if percent > 100.0 => format!(
            "it released requests of {subject} late: p99 of the lag is {:.1} ms, more than the median response time (at most \
             {limit:.0} % of it)",
            nanos.unwrap_or_default() / 1e6,
        ),
        CheckKind::ScheduleLag => format!(
            "it released requests of {subject} late: p99 of the lag is {percent:.0} % of the median response time (at most \
             {limit:.0} %)"
        ),
        CheckKind::WorkerCpu => format!("{subject} was busy {percent:.0} % of the time (at most {limit:.0} %)"),
        CheckKind::Steal => format!("the hypervisor took {percent:.1} % of its CPU time (at most {limit:.0} %)"),
        CheckKind::Pauses => format!("it did not run for {percent:.1} % of the time (at most {limit:.0} %)"),
        CheckKind::Throttling => {
            format!("its container was throttled {percent:.1} % of the time (at most {limit:.0} %)")
        }
        CheckKind::GeneratorLag => {
            format!(
                "{subject} released requests late: p99 of the lag is {percent:.0} % of the median response time (at most {limit:.0} %)"
            )
        }
        CheckKind::Start => format!(
            "{subject} began {:.0} ms apart from the agreed instant (at most {:.0} ms)",
            nanos.unwrap_or_default() / 1e6,
            limit * 10.0
        ),
        _ => format!("{}: {percent:.1} % (at most {limit:.0} %)", checks::words(*kind).name),
    }
}

/// The change that a comparison without an answer would have shown.
pub(super) fn visible(effect: Option<f64>) -> String {
    match effect {
        Some(effect) => format!(
            "the smallest detectable change of p99 is {}; longer blocks detect smaller changes (--trial)",
            format::portion(effect)
        ),
        None => "too few undisturbed blocks to detect a change (a larger --budget has time for more)".to_owned(),
    }
}

/// That only one of two pool sizes sustains a rate of the scenario.
pub(super) fn apart_clause(answers: &CapacityReport, comparison: &Comparison, apart: Apart) -> String {
    let (from, to) = (answers.name(comparison.from), answers.name(comparison.to));
    let (one, other) = if apart.larger { (to, from) } else { (from, to) };
    format!("{one} sustains {}, {other} does not", rate(apart.rate))
}

/// Why a rate fails, in a clause; reported with the response time where one was measured.
pub(super) fn failure(answers: &CapacityReport, arm: u32, at: f64, reason: FailReason) -> String {
    let tail = || {
        let trial = answers.worst(arm, at)?;
        Some(format!(
            "{} {}",
            format::percentile(answers.reported_percentile()),
            format::duration(answers.tail(trial)?)
        ))
    };
    match reason {
        FailReason::Late(share) => {
            let late = format!("{} late, failed or unfinished", format::share(share));
            // The percentile says more, where it is the one that is judged.
            tail().filter(|_| is_judged(answers)).unwrap_or(late)
        }
        FailReason::Service(index, share) => {
            let name = answers.scenario.services.get(index as usize).map_or("?", |service| service.name.as_str());
            format!("{} late, failed or unfinished of {name}", format::share(share))
        }
        FailReason::Shortfall(share) => format!("only {} of the requests were answered", format::share(share)),
        FailReason::Backlog(growth) => {
            format!("the backlog grew every second by {} of the rate", format::share(growth))
        }
        FailReason::Errors(share) => format!("{} of the requests failed", format::share(share)),
        FailReason::Unclear => "undecided in the longest trial".to_owned(),
    }
}

fn is_judged(answers: &CapacityReport) -> bool {
    (answers.reported_percentile() - answers.scenario.objective.percentile).abs() < 1e-9
}

/// Something that was left undone.
pub(in crate::report) fn undone(answers: &CapacityReport, what: &Undone) -> String {
    let name = |arm| format!("“{}”", answers.name(arm));
    match *what {
        Undone::Search(arm) => format!("the search for the sustainable rate of {}", name(arm)),
        Undone::Confirm(arm) => format!("the confirmation of the sustainable rate of {}", name(arm)),
        Undone::Compare(from, to) => {
            let begun = answers.analysis.comparisons.iter().any(|pair| (pair.from, pair.to) == (from, to));
            let what = if begun { "the rest of the comparison" } else { "the comparison" };
            format!("{what} of {} with {}", name(from), name(to))
        }
        Undone::Curve(arm) => format!("the curve of throughput against latency of {}", name(arm)),
        Undone::Clients if answers.analysis.usl.is_some() => "further repetitions for the concurrency model".to_owned(),
        Undone::Clients => "the concurrency model".to_owned(),
    }
}

/// The figures that go with a limit: a share of what is limited, and a time in nanoseconds.
pub(in crate::report) fn limit_figures(limit: &Limit) -> (Option<f64>, Option<f64>) {
    match limit {
        Limit::ServerCpu(share) | Limit::Pool(share) => (Some(*share), None),
        Limit::Command(_, share, mean) => (Some(*share), Some(*mean)),
        Limit::RoundTrip(nanos) => (None, Some(*nanos)),
        Limit::Client(busy) => (*busy, None),
        Limit::Unknown => (None, None),
    }
}

/// The share that goes with it.
pub(in crate::report) fn failure_value(reason: FailReason) -> Option<f64> {
    match reason {
        FailReason::Late(value)
        | FailReason::Service(_, value)
        | FailReason::Shortfall(value)
        | FailReason::Backlog(value)
        | FailReason::Errors(value) => Some(value),
        FailReason::Unclear => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_of_the_harness_is_a_clause() {
        let words = |kind, subject: Option<&str>, value, limit| {
            let subject = subject.map(str::to_owned);
            harness_limit_words(&HarnessLimit::Check { kind, subject, value, limit, nanos: Some(3e6) })
        };
        let cases = [
            (CheckKind::AchievedRate, Some("api"), 0.05, 0.01),
            (CheckKind::ScheduleLag, Some("api"), 0.2, 0.05),
            (CheckKind::ScheduleLag, Some("api"), 4.0, 0.05),
            (CheckKind::WorkerCpu, Some("worker 1: api"), 0.93, 0.85),
            (CheckKind::Pauses, None, 0.02, 0.01),
        ];
        let written = cases.map(|(kind, subject, value, limit)| words(kind, subject, value, limit));
        assert_eq!(
            written,
            [
                "it released 5.0 % fewer requests of api than fell due (at most 1 %)",
                "it released requests of api late: p99 of the lag is 20 % of the median response time (at most 5 %)",
                "it released requests of api late: p99 of the lag is 3.0 ms, more than the median response time (at most 5 % of it)",
                "worker 1: api was busy 93 % of the time (at most 85 %)",
                "it did not run for 2.0 % of the time (at most 1 %)",
            ]
        );
    }
}
