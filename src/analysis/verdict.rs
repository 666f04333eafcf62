//! The judgement: the objective compared with a row, and a verdict on the whole run.
//!
//! Three questions are kept apart. What was observed decides *missed*; what follows for another run decides between *met* and
//! *inconclusive*; and a flaw of the harness spoils only the verdict that it could have falsified.

use std::cmp::Ordering;

use super::{Bounds, Check, CheckKind, Conclusion, Doubt, Level, Outage, Proportion, Reason, Row, Silence};
use crate::{
    measure::{Nanos, SECOND},
    results::Verdict,
    scenario::Objective,
};

/// Longest run that is proposed.
const DAY: Nanos = 86_400 * SECOND;

/// Requests of one row, as far as the objective asks for them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Requests {
    /// All that were due.
    pub(super) all: u64,
    /// Late, failed or unfinished.
    pub(super) bad: u64,
    /// Failed.
    pub(super) failed: u64,
    /// Burstiness of the bad ones.
    pub(super) burstiness: f64,
}

/// The objective compared with one row, before any doubt about the harness.
#[derive(Debug, Clone)]
pub(super) struct RowJudgement {
    pub(super) conclusion: Conclusion,
    /// Whether a miss remains one when everything that the harness may have added is taken away.
    pub(super) stands_alone: bool,
    /// Whether the worst third of the run meets the objective as well.
    pub(super) worst_third_met: bool,
    /// Whether it is about closed loops alone.
    pub(super) closed: bool,
}

/// In which direction a flaw bends the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bend {
    /// Response times look worse than the server made them.
    Worse,
    /// Response times look better, or the load was lighter than it claims.
    Better,
    /// Unknown.
    Unknown,
    /// Neither, but one number does not describe the whole run.
    Drift,
    /// Neither, but a longer run would show longer response times.
    Growth,
}

/// The direction of each check's flaw; `None` for what only warns.
fn bend(kind: CheckKind) -> Option<Bend> {
    match kind {
        CheckKind::ScheduleLag
        | CheckKind::WorkerCpu
        | CheckKind::Steal
        | CheckKind::Throttling
        | CheckKind::Pauses => Some(Bend::Worse),
        CheckKind::AchievedRate | CheckKind::Misses => Some(Bend::Better),
        CheckKind::Accounts
        | CheckKind::Panics
        | CheckKind::LoadFailure
        | CheckKind::LittlesLaw
        | CheckKind::Start
        | CheckKind::GeneratorLag => Some(Bend::Unknown),
        CheckKind::Drift => Some(Bend::Drift),
        CheckKind::Backlog => Some(Bend::Growth),
        CheckKind::Errors | CheckKind::BeyondRange => None,
    }
}

/// Compares the objective with the requests of one row.
///
/// It is missed where more of them were late, failed or unfinished than it allows, or more failed than it grants, and the exact
/// 95 % bound of that share says that this is no chance of the draw; how the requests came, in bursts or not, does not matter
/// for what has happened. It is met where the upper bound is at most what is allowed even with the requests divided by the
/// burstiness of the bad ones. Otherwise another run might go either way.
pub(super) fn compare_with_objective(requests: Requests, objective: &Objective, measured_ns: Nanos) -> Conclusion {
    let Requests { all, bad, failed, burstiness } = requests;
    let conclusion = |verdict, reasons| Conclusion { verdict, reasons, harness_late: None };
    if all == 0 {
        return conclusion(Verdict::Inconclusive, vec![Reason::Empty]);
    }
    let allowed = objective.allowed();
    let burstiness = if bad == 0 { 1.0 } else { burstiness.max(1.0) };
    let proportion = Proportion::estimate(bad, all, burstiness);
    let share = Reason::Objective { service: None, bad: proportion, allowed };
    let errors = failed as f64 / all as f64;
    let failures = Reason::Errors { service: None, rate: errors, allowed: objective.max_error_rate };
    let certain = |count, allowed| Proportion::against(allowed, count, all, 1.0) == Ordering::Greater;
    match (certain(bad, allowed), certain(failed, objective.max_error_rate)) {
        // The larger reason first.
        (true, true) if bad - failed > failed => conclusion(Verdict::Fail, vec![share, failures]),
        (true, true) if bad == failed => conclusion(Verdict::Fail, vec![failures]),
        (true, true) => conclusion(Verdict::Fail, vec![failures, share]),
        (true, false) => conclusion(Verdict::Fail, vec![share]),
        (false, true) => conclusion(Verdict::Fail, vec![failures]),
        (false, false) => {
            let met = |burstiness| Proportion::against(allowed, bad, all, burstiness) == Ordering::Less;
            let in_order = errors <= objective.max_error_rate;
            let why = match (met(burstiness), met(1.0)) {
                (true, _) if in_order => return conclusion(Verdict::Pass, vec![share]),
                (true, _) => Doubt::Errors,
                (false, true) => Doubt::Bursts,
                (false, false) if proportion.share < allowed => Doubt::FewRequests,
                (false, false) => Doubt::Close,
            };
            let run_ns = if why == Doubt::Errors { None } else { deciding_run(requests, allowed, measured_ns) };
            conclusion(Verdict::Inconclusive, vec![Reason::Undecided { bad: proportion, allowed, why, run_ns }])
        }
    }
}

