//! Tests of comparisons with known differences.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rand_distr::StandardNormal;

use super::{CompareOptions, Comparison, Method, Quantity, compare};
use crate::{
    analysis::Interval,
    results::{
        Abstract, Verdict,
        sample::{abstracted, abstracts},
    },
};

fn compared(base: &[Abstract], run: &Abstract) -> Comparison {
    compare(base, run, CompareOptions::default())
}

fn verdict(base: &[Abstract], factor: f64) -> Verdict {
    compared(base, &abstracted(20, factor)).verdict
}

#[test]
fn few_runs_show_gross_changes_of_the_whole_only() {
    for count in [1, 6] {
        let base = abstracts(count);
        let found = compared(&base, &abstracted(20, 1.1));
        assert_eq!((found.verdict, found.method), (Verdict::Pass, Method::Threshold { runs: count }));
        assert_eq!(verdict(&base, 1.5), Verdict::Fail);
        assert_eq!(verdict(&base, 0.6), Verdict::Improved);
        let (whole, rows) = found.rows.split_last().unwrap();
        assert!(whole.quantities.iter().all(|change| change.verdict.is_some() && change.p().is_none()));
        assert!(rows.iter().flat_map(|row| &row.quantities).all(|change| change.verdict.is_none()));
    }
}

#[test]
fn a_run_that_does_not_count_keeps_nothing_from_being_compared() {
    let (mut base, run) = (abstracts(10), abstracted(20, 1.0));
    base[3].target.version = "6.2.0".into();
    assert_eq!(compared(&base, &run).verdict, Verdict::NotComparable);
    base[3].verdict = Verdict::Invalid;
    assert_eq!(compared(&base, &run).verdict, Verdict::Pass);
    (base[3].verdict, base[3].interrupted) = (Verdict::Pass, true);
    assert_eq!(compared(&base, &run).verdict, Verdict::Pass);
}

#[test]
fn the_tail_of_a_pair_must_double_and_stand_apart() {
    let base = abstracts(1);
    let tail = |factor: f64, reach: u64| {
        let mut run = abstracted(20, 1.0);
        let whole = run.rows.last_mut().unwrap();
        let known = whole.percentiles.iter_mut().find(|known| known.percentile > 98.0).unwrap();
        known.nanos = (known.nanos as f64 * factor) as u64;
        (known.low, known.high) = (known.nanos - reach, known.nanos + reach);
        compared(&base, &run).verdict
    };
    assert_eq!([tail(1.9, 0), tail(2.2, 0), tail(2.2, 1_200_000)], [Verdict::Pass, Verdict::Fail, Verdict::Pass]);
}

#[test]
fn seven_runs_know_how_far_apart_they_lie() {
    let base = abstracts(10);
    let found = compared(&base, &abstracted(20, 1.25));
    assert_eq!((found.verdict, found.method), (Verdict::Fail, Method::Tolerance { runs: 10 }));
    let whole = found.rows.last().unwrap().of(Quantity::P50).unwrap();
    assert!(whole.p().unwrap() < 0.001);
    let ratio = whole.effect.unwrap().ratio;
    let (low, high) = ratio.ends().unwrap();
    assert!(low < ratio.point && ratio.point < high && low > 1.1);
    assert_eq!(verdict(&base, 1.0), Verdict::Pass);
    assert_eq!(verdict(&base, 0.75), Verdict::Improved);
    // 3 % of spread: a level of 1 % in 6 takes (3.94 + 1.83) * 1.05 of it.
    let effect = whole.smallest_detectable().unwrap();
    assert!((effect / whole.spread.unwrap() - 6.6).abs() < 0.6, "{effect} {:?}", whole.spread);
}

#[test]
fn what_cannot_be_excluded_is_inconclusive() {
    // Runs that lie twenty percent apart hide a change of twenty percent.
    let factors = [0.7, 1.2, 0.9, 1.4, 0.8, 1.1, 1.3, 0.75];
    let base: Vec<_> = (0..).zip(factors).map(|(day, factor)| abstracted(day, factor)).collect();
    assert_eq!(verdict(&base, 1.1), Verdict::Inconclusive);
}

