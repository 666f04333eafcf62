//! The verdict of a capacity run: whether the scenario's own rate is sustained.

use super::{ArmAnswer, CapacityAnalysis, Sustainable, Undone};
use crate::results::Verdict;

/// Factor on the scenario's own rate from which on a sustained rate needs no confirmation.
const CLEARLY: f64 = 1.2;

/// The verdict at the scenario's own rate. Of several variants the best decides: it could be chosen.
pub fn verdict(analysis: &CapacityAnalysis, offered: f64) -> Verdict {
    let open = |arm: u32| {
        let left = |undone: &Undone| matches!(undone, Undone::Search(of) | Undone::Confirm(of) if *of == arm);
        analysis.undone.iter().any(left)
    };
    let enough = |arm: u32, found: &Sustainable| {
        // The scenario's own rate need not be one of those that were tried.
        let within = found.rate >= offered || found.above.is_some_and(|above| above > offered);
        within && (found.confirmed || !open(arm) || found.rate >= CLEARLY * offered)
    };
    // What was never tried at the scenario's rate or below is not missed.
    let missed = |arm: &ArmAnswer| {
        let above = arm.sustainable.and_then(|found| found.above);
        above.or(arm.first_failure.map(|(rate, _)| rate)).is_some_and(|rate| rate <= offered * (1.0 + 1e-9))
    };
    let arms = || (0..).zip(&analysis.arms);
    if arms().any(|(index, arm)| arm.sustainable.as_ref().is_some_and(|found| enough(index, found))) {
        Verdict::Pass
    } else if arms().any(|(_, arm)| arm.client_limited.is_some()) {
        Verdict::Invalid
    } else if arms().all(|(_, arm)| missed(arm)) {
        Verdict::Fail
    } else {
        Verdict::Inconclusive
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::capacity::{FailReason, Fleet, Limit},
        results::HarnessLimit,
        scenario,
    };

    fn arm(rate: Option<(f64, Option<f64>)>, limited: bool) -> ArmAnswer {
        ArmAnswer {
            objective: scenario::load("queue").unwrap().objective,
            sustainable: rate.map(|(rate, above)| Sustainable {
                rate,
                above,
                confirmed: true,
                recommended: above.map(|_| 0.8 * rate),
            }),
            client_limited: limited.then(|| (1.0, HarnessLimit::Words("slow".to_owned()))),
            first_failure: (rate.is_none() && !limited).then_some((900.0, FailReason::Unclear)),
            by_limit: Vec::new(),
            knee: None,
            maximum: 0.0,
            erlang: Vec::new(),
            limit: Limit::Unknown,
        }
    }

    #[test]
    fn the_best_variant_decides() {
        let open = vec![Undone::Search(0)];
        let untried = ArmAnswer { first_failure: None, ..arm(None, false) };
        let mut unconfirmed = arm(Some((1_100.0, None)), false);
        unconfirmed.sustainable.as_mut().unwrap().confirmed = false;
        let mut clearly = unconfirmed.clone();
        clearly.sustainable.as_mut().unwrap().rate = 1_200.0;
        for (arms, undone, expected) in [
            (vec![arm(Some((2_000.0, Some(2_100.0))), false)], vec![], Verdict::Pass),
            (vec![arm(Some((990.0, Some(1_030.0))), false)], vec![], Verdict::Pass),
            (vec![arm(Some((500.0, Some(520.0))), false)], vec![], Verdict::Fail),
            (vec![arm(None, false)], vec![], Verdict::Fail),
            (vec![arm(None, false), arm(Some((1_000.0, None)), false)], vec![], Verdict::Pass),
            (vec![arm(Some((4_000.0, None)), true)], vec![], Verdict::Pass),
            (vec![arm(Some((500.0, None)), true)], vec![], Verdict::Invalid),
            (vec![arm(None, true), arm(None, false)], vec![], Verdict::Invalid),
            (vec![unconfirmed.clone()], open.clone(), Verdict::Inconclusive),
            (vec![clearly], open.clone(), Verdict::Pass),
            (vec![arm(Some((2_000.0, None)), false)], vec![Undone::Clients], Verdict::Pass),
            (vec![untried.clone()], vec![], Verdict::Inconclusive),
            (vec![arm(Some((500.0, None)), false)], vec![], Verdict::Inconclusive),
        ] {
            let analysis = CapacityAnalysis {
                arms,
                comparisons: Vec::new(),
                usl: None,
                fleet: Fleet { services: Vec::new(), connections: Vec::new(), max_clients: None },
                headroom: None,
                connection_cost: None,
                undone,
            };
            assert_eq!(verdict(&analysis, 1_000.0), expected, "{analysis:?}");
        }
    }
}
