//! What the checks of the validity table are called, what they guard against and what to do about them.

use crate::{
    analysis::{Check, CheckKind},
    report::format,
};

/// The words for one kind of check.
pub(super) struct Words {
    pub(super) name: &'static str,
    /// What it guards against.
    pub(super) guards: &'static str,
    /// What to do when it warns or refuses; [`ROOM`] stands for [`more_room`].
    pub(super) advice: &'static str,
}

/// Placeholder for [`more_room`] in an advice.
const ROOM: &str = "{room}";

impl Words {
    /// What to do about a harness.
    pub(super) fn advice_for(&self, harness: Harness) -> String {
        self.advice.replace(ROOM, more_room(harness))
    }
}

/// What decides how the harness can send more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Harness {
    /// Whether fred sends a part of the load.
    pub(super) fred: bool,
    /// Whether several generators send it.
    pub(super) scaled: bool,
}

/// What lets the harness send more, what costs least first.
pub(super) fn more_room(harness: Harness) -> &'static str {
    match (harness.fred, harness.scaled) {
        (true, false) => {
            "use the wire client (--client wire), then more workers (--workers) or cores, then several machines (plimsoll scale)"
        }
        (false, false) => "use more workers (--workers) or cores, then several machines (plimsoll scale)",
        (true, true) => "use the wire client (--client wire), then more generators (-n)",
        (false, true) => "use more generators (-n)",
    }
}

/// The words for a kind of check.
pub(super) fn words(kind: CheckKind) -> Words {
    let (name, guards, advice) = match kind {
        CheckKind::AchievedRate => (
            "Rate shortfall",
            "a load below the scenario's",
            "The harness could not offer the load although connections were free: {room}; or offer less (--rate).",
        ),
        CheckKind::ScheduleLag => (
            "Schedule lag",
            "requests released late by the harness",
            "The harness is a part of the response time: {room}; or offer less (--rate).",
        ),
        CheckKind::WorkerCpu => (
            "Worker CPU",
            "a client that is the bottleneck",
            "A worker thread is nearly saturated, so queues inside the harness count as response time: {room}; or offer less (--rate).",
        ),
        CheckKind::Steal => (
            "Stolen CPU time",
            "other virtual machines on the same host",
            "The hypervisor gave the CPU to another machine: repeat the run on a quieter machine or on dedicated cores.",
        ),
        CheckKind::Throttling => (
            "Container throttling",
            "a CPU quota that stops the harness",
            "The container reached its CPU quota: raise the quota and repeat the run.",
        ),
        CheckKind::Pauses => (
            "Pauses of the harness",
            "a harness that stood still while the server continued",
            "Worker threads did not run: the process was stopped (SIGSTOP, a debugger, a suspended machine), or other \
             programs had its cores. Repeat the run on a quieter machine.",
        ),
        CheckKind::Drift => (
            "Drift of the median",
            "a system without a steady state",
            "Response times changed throughout the run, so no average describes it: lengthen the warm-up (--warmup), \
             run longer (--duration) and check the chart over time.",
        ),
        CheckKind::Backlog => (
            "Growth of the backlog",
            "a load above capacity, whose response times grow with the length of the run",
            "More requests fell due than were answered: offer less (--rate), or relieve the limiting resource.",
        ),
        CheckKind::LittlesLaw => (
            "Little's law",
            "counts and times that contradict each other",
            "The mean number of requests in the system differs from throughput times mean response time: the run had \
             no steady state. Run longer (--duration), and check for stalls at its start or end.",
        ),
        CheckKind::Misses => (
            "Misses after the prefill",
            "reads that are fast because they miss",
            "Prefilled keys are missing: evicted at maxmemory, expired, or deleted by the mix. Raise maxmemory, lower \
             the number of keys, or let the mix rewrite deleted keys.",
        ),
        CheckKind::Errors => (
            "Failed requests",
            "failures hidden behind good percentiles",
            "Failed requests count as late; the table of errors by class has their causes.",
        ),
        CheckKind::Accounts => (
            "Accounts",
            "requests lost by the harness",
            "The number of scheduled requests is not the sum of completed, failed and unfinished requests. This is a \
             defect of plimsoll: please report it with run.json.",
        ),
        CheckKind::Panics => (
            "Panics of the harness",
            "a harness that failed during the run",
            "A worker thread panicked and ended the run: its counts may be incomplete. This is a defect of plimsoll: \
             please report it with run.json and the message on standard error.",
        ),
        CheckKind::LoadFailure => (
            "Load of all generators",
            "a load that lacks a part",
            "The results are those of the seconds that all generators reported. Repeat the run; the messages of the launcher, and the \
             log of that machine, say why it ended.",
        ),
        CheckKind::Start => (
            "Start of the generators",
            "generators that did not load at the same time",
            "A generator began apart from the others, so that seconds of the sum are not the same for all: agree on a later start \
             (--start-in), or look at its machine and its clock.",
        ),
        CheckKind::GeneratorLag => (
            "Lag of the latest generator",
            "one generator that releases requests late",
            "That generator is a part of the response time: look for other programs on its machine, or {room}.",
        ),
        CheckKind::BeyondRange => (
            "Beyond the histograms",
            "durations too long to be recorded",
            "Durations beyond an hour are counted, and are in no percentile.",
        ),
    };
    Words { name, guards, advice }
}

