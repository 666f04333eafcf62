//! The search for the highest rate that one variant can sustain: which trial comes next, and what is known so far.

use super::{
    FailReason, Judgement, draw,
    evidence::{Bracket, CONFIRMED, Evidence, Level, is_below, same_rate},
};
use crate::results::{CapacityPlan, HarnessLimit, Purpose, Trial};

/// Doublings of a trial that was too short to decide, all together.
const LONGEST: u64 = 8;

/// Halvings of the start rate after which nothing is found.
const HALVINGS: i32 = 6;

/// Share of the start rate at which errors beyond their limit are no matter of load.
const LOWEST: f64 = 0.0625;

/// Doublings of the start rate that a usual search takes.
const DOUBLINGS: f64 = 4.0;

/// Trials that a usual search takes that begins with a bracket.
const HINTED: u32 = 4;

/// Trials of one variant after which its search ends as it is: contradictions that go on for so long are no noise.
const MOST_TRIALS: u32 = 80;

/// Trials of an upper end after which it is one as long as more of them failed than passed.
const MOST_ABOVE: u32 = 6;

/// Ratio of the ends of a bracket from which a single failure is not taken for its upper end.
const WIDE: f64 = 1.9;

/// The bracket of a variant whose search went before: the first rates that are tried.
pub(super) type Hint = Option<(f64, Option<f64>)>;

/// A trial of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Probe {
    pub(super) purpose: Purpose,
    pub(super) rate: f64,
    pub(super) duration_ns: u64,
}

/// The search of one variant.
#[derive(Debug, Clone)]
pub(super) struct Search {
    place: u64,
    start: f64,
    max: f64,
    tolerance: f64,
    trial_ns: u64,
    confirm_ns: u64,
    seed: u64,
    evidence: Evidence,
    retry: Option<Probe>,
    limited: Option<(f64, HarnessLimit)>,
    /// The rate at which the harness was the limit in the last trial of it.
    doubted: Option<f64>,
    trials: u32,
    hopeless: bool,
}

impl Search {
    /// The search of the arm with this index.
    pub(super) fn new(arm: usize, plan: &CapacityPlan) -> Self {
        let max = plan.max_rate.unwrap_or(f64::INFINITY);
        Self {
            place: arm as u64,
            start: plan.start_rate.min(max),
            max,
            tolerance: plan.tolerance,
            trial_ns: plan.trial_ns,
            confirm_ns: plan.confirm_ns,
            seed: plan.seed,
            evidence: Evidence::default(),
            retry: None,
            limited: None,
            doubted: None,
            trials: 0,
            hopeless: false,
        }
    }

    /// Takes a trial of this variant into account, if it says something of what can be sustained.
    pub(super) fn record(&mut self, trial: &Trial, judgement: &Judgement) {
        let Some(rate) = trial.offered else { return };
        if !matches!(trial.purpose, Purpose::Search | Purpose::Confirm | Purpose::Above) {
            return;
        }
        self.retry = None;
        self.trials += 1;
        // What was no matter of the rate then does not count a second time later on.
        if !(matches!(judgement, Judgement::ClientLimited(_))
            || *judgement == Judgement::Undecided && trial.waived.is_some())
        {
            self.doubted = self.doubted.filter(|doubted| !same_rate(*doubted, rate));
        }
        let failure = match judgement {
            Judgement::Pass => None,
            Judgement::Fail(reason) => Some(*reason),
            Judgement::Undecided => {
                let duration_ns = (2 * trial.planned_ns).min(LONGEST * self.trial_ns);
                if duration_ns > trial.planned_ns {
                    self.retry = Some(Probe { purpose: trial.purpose, rate, duration_ns });
                    return;
                }
                if let Some(check) = &trial.waived {
                    // Without the harness it might have passed.
                    return self.limit(trial, rate, check);
                }
                Some(FailReason::Unclear)
            }
            Judgement::ClientLimited(check) => return self.limit(trial, rate, check),
        };
        let level = self.evidence.enter(rate, failure);
        match trial.purpose {
            Purpose::Confirm => {
                level.confirmations += 1;
                level.confirmed += if failure.is_none() { 1 } else { -1 };
            }
            Purpose::Above => level.above += 1,
            _ => {}
        }
        let erred = matches!(failure, Some(FailReason::Errors(_)));
        self.hopeless |= erred && !is_below(self.start * LOWEST, rate) && self.bracket().low.is_none();
    }

