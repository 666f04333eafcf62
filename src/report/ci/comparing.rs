//! Checks and measures for CI from comparisons: with a stored baseline, and of two arms in turns.

use std::path::Path;

use super::words::one_line;
use crate::{
    analysis::baseline::Weight,
    report::{
        format::plain,
        subject::{ComparisonReport, GateReport},
        view::{Headline, comparison_headline, difference_in_words, gate_headline},
    },
    results::{CiCheck, Verdict},
};

/// Names of the checks of comparisons.
const BASELINE: &str = "baseline";
const GATE: &str = "gate";

/// Whether a check is a comparison. Comparisons are always reported, since each was requested.
pub(super) fn is_comparison(check: &CiCheck) -> bool {
    [BASELINE, GATE].contains(&check.name.as_str())
}

/// What a comparison with a stored baseline says, with what differs where that keeps it from being made. Its regression is a
/// reason to look closer, since a machine that was slower for a night looks the same; it fails the scenario where `fails` says
/// so. Then it also counts what cannot be decided; otherwise that is advice which would come every night.
pub fn compared(name: &str, compared: &ComparisonReport, fails: bool) -> CiCheck {
    let comparison = &compared.comparison;
    let (outcome, decides) = match comparison.verdict {
        // As good as no baseline, and no fault of the run.
        _ if !compared.has_base() => (Verdict::Inconclusive, fails),
        Verdict::Inconclusive => (Verdict::Inconclusive, fails),
        // It stays like this every night until the user saves another baseline.
        verdict if fails => (verdict.as_check(), true),
        verdict => (verdict.as_hint().as_check(), true),
    };
    let refused = comparison.verdict == Verdict::NotComparable;
    let differences = comparison.differences.iter().filter(|one| !refused || one.weight() == Weight::Refuses);
    let mut check = of_headline(BASELINE, name, outcome, &comparison_headline(compared));
    check.detail.extend(differences.map(|one| plain(&difference_in_words(one))));
    CiCheck { decides, ..check }
}

/// That there is no baseline yet: it counts where a regression would `fail`, since that would pass unseen. `run` is the run's folder
/// if one can be made of it.
pub fn no_baseline(name: &str, baseline: &str, run: Option<&Path>, fails: bool) -> CiCheck {
    let advice = run.map(|run| format!("; plimsoll baseline save {baseline} {} stores this run", run.display()));
    let sentence = format!("{name}: no baseline {baseline} yet{}", advice.unwrap_or_default());
    CiCheck { decides: fails, ..CiCheck::new(BASELINE, (None, None), Verdict::Inconclusive, sentence) }
}

/// What a gate says.
pub fn gated(name: &str, gated: &GateReport) -> CiCheck {
    let outcome = gated.verdict().as_check();
    of_headline(GATE, name, outcome, &gate_headline(gated))
}

/// That the gate came to no result.
pub fn no_gate(name: &str, why: &str) -> CiCheck {
    CiCheck::new(GATE, (None, None), Verdict::Invalid, format!("{name}: the gate failed: {}", one_line(why)))
}

/// That the user ended everything before the gate came to its end, or before it was begun. `so_far` is what it says of the
/// blocks that were made, where there are any.
pub fn gate_interrupted(name: &str, so_far: Option<&CiCheck>) -> CiCheck {
    let sentence = format!("{name}: the gate was interrupted");
    let detail = so_far.map(|check| check.sentence.clone()).into_iter().collect();
    CiCheck { detail, ..CiCheck::new(GATE, (None, None), Verdict::Interrupted, sentence) }
}

