//! Outcomes by what was observed, by flaws of the harness, and by time without answers.

use std::time::Duration;

use super::*;
use crate::{
    analysis::{Conclusion, analyse},
    measure::Span,
    results::{Verdict, sample},
};

const OBJECTIVE: Objective =
    Objective { latency: Duration::from_millis(100), percentile: 99.0, max_error_rate: 0.001, recovery: None };

const MINUTE: Nanos = 60 * SECOND;

fn requests(bad: u64, all: u64) -> Requests {
    Requests { all, bad, failed: 0, burstiness: 1.0 }
}

fn of(requests: Requests) -> Conclusion {
    compare_with_objective(requests, &OBJECTIVE, MINUTE)
}

fn judgement(requests: Requests, stands_alone: bool, worst_third_met: bool) -> RowJudgement {
    RowJudgement { conclusion: of(requests), stands_alone, worst_third_met, closed: false }
}

fn check(kind: CheckKind, level: Level) -> Check {
    Check { kind, subject: Some("api".into()), value: 0.3, warn: 0.1, refuse: Some(0.2), level, nanos: Some(8e6) }
}

#[test]
fn what_was_seen_decides_a_miss_and_its_upper_bound_a_success() {
    let cases = [
        // bad, all, burstiness, outcome
        (0, 100_000, 1.0, Verdict::Pass),
        (900, 100_000, 1.0, Verdict::Pass),
        (990, 100_000, 1.0, Verdict::Inconclusive),
        (1_010, 100_000, 1.0, Verdict::Inconclusive),
        (1_100, 100_000, 1.0, Verdict::Fail),
        (10, 100, 1.0, Verdict::Fail),
        // 0 of 500 has an upper bound of 0.73 %, and there is no burst of none.
        (0, 500, 1.0, Verdict::Pass),
        (0, 500, 40.0, Verdict::Pass),
        (0, 300, 1.0, Verdict::Inconclusive),
        // A stall of a second in eight: certain for this run, however bursty.
        (912, 8_000, 600.0, Verdict::Fail),
        // In order, but one more such burst would break it.
        (700, 100_000, 300.0, Verdict::Inconclusive),
        (0, 0, 1.0, Verdict::Inconclusive),
    ];
    for (bad, all, burstiness, expected) in cases {
        let seen = of(Requests { burstiness, ..requests(bad, all) });
        assert_eq!(seen.verdict, expected, "{bad} of {all}, burstiness {burstiness}: {seen:?}");
    }
}

#[test]
fn too_many_errors_miss_it_where_it_is_no_chance() {
    let failing = |failed, all| of(Requests { failed, bad: failed, ..requests(0, all) });
    assert_eq!(failing(150, 100_000).verdict, Verdict::Fail);
    assert_eq!(failing(100, 100_000).verdict, Verdict::Pass, "as many as are granted");
    let chance = failing(1, 700);
    assert_eq!(chance.verdict, Verdict::Inconclusive, "one of 700 is more than 0.1 %, and may be chance");
    assert!(matches!(chance.reasons[0], Reason::Undecided { why: Doubt::Errors, .. }), "{chance:?}");
}

#[test]
fn the_larger_reason_comes_first() {
    let mixed = |late, failed| of(Requests { bad: late + failed, failed, ..requests(0, 100_000) }).reasons;
    assert!(matches!(mixed(55_000, 200)[..], [Reason::Objective { .. }, Reason::Errors { .. }]));
    assert!(matches!(mixed(200, 55_000)[..], [Reason::Errors { .. }, Reason::Objective { .. }]));
    assert!(matches!(mixed(0, 55_000)[..], [Reason::Errors { .. }]), "not the same requests twice");
}

#[test]
fn the_run_that_would_decide_is_stated_up_to_a_day() {
    let run = |seen: Conclusion| match seen.reasons[..] {
        [Reason::Undecided { why, run_ns, .. }] => (why, run_ns),
        _ => panic!("{seen:?}"),
    };
    let (why, length) = run(of(requests(0, 300)));
    let length = length.unwrap();
    assert_eq!(why, Doubt::FewRequests);
    assert!(length > MINUTE * 368 / 300 && length < MINUTE * 400 / 300, "368 are enough: {length}");
    let (why, length) = run(of(Requests { burstiness: 300.0, ..requests(700, 100_000) }));
    assert!(why == Doubt::Bursts && length.is_some_and(|length| length > MINUTE && length < DAY), "{length:?}");
    assert_eq!(run(of(Requests { burstiness: 1e9, ..requests(700, 100_000) })), (Doubt::Bursts, None));
    assert_eq!(run(of(requests(1_010, 100_000))), (Doubt::Close, None));
}

