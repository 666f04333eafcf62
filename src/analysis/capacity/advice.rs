//! Whether a larger pool is worth it.

use std::cmp::Ordering;

use super::{Advice, Apart, RateComparison, compare::limits, limit::BUSY};
use crate::{analysis::paired::Change, scenario::Objective};

/// Evidence of one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vote {
    Better,
    Alike,
    Worse,
    Unknown,
}

/// The advice from the rates that decide, and from a rate of the scenario that only one of the sizes sustains.
///
/// A time changes where it does so with p <= 0.004, by half a tenth or more, and by what a user would notice beside the objective (5 % of
/// its latency). It is alike where its 95 % interval holds neither a rise nor a fall of a tenth, or of what would be noticed.
///
/// - Worse: at one of the rates p50 or p99 of the response time rises; or service time does and neither falls for it; or more requests
///   fail than the objective allows, and more than with the smaller pool. Or only the smaller pool sustains a rate of the scenario.
/// - Grow: at none it is worse, and at one of them p50 or p99 of the response time falls, or p99 of the wait does and service time does
///   not rise, or fewer requests fail; and the server uses less than 0.85 of a core there. Or only the larger pool sustains a rate of
///   the scenario.
/// - No benefit: at all of them p50 and p99 of the response time are alike, and service time does not rise.
/// - Inconclusive otherwise, with the change of p99 that would have been seen.
pub(super) fn advice(rates: &[RateComparison], apart: Option<&Apart>, objective: &Objective) -> Advice {
    let deciding = || rates.iter().filter(|rate| rate.decides);
    let of_load = apart.map(|apart| if apart.larger { Vote::Better } else { Vote::Worse });
    let votes: Vec<Vote> = deciding().map(|rate| vote(rate, objective)).chain(of_load).collect();
    if votes.contains(&Vote::Worse) {
        Advice::Worse
    } else if votes.contains(&Vote::Better) {
        Advice::Grow
    } else if !votes.is_empty() && votes.iter().all(|vote| *vote == Vote::Alike) {
        Advice::NoBenefit
    } else {
        let visible = deciding().map(|rate| rate.response_p99.effect.smallest_detectable);
        // The rate at which least is seen shows what all of them would have shown.
        Advice::Inconclusive(visible.reduce(|one, other| Some(one?.max(other?))).flatten())
    }
}

fn vote(at: &RateComparison, objective: &Objective) -> Vote {
    let limits = limits(objective, at.lag);
    let users = [&at.response_p50, &at.response_p99];
    let (slower, sooner) =
        (users.iter().any(|time| limits.is_worse(time)), users.iter().any(|time| limits.is_better(time)));
    let service_rises = limits.is_worse(&at.service);
    // A wait for a connection may cost more than what the server takes longer for having more of them.
    if slower || service_rises && !sooner || at.failures == Ordering::Greater {
        return Vote::Worse;
    }
    let relieved = sooner || limits.is_better(&at.wait_p99) && !service_rises || at.failures == Ordering::Less;
    if relieved {
        // Where the server has no time left, other connections only wait in another place.
        return if at.server_busy.is_none_or(|busy| busy < BUSY) { Vote::Better } else { Vote::Unknown };
    }
    let alike = |time: &Change| limits.is_not_worse(time) && limits.is_not_better(time);
    if users.into_iter().all(alike) && limits.is_not_worse(&at.service) { Vote::Alike } else { Vote::Unknown }
}