#[test]
fn a_change_of_microseconds_does_not_matter() {
    let mut base = abstracts(10);
    let mut run = abstracted(20, 1.0);
    for (day, one) in base.iter_mut().chain([&mut run]).enumerate() {
        for known in one.rows.iter_mut().flat_map(|row| &mut row.percentiles) {
            known.nanos = if day == 10 { 71_000 } else { 60_000 + day as u64 };
            (known.low, known.high) = (known.nanos - 10, known.nanos + 10);
        }
    }
    let found = compared(&base, &run);
    assert!(found.rows.last().unwrap().of(Quantity::P50).unwrap().p().unwrap() < 1e-9);
    assert_eq!(found.verdict, Verdict::Pass, "11 us are 18 % and yet nothing");
}

#[test]
fn one_operation_that_regresses_is_found_among_all() {
    let base = abstracts(10);
    let mut run = abstracted(20, 1.0);
    for known in &mut run.rows[1].percentiles {
        known.nanos = known.nanos * 3 / 2;
    }
    let found = compared(&base, &run);
    let verdicts: Vec<_> = found.rows.iter().map(|row| row.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail, Verdict::Pass, Verdict::Pass].map(Some));
    assert_eq!(found.verdict, Verdict::Fail);
}

#[test]
fn a_run_too_short_for_a_median_tells_nothing() {
    let mut run = abstracted(20, 1.0);
    run.rows.iter_mut().for_each(|row| row.percentiles.clear());
    assert_eq!(compared(&abstracts(3), &run).verdict, Verdict::Inconclusive);
    assert_eq!(compared(&abstracts(9), &run).verdict, Verdict::Inconclusive);
}

#[test]
fn throughput_that_falls_is_worse() {
    let mut run = abstracted(20, 1.0);
    run.rows.last_mut().unwrap().rate = 700.0;
    for count in [2, 10] {
        let found = compared(&abstracts(count), &run);
        assert_eq!(found.rows.last().unwrap().of(Quantity::Throughput).unwrap().verdict, Some(Verdict::Fail));
        assert_eq!(found.verdict, Verdict::Fail);
    }
}

#[test]
fn throughput_may_fall_by_the_threshold() {
    let verdict = |count: usize, rate: f64| {
        let mut run = abstracted(20, 1.0);
        run.rows.last_mut().unwrap().rate = rate;
        compared(&abstracts(count), &run).rows.last().unwrap().of(Quantity::Throughput).unwrap().verdict
    };
    // All of 20 % below 1 000/s, and half of it where the spread of the runs is known.
    assert_eq!([810.0, 790.0].map(|rate| verdict(2, rate)), [Some(Verdict::Pass), Some(Verdict::Fail)]);
    assert_eq!([910.0, 890.0].map(|rate| verdict(10, rate)), [Some(Verdict::Pass), Some(Verdict::Fail)]);
}

#[test]
fn another_machine_tells_nothing() {
    let mut run = abstracted(20, 1.5);
    let calibration = run.calibration.as_mut().unwrap();
    (calibration.before.median_ns, calibration.after.median_ns) = (60_000, 58_000);
    let found = compared(&abstracts(3), &run);
    assert!(found.machine.unwrap().moved && !found.machine.unwrap().unsteady);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    run.calibration = None;
    assert_eq!(compared(&abstracts(3), &run).verdict, Verdict::Fail, "nothing is known of the machine");
}

#[test]
fn calibration_is_used_where_it_lowers_the_spread() {
    let steady = compared(&abstracts(15), &abstracted(20, 1.0));
    assert!(steady.rows.iter().flat_map(|row| &row.quantities).all(|change| !change.calibrated));
    // Machines whose speed differs by some percent, and response times that go with it.
    let mut base = abstracts(15);
    for (day, one) in (0..).zip(&mut base) {
        let speed = 1.0 + 0.012 * f64::from((day * 7) % 10) - 0.05;
        *one = abstracted(day, speed * (1.0 + 0.002 * f64::from(day % 3)));
        let calibration = one.calibration.as_mut().unwrap();
        calibration.before.median_ns = (50_000.0 * speed) as u64;
        calibration.after.median_ns = calibration.before.median_ns;
    }
    let mut run = abstracted(20, 1.15 * 1.04);
    let calibration = run.calibration.as_mut().unwrap();
    (calibration.before.median_ns, calibration.after.median_ns) = (52_000, 52_000);
    let found = compared(&base, &run);
    let p50 = found.rows.last().unwrap().of(Quantity::P50).unwrap();
    assert!(p50.calibrated && p50.spread.unwrap() < 0.004, "{p50:?}");
    assert_eq!(p50.verdict, Some(Verdict::Fail));
    let Interval { point: ratio, low: Some(low), high: Some(high) } = p50.effect.unwrap().ratio else {
        panic!("{p50:?}")
    };
    assert!((ratio / 1.15 - 1.0).abs() < 0.005, "the machine was 4 % slower, which is no change: {ratio}");
    assert!(((low * high).sqrt() / ratio - 1.0).abs() < 1e-6, "the interval is that of the ratio");
    let few = compared(&base[..14], &run);
    assert!(few.rows.iter().flat_map(|row| &row.quantities).all(|change| !change.calibrated));
}

