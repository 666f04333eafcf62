//! The advice played through on simulated pools whose truth is known, a hundred times each.
//!
//! `PLIMSOLL_PROOF=N` plays every case N times instead, which takes an optimised build: `make proof`.

use std::env;

use rand::{Rng, RngExt, rngs::Xoshiro256PlusPlus};
use rand_distr::{Distribution, Normal};

use super::{
    Advice, BlockPlan, Planner, TrialPlan,
    compare::SIGNIFICANT,
    conclude::conclude_with,
    draw::generator,
    erlang::Queue,
    first_of_block,
    simulated::{Made, SEARCH, Server, block, capacity, carry_out_with, plan, scenario},
};
use crate::{
    analysis::paired::Power,
    results::{BlockSide, Capacity, Ended, PoolBlock, Quantiles, Sides, Trial},
};

const MILLI: f64 = 1e6;

/// Turns of a block.
const TURNS: usize = 160;

/// Standard deviation on the logarithmic scale that the number of requests leaves to p50 and mean of a block, and to p99.
const OF_COUNT: [f64; 2] = [0.01, 0.08];

/// The side whose turn it is: Thue and Morse.
const ORDER: [usize; 8] = [0, 1, 1, 0, 1, 0, 0, 1];

/// Noise of the shared machine in every response time, over time.
#[derive(Debug, Clone, Copy)]
enum Machine {
    /// Each turn by a tenth, at random.
    Quiet,
    /// By 30 %, and for several turns.
    Correlated,
    /// Becomes slower by 40 %, for good, at a moment of its own.
    Step,
    /// One turn of twenty is three times slower.
    Bursts,
}

const MACHINES: [Machine; 4] = [Machine::Quiet, Machine::Correlated, Machine::Step, Machine::Bursts];

/// Two pools in front of a server.
#[derive(Debug, Clone, Copy)]
struct Case {
    pools: [u32; 2],
    /// Mean time for which a connection is held, in nanoseconds, with either pool.
    holds: [f64; 2],
    /// Share of a core that the server uses.
    busy: f64,
    /// Rate from which on the larger pool fails; infinite where only its queue says so.
    collapse: f64,
    /// Standard deviation of what a block does to either side alone, on the logarithmic scale.
    own: f64,
}

/// Five connections carry a hundred times the scenario's 1 000/s, as is usual of a Redis whose users allow 10 ms.
const ENOUGH: Case = Case { pools: [5, 10], holds: [0.05 * MILLI; 2], busy: 0.3, collapse: f64::INFINITY, own: 0.03 };

/// Four connections carry the scenario's rate, with waits that are noticed.
const NOTICED: Case = Case { pools: [4, 8], holds: [1.9 * MILLI; 2], ..ENOUGH };

fn plays() -> u64 {
    env::var("PLIMSOLL_PROOF").ok().and_then(|number| number.parse().ok()).unwrap_or(100)
}

/// The machine, turn after turn.
struct Course {
    machine: Machine,
    turn: u32,
    step_at: u32,
    last: f64,
}

impl Course {
    /// Factor of the response times in the next turn.
    fn next(&mut self, random: &mut impl Rng) -> f64 {
        let normal: f64 = Normal::new(0.0, 1.0).unwrap().sample(random);
        self.turn += 1;
        let log = match self.machine {
            Machine::Quiet => 0.1 * normal,
            Machine::Correlated => {
                self.last = 0.8 * self.last + 0.6 * 0.3 * normal;
                self.last
            }
            Machine::Step => 0.1 * normal + if self.turn > self.step_at { 1.4_f64.ln() } else { 0.0 },
            Machine::Bursts => 0.1 * normal + if random.random_bool(0.05) { 3.0_f64.ln() } else { 0.0 },
        };
        log.exp()
    }
}

/// The factor that a share of the turns does not exceed.
fn factor(factors: &mut [f64], share: f64) -> f64 {
    factors.sort_by(f64::total_cmp);
    factors[((share * factors.len() as f64) as usize).min(factors.len() - 1)]
}

