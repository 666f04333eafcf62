//! Tests of when pool sizes are compared, at which rates and in which blocks.

use std::collections::HashSet;

use super::{
    BlockPlan, Next, Planner, TrialPlan,
    compare::is_disturbed,
    draw::generator,
    evidence::same_rate,
    simulated::{SEARCH, Server, block, carry_out_with, plan, scenario, trial},
};
use crate::{
    results::{Ended, PoolBlock, Purpose, Trial},
    scenario::{Scenario, parse},
};

const SECOND: u64 = 1_000_000_000;
const ALL: [Purpose; 5] = [Purpose::Search, Purpose::Confirm, Purpose::Above, Purpose::Curve, Purpose::Closed];

fn server(rate: f64) -> Server {
    Server::Markov(8, 8.0 / rate)
}

/// The scenario at another rate.
fn offering(rate: u32) -> Scenario {
    parse(&scenario().source.replace("rate = 1000", &format!("rate = {rate}")), "known.toml").unwrap()
}

/// A trial of a pool that carries this much.
fn carried(plan: &TrialPlan, rate: f64) -> Trial {
    let offered = plan.offered.unwrap_or(rate);
    let mut trial = Trial {
        purpose: plan.purpose,
        block: plan.block,
        offered: plan.offered,
        clients: plan.clients,
        ..trial(plan.arm, offered)
    };
    trial.late = if offered > rate { trial.scheduled / 2 } else { 0 };
    trial
}

#[test]
fn a_comparison_that_was_begun_goes_on_at_its_rate() {
    let mut planner = Planner::new(plan(&[50, 100], 1), &offering(40_000));
    let mut blocks: Vec<PoolBlock> = Vec::new();
    while blocks.len() < 3 {
        match planner.next(0) {
            Next::Trial(next) => planner.record(&carried(&next, 4_800.0)),
            Next::Block(next) => {
                blocks.push(block(&next));
                planner.record_block(&blocks[blocks.len() - 1]);
            }
            Next::Done(_) => panic!("more to do"),
        }
    }
    let (low, _) = planner.state(1);
    let rejected = Trial { purpose: Purpose::Confirm, late: 20_000, ..trial(1, low.unwrap()) };
    planner.record(&rejected);
    planner.record(&rejected);
    let made = carry_out_with(&mut planner, &SEARCH, |plan, _| carried(plan, 3_000.0), block);
    assert!(planner.state(1).0.is_some_and(|low| low < 3_000.0), "neither carries what they are compared at");
    let rates: Vec<f64> = blocks.iter().chain(&made.blocks).map(|block| block.rate).collect();
    assert_eq!(rates, [blocks[0].rate; 12]);
}

#[test]
fn what_decides_comes_before_confirmations_and_the_rest_after_them() {
    for (offered, before) in [(1_000, 24), (40_000, 12)] {
        let mut planner = Planner::new(plan(&[50, 100], 1), &offering(offered));
        let made = carry_out_with(&mut planner, &ALL, |plan, _| carried(plan, 4_800.0), block);
        let confirms = || made.trials.iter().filter(|trial| trial.purpose == Purpose::Confirm);
        let (first, last) = (confirms().next().unwrap().began_ns, confirms().next_back().unwrap().began_ns);
        let early = made.blocks.iter().filter(|block| block.began_ns < first).count();
        let late = made.blocks.iter().filter(|block| block.began_ns > last).count();
        assert_eq!((early, late), (before, made.blocks.len() - before), "at {offered}");
        assert_eq!(late > 0, offered == 1_000);
    }
}

