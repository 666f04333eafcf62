//! A trial compared with the objective: whether its rate can be sustained.

use std::cmp::Ordering;

use super::{FailReason, Judgement};
use crate::{
    analysis::Proportion,
    results::{ServiceTrial, Trial},
    scenario::Objective,
};

/// Share of the requests that must be answered at all.
const COMPLETED: f64 = 0.99;

/// Growth of the backlog, as a share of the offered rate per second, from which a load is above capacity: that from which
/// the check of a run refuses it.
const BACKLOG: f64 = 0.02;

/// Compares a trial with an objective.
///
/// It fails where the lower 95 % bound (Clopper and Pearson, on n / phi requests) of the share of late, failed and unfinished
/// requests, of all services or of one of them, is above what the objective allows, where less than 99 % were answered, where
/// the backlog grows by more than 2 % of the offered rate per second, or where more requests failed than the objective grants.
/// It passes where the upper bound is at most what is allowed. A harness that was late makes response times longer, never shorter:
/// its bursts are no reason to doubt a trial that meets the objective in spite of them, and no other trial with it fails.
pub fn judge(trial: &Trial, objective: &Objective) -> Judgement {
    whose(trial, |bursty| hold(trial, objective, bursty, trial.late, |service| service.late))
}

/// As [`judge`], where requests are late by one of [`LIMITS`](crate::results::LIMITS) instead of the objective's.
pub(super) fn hold_within(trial: &Trial, limit: usize, objective: &Objective) -> Judgement {
    let late = |completed: u64, within: &[u64]| {
        within.get(limit).map_or(completed, |within| completed.saturating_sub(*within))
    };
    let of_all = late(trial.completed, &trial.within);
    whose(trial, |bursty| hold(trial, objective, bursty, of_all, |service| late(service.completed, &service.within)))
}

/// Whether the harness was the limit.
pub(super) fn is_limited(trial: &Trial, objective: &Objective) -> bool {
    matches!(judge(trial, objective), Judgement::ClientLimited(_))
}

/// The judgement of what was counted, with requests that come in bursts or without, unless the harness has to answer for it.
fn whose(trial: &Trial, counted: impl Fn(bool) -> Judgement) -> Judgement {
    if let Some(check) = &trial.client_limited {
        return Judgement::ClientLimited(check.clone());
    }
    match (counted(true), &trial.waived) {
        (Judgement::Fail(_), Some(check)) => Judgement::ClientLimited(check.clone()),
        (Judgement::Undecided, Some(_)) if counted(false) == Judgement::Pass => Judgement::Pass,
        (judgement, _) => judgement,
    }
}