fn compared(
    case: Case,
    plan: &BlockPlan,
    course: &mut Course,
    seed: u64,
    random: &mut Xoshiro256PlusPlus,
) -> PoolBlock {
    let first = first_of_block(seed, plan) as usize;
    let mut factors = [Vec::with_capacity(TURNS / 2), Vec::with_capacity(TURNS / 2)];
    for turn in 0..TURNS {
        factors[(ORDER[turn % ORDER.len()] + first) % 2].push(course.next(random));
    }
    let mut side = |side: usize, known: BlockSide| {
        let (queue, hold) = (Queue::new(case.pools[side], plan.rate, case.holds[side]), case.holds[side]);
        let mut noise = |deviation: f64| Normal::new(0.0, deviation).unwrap().sample(random).exp();
        let own = noise(case.own);
        // What is slowest in a block comes from the turns in which the machine was.
        let slow = own * factor(&mut factors[side], 0.98) * noise(OF_COUNT[1]);
        let typical = own * factor(&mut factors[side], 0.5) * noise(OF_COUNT[0]);
        let mean = own * factors[side].iter().sum::<f64>() / factors[side].len() as f64;
        let at = |p50: f64, p99: f64, mean: f64| Quantiles { mean, p50: p50 as u64, p99: p99 as u64, ..known.response };
        let waits = [0.5, 0.99].map(|quantile| queue.wait_quantile(quantile));
        BlockSide {
            response: at(typical * (0.8 * hold + waits[0]), slow * (2.5 * hold + waits[1]), mean * hold),
            service: at(typical * 0.8 * hold, slow * 2.5 * hold, mean * hold * noise(OF_COUNT[0])),
            wait: at(typical * waits[0], slow * waits[1], mean * waits[0]),
            ..known
        }
    };
    let Sides { a, b } = block(plan).sides;
    PoolBlock { server_busy: Some(case.busy), sides: Sides { a: side(0, a), b: side(1, b) }, ..block(plan) }
}

/// The advice that a capacity run comes to.
fn play(case: Case, machine: Machine, seed: u64, power: &mut Power) -> Advice {
    let plan = plan(&case.pools, seed);
    let (mut random, mut of_blocks) = (generator(seed, 21), generator(seed, 22));
    let mut course = Course { machine, turn: 0, step_at: of_blocks.random_range(0..36 * TURNS as u32), last: 0.0 };
    let mut planner = Planner::new(plan.clone(), &scenario());
    let make = |plan: &TrialPlan, number| {
        let arm = plan.arm as usize;
        let mut trial = Server::Markov(case.pools[arm], case.holds[arm] / 1e9).trial(plan, number, &mut random);
        trial.server_busy = Some(case.busy);
        if arm == 1 && trial.offered > Some(case.collapse) {
            trial.late = trial.scheduled / 2;
        }
        Trial { late: trial.late, ..trial }
    };
    let compare = |plan: &BlockPlan| compared(case, plan, &mut course, seed, &mut of_blocks);
    let Made { trials, blocks, .. } = carry_out_with(&mut planner, &SEARCH, make, compare);
    let run = Capacity { trials, blocks, ended: Ended::Finished, ..capacity(plan) };
    conclude_with(&run, &scenario(), power).comparisons[0].advice
}

/// The advice is the right one in at least 95 of 100 runs, a quarter of them on each machine.
#[track_caller]
fn assert_advised(case: Case, is_right: impl Fn(Advice) -> bool) {
    let (mut power, plays) = (Power::at(SIGNIFICANT), plays());
    let wrong: Vec<(Machine, Advice)> = (0..plays)
        .map(|seed| (MACHINES[seed as usize % MACHINES.len()], seed))
        .map(|(machine, seed)| (machine, play(case, machine, seed, &mut power)))
        .filter(|(_, advice)| !is_right(*advice))
        .collect();
    assert!(wrong.len() as u64 * 20 <= plays, "{} of {plays} are wrong with {case:?}: {wrong:?}", wrong.len());
}

#[test]
fn a_pool_whose_waits_are_noticed_is_to_grow() {
    assert_advised(NOTICED, |advice| advice == Advice::Grow);
}

#[test]
fn a_pool_that_cannot_carry_the_load_is_to_grow() {
    assert_advised(Case { pools: [2, 8], ..NOTICED }, |advice| advice == Advice::Grow);
}

#[test]
fn a_pool_that_suffices_has_no_benefit() {
    assert_advised(ENOUGH, |advice| advice == Advice::NoBenefit);
}

#[test]
fn another_connection_to_a_busy_server_has_no_benefit() {
    assert_advised(Case { busy: 0.95, ..ENOUGH }, |advice| advice == Advice::NoBenefit);
}

/// Each request takes the server several times as long.
#[test]
fn a_server_that_slows_down_with_its_connections_is_worse() {
    assert_advised(Case { holds: [0.05 * MILLI, 1.5 * MILLI], ..ENOUGH }, |advice| advice == Advice::Worse);
}

#[test]
fn a_server_that_breaks_down_with_its_connections_is_worse() {
    assert_advised(Case { collapse: 600.0, ..ENOUGH }, |advice| advice == Advice::Worse);
}

/// Times of milliseconds that vary by more than what would be noticed from block to block and side to side.
#[test]
fn what_varies_by_more_than_matters_is_inconclusive() {
    let wild = Case { pools: [8, 16], holds: [1.9 * MILLI; 2], own: 0.8, ..ENOUGH };
    assert_advised(wild, |advice| matches!(advice, Advice::Inconclusive(_)));
}

/// A wait that would be spared, at a server without time: the requests would wait there.
#[test]
fn a_relief_that_a_busy_server_cannot_give_is_inconclusive() {
    assert_advised(Case { busy: 0.95, ..NOTICED }, |advice| matches!(advice, Advice::Inconclusive(_)));
}