#[test]
fn runs_that_cannot_be_trusted_count_on_neither_side() {
    let mut base = abstracts(8);
    base[0].verdict = Verdict::Invalid;
    base[1].verdict = Verdict::Invalid;
    let found = compared(&base, &abstracted(20, 1.0));
    assert_eq!((found.method, found.left_out), (Method::Threshold { runs: 6 }, 2));
    let run = Abstract { verdict: Verdict::Invalid, ..abstracted(20, 2.0) };
    assert_eq!(compared(&abstracts(3), &run).verdict, Verdict::Invalid);
    base[0] = Abstract { interrupted: true, ..abstracted(0, 1.0) };
    assert_eq!(compared(&base, &abstracted(20, 1.0)).left_out, 2, "ended early");
    for one in &mut base {
        one.verdict = Verdict::Invalid;
        one.target.version = "6.2.0".into();
    }
    let found = compared(&base, &abstracted(20, 1.0));
    assert_eq!((found.verdict, found.left_out), (Verdict::NotComparable, 8), "there is nothing to compare with");
    assert_eq!((found.rows, found.missing, found.differences), (Vec::new(), Vec::new(), Vec::new()));
}

#[test]
fn an_operation_that_is_answered_no_more_is_a_regression() {
    let mut run = abstracted(20, 1.0);
    let row = &mut run.rows[1];
    (row.completed, row.failed, row.rate) = (0, 12_000, 0.0);
    row.percentiles.clear();
    for count in [1, 10] {
        let found = compared(&abstracts(count), &run);
        let change = found.rows[1].of(Quantity::Throughput).unwrap();
        assert_eq!((change.verdict, change.run), (Some(Verdict::Fail), Some(0.0)));
        assert_eq!((found.rows[1].verdict, found.verdict), (Some(Verdict::Fail), Verdict::Fail));
    }
    // Of one request in a run, none is no news.
    let mut base = abstracts(10);
    for one in &mut base {
        one.rows[1].rate = 1.0 / 12.0;
    }
    let found = compared(&base, &run);
    assert_eq!((found.rows[1].of(Quantity::Throughput).unwrap().verdict, found.verdict), (None, Verdict::Pass));
}

#[test]
fn what_is_certain_and_tiny_is_no_regression() {
    let (mut base, mut run) = (abstracts(10), abstracted(20, 1.0));
    for (day, one) in (0..).zip(base.iter_mut().chain([&mut run])) {
        one.rows.iter_mut().for_each(|row| row.rate = 1_000.0 + f64::from(day % 3));
    }
    run.rows.last_mut().unwrap().rate = 960.0;
    let asked = |threshold| compare(&base, &run, CompareOptions { threshold, ..CompareOptions::default() });
    let found = asked(0.2);
    assert!(found.rows.last().unwrap().of(Quantity::Throughput).unwrap().p().unwrap() < 1e-6);
    assert_eq!(found.verdict, Verdict::Pass, "4 % less, of which 20 % would matter");
    assert_eq!(asked(0.05).verdict, Verdict::Fail);
}

