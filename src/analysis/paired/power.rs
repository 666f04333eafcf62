//! Smallest change that a number of blocks detects.

use std::collections::BTreeMap;

use rand_distr::{Distribution, StandardNormal};
use statrs::distribution::{ContinuousCDF, Normal};

use super::signed_rank::{LEVEL, critical, least_shift};
use crate::analysis::{draw::generator, worsening::log_of};

/// Blocks that fewer than cannot reach the level, whatever they show: 2^-7 is below 1 %.
pub const FEWEST_BLOCKS: usize = 7;

/// Blocks beyond which no advice to make more is given.
const MOST_BLOCKS: usize = 200;

/// Blocks up to which the reach is played through; beyond, the normal approximation is within a few percent.
const PLAYED: usize = 24;

/// Share of stages that are to see what is called detectable, so that both do in 95 of 100 gates: the square root of that.
const OF_STAGE: f64 = 0.974_679_4;

/// Quantile of the normal distribution at the share of stages.
const Z_STAGE: f64 = 1.954_508;

/// Samples that the reach is worked out from.
const SAMPLES: u64 = 1_000;

/// Knows the reach of every number of blocks that it was asked for.
#[derive(Debug)]
pub(in crate::analysis) struct Power {
    /// One-sided level of the test.
    level: f64,
    reaches: BTreeMap<usize, Reach>,
}

impl Default for Power {
    fn default() -> Self {
        Self::at(LEVEL)
    }
}

impl Power {
    /// Of a test at a one-sided level.
    pub(in crate::analysis) fn at(level: f64) -> Self {
        Self { level, reaches: BTreeMap::new() }
    }

    /// The worsening, on the logarithmic scale, that both stages would have called a suspicion in 95 of 100 gates with noise as that of
    /// these differences. `least` is the estimate below which there is no suspicion, however significant it is.
    pub(in crate::analysis) fn detectable(&mut self, differences: &[f64], least: f64) -> f64 {
        self.of(differences.len()).seen(deviation(differences), least)
    }

    /// Blocks in which noise of this standard deviation would be significant in both stages at a worsening; `None` where that takes too
    /// many.
    pub(in crate::analysis) fn blocks_for(&mut self, worsening: f64, deviation: f64) -> Option<u32> {
        let all: Vec<usize> = (FEWEST_BLOCKS..=MOST_BLOCKS).collect();
        // It falls with the number of blocks.
        let too_few = |blocks: &usize| self.of(*blocks).seen(deviation, f64::NEG_INFINITY) > worsening;
        let enough = all.partition_point(too_few);
        all.get(enough).map(|blocks| *blocks as u32)
    }

    fn of(&mut self, blocks: usize) -> &Reach {
        self.reaches.entry(blocks).or_insert_with(|| Reach::of(blocks, self.level))
    }
}

/// The worsening, as a share, that both stages of a gate of a number of blocks see in 95 of 100 where the differences of blocks have this standard
/// deviation on the logarithmic scale and `threshold` matters.
pub fn foreseen(blocks: u32, deviation: f64, threshold: f64) -> f64 {
    Reach::of(blocks as usize, LEVEL).seen(deviation, log_of(threshold / 2.0, true)).exp_m1()
}

/// Smallest change that a stage of some number of blocks detects.
#[derive(Debug)]
enum Reach {
    /// Too few to see anything.
    Nothing,
    /// Samples of normal noise of deviation 1: the least shift that makes each significant, and its Hodges-Lehmann estimate. The exact test
    /// has no formula for it.
    Played(Vec<(f64, f64)>),
    /// Many blocks, their number, and the quantile of the normal distribution at the level: by Noether ("Sample size determination for some common nonparametric tests", 1987), with the estimate
    /// as exact as its efficiency against the mean, 3 / pi, makes it.
    Approximated(f64, f64),
}

impl Reach {
    fn of(blocks: usize, level: f64) -> Self {
        let Some(critical) = critical(blocks.min(PLAYED), level) else { return Self::Nothing };
        if blocks > PLAYED {
            return Self::Approximated(blocks as f64, Normal::standard().inverse_cdf(1.0 - level));
        }
        Self::Played((0..SAMPLES).map(|sample| played(sample, blocks, critical)).collect())
    }

    /// The worsening that a stage suspects often enough: it has to be significant, and its estimate at least `least`.
    fn seen(&self, deviation: f64, least: f64) -> f64 {
        match self {
            Self::Nothing => f64::INFINITY,
            Self::Played(samples) => {
                let needed = |(shift, estimate): &(f64, f64)| (shift * deviation).max(least - estimate * deviation);
                let mut needed: Vec<f64> = samples.iter().map(needed).collect();
                needed.sort_by(f64::total_cmp);
                needed[((SAMPLES as f64 * OF_STAGE).ceil() as usize).saturating_sub(1)]
            }
            Self::Approximated(blocks, z_level) => {
                let error = deviation / (blocks * 3.0 / std::f64::consts::PI).sqrt();
                ((z_level + Z_STAGE) * error).max(least + Z_STAGE * error)
            }
        }
    }
}

/// The least shift that makes one sample of normal noise significant, and the sample's estimate.
fn played(sample: u64, blocks: usize, critical: usize) -> (f64, f64) {
    let mut random = generator(sample, blocks as u64);
    let noise: Vec<f64> = (0..blocks).map(|_| StandardNormal.sample(&mut random)).collect();
    least_shift(&noise, critical)
}

/// Standard deviation of a sample.
pub(in crate::analysis) fn deviation(values: &[f64]) -> f64 {
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

    /// Half of a tenth.
    const HALF: f64 = 0.05;

    fn reach(blocks: usize) -> f64 {
        Reach::of(blocks, LEVEL).seen(1.0, f64::NEG_INFINITY)
    }

    /// What is played through joins what is approximated.
    #[test]
    fn reach_is_what_theory_says() {
        assert!(reach(6).is_infinite());
        let [last, first] = [PLAYED, PLAYED + 1].map(|blocks| reach(blocks) * (blocks as f64).sqrt());
        assert!((last / first - 1.0).abs() < 0.08, "{last} {first}");
        assert!(reach(8) > reach(12) && reach(12) > reach(40));
        // All of seven positive in 97.47 of 100: the least of seven normals is above 0 with that probability at z(0.9747^(1/7)).
        assert!((reach(7) - 2.687).abs() < 0.2, "{}", reach(7));
    }

    /// However little noise there is, less than half of what matters is not suspected.
    #[test]
    fn nothing_below_half_of_what_matters_is_seen() {
        for blocks in [8, 12, 40] {
            let seen = Reach::of(blocks, LEVEL).seen(0.01, HALF);
            let error = 0.01 / (blocks as f64 * 3.0 / std::f64::consts::PI).sqrt();
            assert!((seen / (HALF + Z_STAGE * error) - 1.0).abs() < 0.03, "{blocks} {seen}");
            assert!((Reach::of(blocks, LEVEL).seen(1e-9, HALF) - HALF).abs() < 1e-6);
        }
        assert!(foreseen(8, 0.02, 0.1) > 0.05 && foreseen(8, 0.02, 0.1) < 0.08);
    }

    #[test]
    fn more_noise_takes_more_blocks() {
        let mut power = Power::default();
        let few = power.blocks_for(0.1, 0.03).unwrap();
        let many = power.blocks_for(0.1, 0.08).unwrap();
        assert!((7..=9).contains(&few) && many > 9 && many < 30, "{few} {many}");
        assert_eq!(power.blocks_for(0.01, 1.0), None);
    }
}
