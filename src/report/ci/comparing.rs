//! What CI is told of comparisons: with a stored baseline, and of two arms in turns.

use super::{scenario::check, words::one_line};
use crate::{
    analysis::{
        baseline::Standing,
        gate::{GateAnalysis, GateVerdict},
    },
    report::{comparison::Compared, format::plain, gate::GateOutcome, view::View},
    results::{CiCheck, CiOutcome, Gate},
};

/// What a comparison with a stored baseline says. Its regression is a reason to look closer, since a machine that was slower for
/// a night looks the same; it fails the scenario where `fails` says so.
pub fn ci_comparison(name: &str, compared: &Compared<'_>, fails: bool) -> CiCheck {
    let outcome = match compared.comparison.standing {
        Standing::Ok | Standing::Improved => CiOutcome::Passed,
        Standing::Regression if fails => CiOutcome::Failed,
        Standing::Regression | Standing::Inconclusive | Standing::NotComparable => CiOutcome::Inconclusive,
        Standing::Invalid => CiOutcome::Invalid,
    };
    check("baseline", None, None, outcome, format!("{name}: {}", one_line(&plain(&compared.headline()))))
}

/// That there is no baseline yet: told, and no reason for anything.
pub fn ci_no_baseline(name: &str, baseline: &str) -> CiCheck {
    let sentence =
        format!("{name}: there is no baseline {baseline} yet; plimsoll baseline save {baseline} makes one of its run");
    CiCheck { decides: false, ..check("baseline", None, None, CiOutcome::Inconclusive, sentence) }
}

/// What a gate says.
pub fn ci_gate(name: &str, gate: &Gate, analysis: &GateAnalysis) -> CiCheck {
    let outcome = match analysis.verdict {
        GateVerdict::Ok | GateVerdict::Improved => CiOutcome::Passed,
        // On servers that others use as well it is a hint.
        GateVerdict::Regression if gate.plan.advisory.is_some() => CiOutcome::Inconclusive,
        GateVerdict::Regression => CiOutcome::Failed,
        GateVerdict::Inconclusive => CiOutcome::Inconclusive,
        GateVerdict::Invalid => CiOutcome::Invalid,
    };
    let headline = View::of_gate(GateOutcome { gate, analysis }, &[]).headline;
    let detail = headline.remarks.iter().map(|remark| plain(remark)).collect();
    CiCheck {
        detail,
        ..check("gate", None, None, outcome, format!("{name}: {}", one_line(&plain(&headline.sentence))))
    }
}

/// That the gate came to no result.
pub fn ci_no_gate(name: &str, why: &str) -> CiCheck {
    check("gate", None, None, CiOutcome::Invalid, format!("{name}: the gate could not be made: {}", one_line(why)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::gate::conclude,
        results::{
            GateStage,
            sample::{
                self,
                gate::{Worsening, gate},
            },
        },
    };

    #[test]
    fn a_confirmed_regression_fails_and_a_hint_warns() {
        let told = |worsening: Worsening, stages: &[GateStage], advisory: bool| {
            let mut gate = gate(worsening, 0.02, stages);
            gate.plan.advisory = advisory.then(|| "why".to_owned());
            ci_gate("mixed", &gate, &conclude(&gate, &sample::scenario()))
        };
        let both = [GateStage::Screen, GateStage::Confirm];
        let found = told(Worsening::Uniform(0.15), &both, false);
        assert_eq!((found.outcome, found.decides), (CiOutcome::Failed, true));
        assert!(found.sentence.starts_with("mixed: Regression: all requests ") && found.sentence.contains("confirmed"));
        assert_eq!(told(Worsening::Uniform(0.15), &both, true).outcome, CiOutcome::Inconclusive);
        assert_eq!(told(Worsening::Uniform(0.15), &both[..1], false).outcome, CiOutcome::Inconclusive);
        assert_eq!(told(Worsening::None, &both[..1], false).outcome, CiOutcome::Passed);
        assert_eq!(told(Worsening::None, &[], false).outcome, CiOutcome::Invalid);
    }

    #[test]
    fn what_is_not_there_is_told() {
        assert!(!ci_no_baseline("mixed", "nightly").decides);
        assert_eq!(ci_no_gate("mixed", "no\nserver").outcome, CiOutcome::Invalid);
    }
}