/// Compares counts with the objective, for given numbers of late requests of all and of each service.
fn hold(
    trial: &Trial,
    objective: &Objective,
    bursty: bool,
    late: u64,
    late_of: impl Fn(&ServiceTrial) -> u64,
) -> Judgement {
    if trial.scheduled == 0 {
        return Judgement::Undecided;
    }
    let share = |count: u64| count as f64 / trial.scheduled as f64;
    let independent = |burstiness: f64| if bursty { burstiness.max(1.0) } else { 1.0 };
    let allowed = objective.allowed();
    let errors = share(trial.failed);
    if errors > objective.max_error_rate {
        return Judgement::Fail(FailReason::Errors(errors));
    }
    for (service, index) in trial.services.iter().zip(0..).filter(|(service, _)| service.scheduled > 0) {
        let share = |count: u64| count as f64 / service.scheduled as f64;
        let exceeds = |allowed: f64, count: u64, burstiness: f64| {
            Proportion::against(allowed, count, service.scheduled, burstiness) == Ordering::Greater
        };
        if exceeds(objective.max_error_rate, service.failed, 1.0) {
            return Judgement::Fail(FailReason::Errors(share(service.failed)));
        }
        let count = (late_of(service) + service.failed + service.unfinished).min(service.scheduled);
        if trial.services.len() > 1 && exceeds(allowed, count, independent(service.burstiness)) {
            return Judgement::Fail(FailReason::Service(index, share(count)));
        }
    }
    let count = (late + trial.failed + trial.unfinished).min(trial.scheduled);
    let place = Proportion::against(allowed, count, trial.scheduled, independent(trial.burstiness));
    if place == Ordering::Greater {
        return Judgement::Fail(FailReason::Late(share(count)));
    }
    if share(trial.completed) < COMPLETED {
        return Judgement::Fail(FailReason::Shortfall(share(trial.completed)));
    }
    if trial.backlog_growth > BACKLOG {
        return Judgement::Fail(FailReason::Backlog(trial.backlog_growth));
    }
    if place == Ordering::Less { Judgement::Pass } else { Judgement::Undecided }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::capacity::simulated::{by_harness, scenario, trial};

    fn judged(change: impl FnOnce(&mut Trial)) -> Judgement {
        let mut trial = trial(0, 10_000.0);
        change(&mut trial);
        judge(&trial, &scenario().objective)
    }

    #[test]
    fn bounds_of_the_share_decide() {
        let late = |late, burstiness| judged(|trial| (trial.late, trial.burstiness) = (late, burstiness));
        assert_eq!(late(0, 1.0), Judgement::Pass);
        assert_eq!(late(900, 1.0), Judgement::Pass);
        assert_eq!(late(990, 1.0), Judgement::Undecided);
        assert_eq!(late(900, 30.0), Judgement::Undecided, "bursts carry less information");
        assert_eq!(late(1_200, 1.0), Judgement::Fail(FailReason::Late(0.012)));
        assert_eq!(late(1_200, 30.0), Judgement::Undecided);
    }

    #[test]
    fn everything_that_is_not_in_time_counts() {
        let sum = judged(|trial| (trial.late, trial.unfinished, trial.completed) = (400, 800, 99_200));
        assert_eq!(sum, Judgement::Fail(FailReason::Late(0.012)));
    }

    #[test]
    fn other_limits_fail_a_trial_that_would_pass() {
        assert_eq!(judged(|trial| trial.failed = 150), Judgement::Fail(FailReason::Errors(0.0015)));
        assert_eq!(judged(|trial| trial.backlog_growth = 0.03), Judgement::Fail(FailReason::Backlog(0.03)));
        assert_eq!(judged(|trial| trial.completed = 98_900), Judgement::Fail(FailReason::Shortfall(0.989)));
    }

    #[test]
    fn the_harness_is_never_taken_for_the_server() {
        let limited = judged(|trial| {
            trial.client_limited = Some(by_harness("worker busy"));
            (trial.late, trial.failed) = (50_000, 10_000);
        });
        assert_eq!(limited, Judgement::ClientLimited(by_harness("worker busy")));
    }

    /// 5 % of the load, of which 15 % is late: less than a hundredth of the whole.
    #[test]
    fn no_service_hides_behind_the_others() {
        let service = |share: f64, late| ServiceTrial {
            scheduled: (100_000.0 * share) as u64,
            completed: (100_000.0 * share) as u64,
            late,
            ..ServiceTrial::default()
        };
        let hidden = judged(|trial| {
            (trial.late, trial.services) = (750, vec![service(0.95, 0), service(0.05, 750)]);
        });
        assert_eq!(hidden, Judgement::Fail(FailReason::Service(1, 0.15)));
        let few = judged(|trial| trial.services = vec![service(0.999, 0), service(0.001, 3)]);
        assert_eq!(few, Judgement::Pass, "three of a hundred may be chance");
    }

    #[test]
    fn a_late_harness_spoils_no_pass() {
        let lag = |late, burstiness| {
            judged(|trial| {
                (trial.late, trial.burstiness, trial.waived) = (late, burstiness, Some(by_harness("lag")));
            })
        };
        assert_eq!(lag(0, 1.0), Judgement::Pass);
        assert_eq!(lag(210, 300.0), Judgement::Pass, "its bursts are its own");
        assert_eq!(lag(990, 1.0), Judgement::Undecided, "a longer trial decides");
        assert_eq!(lag(990, 300.0), Judgement::Undecided);
        assert_eq!(lag(50_000, 1.0), Judgement::ClientLimited(by_harness("lag")));
        let trial = Trial { waived: Some(by_harness("lag")), within: vec![0; 6], ..trial(0, 10_000.0) };
        let stricter = hold_within(&trial, 0, &scenario().objective);
        assert_eq!(
            stricter,
            Judgement::ClientLimited(by_harness("lag")),
            "a stricter limit may be missed because of it"
        );
    }

    #[test]
    fn nothing_tells_nothing() {
        assert_eq!(judged(|trial| (trial.scheduled, trial.completed) = (0, 0)), Judgement::Undecided);
    }
}
