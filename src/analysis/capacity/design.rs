//! Which rates two pool sizes are compared at, and in which blocks.

use rand::RngExt;

use super::{BlockPlan, draw, draw::generator, evidence::Bracket};
use crate::{
    measure::SECOND,
    results::{Arm, CapacityPlan, Side},
};

const MILLISECOND: u64 = 1_000_000;

/// Blocks at each rate. In a number of the signed-rank test reaches its level of 1 % although some of them contradict the others.
pub const BLOCKS: u32 = 12;

/// Rates at which two sizes are compared, at most.
pub(super) const RATES: usize = 3;

/// The scenario's own rate is compared, and this multiple of it.
pub(super) const MORE: f64 = 1.25;

/// Share of the highest rate that both sizes sustain.
const NEAR: f64 = 0.9;

/// Rates that differ by less, as a share, are compared once.
const ALIKE: f64 = 0.05;

/// Lengths of a turn: whole parts of half a second, so that either size has as many turns in each second.
const TURNS: [u64; 5] = [25 * MILLISECOND, 50 * MILLISECOND, 125 * MILLISECOND, 250 * MILLISECOND, 500 * MILLISECOND];

/// A turn lasts for this multiple of the 99th percentile of the response time: the requests that are left over at its end then reach into
/// a twentieth of the next turn, and a queue has time to build up.
const TAILS: u64 = 20;

/// Turns after which either size has had as many before the other as behind it.
const BALANCED: u64 = 4;

/// The shortest load before that which is measured.
const WARMUP: u64 = 400 * MILLISECOND;

/// A block measures whole stretches of this length, one for every `TRIAL_OF_STRETCH` of the length of a trial.
const STRETCH: u64 = 2 * SECOND;
const TRIAL_OF_STRETCH: u64 = 5 * SECOND;

/// Where the draws of seeds lie, apart from all others of a plan's seed.
const SEEDS: u64 = 1 << 62;
const BLOCK_SEEDS: u64 = 1 << 61;

/// Two arms that differ by the size of their pools, next to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Neighbours {
    /// Index of the arm with the smaller pool.
    pub(super) from: u32,
    /// Index of the arm with the larger one.
    pub(super) to: u32,
}

/// A rate at which two sizes are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ComparedRate {
    /// Operations per second.
    pub(super) rate: f64,
    /// Whether it is one that the scenario offers: its own, or a quarter more.
    pub(super) own: bool,
}

/// Arms with pools, each with the next one.
pub(super) fn neighbours(arms: &[Arm]) -> Vec<Neighbours> {
    let pools: Vec<u32> = (0_u32..).zip(arms).filter(|(_, arm)| arm.pool.is_some()).map(|(index, _)| index).collect();
    pools.windows(2).map(|pair| Neighbours { from: pair[0], to: pair[1] }).collect()
}

/// The rates that the scenario offers: its own, and a quarter more.
pub(super) fn own_rates(target: Option<f64>) -> impl Iterator<Item = f64> {
    target.into_iter().flat_map(|target| [target, MORE * target])
}

/// The rates: the scenario's own, a quarter more, and near the highest that both sizes sustain. What one of them does not sustain is
/// left out, since there its queue has no end; so are rates beyond the limit, and those that are there already.
pub(super) fn rates(target: Option<f64>, max: Option<f64>, brackets: [&Bracket; 2]) -> Vec<ComparedRate> {
    let [Some(from), Some(to)] = brackets.map(|bracket| bracket.low.map(|low| low.rate)) else { return Vec::new() };
    let end = from.min(to).min(max.unwrap_or(f64::INFINITY));
    let near = ComparedRate { rate: NEAR * end, own: false };
    let wanted = own_rates(target).map(|rate| ComparedRate { rate, own: true }).chain([near]);
    let mut rates: Vec<ComparedRate> = Vec::new();
    for wanted in wanted.filter(|wanted| wanted.rate <= end) {
        if rates.iter().all(|known| (wanted.rate / known.rate - 1.0).abs() > ALIKE) {
            rates.push(wanted);
        }
    }
    rates
}

/// Length of a turn where response times have that 99th percentile, in nanoseconds.
pub(super) fn turn(response_p99: u64) -> u64 {
    let [.., longest] = TURNS;
    TURNS.into_iter().find(|turn| *turn / TAILS >= response_p99).unwrap_or(longest)
}

