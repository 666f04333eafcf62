//! What the checks of the validity table are called, what they guard against and what to do about them.

use crate::{
    analysis::{Check, CheckKind},
    report::format,
};

/// The words for one kind of check.
pub(super) struct Words {
    /// Its name.
    pub(super) name: &'static str,
    /// What it guards against.
    pub(super) guards: &'static str,
    /// What to do when it warns or refuses.
    pub(super) advice: &'static str,
}

/// The words for a kind of check.
pub(super) fn words(kind: CheckKind) -> Words {
    let (name, guards, advice) = match kind {
        CheckKind::AchievedRate => (
            "Rate shortfall",
            "a load that was lighter than it claims",
            "The harness could not offer the load although connections were free: give it more workers (--workers) or \
             cores, or offer less (--rate).",
        ),
        CheckKind::ScheduleLag => (
            "Schedule lag",
            "requests that the harness itself released late",
            "Part of the response time is the harness's own: give it cores of its own, run it on another machine than \
             the server, or offer less (--rate).",
        ),
        CheckKind::WorkerCpu => (
            "Worker CPU",
            "a client that is the bottleneck",
            "A worker thread is nearly saturated, so queues inside the harness count as response time: use more workers \
             (--workers) or offer less (--rate).",
        ),
        CheckKind::Steal => (
            "Stolen CPU time",
            "neighbours on the same physical machine",
            "The hypervisor gave the CPU to another machine: repeat the run on a quieter machine or on dedicated cores.",
        ),
        CheckKind::Throttling => (
            "Container throttling",
            "a CPU quota that stops the harness",
            "The container used up its CPU quota: raise its limit and repeat the run.",
        ),
        CheckKind::Pauses => (
            "Pauses of the harness",
            "a harness that stood still while the server went on",
            "Worker threads did not run although they should have: the process was stopped (SIGSTOP, a debugger, a suspended \
             machine), or other programs had its cores. Repeat the run on a quieter machine.",
        ),
        CheckKind::Drift => (
            "Drift of the median",
            "a system that was still warming up or wearing down",
            "Response times moved all through the run, so one number describes neither its beginning nor its end: \
             lengthen the warm-up (--warmup), run longer (--duration) and look at the chart over time.",
        ),
        CheckKind::Backlog => (
            "Growth of the backlog",
            "a load above capacity, whose latency only depends on how long one measures",
            "More requests fell due than were answered: offer less (--rate) to find what can be carried, or enlarge what \
             limits it.",
        ),
        CheckKind::LittlesLaw => (
            "Little's law",
            "counts and times that contradict each other",
            "The mean number of requests in the system is not throughput times mean response time: the run was far from \
             a steady state. Run longer (--duration), and look for stalls at its beginning or end.",
        ),
        CheckKind::Misses => (
            "Misses after the prefill",
            "reads that are fast because they find nothing",
            "Keys that had been written are gone: evicted at maxmemory, expired, or deleted by the mix itself. Raise \
             maxmemory, lower the number of keys, or let the mix write back what it deletes.",
        ),
        CheckKind::Errors => (
            "Failed requests",
            "failures hidden behind good percentiles",
            "Failed requests count as late ones; the errors by class say what happened to them.",
        ),
        CheckKind::Accounts => (
            "Accounts",
            "requests lost by the harness",
            "Scheduled requests are not the sum of completed, failed and unfinished ones. That is a defect of the \
             harness: please report it together with run.json.",
        ),
        CheckKind::Panics => (
            "Panics of the harness",
            "a harness that failed during the run",
            "A worker thread panicked, which ended the run early: its counts may be incomplete. That is a defect of plimsoll: \
             please report it together with run.json and the message on standard error.",
        ),
        CheckKind::BeyondRange => (
            "Beyond the histograms",
            "durations too long to be recorded",
            "Durations of more than an hour are counted but appear in no percentile.",
        ),
    };
    Words { name, guards, advice }
}

/// The measured value of a check, with its unit; as a time where the share alone says little.
pub(super) fn quantity(check: &Check) -> String {
    let ratio = with_unit(check.kind, check.value, signed_share);
    match (check.kind, check.nanos) {
        (CheckKind::ScheduleLag, Some(lag)) if check.value > 1.0 => {
            format!("p99 {}, more than p50 of the response time", format::duration(lag))
        }
        (CheckKind::ScheduleLag, Some(lag)) => format!("p99 {}, {ratio} of the response time", format::duration(lag)),
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
        CheckKind::ScheduleLag => format!("{} of p50", share(value)),
        CheckKind::AchievedRate
        | CheckKind::WorkerCpu
        | CheckKind::Steal
        | CheckKind::Throttling
        | CheckKind::Pauses
        | CheckKind::Drift
        | CheckKind::LittlesLaw
        | CheckKind::Misses
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
