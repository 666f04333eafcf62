//! The judgement: the objective compared with a row, and a verdict on the whole run.
//!
//! Three questions are kept apart. What was observed decides *missed*; what follows for another run decides between *met* and
//! *inconclusive*; and a flaw of the harness spoils only the outcome that it could have falsified.

use std::cmp::Ordering;

use super::{Check, CheckKind, Doubt, Level, Outcome, Proportion, Reason, Row, Silence, Verdict};
use crate::{
    measure::{Nanos, SECOND},
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
pub(super) struct Held {
    pub(super) verdict: Verdict,
    /// Whether a miss remains one when everything that the harness may have added is taken away.
    pub(super) stands_alone: bool,
    /// Whether the worst third of the run meets the objective as well.
    pub(super) worst_third_met: bool,
}

/// In which direction a flaw bends the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bend {
    /// Response times look worse than the server made them.
    Worse,
    /// Response times look better, or the load was lighter than it claims.
    Better,
    /// Nobody knows.
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
        CheckKind::Accounts | CheckKind::LittlesLaw => Some(Bend::Unknown),
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
pub(super) fn hold(requests: Requests, objective: &Objective, measured_ns: Nanos) -> Verdict {
    let Requests { all, bad, failed, burstiness } = requests;
    let verdict = |outcome, reasons| Verdict { outcome, reasons, harness_late: None };
    if all == 0 {
        return verdict(Outcome::Inconclusive, vec![Reason::Empty]);
    }
    let allowed = (100.0 - objective.percentile) / 100.0;
    let burstiness = if bad == 0 { 1.0 } else { burstiness.max(1.0) };
    let proportion = Proportion::estimate(bad, all, burstiness);
    let share = Reason::Objective { service: None, bad: proportion, allowed };
    let errors = failed as f64 / all as f64;
    let failures = Reason::Errors { service: None, rate: errors, allowed: objective.max_error_rate };
    let certain = |count, allowed| Proportion::against(allowed, count, all, 1.0) == Ordering::Greater;
    match (certain(bad, allowed), certain(failed, objective.max_error_rate)) {
        // The larger reason first.
        (true, true) if bad - failed > failed => verdict(Outcome::Fail, vec![share, failures]),
        (true, true) if bad == failed => verdict(Outcome::Fail, vec![failures]),
        (true, true) => verdict(Outcome::Fail, vec![failures, share]),
        (true, false) => verdict(Outcome::Fail, vec![share]),
        (false, true) => verdict(Outcome::Fail, vec![failures]),
        (false, false) => {
            let met = |burstiness| Proportion::against(allowed, bad, all, burstiness) == Ordering::Less;
            let in_order = errors <= objective.max_error_rate;
            let why = match (met(burstiness), met(1.0)) {
                (true, _) if in_order => return verdict(Outcome::Pass, vec![share]),
                (true, _) => Doubt::Errors,
                (false, true) => Doubt::Bursts,
                (false, false) if proportion.share < allowed => Doubt::FewRequests,
                (false, false) => Doubt::Close,
            };
            let run_ns = if why == Doubt::Errors { None } else { deciding_run(requests, allowed, measured_ns) };
            verdict(Outcome::Inconclusive, vec![Reason::Undecided { bad: proportion, allowed, why, run_ns }])
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
    let allowed = (100.0 - objective.percentile) / 100.0;
    let above = |count, allowed| Proportion::against(allowed, count, certain.all, 1.0) == Ordering::Greater;
    certain.all > 0 && (above(certain.bad, allowed) || above(certain.failed, objective.max_error_rate))
}

impl Held {
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
        let allowed = (100.0 - objective.percentile) / 100.0;
        let mut reasons = Vec::new();
        if row.bad.of == 0 && row.counts.answered() == 0 {
            if !waited {
                // Nothing can be said of it, and so not that the run met its objective.
                self.verdict.outcome = Outcome::Inconclusive;
                self.verdict.reasons = vec![Reason::NothingDue { service }];
                return;
            }
            self.verdict.reasons.clear();
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
        if self.verdict.outcome == Outcome::Fail {
            reasons.append(&mut self.verdict.reasons);
        }
        self.verdict = Verdict { outcome: Outcome::Fail, reasons, harness_late: None };
        self.stands_alone = true;
    }
}

/// Judges one row by how the objective compares and by the checks that concern it.
pub(super) fn judge<'a>(held: &Held, checks: impl Iterator<Item = &'a Check> + Clone) -> Verdict {
    let refused = checks.filter(|check| check.level == Level::Refuse);
    let first = |bend_of: Bend| refused.clone().find(|check| bend(check.kind) == Some(bend_of));
    let invalid = |checks: &[Bend]| {
        let mut kinds: Vec<CheckKind> = refused
            .clone()
            .filter(|check| bend(check.kind).is_some_and(|bend| checks.contains(&bend)))
            .map(|check| check.kind)
            .collect();
        kinds.dedup();
        let reasons = kinds.into_iter().map(Reason::Check).chain(held.verdict.reasons.iter().cloned()).collect();
        Verdict { outcome: Outcome::Invalid, reasons, harness_late: None }
    };
    let Verdict { outcome, reasons, .. } = held.verdict.clone();
    if reasons == [Reason::Empty] {
        let checks = refused.clone().map(|check| Reason::Check(check.kind));
        let mut reasons: Vec<Reason> = [Reason::Empty].into_iter().chain(checks).collect();
        reasons.dedup();
        return Verdict { outcome: Outcome::Invalid, reasons, harness_late: None };
    }
    if first(Bend::Unknown).is_some() {
        return invalid(&[Bend::Unknown, Bend::Better, Bend::Worse]);
    }
    if outcome == Outcome::Pass && first(Bend::Better).is_some() {
        return invalid(&[Bend::Better, Bend::Worse]);
    }
    if outcome == Outcome::Fail && !held.stands_alone && first(Bend::Worse).is_some() {
        return invalid(&[Bend::Worse]);
    }
    let harness_late = first(Bend::Worse).map(|check| check.kind);
    let growth = refused.clone().filter(|check| check.kind == CheckKind::Backlog).map(|check| check.value);
    let overloaded = growth.max_by(f64::total_cmp).map(|growth| Reason::Overloaded { growth });
    let drifting = first(Bend::Drift).filter(|_| outcome == Outcome::Pass && !held.worst_third_met).map(|check| {
        let service = check.subject.clone().unwrap_or_default();
        Reason::Drifting { service, per_minute: check.nanos.unwrap_or_default() }
    });
    let spoiled = overloaded.is_some() || drifting.is_some();
    let outcome = if outcome == Outcome::Pass && spoiled { Outcome::Inconclusive } else { outcome };
    let reasons = overloaded.into_iter().chain(drifting).chain(reasons).collect();
    Verdict { outcome, reasons, harness_late }
}

/// The verdict on the run, from its rows and those of what was judged for each: none may hide behind a larger one that is fast.
///
/// A service that misses makes the run miss. One whose miss may be the harness's own keeps the run from being met, and so does
/// one of which nothing was due. That a service has too few requests to tell is no reason to doubt the whole.
pub(super) fn conclude(rows: &[Row], judged: &[Verdict]) -> Verdict {
    let Some(whole) = judged.last() else {
        return Verdict { outcome: Outcome::Invalid, reasons: vec![Reason::Empty], harness_late: None };
    };
    let nothing = |reasons: &[Reason]| matches!(reasons, [Reason::NothingDue { .. }]);
    let services = || {
        let of_services = |(row, _): &(&Row, &Verdict)| row.scope.operation.is_none() && row.scope.service.is_some();
        rows.iter().zip(judged).filter(of_services)
    };
    let with = |outcome: Outcome| -> Vec<Reason> {
        let of_outcome = services().filter(|(_, verdict)| verdict.outcome == outcome);
        of_outcome
            .flat_map(|(row, verdict)| {
                verdict.reasons.iter().map(|reason| of_service(reason, row.scope.service.as_ref()))
            })
            .collect()
    };
    let unknown = whole.outcome == Outcome::Invalid
        && whole.reasons.iter().any(|reason| match reason {
            Reason::Check(kind) => bend(*kind) == Some(Bend::Unknown),
            Reason::Empty => true,
            _ => false,
        });
    let missed = with(Outcome::Fail);
    let no_answer = missed.iter().any(|reason| matches!(reason, Reason::NoAnswer { .. }));
    if unknown && !(no_answer && matches!(whole.reasons[..], [Reason::Empty])) {
        return whole.clone();
    }
    let time: Vec<Reason> = missed.iter().filter(|reason| is_of_time(reason)).cloned().collect();
    match whole.outcome {
        // The whole says it with all its requests; of a service there is only to add what its requests do not show.
        Outcome::Fail => Verdict { reasons: time.into_iter().chain(whole.reasons.clone()).collect(), ..whole.clone() },
        _ if !missed.is_empty() => {
            let kept = whole.reasons.iter().filter(|reason| matches!(reason, Reason::Objective { .. }));
            Verdict {
                outcome: Outcome::Fail,
                reasons: missed.into_iter().chain(kept.cloned()).collect(),
                ..whole.clone()
            }
        }
        Outcome::Invalid => whole.clone(),
        Outcome::Pass | Outcome::Inconclusive => {
            let invalid = with(Outcome::Invalid);
            if !invalid.is_empty() {
                return Verdict { outcome: Outcome::Invalid, reasons: invalid, ..whole.clone() };
            }
            let silent: Vec<Reason> = services()
                .filter(|(_, verdict)| nothing(&verdict.reasons))
                .flat_map(|(_, verdict)| verdict.reasons.clone())
                .collect();
            if silent.is_empty() {
                return whole.clone();
            }
            let reasons = silent.into_iter().chain(whole.reasons.clone()).collect();
            Verdict { outcome: Outcome::Inconclusive, reasons, ..whole.clone() }
        }
    }
}

/// Whether a reason is about time without answers.
fn is_of_time(reason: &Reason) -> bool {
    matches!(reason, Reason::Silent { .. } | Reason::Gone { .. } | Reason::NoAnswer { .. })
}

/// Whether a check concerns a row: its subject is the row's service, an operation of it, or the whole harness.
pub(super) fn concerns(check: &Check, row: &Row) -> bool {
    let (Some(service), Some(subject)) = (&row.scope.service, &check.subject) else { return true };
    let of_harness = matches!(check.kind, CheckKind::WorkerCpu | CheckKind::Pauses);
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
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{analysis::analyse, measure::Span, results::sample};

    const OBJECTIVE: Objective =
        Objective { latency: Duration::from_millis(100), percentile: 99.0, max_error_rate: 0.001 };

    const MINUTE: Nanos = 60 * SECOND;

    fn requests(bad: u64, all: u64) -> Requests {
        Requests { all, bad, failed: 0, burstiness: 1.0 }
    }

    fn of(requests: Requests) -> Verdict {
        hold(requests, &OBJECTIVE, MINUTE)
    }

    fn held(requests: Requests, stands_alone: bool, worst_third_met: bool) -> Held {
        Held { verdict: of(requests), stands_alone, worst_third_met }
    }

    fn check(kind: CheckKind, level: Level) -> Check {
        Check { kind, subject: Some("api".into()), value: 0.3, warn: 0.1, refuse: Some(0.2), level, nanos: Some(8e6) }
    }

    #[test]
    fn what_was_seen_decides_a_miss_and_its_upper_bound_a_success() {
        let cases = [
            // bad, all, burstiness, outcome
            (0, 100_000, 1.0, Outcome::Pass),
            (900, 100_000, 1.0, Outcome::Pass),
            (990, 100_000, 1.0, Outcome::Inconclusive),
            (1_010, 100_000, 1.0, Outcome::Inconclusive),
            (1_100, 100_000, 1.0, Outcome::Fail),
            (10, 100, 1.0, Outcome::Fail),
            // 0 of 500 has an upper bound of 0.73 %, and there is no burst of none.
            (0, 500, 1.0, Outcome::Pass),
            (0, 500, 40.0, Outcome::Pass),
            (0, 300, 1.0, Outcome::Inconclusive),
            // A stall of a second in eight: certain for this run, however bursty.
            (912, 8_000, 600.0, Outcome::Fail),
            // In order, but one more such burst would break it.
            (700, 100_000, 300.0, Outcome::Inconclusive),
            (0, 0, 1.0, Outcome::Inconclusive),
        ];
        for (bad, all, burstiness, expected) in cases {
            let seen = of(Requests { burstiness, ..requests(bad, all) });
            assert_eq!(seen.outcome, expected, "{bad} of {all}, burstiness {burstiness}: {seen:?}");
        }
    }

    #[test]
    fn too_many_errors_miss_it_where_it_is_no_chance() {
        let failing = |failed, all| of(Requests { failed, bad: failed, ..requests(0, all) });
        assert_eq!(failing(150, 100_000).outcome, Outcome::Fail);
        assert_eq!(failing(100, 100_000).outcome, Outcome::Pass, "as many as are granted");
        let chance = failing(1, 700);
        assert_eq!(chance.outcome, Outcome::Inconclusive, "one of 700 is more than 0.1 %, and may be chance");
        assert!(matches!(chance.reasons[0], Reason::Undecided { why: Doubt::Errors, .. }), "{chance:?}");
    }

    #[test]
    fn the_larger_reason_comes_first() {
        let mixed = |late, failed| of(Requests { bad: late + failed, failed, ..requests(0, 100_000) }).reasons;
        assert!(matches!(mixed(55_000, 200)[..], [Reason::Objective { .. }, Reason::Errors { .. }]));
        assert!(matches!(mixed(200, 55_000)[..], [Reason::Errors { .. }, Reason::Objective { .. }]));
        assert!(matches!(mixed(0, 55_000)[..], [Reason::Errors { .. }]), "not the same requests twice");
    }

    #[test]
    fn the_run_that_would_decide_is_stated_up_to_a_day() {
        let run = |seen: Verdict| match seen.reasons[..] {
            [Reason::Undecided { why, run_ns, .. }] => (why, run_ns),
            _ => panic!("{seen:?}"),
        };
        let (why, length) = run(of(requests(0, 300)));
        let length = length.unwrap();
        assert_eq!(why, Doubt::FewRequests);
        assert!(length > MINUTE * 368 / 300 && length < MINUTE * 400 / 300, "368 are enough: {length}");
        let (why, length) = run(of(Requests { burstiness: 300.0, ..requests(700, 100_000) }));
        assert!(why == Doubt::Bursts && length.is_some_and(|length| length > MINUTE && length < DAY), "{length:?}");
        assert_eq!(run(of(Requests { burstiness: 1e9, ..requests(700, 100_000) })), (Doubt::Bursts, None));
        assert_eq!(run(of(requests(1_010, 100_000))), (Doubt::Close, None));
    }

    #[test]
    fn a_flaw_spoils_only_what_it_could_have_falsified() {
        use CheckKind::{
            Accounts, AchievedRate, Backlog, Drift, LittlesLaw, Misses, Pauses, ScheduleLag, Steal, Throttling,
            WorkerCpu,
        };
        use Outcome::{Fail, Inconclusive, Invalid, Pass};
        let met = held(requests(0, 100_000), false, true);
        let uneven = held(requests(0, 100_000), false, false);
        let missed = held(requests(5_000, 100_000), true, false);
        let doubtful = held(requests(5_000, 100_000), false, false);
        let unsure = held(requests(990, 100_000), false, false);
        let mut cases = vec![(&met, vec![], Pass), (&missed, vec![], Fail), (&unsure, vec![], Inconclusive)];
        for kind in [ScheduleLag, WorkerCpu, Steal, Throttling, Pauses] {
            cases.push((&met, vec![kind], Pass));
            cases.push((&missed, vec![kind], Fail));
            cases.push((&doubtful, vec![kind], Invalid));
            cases.push((&unsure, vec![kind], Inconclusive));
        }
        for kind in [AchievedRate, Misses] {
            cases.push((&met, vec![kind], Invalid));
            cases.push((&missed, vec![kind], Fail));
            cases.push((&doubtful, vec![kind], Fail));
        }
        for kind in [Accounts, LittlesLaw] {
            cases.extend([&met, &missed, &unsure].map(|held| (held, vec![kind], Invalid)));
        }
        cases.extend([
            (&met, vec![Drift], Pass),
            (&uneven, vec![Drift], Inconclusive),
            (&missed, vec![Drift], Fail),
            (&met, vec![Backlog], Inconclusive),
            (&missed, vec![Backlog], Fail),
            (&doubtful, vec![Backlog, ScheduleLag], Invalid),
            (&missed, vec![Backlog, ScheduleLag], Fail),
        ]);
        for (held, kinds, expected) in cases {
            let checks: Vec<Check> = kinds.iter().map(|kind| check(*kind, Level::Refuse)).collect();
            let verdict = judge(held, checks.iter());
            assert_eq!(verdict.outcome, expected, "{kinds:?} {:?}", held.verdict.outcome);
            let late = kinds.iter().any(|kind| bend(*kind) == Some(Bend::Worse));
            assert_eq!(verdict.harness_late.is_some(), late && expected != Invalid, "{kinds:?}");
            let warned: Vec<Check> = kinds.iter().map(|kind| check(*kind, Level::Warn)).collect();
            assert_eq!(judge(held, warned.iter()), held.verdict, "a warning changes nothing");
        }
        let nothing = held(requests(0, 0), false, true);
        assert_eq!(judge(&nothing, [].iter()).outcome, Invalid, "nothing was measured");
    }

    #[test]
    fn an_overload_and_a_trend_are_named_first() {
        let missed = held(requests(5_000, 100_000), true, false);
        let overloaded = judge(&missed, [check(CheckKind::Backlog, Level::Refuse)].iter());
        assert_eq!(overloaded.reasons[0], Reason::Overloaded { growth: 0.3 });
        let uneven = held(requests(0, 100_000), false, false);
        let drifting = judge(&uneven, [check(CheckKind::Drift, Level::Refuse)].iter());
        assert_eq!(drifting.reasons[0], Reason::Drifting { service: "api".into(), per_minute: 8e6 });
    }

    /// The rows of the sample, and a verdict for each: met, but for what is set.
    fn concluded(set: impl FnOnce(&mut [Row], &mut [Verdict])) -> Verdict {
        let mut rows = analyse(&sample::run(), &sample::scenario()).rows;
        let mut judged: Vec<Verdict> = rows.iter().map(|_| of(requests(0, 100_000))).collect();
        set(&mut rows, &mut judged);
        conclude(&rows, &judged)
    }

    #[test]
    fn no_service_hides_behind_a_larger_one() {
        let missed = || of(requests(50, 100));
        assert_eq!(concluded(|_, _| ()).outcome, Outcome::Pass);
        let operation = concluded(|rows, judged| {
            judged[rows.iter().position(|row| row.scope.operation.is_some()).unwrap()] = missed();
        });
        assert_eq!(operation.outcome, Outcome::Pass, "the objective is not one of operations");
        let small = concluded(|rows, judged| judged[rows.len() - 2] = of(requests(1, 100)));
        assert_eq!(small.outcome, Outcome::Pass, "too few requests to tell are no reason to doubt the whole");
        let service = concluded(|rows, judged| judged[rows.len() - 2] = missed());
        assert_eq!(service.outcome, Outcome::Fail);
        let Reason::Objective { service, .. } = &service.reasons[0] else { panic!("{service:?}") };
        assert_eq!(service.as_deref(), Some("ml"));
        let spoiled = concluded(|rows, judged| {
            let doubtful = held(requests(5_000, 100_000), false, false);
            judged[rows.len() - 2] = judge(&doubtful, [check(CheckKind::ScheduleLag, Level::Refuse)].iter());
        });
        assert_eq!(spoiled.outcome, Outcome::Invalid, "a miss that may be the harness's own is not met either");
    }

    fn silence(late_share: f64, gone_since: Option<Nanos>) -> Silence {
        let span = Span { from_ns: 2 * SECOND, to_ns: 4 * SECOND };
        Silence { service: "ml".into(), spans: vec![span], late_share, gone_since }
    }

    #[test]
    fn time_without_answers_misses_where_requests_cannot_show_it() {
        let rows = analyse(&sample::run(), &sample::scenario()).rows;
        let row = &rows[rows.len() - 2];
        let with = |silence: &Silence, closed| {
            let mut held = held(requests(0, 100_000), false, true);
            held.add_silence(row, silence, closed, true, &OBJECTIVE);
            (held.verdict.outcome, held.verdict.reasons[0].clone(), held.stands_alone)
        };
        assert_eq!(with(&silence(0.009, None), true).0, Outcome::Pass);
        let (outcome, reason, stands) = with(&silence(0.5, None), true);
        assert!(outcome == Outcome::Fail && stands && matches!(reason, Reason::Silent { .. }), "{reason:?}");
        assert_eq!(with(&silence(0.5, None), false).0, Outcome::Pass, "an open loop has it in its due instants");
        for closed in [true, false] {
            let (outcome, reason, _) = with(&silence(0.001, Some(9 * SECOND)), closed);
            assert_eq!((outcome, reason), (Outcome::Fail, Reason::Gone { service: "ml".into(), since: 9 * SECOND }));
        }
    }

    #[test]
    fn a_service_that_answered_nothing_is_never_met() {
        let with = |waited| {
            concluded(|rows, judged| {
                let place = rows.len() - 2;
                let row = &mut rows[place];
                (row.bad, row.counts) = (Proportion::estimate(0, 0, 1.0), crate::measure::Counts::default());
                let mut held = held(requests(0, 0), false, true);
                held.add_silence(row, &silence(0.0, None), true, waited, &OBJECTIVE);
                judged[place] = judge(&held, [].iter());
            })
        };
        let stuck = with(true);
        assert_eq!(stuck.outcome, Outcome::Fail);
        assert_eq!(stuck.reasons[0], Reason::NoAnswer { service: "ml".into() });
        let idle = with(false);
        assert_eq!(idle.outcome, Outcome::Inconclusive);
        assert_eq!(idle.reasons[0], Reason::NothingDue { service: "ml".into() });
    }

    #[test]
    fn checks_concern_their_service() {
        let rows = analyse(&sample::run(), &sample::scenario()).rows;
        let concerned = |subject: &str| -> Vec<&str> {
            let check = Check { subject: Some(subject.into()), ..check(CheckKind::Misses, Level::Refuse) };
            let services = rows.iter().filter(|row| row.scope.operation.is_none() && concerns(&check, row));
            services.map(|row| row.scope.service.as_deref().unwrap_or("*")).collect()
        };
        assert_eq!(concerned("api GET"), ["api", "*"]);
        assert_eq!(concerned("chat"), ["chat", "*"]);
        assert_eq!(concerned("apiary"), ["*"]);
    }
}
