//! Gates from their slices to their verdicts.

use super::{ChangeShape, GateAnalysis, GateMetric, GateRow, Invalidity, MetricResult, conclude, suspects};
use crate::{
    measure::Latencies,
    results::{
        Gate, GateStage, Side, Sides, SliceKind, Verdict,
        sample::{
            self,
            gate::{Worsening, gate},
        },
    },
};

const BOTH: [GateStage; 2] = [GateStage::Screen, GateStage::Confirm];
const FIRST: [GateStage; 1] = [GateStage::Screen];

fn concluded(gate: &Gate) -> GateAnalysis {
    conclude(gate, &sample::scenario())
}

fn whole(analysis: &GateAnalysis) -> &GateRow {
    analysis.rows.last().unwrap()
}

fn metric(row: &GateRow, metric: GateMetric) -> &MetricResult {
    row.metrics.iter().find(|result| result.metric == metric).unwrap()
}

#[test]
fn equals_pass_and_every_row_is_there() {
    let same = gate(Worsening::None, 0.02, &FIRST);
    assert!(!suspects(&same, &sample::scenario()));
    let analysis = concluded(&same);
    assert_eq!(analysis.verdict, Verdict::Pass);
    let names: Vec<_> =
        analysis.rows.iter().map(|row| (row.scope.service.as_deref(), row.scope.operation.as_deref())).collect();
    assert_eq!(
        names,
        [
            (Some("api"), Some("GET")),
            (Some("api"), Some("SET")),
            (Some("api"), None),
            (Some("chat"), Some("LPUSH")),
            (Some("chat"), None),
            (None, None),
        ]
    );
    let whole = whole(&analysis);
    assert_eq!(whole.metrics.iter().map(|result| result.metric).collect::<Vec<_>>(), GateMetric::ALL);
    let median = metric(whole, GateMetric::Median);
    assert!((median.screen.effect.ratio.point - 1.0).abs() < 0.02, "{median:?}");
    assert!((median.screen.levels.a / 438_000.0 - 1.0).abs() < 0.03, "{median:?}");
    let (low, high) = median.screen.effect.ratio.ends().unwrap();
    assert!(low < 1.0 && high > 1.0 && median.screen.blocks.len() == 8);
    // A parts' p99 needs twenty requests beyond it in each block.
    assert!(analysis.rows[0].metrics.iter().all(|result| result.metric != GateMetric::P99));
    assert!(analysis.controls.iter().flatten().all(|control| (control.effect.ratio.point - 1.0).abs() < 0.03));
    assert_eq!((analysis.dropped.quads, analysis.dropped.all()), (24, 0));
    assert_eq!(analysis.course.len(), 64);
}

#[test]
fn what_is_slower_twice_is_a_regression_of_all_quantiles() {
    let slower = gate(Worsening::Uniform(0.15), 0.02, &BOTH);
    assert!(suspects(&slower, &sample::scenario()));
    let analysis = concluded(&slower);
    assert_eq!(analysis.verdict, Verdict::Fail);
    let whole = whole(&analysis);
    assert_eq!(whole.shape, Some(ChangeShape::Uniform));
    for of in [GateMetric::Median, GateMetric::Mean, GateMetric::Throughput] {
        let result = metric(whole, of);
        let change = result.deciding();
        let ratio = change.effect.ratio.point;
        let worse = if of.more_is_worse() { ratio } else { 1.0 / ratio };
        assert_eq!(result.verdict, Verdict::Fail, "{of:?}");
        assert!((worse / 1.15 - 1.0).abs() < 0.02 && change.effect.p < Some(0.01), "{of:?} {change:?}");
    }
    assert!(whole.quantiles.iter().all(|(_, change)| (change.effect.ratio.point / 1.15 - 1.0).abs() < 0.03));
    assert!(analysis.rows.iter().all(|row| row.verdict == Verdict::Fail), "parts are reported as well");
}

#[test]
fn a_suspicion_that_was_not_looked_into_is_no_regression() {
    let analysis = concluded(&gate(Worsening::Uniform(0.15), 0.02, &FIRST));
    assert_eq!(analysis.verdict, Verdict::Inconclusive);
    assert!(metric(whole(&analysis), GateMetric::Median).suspected);
}

