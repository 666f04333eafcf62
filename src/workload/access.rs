//! Popularity: which of a number of keys a request touches.

use rand::RngExt;
use rand_distr::{Distribution, Zipf};
use statrs::function::erf::{erf, erf_inv};

use super::draw::Generator;
use crate::scenario::Access;

/// Draws indexes below a count.
#[derive(Debug, Clone)]
pub(super) struct Popularity {
    count: u64,
    law: Law,
}

#[derive(Debug, Clone)]
enum Law {
    Uniform,
    Zipf(Zipf<f64>),
    Hotspot {
        /// Number of hot keys, the first ones.
        hot: u64,
        requests: f64,
    },
    Latest(Zipf<f64>),
    Sequential,
    Gaussian {
        /// Standard deviation in keys, times the root of 2.
        scale: f64,
        /// Probability of the keyspace under the untruncated normal distribution.
        within: f64,
    },
}

/// Where a draw stands in the stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Turn of the request: its sequence number, or the number of full cycles in a cycled order.
    pub(super) turn: u64,
    /// Keys that the request touches.
    pub(super) batch: u64,
    /// Index of this instance.
    pub(super) nth: u64,
}

impl Popularity {
    /// Popularity of `count` keys.
    pub(super) fn new(access: Access, count: u64) -> Self {
        let count = count.max(1);
        let zipf = |exponent: f64| {
            Zipf::new(count as f64, exponent).expect("a validated exponent is above 0, and the count is at least 1")
        };
        let law = match access {
            Access::Uniform => Law::Uniform,
            Access::Zipf { exponent } => Law::Zipf(zipf(exponent)),
            Access::Hotspot { keys, requests } => {
                Law::Hotspot { hot: ((count as f64 * keys).round() as u64).clamp(1, count), requests }
            }
            Access::Latest { exponent } => Law::Latest(zipf(exponent)),
            Access::Sequential => Law::Sequential,
            Access::Gaussian { deviation } => {
                let scale = count as f64 * deviation * std::f64::consts::SQRT_2;
                Law::Gaussian { scale, within: erf(count as f64 / 2.0 / scale) }
            }
        };
        Self { count, law }
    }

    /// An index, from 0 to below the count.
    #[inline]
    pub(super) fn index(&self, generator: &mut Generator, place: Place) -> u64 {
        let last = self.count - 1;
        match &self.law {
            Law::Uniform => generator.random_range(0..=last),
            Law::Zipf(zipf) => rank(zipf, generator).min(last),
            Law::Hotspot { hot, requests } => {
                if *hot == self.count || generator.random::<f64>() < *requests {
                    generator.random_range(0..*hot)
                } else {
                    generator.random_range(*hot..=last)
                }
            }
            Law::Latest(zipf) => {
                let head = place.turn % self.count;
                let distance = rank(zipf, generator).min(last);
                if distance <= head { head - distance } else { head + self.count - distance }
            }
            Law::Sequential => place.turn.wrapping_mul(place.batch).wrapping_add(place.nth) % self.count,
            Law::Gaussian { scale, within } => {
                // The inverse of the distribution function, truncated to the keyspace.
                let probability = within * (2.0 * generator.random::<f64>() - 1.0);
                let index = self.count as f64 / 2.0 + scale * erf_inv(probability);
                // A float is cut to 0..=u64::MAX by the conversion.
                (index as u64).min(last)
            }
        }
    }
}

