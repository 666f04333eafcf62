//! Which rates two pool sizes are compared at, and in which order the slices go.

use rand::RngExt;

use super::{TrialPlan, draw::generator, search::Search};
use crate::results::{Arm, CapacityPlan, Purpose, Trial};

/// Pairs of slices at each rate. Fewer than eight cannot have p <= 0.01 in a sign-flip test of both sides (2 / 2^8).
pub(super) const PAIRS: u32 = 8;

/// Rates at which two sizes are compared, at most.
pub(super) const RATES: u32 = 3;

/// Number of the rate near what the smaller pool can keep up. Those before it are the scenario's own.
pub(super) const NEAR_END: u32 = 2;

/// Slices follow each other on a server that is warm, so they need but a part of the load before a trial.
const WARMUP_PARTS: u64 = 3;

/// The scenario's own rate is compared, and so many times of it.
pub(super) const MORE: f64 = 1.25;

/// Share of what the smaller pool can keep up.
const NEAR: f64 = 0.9;

/// Rates that differ by less, as a share, are compared once.
const ALIKE: f64 = 0.05;

/// Where the draws of seeds lie, apart from all others of a plan's seed.
const SEEDS: u64 = 1 << 62;

/// Two arms that differ by the size of their pools, next to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Neighbours {
    /// Index among those that are compared.
    pub(super) index: u32,
    /// Index of the arm with the smaller pool.
    pub(super) from: u32,
    /// Index of the arm with the larger one.
    pub(super) to: u32,
}

/// Half a pair: one arm at one rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slice {
    pub(super) arm: u32,
    pub(super) rate: f64,
    pub(super) block: u32,
}

/// Which comparison, rate and pair a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) comparison: u32,
    pub(super) rate: u32,
    pub(super) pair: u32,
}

impl Place {
    pub(super) fn of(block: u32) -> Self {
        Self { comparison: block / (RATES * PAIRS), rate: block / PAIRS % RATES, pair: block % PAIRS }
    }

    fn block(self) -> u32 {
        (self.comparison * RATES + self.rate) * PAIRS + self.pair
    }
}

/// Arms with pools, each with the next one.
pub(super) fn neighbours(arms: &[Arm]) -> Vec<Neighbours> {
    let pools: Vec<u32> = (0_u32..).zip(arms).filter(|(_, arm)| arm.pool.is_some()).map(|(index, _)| index).collect();
    let pair = |(index, pair): (u32, &[u32])| Neighbours { index, from: pair[0], to: pair[1] };
    (0_u32..).zip(pools.windows(2)).map(pair).collect()
}

/// The rates, each with its number: the scenario's own, a quarter more, and near what the smaller pool can keep up. What the
/// larger one cannot keep up, or is beyond the limit, is left out, and so is what is there already; numbers stay what they are.
///
/// A larger pool that can keep up less than that is compared near its own.
pub(super) fn rates(target: Option<f64>, max: Option<f64>, from: &Search, to: &Search) -> Vec<(u32, f64)> {
    let rate = |search: &Search| search.bracket().low.map(|low| low.rate);
    let Some(larger) = rate(to) else { return Vec::new() };
    let end = larger.min(max.unwrap_or(f64::INFINITY));
    let near = NEAR * rate(from).unwrap_or(larger).min(larger);
    let mut rates: Vec<(u32, f64)> = Vec::new();
    for (number, wanted) in (0..RATES).zip([target, target.map(|rate| MORE * rate), Some(near)]) {
        let Some(wanted) = wanted.filter(|rate| *rate <= end) else { continue };
        if rates.iter().all(|(_, rate)| (wanted / rate - 1.0).abs() > ALIKE) {
            rates.push((number, wanted));
        }
    }
    rates
}

/// The slices of a comparison at one of its rates: A B B A, B A A B and again, so that what drifts favours neither.
pub(super) fn slices(pair: Neighbours, (index, rate): (u32, f64)) -> impl Iterator<Item = Slice> {
    (0..PAIRS).flat_map(move |number| {
        let block = Place { comparison: pair.index, rate: index, pair: number }.block();
        let swapped = matches!(number % 4, 1 | 2);
        let order = if swapped { [pair.to, pair.from] } else { [pair.from, pair.to] };
        order.map(|arm| Slice { arm, rate, block })
    })
}

/// Seed of the requests of a trial with this number. Both slices of a pair replay the same arrivals, keys and values; everything
/// else has requests of its own, or what one stream has by chance would weigh on every trial alike.
pub fn seed_of(seed: u64, plan: &TrialPlan, number: u32) -> u64 {
    let place = match plan.block.filter(|_| plan.purpose == Purpose::Compare) {
        Some(block) => 1 << 32 | u64::from(block),
        None => u64::from(number),
    };
    generator(seed, SEEDS | place).random_range(0..1 << 48)
}

/// Whether a trial is that slice.
pub(super) fn is(trial: &Trial, slice: &Slice) -> bool {
    trial.block == Some(slice.block) && trial.arm == slice.arm
}

/// The load before a slice and the slice's length, in nanoseconds.
pub(super) fn slice_times(plan: &CapacityPlan) -> (u64, u64) {
    (plan.warmup_ns / WARMUP_PARTS, plan.trial_ns / 2)
}

/// Trials of all comparisons, at most.
pub(super) fn most_slices(plan: &CapacityPlan) -> u32 {
    neighbours(&plan.arms).len() as u32 * RATES * PAIRS * 2
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn slices_of_a_pair_replay_the_same_requests_and_nothing_else_does() {
        let of = |arm, purpose, block, number| {
            let plan = TrialPlan { arm, purpose, block, offered: None, clients: None, warmup_ns: 0, duration_ns: 0 };
            seed_of(7, &plan, number)
        };
        let slice = |arm, block, number| of(arm, Purpose::Compare, Some(block), number);
        assert_eq!(slice(0, 3, 20), slice(1, 3, 21));
        assert_eq!(of(0, Purpose::Search, None, 3), of(0, Purpose::Search, None, 3), "also when it goes on");
        let seeds: HashSet<u64> = (0..50)
            .flat_map(|index| [slice(0, index, 0), of(0, Purpose::Search, None, index)])
            .chain([of(0, Purpose::Closed, Some(1), 60), of(0, Purpose::Curve, Some(1), 61)])
            .collect();
        assert_eq!(seeds.len(), 102);
    }
}