#[test]
fn neighbours_are_compared_at_rates_that_matter() {
    let servers = [server(4_000.0), server(8_000.0), server(16_000.0)];
    let mut random = generator(1, 9);
    let mut planner = Planner::new(plan(&[25, 50, 100], 1), &scenario());
    let make = |plan: &TrialPlan, number| servers[plan.arm as usize].trial(plan, number, &mut random);
    let blocks = carry_out_with(&mut planner, &ALL, make, block).blocks;
    assert_eq!(blocks.len(), 2 * 3 * 12);
    assert!(blocks.iter().all(|block| block.measured_ns == 4 * SECOND));
    let order: Vec<(u32, f64)> = blocks.iter().step_by(12).map(|block| (block.from, block.rate)).collect();
    let near = |arm| 0.9 * planner.state(arm).0.unwrap();
    assert_eq!(order, [(0, 1_000.0), (1, 1_000.0), (0, 1_250.0), (1, 1_250.0), (0, near(0)), (1, near(1))]);
    assert!(blocks.chunks(12).all(|of_rate| of_rate.iter().map(|block| block.number).eq(0..12)));
}

#[test]
fn rates_that_say_nothing_new_are_left_out() {
    // 0.9 of what both sustain is about what the scenario offers; a quarter more is beyond either.
    let servers = [Server::Stalling(0.000_72, 0.012), Server::Stalling(0.000_7, 0.012)];
    let mut random = generator(1, 9);
    let mut planner = Planner::new(plan(&[50, 100], 1), &scenario());
    let make = |plan: &TrialPlan, number| servers[plan.arm as usize].trial(plan, number, &mut random);
    let blocks = carry_out_with(&mut planner, &ALL, make, block).blocks;
    assert!(blocks.len() == 12 && blocks.iter().all(|block| same_rate(block.rate, 1_000.0)), "{blocks:?}");
}

#[test]
fn a_rate_that_only_one_size_sustains_is_not_compared() {
    let mut planner = Planner::new(plan(&[50, 100], 1), &scenario());
    let carries = |plan: &TrialPlan, _| carried(plan, if plan.arm == 0 { 600.0 } else { 3_000.0 });
    let blocks = carry_out_with(&mut planner, &ALL, carries, block).blocks;
    let near = 0.9 * planner.state(0).0.unwrap();
    assert!(blocks.len() == 12 && blocks.iter().all(|block| same_rate(block.rate, near)), "{blocks:?}");
}

#[test]
fn a_block_whose_generators_were_apart_is_made_again() {
    let plan =
        BlockPlan { from: 0, to: 1, rate: 4_000.0, number: 0, turn_ns: 25_000_000, warmup_ns: 0, duration_ns: SECOND };
    let apart = |nanos: u64| is_disturbed(&PoolBlock { misaligned_ns: Some(nanos), ..block(&plan) });
    assert!(!apart(2_500_000) && apart(2_500_001));
    assert!(!is_disturbed(&PoolBlock { misaligned_ns: None, ..block(&plan) }));
}

#[test]
fn turns_are_as_long_as_the_slower_size_takes() {
    let turns = |tail: u64| -> HashSet<Option<u64>> {
        let mut planner = Planner::new(plan(&[50, 100], 1), &scenario());
        let mut slow = |plan: &TrialPlan, number: u32| {
            let mut trial = carried(plan, 4_800.0);
            // One trial of three is disturbed, which is no reason for longer turns.
            let disturbed = if number.is_multiple_of(3) { 50 } else { 1 };
            trial.response.p99 = disturbed * if plan.arm == 0 { tail } else { 100_000 };
            trial
        };
        let blocks = carry_out_with(&mut planner, &ALL, &mut slow, block).blocks;
        blocks.iter().map(|block| block.turn_ns.map(|turn| turn / 1_000_000)).collect()
    };
    assert_eq!(turns(1_000_000), HashSet::from([Some(25)]));
    assert_eq!(turns(6_000_000), HashSet::from([Some(125)]));
    assert_eq!(turns(90_000_000), HashSet::from([Some(500)]));
}

#[test]
fn errors_in_blocks_end_the_run() {
    let mut planner = Planner::new(plan(&[50, 100], 1), &scenario());
    let fails = |plan: &BlockPlan| {
        let mut block = block(plan);
        block.sides.b.failed = block.sides.b.scheduled / 2;
        block
    };
    let made = carry_out_with(&mut planner, &ALL, |plan, _| carried(plan, 4_800.0), fails);
    assert_eq!((made.ended, made.blocks.len()), (Some(Ended::Errors), 3));
}