/// Length of a run of which the upper bound would be at most what is allowed if its requests went as these did, up to a day.
fn deciding_run(requests: Requests, allowed: f64, measured_ns: Nanos) -> Option<Nanos> {
    let Requests { all, bad, burstiness, .. } = requests;
    let burstiness = if bad == 0 { 1.0 } else { burstiness.max(1.0) };
    let most = (DAY as f64 / measured_ns.max(1) as f64).min(1e9);
    let decides = |times: f64| {
        let [bad, all] = [bad, all].map(|count| (count as f64 * times).ceil() as u64);
        Proportion::against(allowed, bad, all, burstiness) == Ordering::Less
    };
    if measured_ns == 0 || !decides(most) {
        return None;
    }
    let (mut low, mut high) = (1.0_f64, most);
    while high / low > 1.05 {
        let middle = (low * high).sqrt();
        if decides(middle) { high = middle } else { low = middle }
    }
    Some((high * measured_ns as f64) as Nanos)
}

/// Whether the objective would be missed even by those requests alone that are bad whatever the harness did.
pub(super) fn misses_alone(certain: Requests, objective: &Objective) -> bool {
    let allowed = objective.allowed();
    let above = |count, allowed| Proportion::against(allowed, count, certain.all, 1.0) == Ordering::Greater;
    certain.all > 0 && (above(certain.bad, allowed) || above(certain.failed, objective.max_error_rate))
}

impl RowJudgement {
    /// Adds what the time without answers says. Shares of requests cannot see it in a closed loop, whose clients ask for nothing
    /// more while they wait: of N clients at most N requests are late, however long the server stands still. In an open loop
    /// the due instants have it.
    pub(super) fn add_silence(
        &mut self,
        row: &Row,
        silence: &Silence,
        closed: bool,
        waited: bool,
        objective: &Objective,
    ) {
        let service = silence.service.clone();
        let allowed = objective.allowed();
        let mut reasons = Vec::new();
        if row.bad.of == 0 && row.counts.answered() == 0 {
            if !waited {
                // Nothing can be said of it, and so not that the run met its objective.
                self.conclusion.verdict = Verdict::Inconclusive;
                self.conclusion.reasons = vec![Reason::NothingDue { service }];
                return;
            }
            self.conclusion.reasons.clear();
            reasons.push(Reason::NoAnswer { service });
        } else if let Some(since) = silence.gone_since {
            reasons.push(Reason::Gone { service, since });
        } else if let Some(longest) = silence.spans.iter().max_by_key(|span| span.length())
            && closed
            && silence.late_share > allowed
        {
            reasons.push(Reason::Silent { service, share: silence.late_share, allowed, longest: *longest });
        }
        if reasons.is_empty() {
            return;
        }
        if self.conclusion.verdict == Verdict::Fail {
            reasons.append(&mut self.conclusion.reasons);
        }
        self.conclusion = Conclusion { verdict: Verdict::Fail, reasons, harness_late: None };
        self.stands_alone = true;
    }
}