    /// Takes a trial into account in which the harness was the limit. What ends the search is looked at twice: another user's job
    /// may have taken the harness's time.
    fn limit(&mut self, trial: &Trial, rate: f64, check: &HarnessLimit) {
        if self.limited.is_none() && !self.doubted.is_some_and(|doubted| same_rate(doubted, rate)) {
            self.doubted = Some(rate);
            self.retry = Some(Probe { purpose: trial.purpose, rate, duration_ns: trial.planned_ns });
        } else if self.limited.as_ref().is_none_or(|(known, _)| rate < *known) {
            self.limited = Some((rate, check.clone()));
        }
    }

    /// Whether there are errors beyond their limit even at the lowest rates.
    pub(super) fn hopeless(&self) -> bool {
        self.hopeless
    }

    /// Rates between which the line lies, of those that the harness can be trusted with.
    pub(super) fn bracket(&self) -> Bracket {
        self.evidence.bracket(self.wall().unwrap_or(f64::INFINITY))
    }

    /// The rate at which the harness was the limit, and by which check; `None` where a lower one failed by itself.
    pub(super) fn limited(&self) -> Option<&(f64, HarnessLimit)> {
        let high = self.bracket().high.map_or(f64::INFINITY, |high| high.rate);
        self.limited.as_ref().filter(|(rate, _)| *rate < high)
    }

    /// The rate from which on the harness cannot be trusted.
    pub(super) fn wall(&self) -> Option<f64> {
        self.limited.as_ref().map(|(rate, _)| *rate)
    }

    /// The highest rate that is sustained as far as is known.
    pub(super) fn sustained(&self) -> Option<f64> {
        self.bracket().low.map(|low| low.rate)
    }

    /// Whether the lower end has its confirmations.
    pub(super) fn confirmed(&self) -> bool {
        self.bracket().low.is_some_and(|low| low.confirmed >= CONFIRMED)
    }

    /// What narrows the bracket; `None` where it is narrow enough, or cannot be narrowed.
    pub(super) fn narrow(&self, hint: Hint) -> Option<Probe> {
        if self.is_over() {
            return None;
        }
        if let Some(retry) = self.retry {
            return Some(retry);
        }
        let search = |rate: f64| Some(Probe { purpose: Purpose::Search, rate, duration_ns: self.trial_ns });
        let Bracket { low, high, torn } = self.bracket();
        if let Some(torn) = torn {
            return Some(self.again(torn));
        }
        if let Some((wall, _)) = self.limited() {
            // The harness ends the search; how far it reaches is worth knowing all the same.
            return match low {
                Some(low) if *wall > low.rate * (1.0 + self.tolerance) => search((low.rate * wall).sqrt()),
                None if is_below(self.start, *wall) => search(self.start),
                _ => None,
            };
        }
        let (Some(lowest), Some(highest)) = (self.evidence.lowest(), self.evidence.highest()) else {
            return search(hint.map_or(self.start, |(low, _)| low).min(self.max));
        };
        // All that follows rests on the failure that ends the doubling, so it is looked at twice; but what broke the limit of
        // errors is not repeated.
        let wide = |high: &Level| low.map_or(lowest == highest, |low| high.rate > WIDE * low.rate);
        let erred = |high: &Level| matches!(high.failure, Some(FailReason::Errors(_)));
        if let Some(high) = high.filter(|high| high.lead == -1 && wide(high) && !erred(high)) {
            return Some(self.again(high));
        }
        match (low, high) {
            (None, _) => {
                let rate = lowest.rate / 2.0;
                if is_below(rate, self.start * 0.5_f64.powi(HALVINGS)) { None } else { search(rate) }
            }
            (Some(_), None) if highest.rate >= self.max => None,
            (Some(_), None) => {
                let hinted = hint.and_then(|(_, high)| high).filter(|high| *high > highest.rate);
                search(hinted.unwrap_or(2.0 * highest.rate).min(self.max))
            }
            (Some(low), Some(high)) if high.rate <= low.rate * (1.0 + self.tolerance) => None,
            (Some(low), Some(high)) => {
                let middle = (low.rate * high.rate).sqrt();
                // An end that was about to be confirmed and failed is not far from the truth: half the tolerance, so that both
                // steps together stay within it.
                let step = high.rate / (1.0 + self.tolerance / 2.0);
                search(if high.confirmations > 0 { middle.max(step) } else { middle })
            }
        }
    }

