//! A stand-in, to be deleted.

use super::{ArmAnswer, CapacityAnalysis, FailReason, Fleet, Judgement, Limit, Next, Sustainable, TrialPlan};
use crate::{
    results::{Capacity, CapacityPlan, Ended, Purpose, Trial},
    scenario::Scenario,
};

/// Judges.
pub fn judge(trial: &Trial, scenario: &Scenario) -> Judgement {
    if let Some(limited) = &trial.client_limited {
        return Judgement::ClientLimited(limited.clone());
    }
    let of = trial.scheduled.max(1) as f64;
    let errors = trial.failed as f64 / of;
    if errors > scenario.objective.max_error_rate {
        return Judgement::Fail(FailReason::Errors(errors));
    }
    let bad = (trial.late + trial.failed + trial.unfinished) as f64 / of;
    if bad > 1.0 - scenario.objective.percentile / 100.0 {
        return Judgement::Fail(FailReason::Late(bad));
    }
    Judgement::Pass
}

/// Plans.
#[derive(Debug)]
pub struct Planner {
    plan: CapacityPlan,
    scenario: Scenario,
    brackets: Vec<(Option<f64>, Option<f64>, bool)>,
}

impl Planner {
    /// New.
    pub fn new(plan: CapacityPlan, scenario: &Scenario) -> Self {
        Self { brackets: vec![(None, None, false); plan.arms.len()], plan, scenario: scenario.clone() }
    }

    /// Next.
    pub fn next(&mut self, elapsed_ns: u64) -> Next {
        let cost = self.plan.warmup_ns + self.plan.trial_ns;
        for (arm, (low, high, done)) in self.brackets.iter().enumerate() {
            if *done {
                continue;
            }
            let rate = match (low, high) {
                (None, None) => self.plan.start_rate,
                (Some(low), None) => low * 2.0,
                (None, Some(high)) => high / 2.0,
                (Some(low), Some(high)) if high / low <= 1.0 + self.plan.tolerance => continue,
                (Some(low), Some(high)) => (low * high).sqrt(),
            };
            let rate = self.plan.max_rate.map_or(rate, |max| rate.min(max));
            if Some(rate) == *low {
                continue;
            }
            if elapsed_ns + cost > self.plan.budget_ns {
                return Next::Done(Ended::Budget);
            }
            return Next::Trial(TrialPlan {
                arm: arm as u32,
                purpose: Purpose::Search,
                block: None,
                offered: Some(rate),
                clients: None,
                warmup_ns: self.plan.warmup_ns,
                duration_ns: self.plan.trial_ns,
            });
        }
        Next::Done(Ended::Finished)
    }

    /// Record.
    pub fn record(&mut self, trial: &Trial) {
        let bracket = &mut self.brackets[trial.arm as usize];
        match judge(trial, &self.scenario) {
            Judgement::Pass => bracket.0 = trial.offered,
            Judgement::Fail(_) | Judgement::Undecided => bracket.1 = trial.offered,
            Judgement::ClientLimited(_) => bracket.2 = true,
        }
    }

    /// State.
    pub fn state(&self, arm: u32) -> (Option<f64>, Option<f64>) {
        let (low, high, _) = self.brackets[arm as usize];
        (low, high)
    }

    /// Estimate.
    pub fn estimate(&self) -> (u32, u64) {
        let trials = 15 * self.plan.arms.len() as u32;
        (trials, u64::from(trials) * (self.plan.warmup_ns + self.plan.trial_ns))
    }
}

/// Concludes.
pub fn conclude(capacity: &Capacity, scenario: &Scenario) -> CapacityAnalysis {
    let mut planner = Planner::new(capacity.plan.clone(), scenario);
    capacity.trials.iter().for_each(|trial| planner.record(trial));
    let arm = |arm: usize| {
        let (low, high) = planner.state(arm as u32);
        let of = || capacity.trials.iter().filter(|trial| trial.arm as usize == arm);
        ArmAnswer {
            sustainable: low.map(|rate| Sustainable { rate, above: high, confirmed: true, recommended: 0.8 * rate }),
            client_limited: of().find_map(|trial| Some((trial.offered?, trial.client_limited.clone()?))),
            first_failure: None,
            by_limit: Vec::new(),
            knee: None,
            maximum: 0.0,
            erlang: None,
            limit: Limit::Unknown,
        }
    };
    CapacityAnalysis {
        arms: (0..capacity.plan.arms.len()).map(arm).collect(),
        comparisons: Vec::new(),
        usl: None,
        fleet: Fleet { services: Vec::new(), connections: Vec::new(), max_clients: None },
        headroom: None,
        connection_cost: None,
        undone: Vec::new(),
    }
}