#[test]
fn a_flaw_spoils_only_what_it_could_have_falsified() {
    use CheckKind::{
        Accounts, AchievedRate, Backlog, Drift, GeneratorLag, LittlesLaw, Misses, Panics, Pauses, ScheduleLag, Start,
        Steal, Throttling, WorkerCpu,
    };
    use Verdict::{Fail, Inconclusive, Invalid, Pass};
    let met = judgement(requests(0, 100_000), false, true);
    let uneven = judgement(requests(0, 100_000), false, false);
    let missed = judgement(requests(5_000, 100_000), true, false);
    let doubtful = judgement(requests(5_000, 100_000), false, false);
    let unsure = judgement(requests(990, 100_000), false, false);
    let mut cases = vec![(&met, vec![], Pass), (&missed, vec![], Fail), (&unsure, vec![], Inconclusive)];
    for kind in [ScheduleLag, WorkerCpu, Steal, Throttling, Pauses] {
        cases.push((&met, vec![kind], Pass));
        cases.push((&missed, vec![kind], Fail));
        cases.push((&doubtful, vec![kind], Invalid));
        cases.push((&unsure, vec![kind], Inconclusive));
    }
    for kind in [AchievedRate, Misses] {
        cases.push((&met, vec![kind], Invalid));
        cases.push((&missed, vec![kind], Fail));
        cases.push((&doubtful, vec![kind], Fail));
    }
    for kind in [Accounts, Panics, LittlesLaw, Start, GeneratorLag] {
        cases.extend([&met, &missed, &unsure].map(|judgement| (judgement, vec![kind], Invalid)));
    }
    cases.extend([
        (&met, vec![Drift], Pass),
        (&uneven, vec![Drift], Inconclusive),
        (&missed, vec![Drift], Fail),
        (&met, vec![Backlog], Inconclusive),
        (&missed, vec![Backlog], Fail),
        (&doubtful, vec![Backlog, ScheduleLag], Invalid),
        (&missed, vec![Backlog, ScheduleLag], Fail),
    ]);
    for (judgement, kinds, expected) in cases {
        let checks: Vec<Check> = kinds.iter().map(|kind| check(*kind, Level::Refuse)).collect();
        let verdict = judge(judgement, checks.iter());
        assert_eq!(verdict.verdict, expected, "{kinds:?} {:?}", judgement.conclusion.verdict);
        let late = kinds.iter().any(|kind| bend(*kind) == Some(Bend::Worse));
        assert_eq!(verdict.harness_late.is_some(), late && expected != Invalid, "{kinds:?}");
        let warned: Vec<Check> = kinds.iter().map(|kind| check(*kind, Level::Warn)).collect();
        assert_eq!(judge(judgement, warned.iter()), judgement.conclusion, "a warning changes nothing");
    }
    let late = [ScheduleLag, GeneratorLag, Pauses].map(|kind| check(kind, Level::Refuse));
    let reasons = judge(&doubtful, late.iter()).reasons;
    assert_eq!(reasons[..3], [Pauses, ScheduleLag, GeneratorLag].map(Reason::Check), "lag follows from a pause");
    let saturated = RowJudgement { closed: true, ..doubtful };
    assert_eq!(judge(&saturated, [check(CheckKind::WorkerCpu, Level::Refuse)].iter()).verdict, Fail, "a closed loop");
    assert_eq!(judge(&saturated, [check(CheckKind::Pauses, Level::Refuse)].iter()).verdict, Invalid);
    let nothing = judgement(requests(0, 0), false, true);
    assert_eq!(judge(&nothing, [].iter()).verdict, Invalid, "nothing was measured");
}

#[test]
fn an_overload_and_a_trend_are_named_first() {
    let missed = judgement(requests(5_000, 100_000), true, false);
    let overloaded = judge(&missed, [check(CheckKind::Backlog, Level::Refuse)].iter());
    assert_eq!(overloaded.reasons[0], Reason::Overloaded { service: "api".into(), growth: 0.3 });
    let uneven = judgement(requests(0, 100_000), false, false);
    let drifting = judge(&uneven, [check(CheckKind::Drift, Level::Refuse)].iter());
    assert_eq!(drifting.reasons[0], Reason::Drifting { service: "api".into(), per_minute: 8e6 });
}

/// The rows of the sample, and a verdict for each: met, but for what is set.
fn concluded(set: impl FnOnce(&mut [Row], &mut [Conclusion])) -> Conclusion {
    let mut rows = analyse(&sample::run(), &sample::scenario()).rows;
    let mut judged: Vec<Conclusion> = rows.iter().map(|_| of(requests(0, 100_000))).collect();
    set(&mut rows, &mut judged);
    conclude(&rows, &judged)
}

