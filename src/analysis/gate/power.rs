//! What a number of blocks can see.

use std::collections::BTreeMap;

use rand_distr::{Distribution, StandardNormal};

use super::{
    LEVEL,
    signed_rank::{critical, rank_sum_against},
};
use crate::analysis::draw::generator;

/// Share of gates that are to see what is called detectable.
const POWER: f64 = 0.95;

/// Blocks that fewer than cannot reach the level, whatever they show: 2^-7 is below 1 %.
pub const FEWEST_BLOCKS: usize = 7;

/// Blocks beyond which no advice to make more is given.
const MOST_BLOCKS: usize = 200;

/// Blocks up to which the reach is played through; beyond, the normal approximation is within a few percent.
const PLAYED: usize = 24;

/// Quantiles of the normal distribution at the level and at the power.
const Z_LEVEL: f64 = 2.326_347_9;
const Z_POWER: f64 = 1.644_853_6;

/// Samples that the reach is worked out from, and halvings of its bracket.
const SAMPLES: u64 = 1_000;
const HALVINGS: u32 = 14;

/// Knows the reach of every number of blocks that it was asked for.
#[derive(Debug, Default)]
pub(super) struct Power {
    reaches: BTreeMap<usize, f64>,
}

impl Power {
    /// The worsening, in standard deviations of a block, that the test at its level sees in 95 of 100 gates with normal noise;
    /// infinite where there are too few blocks. Worked out by playing it through, as the exact test has no formula for it; for many
    /// blocks by Noether's ("Sample size determination for some common nonparametric tests", 1987).
    pub(super) fn reach(&mut self, blocks: usize) -> f64 {
        *self.reaches.entry(blocks).or_insert_with(|| reach(blocks))
    }

    /// The worsening that would have been seen, on the logarithmic scale, from the differences that there were.
    pub(super) fn detectable(&mut self, differences: &[f64]) -> f64 {
        self.reach(differences.len()) * deviation(differences)
    }

    /// Blocks in which noise of this standard deviation would let a worsening be seen; `None` where that takes too many.
    pub(super) fn blocks_for(&mut self, worsening: f64, deviation: f64) -> Option<u32> {
        let enough = |blocks: &usize| self.reach(*blocks) * deviation <= worsening;
        // The reach falls with the number of blocks, so the first that suffices is found by halving.
        let all: Vec<usize> = (FEWEST_BLOCKS..=MOST_BLOCKS).collect();
        let mut enough = enough;
        let (mut low, mut high) = (0, all.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if enough(&all[middle]) { high = middle } else { low = middle + 1 }
        }
        all.get(low).map(|blocks| *blocks as u32)
    }
}

/// The worsening, as a share, that a gate of so many blocks sees where the differences of blocks have this standard deviation on the
/// logarithmic scale.
pub fn foreseen(blocks: u32, deviation: f64) -> f64 {
    (reach(blocks as usize) * deviation).exp_m1()
}

fn reach(blocks: usize) -> f64 {
    let Some(critical) = critical(blocks.min(PLAYED), LEVEL) else { return f64::INFINITY };
    if blocks > PLAYED {
        return (Z_LEVEL + Z_POWER) / (blocks as f64 * 3.0 / std::f64::consts::PI).sqrt();
    }
    let mut needed: Vec<f64> = (0..SAMPLES).map(|sample| shift_of(sample, blocks, critical)).collect();
    needed.sort_by(f64::total_cmp);
    needed[((SAMPLES as f64 * POWER).ceil() as usize).saturating_sub(1)]
}

/// The least shift that makes one sample of normal noise significant: the test only grows surer with it.
fn shift_of(sample: u64, blocks: usize, critical: usize) -> f64 {
    let mut random = generator(sample, blocks as u64);
    let noise: Vec<f64> = (0..blocks).map(|_| StandardNormal.sample(&mut random)).collect();
    let (mut low, mut high) = (-10.0, 10.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        let shifted: Vec<f64> = noise.iter().map(|value| value + middle).collect();
        if rank_sum_against(&shifted) <= critical as f64 { high = middle } else { low = middle }
    }
    high
}

/// Standard deviation of a sample.
pub(super) fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    if count < 2.0 {
        return f64::INFINITY;
    }
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is played through joins what is approximated.
    #[test]
    fn reach_is_what_theory_says() {
        let mut power = Power::default();
        assert!(power.reach(6).is_infinite());
        let [last, first] = [PLAYED, PLAYED + 1].map(|blocks| power.reach(blocks) * (blocks as f64).sqrt());
        assert!((last / first - 1.0).abs() < 0.08, "{last} {first}");
        assert!(power.reach(8) > power.reach(12) && power.reach(12) > power.reach(40));
        // All of seven positive in 95 of 100: the least of seven normals is above 0 with that probability at z(0.95^(1/7)).
        assert!((power.reach(7) - 2.442).abs() < 0.15, "{}", power.reach(7));
    }

    #[test]
    fn more_noise_takes_more_blocks() {
        let mut power = Power::default();
        let few = power.blocks_for(0.1, 0.03).unwrap();
        let many = power.blocks_for(0.1, 0.08).unwrap();
        assert!((7..=8).contains(&few) && many > 9 && many < 25, "{few} {many}");
        assert_eq!(power.blocks_for(0.01, 1.0), None);
    }
}