/// Rank, from 0.
#[inline]
fn rank(zipf: &Zipf<f64>, generator: &mut Generator) -> u64 {
    zipf.sample(generator) as u64 - 1
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::Just, prelude::Strategy, prop_assert, prop_oneof, proptest};
    use statrs::distribution::{ChiSquared, ContinuousCDF};

    use super::{Place, Popularity};
    use crate::{
        scenario::Access,
        workload::draw::{Purpose, Root},
    };

    const DRAWS: u64 = 100_000;

    fn draw(popularity: &Popularity, turn: u64) -> u64 {
        let mut generator = Root::new(7, 0).generator(Purpose::Key, turn, 0);
        popularity.index(&mut generator, Place { turn, batch: 1, nth: 0 })
    }

    /// Number of draws of each index.
    fn frequencies(access: Access, count: u64) -> Vec<u64> {
        let popularity = Popularity::new(access, count);
        let mut frequencies = vec![0; count as usize];
        for turn in 0..DRAWS {
            frequencies[draw(&popularity, turn) as usize] += 1;
        }
        frequencies
    }

    /// Pearson's test: probability of frequencies at least as far from these shares.
    fn plausibility(frequencies: &[u64], shares: &[f64]) -> f64 {
        let draws = frequencies.iter().sum::<u64>() as f64;
        let total: f64 = shares.iter().sum();
        let statistic: f64 = frequencies
            .iter()
            .zip(shares)
            .map(|(seen, share)| {
                let expected = draws * share / total;
                (*seen as f64 - expected).powi(2) / expected
            })
            .sum();
        ChiSquared::new((shares.len() - 1) as f64).unwrap().sf(statistic)
    }

    fn zipf_shares(count: u64, exponent: f64) -> Vec<f64> {
        (1..=count).map(|rank| (rank as f64).powf(-exponent)).collect()
    }

    #[test]
    fn uniform_access_favours_no_key() {
        assert!(plausibility(&frequencies(Access::Uniform, 100), &[1.0; 100]) > 0.001);
    }

    #[test]
    fn zipf_access_follows_the_ranks() {
        for exponent in [0.5, 0.99, 1.0, 1.5] {
            let seen = frequencies(Access::Zipf { exponent }, 100);
            assert!(plausibility(&seen, &zipf_shares(100, exponent)) > 0.001, "{exponent}");
            assert!(plausibility(&seen, &[1.0; 100]) < 1e-9, "{exponent} differs from uniform");
        }
    }

    #[test]
    fn hot_keys_take_their_share_of_the_requests() {
        let seen = frequencies(Access::Hotspot { keys: 0.1, requests: 0.9 }, 50);
        let shares: Vec<_> = (0..50).map(|index| if index < 5 { 0.9 / 5.0 } else { 0.1 / 45.0 }).collect();
        assert!(plausibility(&seen, &shares) > 0.001);
        // All keys hot: nothing is left for the others.
        assert!(plausibility(&frequencies(Access::Hotspot { keys: 1.0, requests: 0.5 }, 50), &[1.0; 50]) > 0.001);
    }

    #[test]
    fn latest_access_stays_behind_a_moving_head() {
        let popularity = Popularity::new(Access::Latest { exponent: 0.99 }, 100);
        let mut distances = vec![0; 100];
        for turn in 0..DRAWS {
            let distance = (turn + 100 - draw(&popularity, turn)) % 100;
            distances[distance as usize] += 1;
        }
        assert!(plausibility(&distances, &zipf_shares(100, 0.99)) > 0.001);
    }

    #[test]
    fn sequential_access_meets_each_key_in_turn_in_batches_too() {
        let popularity = Popularity::new(Access::Sequential, 10);
        let mut generator = Root::new(7, 0).generator(Purpose::Key, 0, 0);
        let mut met = Vec::new();
        for turn in 0..5 {
            met.extend((0..4).map(|nth| popularity.index(&mut generator, Place { turn, batch: 4, nth })));
        }
        assert_eq!(met, (0..10).chain(0..10).collect::<Vec<_>>());
    }

    #[test]
    fn gaussian_access_has_its_deviation() {
        let popularity = Popularity::new(Access::Gaussian { deviation: 0.1 }, 1000);
        let offsets: Vec<_> = (0..DRAWS).map(|turn| draw(&popularity, turn) as f64 - 499.5).collect();
        let mean = offsets.iter().sum::<f64>() / DRAWS as f64;
        let deviation = (offsets.iter().map(|offset| offset * offset).sum::<f64>() / DRAWS as f64).sqrt();
        // Five standard errors.
        assert!(mean.abs() < 5.0 * 100.0 / (DRAWS as f64).sqrt(), "{mean}");
        assert!((deviation - 100.0).abs() < 5.0 * 100.0 / (2.0 * DRAWS as f64).sqrt(), "{deviation}");
        // So wide that it is all but even: the truncated tails pile up nowhere.
        let seen = frequencies(Access::Gaussian { deviation: 1000.0 }, 50);
        assert!(plausibility(&seen, &[1.0; 50]) > 0.001);
    }

    proptest! {
        #![proptest_config(crate::workload::sample::laws())]

        #[test]
        fn every_law_keeps_to_the_keyspace(
            access in prop_oneof![
                Just(Access::Uniform),
                Just(Access::Sequential),
                (0.01..5.0).prop_map(|exponent| Access::Zipf { exponent }),
                (0.01..5.0).prop_map(|exponent| Access::Latest { exponent }),
                (0.0..=1.0, 0.0..=1.0).prop_map(|(keys, requests)| Access::Hotspot { keys, requests }),
                (0.0001..10.0).prop_map(|deviation| Access::Gaussian { deviation }),
            ],
            count in prop_oneof![1_u64..10, 1_u64..1_000_000_000],
            turn: u64,
            batch in 1_u64..1000,
        ) {
            let popularity = Popularity::new(access, count);
            let mut generator = Root::new(7, 0).generator(Purpose::Key, turn, 0);
            for nth in 0..batch.min(50) {
                let index = popularity.index(&mut generator, Place { turn, batch, nth });
                prop_assert!(index < count, "{index}");
            }
        }
    }
}