#[test]
fn no_service_hides_behind_a_larger_one() {
    let missed = || of(requests(50, 100));
    assert_eq!(concluded(|_, _| ()).verdict, Verdict::Pass);
    let operation = concluded(|rows, judged| {
        judged[rows.iter().position(|row| row.scope.operation.is_some()).unwrap()] = missed();
    });
    assert_eq!(operation.verdict, Verdict::Pass, "the objective is not one of operations");
    let small = concluded(|rows, judged| judged[rows.len() - 2] = of(requests(1, 100)));
    assert_eq!(small.verdict, Verdict::Pass, "too few requests of a service do not change the whole");
    let service = concluded(|rows, judged| judged[rows.len() - 2] = missed());
    assert_eq!(service.verdict, Verdict::Fail);
    let Reason::Objective { service, .. } = &service.reasons[0] else { panic!("{service:?}") };
    assert_eq!(service.as_deref(), Some("ml"));
    let spoiled = concluded(|rows, judged| {
        let doubtful = judgement(requests(5_000, 100_000), false, false);
        judged[rows.len() - 2] = judge(&doubtful, [check(CheckKind::ScheduleLag, Level::Refuse)].iter());
    });
    assert_eq!(spoiled.verdict, Verdict::Invalid, "a miss that may be the harness's own is not met either");
}

fn silence(late_share: f64, gone_since: Option<Nanos>) -> Silence {
    let span = Span { from_ns: 2 * SECOND, to_ns: 4 * SECOND };
    Silence { service: "ml".into(), spans: vec![span], stalls: Vec::new(), late_share, gone_since }
}

#[test]
fn time_without_answers_misses_where_requests_cannot_show_it() {
    let rows = analyse(&sample::run(), &sample::scenario()).rows;
    let row = &rows[rows.len() - 2];
    let with = |silence: &Silence, closed| {
        let mut judgement = judgement(requests(0, 100_000), false, true);
        judgement.add_silence(row, silence, closed, true, &OBJECTIVE);
        (judgement.conclusion.verdict, judgement.conclusion.reasons[0].clone(), judgement.stands_alone)
    };
    assert_eq!(with(&silence(0.009, None), true).0, Verdict::Pass);
    let (outcome, reason, stands) = with(&silence(0.5, None), true);
    assert!(outcome == Verdict::Fail && stands && matches!(reason, Reason::Silent { .. }), "{reason:?}");
    assert_eq!(with(&silence(0.5, None), false).0, Verdict::Pass, "an open loop has it in its due instants");
    for closed in [true, false] {
        let (outcome, reason, _) = with(&silence(0.001, Some(9 * SECOND)), closed);
        assert_eq!((outcome, reason), (Verdict::Fail, Reason::Gone { service: "ml".into(), since: 9 * SECOND }));
    }
}

#[test]
fn a_service_that_answered_nothing_is_never_met() {
    let with = |waited| {
        concluded(|rows, judged| {
            let place = rows.len() - 2;
            let row = &mut rows[place];
            (row.bad, row.counts) = (Proportion::estimate(0, 0, 1.0), crate::measure::Counts::default());
            let mut judgement = judgement(requests(0, 0), false, true);
            judgement.add_silence(row, &silence(0.0, None), true, waited, &OBJECTIVE);
            judged[place] = judge(&judgement, [].iter());
        })
    };
    let stuck = with(true);
    assert_eq!(stuck.verdict, Verdict::Fail);
    assert_eq!(stuck.reasons[0], Reason::NoAnswer { service: "ml".into() });
    let idle = with(false);
    assert_eq!(idle.verdict, Verdict::Inconclusive);
    assert_eq!(idle.reasons[0], Reason::NothingDue { service: "ml".into() });
}

#[test]
fn checks_concern_their_service() {
    let rows = analyse(&sample::run(), &sample::scenario()).rows;
    let concerned = |subject: &str| -> Vec<&str> {
        let check = Check { subject: Some(subject.into()), ..check(CheckKind::Misses, Level::Refuse) };
        let services = rows.iter().filter(|row| row.scope.operation.is_none() && concerns(&check, row));
        services.map(|row| row.scope.service.as_deref().unwrap_or("*")).collect()
    };
    assert_eq!(concerned("api GET"), ["api", "*"]);
    assert_eq!(concerned("chat"), ["chat", "*"]);
    assert_eq!(concerned("apiary"), ["*"]);
}