#[test]
fn the_second_stage_alone_decides() {
    let mut gate_of = gate(Worsening::Uniform(0.15), 0.02, &FIRST);
    let second = gate(Worsening::None, 0.02, &[GateStage::Confirm]);
    gate_of.blocks.extend(second.blocks);
    let analysis = concluded(&gate_of);
    assert_eq!(analysis.verdict, Verdict::Pass);
    let median = metric(whole(&analysis), GateMetric::Median);
    assert!(median.suspected && (median.deciding().effect.ratio.point - 1.0).abs() < 0.02, "{median:?}");
}

#[test]
fn slow_requests_alone_are_a_regression_of_the_tail_only() {
    let analysis = concluded(&gate(Worsening::Tail(5e6), 0.02, &BOTH));
    assert_eq!(analysis.verdict, Verdict::Fail);
    let whole = whole(&analysis);
    assert_eq!(whole.shape, Some(ChangeShape::TailOnly));
    assert_eq!(metric(whole, GateMetric::P99).verdict, Verdict::Fail);
    assert_eq!(metric(whole, GateMetric::Median).verdict, Verdict::Pass);
}

#[test]
fn a_median_that_is_neither_spared_nor_lost_leaves_the_shape_open() {
    let mut mixed = gate(Worsening::Tail(5e6), 0.02, &BOTH);
    // In three of eight blocks everything takes longer, which is too few to be certain and too many to be nothing.
    for (block, slower) in mixed.blocks.iter_mut().zip(gate(Worsening::Uniform(0.12), 0.02, &BOTH).blocks) {
        if block.number >= 5 {
            *block = slower;
        }
    }
    let analysis = concluded(&mixed);
    assert_eq!(metric(whole(&analysis), GateMetric::P99).verdict, Verdict::Fail);
    assert_eq!(whole(&analysis).shape, Some(ChangeShape::Undetermined));
}

#[test]
fn what_is_faster_is_an_improvement() {
    let analysis = concluded(&gate(Worsening::Uniform(-0.15), 0.02, &FIRST));
    assert_eq!(analysis.verdict, Verdict::Improved);
    assert_eq!(metric(whole(&analysis), GateMetric::Throughput).verdict, Verdict::Improved);
}

#[test]
fn a_shorter_tail_alone_is_no_improvement_of_the_gate() {
    let mut shorter = gate(Worsening::Tail(5e6), 0.02, &FIRST);
    for slice in shorter.blocks.iter_mut().flat_map(|block| &mut block.slices) {
        slice.arm = slice.arm.other();
    }
    let analysis = concluded(&shorter);
    assert_eq!(metric(whole(&analysis), GateMetric::P99).verdict, Verdict::Improved);
    assert_eq!(analysis.verdict, Verdict::Pass);
}

#[test]
fn a_change_below_the_floor_does_not_matter() {
    let mut slower = gate(Worsening::Uniform(0.15), 0.02, &BOTH);
    slower.plan.floor_ns = 100_000;
    let analysis = concluded(&slower);
    let median = metric(whole(&analysis), GateMetric::Median);
    assert_eq!(median.verdict, Verdict::Pass);
    assert!((median.limit - 100_000.0 / median.screen.levels.a).abs() < 1e-9, "{median:?}");
    assert_eq!(analysis.verdict, Verdict::Fail, "throughput has no floor");
}

#[test]
fn noise_makes_it_inconclusive_and_says_how_many_blocks_would_tell() {
    let analysis = concluded(&gate(Worsening::None, 0.4, &FIRST));
    assert_eq!(analysis.verdict, Verdict::Inconclusive);
    let median = metric(whole(&analysis), GateMetric::Median);
    assert!(
        median.screen.effect.smallest_detectable > Some(0.1)
            && median.screen.blocks_needed.is_some_and(|blocks| blocks > 8)
    );
}

#[test]
fn a_starved_harness_makes_it_invalid_and_never_a_regression() {
    let mut late = gate(Worsening::Uniform(0.5), 0.02, &BOTH);
    for slice in late.blocks.iter_mut().flat_map(|block| &mut block.slices).filter(|slice| slice.quad == 0) {
        slice.lag_p50 = 3_000_000;
    }
    assert!(!suspects(&late, &sample::scenario()));
    let analysis = concluded(&late);
    assert_eq!(analysis.verdict, Verdict::Invalid);
    assert!(matches!(analysis.invalid, Some(Invalidity::Disturbed(of)) if of.all() == 8), "{:?}", analysis.invalid);
    assert_eq!((analysis.dropped.late, analysis.dropped.quads), (16, 48));
}