/// A check with the sentence of a headline.
fn of_headline(check_name: &str, name: &str, outcome: Verdict, headline: &Headline) -> CiCheck {
    let sentence = format!("{name}: {}", one_line(&plain(&headline.sentence)));
    let detail = headline.remarks.iter().map(|remark| plain(remark)).collect();
    CiCheck { detail, ..CiCheck::new(check_name, (None, None), outcome, sentence) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::baseline::CompareOptions,
        results::{
            Abstract, Advisory, GateStage, Verdict,
            sample::{
                abstracted, abstracts,
                gate::{Worsening, gate},
            },
        },
    };

    /// Checks and measures of a run compared with a baseline.
    fn check_of(base: &[Abstract], run: &Abstract, fails: bool) -> CiCheck {
        let report = ComparisonReport::new("nightly".to_owned(), base.to_vec(), run.clone(), CompareOptions::default());
        compared("mixed", &report, fails)
    }

    fn counts_as(check: &CiCheck) -> (Verdict, bool) {
        (check.outcome, check.decides)
    }

    #[test]
    fn what_keeps_runs_from_being_compared_is_named_and_counts_where_regressions_do() {
        let mut run = abstracted(20, 1.0);
        run.target.version = "8.0.1".into();
        run.environment.cores = 64;
        let check = check_of(&abstracts(10), &run, false);
        assert_eq!(counts_as(&check), (Verdict::Inconclusive, true));
        assert!(check.detail.iter().any(|line| line.contains("version of the server") && line.contains("8.0.1")));
        assert!(!check.detail.iter().any(|line| line.contains("64")), "cores refuse nothing: {:?}", check.detail);
        assert_eq!(counts_as(&check_of(&abstracts(10), &run, true)), (Verdict::Invalid, true));
    }

    #[test]
    fn a_comparison_that_cannot_tell_is_advice_unless_regressions_count() {
        // Another machine, as far as its reference says.
        let mut run = abstracted(20, 1.0);
        let calibration = run.calibration.as_mut().unwrap();
        (calibration.before.median_ns, calibration.after.median_ns) = (90_000, 90_000);
        let mut untrusted = abstracts(2);
        for one in &mut untrusted {
            one.verdict = Verdict::Invalid;
        }
        for (base, run) in [(abstracts(10), run), (untrusted.clone(), abstracted(20, 1.0))] {
            assert_eq!(counts_as(&check_of(&base, &run, false)), (Verdict::Inconclusive, false));
            assert_eq!(counts_as(&check_of(&base, &run, true)), (Verdict::Inconclusive, true));
        }
        let invalid = Abstract { verdict: Verdict::Invalid, ..abstracted(20, 1.0) };
        assert_eq!(counts_as(&check_of(&abstracts(10), &invalid, false)), (Verdict::Invalid, true));
    }

    #[test]
    fn how_much_a_comparison_can_see_is_reported_along_with_it() {
        let check = check_of(&abstracts(1), &abstracted(20, 1.0), false);
        assert_eq!(counts_as(&check), (Verdict::Pass, true));
        assert!(
            check.detail.iter().any(|line| line.contains("only large changes are detectable")),
            "{:?}",
            check.detail
        );
    }

    #[test]
    fn a_confirmed_regression_fails_and_a_hint_warns() {
        let check = |worsening: Worsening, stages: &[GateStage], advisory: bool| {
            let mut gate = gate(worsening, 0.02, stages);
            gate.plan.advisory = advisory.then(|| Advisory::External("redis://cache:6379".to_owned()));
            gated("mixed", &GateReport::new(gate).unwrap())
        };
        let both = [GateStage::Screen, GateStage::Confirm];
        let found = check(Worsening::Uniform(0.15), &both, false);
        assert_eq!((found.outcome, found.decides), (Verdict::Fail, true));
        assert!(found.sentence.starts_with("mixed: Regression: all requests ") && found.sentence.contains("confirmed"));
        assert_eq!(check(Worsening::Uniform(0.15), &both, true).outcome, Verdict::Inconclusive);
        assert_eq!(check(Worsening::Uniform(0.15), &both[..1], false).outcome, Verdict::Inconclusive);
        assert_eq!(check(Worsening::None, &both[..1], false).outcome, Verdict::Pass);
        assert_eq!(check(Worsening::None, &[], false).outcome, Verdict::Invalid);
    }

    #[test]
    fn what_is_not_there_is_reported() {
        assert!(
            !no_baseline("mixed", "nightly", None, false).decides
                && no_baseline("mixed", "nightly", None, true).decides
        );
        let unmade = no_gate("mixed", "no\nserver");
        assert_eq!(unmade.outcome, Verdict::Invalid);
        let ended = gate_interrupted("mixed", Some(&unmade));
        assert_eq!((ended.outcome, ended.detail), (Verdict::Interrupted, vec![unmade.sentence]));
    }
}
