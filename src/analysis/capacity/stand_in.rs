//! A stand-in, to be deleted.

use super::{ArmAnswer, CapacityAnalysis, Fleet, Judgement, Limit, Planner, Sustainable, judge};
use crate::{results::Capacity, scenario::Scenario};

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
            first_failure: of().find_map(|trial| match judge(trial, scenario) {
                Judgement::Fail(reason) => Some((trial.offered?, reason)),
                _ => None,
            }),
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
        undone: planner.undone(),
    }
}
