//! Whether a larger pool is worth it.

use super::{Advice, compare::Compared, design::MORE, evidence::same_rate, limit::BUSY, search::Search};
use crate::scenario::Objective;

/// p-value up to which a difference is no chance.
const SIGNIFICANT: f64 = 0.01;

/// Share by which p99 or mean service time must change to matter.
const MARGIN: f64 = 0.1;

/// Share of the objective's latency below which a change of either matters to nobody: as much as waiting for a connection may
/// take where a pool is large enough.
const NOTICED: f64 = super::erlang::WAIT;

/// What a comparison is judged by.
pub(super) struct Question<'a> {
    /// The objective.
    pub(super) objective: &'a Objective,
    /// The search of the smaller pool.
    pub(super) from: &'a Search,
    /// The search of the larger pool.
    pub(super) to: &'a Search,
}

/// What one rate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vote {
    Better,
    Same,
    Worse,
    Unknown,
}

/// The advice from all rates that were compared.
///
/// Rates that the scenario offers decide, itself and a quarter more; only where none of them could be compared what lies near
/// the end of the smaller pool does.
///
/// - Grow: at one of them p99 falls by at least 10 % (and by 5 % of the objective's latency) with p <= 0.01 and mean service time
///   rises by less than 10 %, or errors exceed their limit no more; the server uses less than 0.85 of a core, at none is it worse, and the sustainable rate is higher, or
///   the end of neither was found.
/// - Harm: at one of them p99 rises by as much, or mean service time does without p99 falling for it, or errors exceed their limit
///   that did not.
/// - No benefit: at all of them neither can be, by 95 % intervals of the change, or of p99 itself where it is below 5 % of the
///   objective's latency with either pool.
/// - Inconclusive otherwise.
pub(super) fn advice(rates: &[Compared], question: &Question<'_>) -> Advice {
    let deciding = || rates.iter().filter(|rate| rate.told.decides);
    let detectable = deciding().map(|rate| rate.detectable).fold(0.0, f64::max);
    let nothing = Advice::Inconclusive(if rates.is_empty() { 1.0 } else { detectable });
    let votes: Vec<Vote> = deciding().map(|rate| vote(rate, question.objective)).collect();
    let any = |vote: Vote| votes.contains(&vote);
    if votes.is_empty() {
        nothing
    } else if any(Vote::Worse) {
        Advice::Harm
    } else if any(Vote::Better) && carries_more(question.from, question.to) {
        Advice::Grow
    } else if votes.iter().all(|vote| *vote == Vote::Same) {
        Advice::NoBenefit
    } else {
        nothing
    }
}

/// Marks the rates that decide: those that the scenario offers, and all where none of them could be compared.
pub(super) fn mark(rates: &mut [Compared], target: Option<f64>) {
    let is = |rate: f64, share: f64| target.is_some_and(|target| same_rate(rate, share * target));
    let of_target = |rate: &Compared| [1.0, MORE].into_iter().any(|share| is(rate.told.rate, share));
    if rates.iter().any(of_target) {
        for rate in rates {
            rate.told.decides = of_target(rate);
        }
    }
}

/// A time of response or service, in nanoseconds, that matters beside the objective.
pub(super) fn noticed(objective: &Objective) -> f64 {
    NOTICED * objective.latency.as_nanos() as f64
}

fn vote(compared: &Compared, objective: &Objective) -> Vote {
    let told = &compared.told;
    // A share matters from a tenth on, or from what a user could notice where times are far below the objective.
    let noticed = noticed(objective);
    let margin_of = |time: f64| if time > 0.0 { MARGIN.max(noticed / time) } else { MARGIN };
    let (margin, service_margin) = (margin_of(compared.response_p99), margin_of(compared.service_mean));
    let (p99, p99_low, p99_high) = told.response_p99;
    let (service, service_low, service_high) = told.service;
    let p99_differs = told.p_value <= SIGNIFICANT;
    let errs = told.errors.1 > objective.max_error_rate && told.errors.0 <= objective.max_error_rate;
    let slower = service > 1.0 + service_margin && service_low > 1.0 && compared.service_p <= SIGNIFICANT;
    // A wait for a connection may cost more than what the server takes longer for having more of them.
    let relieved = p99 <= 1.0 - margin && p99_differs;
    let errs_no_more = told.errors.0 > objective.max_error_rate && told.errors.1 <= objective.max_error_rate;
    if errs || slower && !relieved || p99 > 1.0 + margin && p99_low > 1.0 && p99_differs {
        return Vote::Worse;
    }
    let calm = told.server_busy.1.is_none_or(|busy| busy < BUSY);
    if errs_no_more && calm || relieved && service < 1.0 + MARGIN && calm {
        return Vote::Better;
    }
    let alike = p99_low >= 1.0 - margin && p99_high <= 1.0 + margin || compared.highest_p99 <= noticed;
    if alike && service_high < 1.0 + service_margin && told.errors.0 <= objective.max_error_rate {
        Vote::Same
    } else {
        Vote::Unknown
    }
}

/// Whether the larger pool keeps up more than the smaller one, as far as is known.
fn carries_more(from: &Search, to: &Search) -> bool {
    let Some(larger) = to.sustained() else { return false };
    match (from.sustained(), from.bracket().high) {
        (None, _) => true,
        // The smaller one's end is beyond the limit of rates or of the harness, and the larger one's no nearer.
        (Some(smaller), None) => larger >= smaller,
        (Some(smaller), Some(_)) => larger > smaller,
    }
}
