//! The judgement: the objective held against a row, and a verdict on the whole run.

use super::{Check, CheckKind, Level, Outcome, Proportion, Reason, Row, Verdict, distribution::samples_to_decide};
use crate::{measure::Counts, scenario::Objective};

/// Share of failed requests among all that were due.
pub(super) fn error_rate(counts: &Counts, bad: &Proportion) -> f64 {
    if bad.of == 0 { 0.0 } else { counts.failed() as f64 / bad.of as f64 }
}

/// Holds the objective against one row, as if there were no doubt about the measurement.
///
/// It is met when at most the allowed share of requests was late, failed or unfinished: for certain where the upper
/// bound of that share is, and the sample is large enough for the judged percentile to decide; missed where the lower
/// bound is above, or where more requests failed than the objective grants.
pub(super) fn hold(bad: &Proportion, errors: f64, burstiness: f64, objective: &Objective) -> Verdict {
    if bad.of == 0 {
        return Verdict { outcome: Outcome::Inconclusive, reasons: vec![Reason::Empty] };
    }
    let allowed = (100.0 - objective.percentile) / 100.0;
    let share = Reason::Objective { service: None, bad: *bad, allowed };
    let failures = Reason::Errors { service: None, rate: errors, allowed: objective.max_error_rate };
    let needed = samples_to_decide(objective.percentile, burstiness);
    let few = (bad.of < needed).then_some(Reason::TooFewSamples { needed, have: bad.of });
    let (outcome, reasons) = match (errors > objective.max_error_rate, bad.low > allowed, bad.high <= allowed) {
        (true, true, _) => (Outcome::Fail, vec![failures, share]),
        (true, false, _) => (Outcome::Fail, vec![failures]),
        (false, true, _) => (Outcome::Fail, vec![share]),
        (false, false, true) => match few {
            Some(few) => (Outcome::Inconclusive, vec![few, share]),
            None => (Outcome::Pass, vec![share]),
        },
        (false, false, false) => (Outcome::Inconclusive, [Some(share), few].into_iter().flatten().collect()),
    };
    Verdict { outcome, reasons }
}

/// Holds the objective against the run: its last row, the whole, and every service, for none may hide behind a larger
/// one that is fast. A service that misses it for certain makes the run miss it; that one has too few requests to tell
/// is no reason to doubt the whole.
pub(super) fn hold_all(rows: &[Row], mut held: Vec<Verdict>) -> Verdict {
    let Some(mut whole) = held.pop() else {
        return Verdict { outcome: Outcome::Inconclusive, reasons: vec![Reason::Empty] };
    };
    if matches!(whole.outcome, Outcome::Fail) {
        return whole;
    }
    let missed: Vec<Reason> = rows
        .iter()
        .zip(held)
        .filter(|(row, held)| row.scope.operation.is_none() && held.outcome == Outcome::Fail)
        .flat_map(|(row, held)| held.reasons.into_iter().map(|reason| of_service(reason, row.scope.service.as_ref())))
        .collect();
    if missed.is_empty() {
        return whole;
    }
    whole.reasons.splice(0..0, missed);
    Verdict { outcome: Outcome::Fail, ..whole }
}

fn of_service(reason: Reason, name: Option<&String>) -> Reason {
    let name = name.cloned();
    match reason {
        Reason::Objective { bad, allowed, .. } => Reason::Objective { service: name, bad, allowed },
        Reason::Errors { rate, allowed, .. } => Reason::Errors { service: name, rate, allowed },
        other => other,
    }
}

/// Judges the run by how the objective held and by the checks.
///
/// A refused measurement is invalid and never a miss: a starved harness must not blame the server. One refusal is of
/// another kind: a growing backlog says that the offered load is above what the server and its pools can carry. Then the
/// run is missed where its requests prove it, and otherwise too short to tell, but never met.
pub(super) fn judge(held: Verdict, checks: &[Check]) -> Verdict {
    let overloaded = refused(checks)
        .filter(|check| check.kind == CheckKind::Backlog)
        .max_by(|a, b| a.value.total_cmp(&b.value))
        .map(|check| Reason::Overloaded { growth: check.value });
    let mut kinds: Vec<CheckKind> =
        refused(checks).map(|check| check.kind).filter(|kind| *kind != CheckKind::Backlog).collect();
    kinds.dedup();
    let distrusted: Vec<Reason> = kinds.into_iter().map(Reason::Check).collect();
    let empty = held.reasons == [Reason::Empty];
    if empty || !distrusted.is_empty() {
        let empty = empty.then_some(Reason::Empty);
        let reasons = empty.into_iter().chain(distrusted).chain(overloaded).collect();
        return Verdict { outcome: Outcome::Invalid, reasons };
    }
    let mut reasons: Vec<Reason> = overloaded.into_iter().collect();
    let outcome = if reasons.is_empty() { held.outcome } else { never_met(held.outcome) };
    reasons.extend(held.reasons);
    Verdict { outcome, reasons }
}

/// Brings the rows in line with what the checks say.
pub(super) fn temper(rows: &mut [Row], verdict: &Verdict, checks: &[Check]) {
    let overloaded = |row: &Row| {
        refused(checks)
            .filter(|check| check.kind == CheckKind::Backlog)
            .any(|check| row.scope.service.is_none() || check.subject == row.scope.service)
    };
    for row in rows {
        if verdict.outcome == Outcome::Invalid {
            row.outcome = Outcome::Invalid;
        } else if overloaded(row) {
            row.outcome = never_met(row.outcome);
        }
    }
}

fn refused(checks: &[Check]) -> impl Iterator<Item = &Check> {
    checks.iter().filter(|check| check.level == Level::Refuse)
}