/// A block of two sizes at a rate.
pub(super) fn block(pair: Neighbours, rate: f64, number: u32, turn_ns: u64, plan: &CapacityPlan) -> BlockPlan {
    BlockPlan {
        from: pair.from,
        to: pair.to,
        rate,
        number,
        turn_ns,
        warmup_ns: warmup(turn_ns),
        duration_ns: block_length(plan),
    }
}

/// Load before a block that is not measured, in nanoseconds.
pub(super) fn warmup(turn_ns: u64) -> u64 {
    WARMUP.next_multiple_of(BALANCED * turn_ns.max(1))
}

/// Length of what a block measures, in nanoseconds.
fn block_length(plan: &CapacityPlan) -> u64 {
    STRETCH * (plan.trial_ns / TRIAL_OF_STRETCH).max(1)
}

/// Blocks of all comparisons at most, and what each takes at least, in nanoseconds.
pub(super) fn most_blocks(plan: &CapacityPlan) -> (u32, u64) {
    (neighbours(&plan.arms).len() as u32 * RATES as u32 * BLOCKS, WARMUP + block_length(plan))
}

/// Seed of the requests of a trial with this number. Every trial has requests of its own, or what one stream has by chance would weigh
/// on every trial alike.
pub fn seed_of(seed: u64, number: u32) -> u64 {
    generator(seed, SEEDS | u64::from(number)).random_range(0..1 << 48)
}

/// Seed of the requests of a block, which both sizes replay.
pub fn seed_of_block(seed: u64, plan: &BlockPlan) -> u64 {
    generator(seed ^ plan.rate.to_bits(), place(plan)).random_range(0..1 << 48)
}

/// The size that has the first turn of a block, A being the smaller one: the other one than in the block before, from a seeded start.
pub fn first_of_block(seed: u64, plan: &BlockPlan) -> Side {
    let start = draw::below(seed ^ plan.rate.to_bits(), place(&BlockPlan { number: u32::MAX, ..*plan }), 2);
    if (plan.number + start).is_multiple_of(2) { Side::A } else { Side::B }
}

fn place(plan: &BlockPlan) -> u64 {
    BLOCK_SEEDS | u64::from(plan.from) << 32 | u64::from(plan.number)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::analysis::capacity::simulated::plan;

    fn blocks(from: u32, rate: f64) -> impl Iterator<Item = BlockPlan> {
        let pair = Neighbours { from, to: from + 1 };
        (0..BLOCKS).map(move |number| block(pair, rate, number, TURNS[0], &plan(&[25, 50, 100], 1)))
    }

    #[test]
    fn every_trial_and_every_block_has_requests_of_its_own() {
        let of_blocks = [blocks(0, 1_000.0), blocks(0, 1_250.0), blocks(1, 1_000.0)].into_iter().flatten();
        let seeds: HashSet<u64> =
            of_blocks.map(|block| seed_of_block(7, &block)).chain((0..50).map(|number| seed_of(7, number))).collect();
        assert_eq!(seeds.len(), 3 * BLOCKS as usize + 50);
        let again = blocks(0, 1_000.0).next().unwrap();
        assert_eq!(seed_of_block(7, &again), seed_of_block(7, &again), "also when it goes on");
    }

    #[test]
    fn either_size_comes_first_equally_often() {
        let starts: HashSet<Side> = (0..20)
            .map(|seed| {
                let first: Vec<Side> = blocks(0, 1_000.0).map(|block| first_of_block(seed, &block)).collect();
                assert!(first.windows(2).all(|pair| pair[0] != pair[1]), "{first:?}");
                first[0]
            })
            .collect();
        assert_eq!(starts.len(), 2, "chance decides the start");
    }

    #[test]
    fn turns_are_as_long_as_a_queue_takes() {
        let of = |micros: u64| turn(micros * 1_000) / MILLISECOND;
        assert_eq!([0, 1_250, 1_300, 5_000, 12_500, 20_000, 100_000].map(of), [25, 25, 50, 125, 250, 500, 500]);
        for turn in TURNS {
            assert!((SECOND / 2).is_multiple_of(turn), "as many in each half of a second");
            let block = block(Neighbours { from: 0, to: 1 }, 1_000.0, 0, turn, &plan(&[50, 100], 1));
            assert!(
                block.duration_ns.is_multiple_of(BALANCED * turn) && block.warmup_ns.is_multiple_of(BALANCED * turn)
            );
        }
    }
}