/// Judges one row by how the objective compares and by the checks that concern it.
pub(super) fn judge<'a>(judgement: &RowJudgement, checks: impl Iterator<Item = &'a Check> + Clone) -> Conclusion {
    let refused = checks.filter(|check| check.level == Level::Refuse);
    let first = |bend_of: Bend| refused.clone().find(|check| bend(check.kind) == Some(bend_of));
    let invalid = |checks: &[Bend]| {
        let mut kinds: Vec<CheckKind> = refused
            .clone()
            .filter(|check| bend(check.kind).is_some_and(|bend| checks.contains(&bend)))
            .map(|check| check.kind)
            .collect();
        // The lag of a harness that stood still is a consequence.
        kinds.sort_by_key(|kind| matches!(kind, CheckKind::ScheduleLag | CheckKind::GeneratorLag));
        kinds.dedup();
        let reasons =
            kinds.into_iter().map(Reason::Check).chain(judgement.conclusion.reasons.iter().cloned()).collect();
        Conclusion { verdict: Verdict::Invalid, reasons, harness_late: None }
    };
    let Conclusion { verdict, reasons, .. } = judgement.conclusion.clone();
    if reasons == [Reason::Empty] {
        let checks = refused.clone().map(|check| Reason::Check(check.kind));
        let mut reasons: Vec<Reason> = [Reason::Empty].into_iter().chain(checks).collect();
        reasons.dedup();
        return Conclusion { verdict: Verdict::Invalid, reasons, harness_late: None };
    }
    if first(Bend::Unknown).is_some() {
        return invalid(&[Bend::Unknown, Bend::Better, Bend::Worse]);
    }
    if verdict == Verdict::Pass && first(Bend::Better).is_some() {
        return invalid(&[Bend::Better, Bend::Worse]);
    }
    // A closed loop asks for as much as the harness can do, so that a busy worker is its ordinary state: response times are at
    // most what they seem to be, and the objective is judged by them.
    let saturated = |check: &Check| judgement.closed && check.kind == CheckKind::WorkerCpu;
    let is_late = refused.clone().any(|check| bend(check.kind) == Some(Bend::Worse) && !saturated(check));
    if verdict == Verdict::Fail && !judgement.stands_alone && is_late {
        return invalid(&[Bend::Worse]);
    }
    let harness_late = first(Bend::Worse).map(|check| check.kind);
    let backlogs = refused.clone().filter(|check| check.kind == CheckKind::Backlog);
    let overloaded = backlogs
        .max_by(|one, other| one.value.total_cmp(&other.value))
        .map(|check| Reason::Overloaded { service: check.subject.clone().unwrap_or_default(), growth: check.value });
    let drifting = first(Bend::Drift).filter(|_| verdict == Verdict::Pass && !judgement.worst_third_met).map(|check| {
        let service = check.subject.clone().unwrap_or_default();
        Reason::Drifting { service, per_minute: check.nanos.unwrap_or_default() }
    });
    let spoiled = overloaded.is_some() || drifting.is_some();
    let verdict = if verdict == Verdict::Pass && spoiled { Verdict::Inconclusive } else { verdict };
    let reasons = overloaded.into_iter().chain(drifting).chain(reasons).collect();
    Conclusion { verdict, reasons, harness_late }
}