fn never_met(outcome: Outcome) -> Outcome {
    if outcome == Outcome::Pass { Outcome::Inconclusive } else { outcome }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{analysis::analyse, results::sample};

    const OBJECTIVE: Objective =
        Objective { latency: Duration::from_millis(100), percentile: 99.0, max_error_rate: 0.001 };

    fn held(bad: u64, of: u64, errors: f64) -> Verdict {
        hold(&Proportion::estimate(bad, of, 1.0), errors, 1.0, &OBJECTIVE)
    }

    fn check(kind: CheckKind, level: Level) -> Check {
        Check { kind, subject: Some("api".into()), value: 0.3, warn: 0.1, refuse: Some(0.2), level }
    }

    #[test]
    fn the_bounds_of_the_share_decide() {
        let cases = [
            (0, 100_000, 0.0, Outcome::Pass),
            (900, 100_000, 0.0, Outcome::Pass),
            (990, 100_000, 0.0, Outcome::Inconclusive),
            (1_010, 100_000, 0.0, Outcome::Inconclusive),
            (1_100, 100_000, 0.0, Outcome::Fail),
            (10, 100, 0.0, Outcome::Fail),
            (0, 9_999, 0.0, Outcome::Inconclusive),
            (0, 10_000, 0.0, Outcome::Pass),
            (0, 0, 0.0, Outcome::Inconclusive),
            (150, 100_000, 0.0015, Outcome::Fail),
            (100, 100_000, 0.001, Outcome::Pass),
        ];
        for (bad, of, errors, expected) in cases {
            assert_eq!(held(bad, of, errors).outcome, expected, "{bad} of {of}, errors {errors}");
        }
    }

    #[test]
    fn the_most_important_reason_comes_first() {
        assert!(matches!(held(0, 500, 0.0).reasons[0], Reason::TooFewSamples { needed: 10_000, have: 500 }));
        assert!(matches!(held(150, 100_000, 0.0015).reasons[..], [Reason::Errors { .. }]));
        assert!(matches!(held(5_000, 100_000, 0.05).reasons[..], [Reason::Errors { .. }, Reason::Objective { .. }]));
        assert!(matches!(held(990, 100_000, 0.0).reasons[..], [Reason::Objective { .. }]));
    }

    #[test]
    fn bursts_take_more_samples() {
        let calm = Proportion::estimate(0, 20_000, 1.0);
        assert_eq!(hold(&calm, 0.0, 1.0, &OBJECTIVE).outcome, Outcome::Pass);
        assert_eq!(hold(&calm, 0.0, 3.0, &OBJECTIVE).outcome, Outcome::Inconclusive);
    }

    #[test]
    fn no_service_hides_behind_a_larger_one() {
        let analysis = analyse(&sample::run(), &sample::scenario());
        let mut held: Vec<Verdict> = analysis.rows.iter().map(|_| held(0, 100_000, 0.0)).collect();
        assert_eq!(hold_all(&analysis.rows, held.clone()).outcome, Outcome::Pass);

        let operation = analysis.rows.iter().position(|row| row.scope.operation.is_some()).unwrap();
        held[operation] = self::held(50, 100, 0.0);
        assert_eq!(hold_all(&analysis.rows, held.clone()).outcome, Outcome::Pass, "an operation is not held to it");

        let service = analysis.rows.len() - 2;
        held[service] = self::held(1, 100, 0.0);
        assert_eq!(hold_all(&analysis.rows, held.clone()).outcome, Outcome::Pass, "nobody knows of a small one");
        held[service] = self::held(50, 100, 0.0);
        let verdict = hold_all(&analysis.rows, held);
        assert_eq!(verdict.outcome, Outcome::Fail);
        let Reason::Objective { service, .. } = &verdict.reasons[0] else { panic!("{verdict:?}") };
        assert_eq!(service.as_deref(), Some("ml"));
    }

    #[test]
    fn checks_overrule_the_objective() {
        use CheckKind::{Backlog, Drift, ScheduleLag};
        use Level::{Refuse, Warn};
        let (met, missed, unsure) = (held(0, 100_000, 0.0), held(5_000, 100_000, 0.0), held(990, 100_000, 0.0));
        let cases = [
            (&met, vec![], Outcome::Pass),
            (&met, vec![(ScheduleLag, Warn), (Drift, Warn), (Backlog, Warn)], Outcome::Pass),
            (&met, vec![(ScheduleLag, Refuse)], Outcome::Invalid),
            (&missed, vec![(ScheduleLag, Refuse)], Outcome::Invalid),
            (&missed, vec![], Outcome::Fail),
            (&missed, vec![(Backlog, Refuse)], Outcome::Fail),
            (&met, vec![(Backlog, Refuse)], Outcome::Inconclusive),
            (&unsure, vec![(Backlog, Refuse)], Outcome::Inconclusive),
            (&missed, vec![(Backlog, Refuse), (ScheduleLag, Refuse)], Outcome::Invalid),
            (&held(0, 0, 0.0), vec![], Outcome::Invalid),
        ];
        for (verdict, checks, expected) in cases {
            let checks: Vec<Check> = checks.into_iter().map(|(kind, level)| check(kind, level)).collect();
            assert_eq!(judge(verdict.clone(), &checks).outcome, expected, "{checks:?}");
        }
    }

    #[test]
    fn an_overload_is_named_first() {
        let missed = judge(held(5_000, 100_000, 0.0), &[check(CheckKind::Backlog, Level::Refuse)]);
        assert_eq!(missed.reasons[0], Reason::Overloaded { growth: 0.3 });
        let refused = [check(CheckKind::Backlog, Level::Refuse), check(CheckKind::Steal, Level::Refuse)];
        let invalid = judge(held(5_000, 100_000, 0.0), &refused);
        assert_eq!(invalid.reasons[0], Reason::Check(CheckKind::Steal));
    }
}