    /// What confirms the bracket, its ends mixed at random; `None` where it is confirmed, or cannot be.
    pub(super) fn confirm(&self) -> Option<Probe> {
        if self.is_over() {
            return None;
        }
        if let Some(retry) = self.retry {
            return Some(retry);
        }
        let Bracket { low, high, .. } = self.bracket();
        let low = low?;
        let passes = (CONFIRMED - low.confirmed).max(0) as u32;
        let high = high.filter(|high| !high.rejected() && high.above < MOST_ABOVE);
        let failures = high.map_or(0, |high| (CONFIRMED + high.lead).max(0) as u32);
        if passes + failures == 0 {
            return None;
        }
        let place = self.place << 32 | u64::from(self.trials);
        match high {
            Some(high) if draw::below(self.seed, place, passes + failures) >= passes => Some(self.above(high)),
            _ => Some(self.confirmation(low)),
        }
    }

    /// Whether its trials contradicted each other for so long that no more are made.
    pub(super) fn gave_up(&self) -> bool {
        self.trials >= MOST_TRIALS
    }

    fn is_over(&self) -> bool {
        self.hopeless || self.gave_up()
    }

    /// A trial as those that were made at that rate before.
    fn again(&self, level: Level) -> Probe {
        if level.confirmations > 0 {
            self.confirmation(level)
        } else if level.above > 0 {
            self.above(level)
        } else {
            Probe { purpose: Purpose::Search, rate: level.rate, duration_ns: self.trial_ns }
        }
    }

    fn confirmation(&self, low: Level) -> Probe {
        Probe { purpose: Purpose::Confirm, rate: low.rate, duration_ns: self.confirm_ns }
    }

    fn above(&self, high: Level) -> Probe {
        Probe { purpose: Purpose::Above, rate: high.rate, duration_ns: self.trial_ns }
    }
}

/// The bracket of a search as a hint for the next one.
pub(super) fn hint(search: &Search) -> Hint {
    let Bracket { low, high, .. } = search.bracket();
    low.map(|low| (low.rate, high.map(|high| high.rate)))
}

/// Trials of all searches, of the confirmations of their lower ends, and of their upper ends, where no trial contradicts another
/// and a server carries no more than sixteen times the start rate. Every search but the first begins with a bracket.
pub(super) fn usual_trials(plan: &CapacityPlan) -> (u32, u32, u32) {
    let doublings = plan.max_rate.map_or(DOUBLINGS, |max| (max / plan.start_rate).log2().ceil().clamp(0.0, DOUBLINGS));
    let halvings = (2.0_f64.ln() / plan.tolerance.ln_1p()).log2().ceil().max(0.0);
    let (arms, looked_twice) = (plan.arms.len() as u32, 2);
    let others = if doublings > 0.0 { HINTED } else { 1 };
    let first = if doublings > 0.0 { (doublings + halvings) as u32 + looked_twice } else { 1 };
    let above = if doublings > 0.0 { CONFIRMED as u32 - 1 } else { 0 };
    (first + arms.saturating_sub(1) * others, arms * CONFIRMED as u32, arms * above)
}