/// Neighbouring nights of one build: the logarithm of p50 differs by 7 %, that of p99 by 100 %.
#[test]
fn a_night_like_all_others_is_ok_most_of_the_time() {
    let mut random = StdRng::seed_from_u64(11);
    let template = abstracted(0, 1.0);
    let mut draw = || {
        let mut one = template.clone();
        for known in one.rows.iter_mut().flat_map(|row| &mut row.percentiles) {
            let spread = if known.percentile > 98.0 { 1.0 } else { 0.07 } / f64::sqrt(2.0);
            known.nanos = (known.nanos as f64 * (spread * random.sample::<f64, _>(StandardNormal)).exp()) as u64;
        }
        one
    };
    let trials = 300;
    let found: Vec<Verdict> = (0..trials)
        .map(|_| {
            let runs: Vec<_> = (0..11).map(|_| draw()).collect();
            compared(&runs[..10], &runs[10]).verdict
        })
        .collect();
    let share = |of| found.iter().filter(|verdict| **verdict == of).count() as f64 / f64::from(trials);
    // Nearly none, where p99 had to be known as well.
    assert!(share(Verdict::Pass) > 0.6, "{}", share(Verdict::Pass));
    assert!(share(Verdict::Fail) < 0.03, "{}", share(Verdict::Fail));
}

#[test]
fn another_thing_is_not_compared_unless_reported_to() {
    let mut run = abstracted(20, 2.0);
    run.target.version = "8.0.0".into();
    let found = compared(&abstracts(3), &run);
    assert_eq!((found.verdict, found.rows.len(), found.differences.len()), (Verdict::NotComparable, 0, 1));
    let comparison =
        compare(&abstracts(3), &run, CompareOptions { allow_differences: true, ..CompareOptions::default() });
    assert_eq!((comparison.verdict, comparison.differences.len()), (Verdict::Fail, 1));
}

#[test]
fn rows_of_one_side_are_named() {
    let mut run = abstracted(20, 1.0);
    run.rows[0].operation = Some("HGET".into());
    let found = compared(&abstracts(2), &run);
    let row = |name: &str, in_run| (Some("api".to_owned()), Some(name.to_owned()), in_run);
    assert_eq!(found.missing, [row("HGET", true), row("GET", false)]);
    assert_eq!(found.rows.len(), 3);
}

/// Twenty rows of the same thing, on a machine whose reference goes half with them, so that dividing by it changes the spread by
/// chance alone: how often any of them is called a regression.
#[test]
fn false_alarms_of_all_rows_together_are_rare() {
    let mut random = StdRng::seed_from_u64(7);
    let template = abstracted(0, 1.0);
    let mut draw = |day: usize| {
        let mut one = Abstract { started: format!("{day}"), ..template.clone() };
        let whole = one.rows.pop().unwrap();
        one.rows = (0..19)
            .map(|number| {
                let mut row = whole.clone();
                (row.service, row.operation) = (Some("api".into()), Some(format!("{number}")));
                row
            })
            .chain([whole.clone()])
            .collect();
        let (shared, own): (f64, f64) = (random.sample(StandardNormal), random.sample(StandardNormal));
        let calibration = one.calibration.as_mut().unwrap();
        calibration.before.median_ns = (50_000.0 * (0.025 * (0.5 * shared + 0.75_f64.sqrt() * own)).exp()) as u64;
        calibration.after.median_ns = calibration.before.median_ns;
        for row in &mut one.rows {
            row.rate *= (0.01 * random.sample::<f64, _>(StandardNormal)).exp();
            for known in &mut row.percentiles {
                let deviation = if known.percentile > 98.0 {
                    0.3 * random.sample::<f64, _>(StandardNormal)
                } else {
                    // The machine has a share in every median.
                    0.025 * shared + 0.025 * random.sample::<f64, _>(StandardNormal)
                };
                known.nanos = (known.nanos as f64 * deviation.exp()) as u64;
            }
        }
        one
    };
    // So small that the spread alone decides.
    let options = CompareOptions { threshold: 0.001, ..CompareOptions::default() };
    let trials = 600;
    for count in [10, 15] {
        let mut calibrated = 0;
        let alarms = (0..trials)
            .filter(|_| {
                let runs: Vec<_> = (0..=count).map(&mut draw).collect();
                let found = compare(&runs[..count], &runs[count], options);
                calibrated += usize::from(found.rows.iter().any(|row| row.quantities[0].calibrated));
                found.verdict == Verdict::Fail
            })
            .count();
        // Six are expected; fourteen are more than three standard deviations away.
        assert!(alarms <= 14, "{alarms} of {trials} with {count}");
        assert_eq!(calibrated > trials / 10, count == 15, "{calibrated} of {trials} with {count}");
    }
}