/// The verdict on the run, from its rows and those of what was judged for each: none may hide behind a larger one that is fast.
///
/// A service that misses makes the run miss. One whose miss may be the harness's own keeps the run from being met, and so does
/// one of which nothing was due. That a service has too few requests to decide is no reason to doubt the whole.
pub(super) fn conclude(rows: &[Row], judged: &[Conclusion]) -> Conclusion {
    let Some(whole) = judged.last() else {
        return Conclusion { verdict: Verdict::Invalid, reasons: vec![Reason::Empty], harness_late: None };
    };
    let nothing = |reasons: &[Reason]| matches!(reasons, [Reason::NothingDue { .. }]);
    let services = || {
        let of_services = |(row, _): &(&Row, &Conclusion)| row.scope.operation.is_none() && row.scope.service.is_some();
        rows.iter().zip(judged).filter(of_services)
    };
    let with = |verdict: Verdict| -> Vec<Reason> {
        let found = services().filter(|(_, conclusion)| conclusion.verdict == verdict);
        found
            .flat_map(|(row, conclusion)| {
                conclusion.reasons.iter().map(|reason| of_service(reason, row.scope.service.as_ref()))
            })
            .collect()
    };
    let unknown = whole.verdict == Verdict::Invalid
        && whole.reasons.iter().any(|reason| match reason {
            Reason::Check(kind) => bend(*kind) == Some(Bend::Unknown),
            Reason::Empty => true,
            _ => false,
        });
    let missed = with(Verdict::Fail);
    let no_answer = missed.iter().any(|reason| matches!(reason, Reason::NoAnswer { .. }));
    if unknown && !(no_answer && matches!(whole.reasons[..], [Reason::Empty])) {
        return whole.clone();
    }
    let time: Vec<Reason> = missed.iter().filter(|reason| is_of_time(reason)).cloned().collect();
    match whole.verdict {
        // The whole says it with all its requests; of a service there is only to add what its requests do not show.
        Verdict::Fail => {
            Conclusion { reasons: time.into_iter().chain(whole.reasons.clone()).collect(), ..whole.clone() }
        }
        _ if !missed.is_empty() => {
            let kept = whole.reasons.iter().filter(|reason| matches!(reason, Reason::Objective { .. }));
            Conclusion {
                verdict: Verdict::Fail,
                reasons: missed.into_iter().chain(kept.cloned()).collect(),
                ..whole.clone()
            }
        }
        Verdict::Invalid => whole.clone(),
        _ => {
            let invalid = with(Verdict::Invalid);
            if !invalid.is_empty() {
                return Conclusion { verdict: Verdict::Invalid, reasons: invalid, ..whole.clone() };
            }
            let silent: Vec<Reason> = services()
                .filter(|(_, conclusion)| nothing(&conclusion.reasons))
                .flat_map(|(_, conclusion)| conclusion.reasons.clone())
                .collect();
            if silent.is_empty() {
                return whole.clone();
            }
            let reasons = silent.into_iter().chain(whole.reasons.clone()).collect();
            Conclusion { verdict: Verdict::Inconclusive, reasons, ..whole.clone() }
        }
    }
}

impl Conclusion {
    /// Adds the verdict on the recovery from an outage. Requests decide whether the run is valid at all.
    pub(super) fn with_recovery(mut self, outage: &Outage, took: Bounds, verdict: Verdict, limit: Nanos) -> Self {
        let counts = match verdict {
            Verdict::Fail => self.verdict != Verdict::Invalid,
            Verdict::Inconclusive => self.verdict == Verdict::Pass,
            _ => false,
        };
        if counts {
            let reason = Reason::Recovery { subject: outage.subject.name().to_owned(), took, limit };
            let place = if self.verdict == Verdict::Fail { self.reasons.len() } else { 0 };
            self.reasons.insert(place, reason);
            self.verdict = verdict;
        }
        self
    }
}

/// Whether a reason is about time without answers.
fn is_of_time(reason: &Reason) -> bool {
    matches!(reason, Reason::Silent { .. } | Reason::Gone { .. } | Reason::NoAnswer { .. })
}

/// Whether a check concerns a row: its subject is the row's service, an operation of it, or the whole harness.
pub(super) fn concerns(check: &Check, row: &Row) -> bool {
    let (Some(service), Some(subject)) = (&row.scope.service, &check.subject) else { return true };
    let of_harness = matches!(
        check.kind,
        CheckKind::WorkerCpu
            | CheckKind::Pauses
            | CheckKind::Steal
            | CheckKind::Throttling
            | CheckKind::Start
            | CheckKind::GeneratorLag
    );
    let is_own = subject == service || subject.strip_prefix(service.as_str()).is_some_and(|rest| rest.starts_with(' '));
    of_harness || is_own
}

fn of_service(reason: &Reason, name: Option<&String>) -> Reason {
    let name = name.cloned();
    match reason.clone() {
        Reason::Objective { bad, allowed, .. } => Reason::Objective { service: name, bad, allowed },
        Reason::Errors { rate, allowed, .. } => Reason::Errors { service: name, rate, allowed },
        other => other,
    }
}

#[cfg(test)]
mod tests;