#[test]
fn a_quiet_stage_does_not_excuse_a_disturbed_one() {
    let mut late = gate(Worsening::Uniform(0.5), 0.02, &BOTH);
    let of_second = late.blocks.iter_mut().filter(|block| block.stage == GateStage::Confirm).take(7);
    for slice in of_second.flat_map(|block| &mut block.slices).filter(|slice| slice.quad == 0) {
        slice.lag_p50 = 3_000_000;
    }
    let analysis = concluded(&late);
    // 7 of 48 quads are few, and 7 of the 16 that show response times in that stage are not.
    let disturbed =
        Some(Invalidity::Disturbed(crate::analysis::gate::Dropped { quads: 16, stolen: 0, throttled: 0, late: 7 }));
    assert_eq!(analysis.invalid, disturbed);
}

#[test]
fn a_slower_harness_in_b_raises_no_floor() {
    let mut lagging = gate(Worsening::Uniform(0.15), 0.02, &BOTH);
    let slices = lagging.blocks.iter_mut().flat_map(|block| &mut block.slices);
    slices.filter(|slice| slice.arm == Side::B).for_each(|slice| slice.lag_p50 = 200_000);
    assert_eq!(metric(whole(&concluded(&lagging)), GateMetric::Median).verdict, Verdict::Fail);
}

#[test]
fn a_slow_harness_is_no_suspicion_and_no_acquittal() {
    let late = |worsening| {
        let mut gate = gate(worsening, 0.02, &BOTH);
        let slices = gate.blocks.iter_mut().flat_map(|block| &mut block.slices);
        slices.for_each(|slice| slice.lag_p50 = 200_000);
        metric(whole(&concluded(&gate)), GateMetric::Median).clone()
    };
    let worse = late(Worsening::Uniform(0.15));
    assert_eq!((worse.suspected, worse.verdict), (false, Verdict::Inconclusive));
    assert!(
        worse.screen.effect.smallest_detectable > Some(0.15) && worse.screen.blocks_needed.is_none(),
        "{:?}",
        worse.screen
    );
    assert_eq!(late(Worsening::None).verdict, Verdict::Pass, "what matters is excluded all the same");
}

#[test]
fn quads_are_left_out_whole_and_blind() {
    let mut disturbed = gate(Worsening::None, 0.02, &FIRST);
    // A slice in which the hypervisor took time, and everything was slow.
    let slow = gate(Worsening::Uniform(9.0), 0.02, &FIRST).blocks[3].slices[1].clone();
    let slice = &mut disturbed.blocks[3].slices[1];
    (slice.series, slice.stolen) = (slow.series, Some(0.2));
    let analysis = concluded(&disturbed);
    assert_eq!((analysis.dropped.stolen, analysis.verdict), (1, Verdict::Pass));
    assert_eq!(analysis.course.iter().filter(|point| point.dropped).count(), 4);
    disturbed.blocks[3].slices[1].stolen = None;
    assert!(!suspects(&disturbed, &sample::scenario()), "one block is one vote");
}

#[test]
fn failures_of_b_are_a_regression_and_those_of_a_make_it_invalid() {
    let failing = |arms: &[Side]| {
        let mut gate = gate(Worsening::None, 0.02, &BOTH);
        let slices = gate.blocks.iter_mut().flat_map(|block| &mut block.slices);
        slices.filter(|slice| arms.contains(&slice.arm)).for_each(|slice| slice.series[0].failed = 60);
        concluded(&gate)
    };
    assert_eq!(failing(&[Side::B]).verdict, Verdict::Fail);
    let Sides { a, b } = failing(&[Side::B]).failures.worst();
    assert!(a.abs() < 1e-9 && b > 0.05);
    let both = failing(&[Side::A, Side::B]);
    assert!(matches!(both.invalid, Some(Invalidity::BaselineFails(_))), "{:?}", both.invalid);
}

/// A gate in which requests fail as `failed` says of the stage, the block's number and the arm.
fn with_failures(stages: &[GateStage], failed: impl Fn(GateStage, u32, Side) -> u64) -> Gate {
    let mut gate = gate(Worsening::None, 0.02, stages);
    for block in &mut gate.blocks {
        let (stage, number) = (block.stage, block.number);
        block.slices.iter_mut().for_each(|slice| slice.series[0].failed = failed(stage, number, slice.arm));
    }
    gate
}

