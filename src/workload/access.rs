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
    /// Which of them this is.
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