/// The measured value of a check, with its unit; as a time where the share alone says little.
pub(super) fn quantity(check: &Check) -> String {
    let ratio = with_unit(check.kind, check.value, signed_share);
    match (check.kind, check.nanos) {
        (CheckKind::ScheduleLag | CheckKind::GeneratorLag, Some(lag)) if check.value > 1.0 => {
            format!("p99 {}, {} p50 of the response time", format::duration(lag), format::factor(check.value))
        }
        (CheckKind::LoadFailure, _) => format!("{ratio} of the period not measured"),
        (CheckKind::Start, Some(error)) => format!("{} from the agreed instant at most", format::duration(error)),
        (CheckKind::ScheduleLag | CheckKind::GeneratorLag, Some(lag)) => {
            format!("p99 {}, {ratio} of the response time", format::duration(lag))
        }
        _ => ratio,
    }
}

/// A limit of a check, with its unit.
pub(super) fn limit(kind: CheckKind, value: f64) -> String {
    with_unit(kind, value, format::limit)
}

fn with_unit(kind: CheckKind, value: f64, share: fn(f64) -> String) -> String {
    match kind {
        CheckKind::Accounts => format::counted(value.abs() as u64, "request", "requests"),
        CheckKind::Panics => format::counted(value as u64, "worker", "workers"),
        CheckKind::BeyondRange => format::counted(value as u64, "duration", "durations"),
        CheckKind::Backlog => format!("{}/s", share(value)),
        CheckKind::ScheduleLag | CheckKind::GeneratorLag => format!("{} of p50", share(value)),
        CheckKind::Start => format::duration(value * 1e9),
        CheckKind::AchievedRate
        | CheckKind::WorkerCpu
        | CheckKind::Steal
        | CheckKind::Throttling
        | CheckKind::Pauses
        | CheckKind::Drift
        | CheckKind::LittlesLaw
        | CheckKind::Misses
        | CheckKind::LoadFailure
        | CheckKind::Errors => share(value),
    }
}

/// A check and what it is about: `schedule lag of api`.
pub(super) fn subject(check: &Check) -> String {
    let name = words(check.kind).name;
    match &check.subject {
        Some(subject) => format!("{name} ({subject})"),
        None => name.to_owned(),
    }
}

/// Ratios may be negative (a drift downwards) or above one, which a share never is.
fn signed_share(value: f64) -> String {
    if (0.0..=1.0).contains(&value) {
        format::share(value)
    } else {
        format!("{}{}{}%", if value < 0.0 { "−" } else { "" }, format::significant(value.abs() * 100.0), format::THIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harness_without_room_gets_what_costs_least_first() {
        let said = |kind, fred, scaled| words(kind).advice_for(Harness { fred, scaled });
        for kind in [CheckKind::AchievedRate, CheckKind::ScheduleLag, CheckKind::WorkerCpu] {
            let advice = said(kind, true, false);
            let places =
                ["--client wire", "--workers", "plimsoll scale", "--rate"].map(|word| advice.find(word).unwrap());
            assert!(places.is_sorted(), "{advice}");
            let advice = said(kind, false, false);
            assert!(!advice.contains("--client wire") && advice.contains("plimsoll scale"), "{advice}");
            let advice = said(kind, true, true);
            assert!(advice.contains("--client wire") && advice.contains("generators (-n)"), "{advice}");
            assert!(!advice.contains("plimsoll scale"), "{advice}");
        }
        assert!(said(CheckKind::GeneratorLag, false, true).ends_with("or use more generators (-n)."));
    }
}