#[test]
fn as_many_failures_on_either_side_of_the_limit_are_no_alarm() {
    // About 0.1 % of each, now in blocks of A, now in blocks of B.
    let near =
        with_failures(&FIRST, |_, number, arm| 2 * u64::from(number % 2 == arm as u32 && number < 6 + 2 * arm as u32));
    let analysis = concluded(&near);
    let (Sides { a, b }, limit) = (analysis.failures.worst(), sample::scenario().objective.max_error_rate);
    assert!(a > 0.0 && a < limit && b > limit, "{a} {b} {limit}");
    assert_eq!((analysis.failures.verdict, analysis.verdict), (Verdict::Pass, Verdict::Pass));
}

#[test]
fn a_baseline_that_fails_a_little_does_not_excuse_b() {
    let both = with_failures(&BOTH, |_, _, arm| if arm == Side::B { 9 } else { 2 });
    let analysis = concluded(&both);
    assert!(analysis.failures.screen.shares.a > sample::scenario().objective.max_error_rate);
    assert_eq!((analysis.failures.verdict, analysis.verdict), (Verdict::Fail, Verdict::Fail));
}

#[test]
fn failures_of_one_stage_alone_are_neither_certain_nor_nothing() {
    for of in BOTH {
        let once = with_failures(&BOTH, |stage, _, arm| u64::from(arm == Side::B && stage == of) * 20);
        let analysis = concluded(&once);
        assert_eq!((analysis.failures.verdict, analysis.verdict), (Verdict::Inconclusive, Verdict::Inconclusive));
    }
    let of_a = with_failures(&BOTH, |stage, _, arm| u64::from(arm == Side::A && stage == GateStage::Confirm) * 200);
    assert!(matches!(concluded(&of_a).invalid, Some(Invalidity::BaselineFails(_))));
}

#[test]
fn a_block_in_which_b_answers_nothing_is_looked_into() {
    let silent = |blocks: u32| {
        let mut gate = gate(Worsening::None, 0.02, &FIRST);
        for block in gate.blocks.iter_mut().take(blocks as usize) {
            for slice in block.slices.iter_mut().filter(|slice| slice.arm == Side::B) {
                for tally in &mut slice.series {
                    (tally.failed, tally.completed) = (tally.completed, 0);
                    tally.response = Latencies::default().pack();
                }
                slice.throughput = 0.0;
            }
        }
        gate
    };
    let one = silent(1);
    assert!(suspects(&one, &sample::scenario()));
    let analysis = concluded(&one);
    assert_eq!((analysis.verdict, analysis.failures.screen.outages), (Verdict::Inconclusive, 1));
    assert_eq!(concluded(&silent(2)).invalid, Some(Invalidity::TooFewBlocks(6)));
    assert!(suspects(&silent(8), &sample::scenario()), "that B never answers is for a second stage to confirm");
}

#[test]
fn too_few_requests_for_the_median_of_the_whole_tell_nothing() {
    let mut few = gate(Worsening::None, 0.02, &FIRST);
    let mut response = Latencies::default();
    (0..5).for_each(|request| response.record(400_000 + request));
    for slice in few.blocks.iter_mut().flat_map(|block| &mut block.slices) {
        slice.series.iter_mut().for_each(|tally| tally.response = response.pack());
    }
    let analysis = concluded(&few);
    assert_eq!((analysis.verdict, analysis.invalid), (Verdict::Inconclusive, None));
    assert_eq!(whole(&analysis).metrics.len(), 1, "throughput is known");
    let of_whole = analysis.too_few.last().unwrap();
    assert_eq!(of_whole.metrics, [GateMetric::Median, GateMetric::Mean, GateMetric::P99]);
    assert!(of_whole.scope.service.is_none());
}

#[test]
fn too_few_blocks_tell_nothing() {
    let mut short = gate(Worsening::Uniform(0.5), 0.02, &FIRST);
    short.blocks.truncate(6);
    let analysis = concluded(&short);
    assert_eq!(analysis.invalid, Some(Invalidity::TooFewBlocks(6)));
    short.blocks.clear();
    assert_eq!(concluded(&short).verdict, Verdict::Invalid);
}

#[test]
fn closed_loops_alone_have_no_saturated_slices() {
    let mut closed = gate(Worsening::None, 0.02, &FIRST);
    for block in &mut closed.blocks {
        block.slices.retain(|slice| slice.kind == SliceKind::Paced);
    }
    closed.plan.saturated_quads = 0;
    closed.plan.rate = None;
    let analysis = concluded(&closed);
    assert_eq!(analysis.verdict, Verdict::Pass);
    assert!(whole(&analysis).metrics.iter().any(|result| result.metric == GateMetric::Throughput));
}
