//! Two arms at one rate, by pairs of slices that were made one after the other: ratios with their intervals, and whether they
//! are chance.

use rand::RngExt;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::{RateComparison, advice::noticed, draw::generator, judge::is_limited};
use crate::{results::Trial, scenario::Objective};

/// Pairs up to which every way of turning signs is looked at (65 536 of them).
const ALL_SIGNS: usize = 16;

/// Ways of turning signs that are drawn where there are more.
const DRAWN_SIGNS: u32 = 100_000;

/// Level and power of the effect that a run could have seen.
const LEVEL: f64 = 0.01;
const POWER: f64 = 0.8;

/// A ratio of two arms, from logarithms of the ratio in each pair.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ratio {
    logs: Vec<f64>,
}

/// Two arms at one rate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compared {
    /// What is told.
    pub(super) told: RateComparison,
    /// Response p99 of the smaller pool, in nanoseconds: mean of the slices.
    pub(super) response_p99: f64,
    /// Upper 95 % bound of response p99, in nanoseconds, of either pool.
    pub(super) highest_p99: f64,
    /// Mean service time of the smaller pool, in nanoseconds: mean of the slices.
    pub(super) service_mean: f64,
    /// p-value of the ratio of service times being 1.
    pub(super) service_p: f64,
    /// Effect on response p99 that would have been seen, as a share.
    pub(super) detectable: f64,
}

impl Ratio {
    /// Larger over smaller, pair by pair; pairs in which either is 0 are left out.
    fn of(pairs: &[(&Trial, &Trial)], value: impl Fn(&Trial) -> f64) -> Self {
        let ratio = |(smaller, larger): &(&Trial, &Trial)| (value(larger) / value(smaller)).ln();
        Self { logs: pairs.iter().map(ratio).filter(|log| log.is_finite()).collect() }
    }

    fn mean(&self) -> f64 {
        if self.logs.is_empty() { 0.0 } else { self.logs.iter().sum::<f64>() / self.logs.len() as f64 }
    }

    /// Standard error of the mean, with its degrees of freedom; `None` with fewer than two pairs.
    fn error(&self) -> Option<(f64, StudentsT)> {
        let count = self.logs.len() as f64;
        let distribution = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
        let mean = self.mean();
        let squares: f64 = self.logs.iter().map(|log| (log - mean).powi(2)).sum();
        Some(((squares / (count - 1.0) / count).sqrt(), distribution))
    }

    /// Geometric mean with its 95 % interval by Student's t; without two pairs anything is possible.
    pub(super) fn interval(&self) -> (f64, f64, f64) {
        let mean = self.mean();
        match self.error() {
            None => (mean.exp(), 0.0, f64::INFINITY),
            Some((error, distribution)) => {
                let reach = distribution.inverse_cdf(0.975) * error;
                (mean.exp(), (mean - reach).exp(), (mean + reach).exp())
            }
        }
    }

    /// Two-sided p-value of no difference: the share of all ways of turning the signs of the logarithms whose mean is at least
    /// as far from 0 (Fisher, "The Design of Experiments", 1935, section 21). With more than sixteen pairs of a sample
    /// of them, the one seen included.
    pub(super) fn p_value(&self, seed: u64) -> f64 {
        let count = self.logs.len();
        if count == 0 {
            return 1.0;
        }
        let distance = self.logs.iter().sum::<f64>().abs() * (1.0 - 1e-12);
        let as_far = |negative: u64| {
            let signed = |(index, log): (usize, &f64)| if negative >> index & 1 == 1 { -log } else { *log };
            self.logs.iter().enumerate().map(signed).sum::<f64>().abs() >= distance
        };
        if count <= ALL_SIGNS {
            let all = 1_u64 << count;
            return (0..all).filter(|signs| as_far(*signs)).count() as f64 / all as f64;
        }
        let mut random = generator(seed, count as u64);
        let far = (0..DRAWN_SIGNS).filter(|_| as_far(random.random())).count();
        (far as f64 + 1.0) / (f64::from(DRAWN_SIGNS) + 1.0)
    }

    /// The smallest change, as a share, that such pairs show at p = 0.01 in four of five runs; infinite where they are too few for
    /// that p-value whatever they show. With eight pairs all must have the same sign, which takes a change of
    /// `Phi^-1(0.8^(1/8))` standard deviations of a pair.
    pub(super) fn detectable(&self) -> f64 {
        let count = self.logs.len() as f64;
        let (Some((error, distribution)), true) = (self.error(), 2.0_f64.powf(1.0 - count) <= LEVEL) else {
            return f64::INFINITY;
        };
        let alike = Normal::standard().inverse_cdf(POWER.powf(1.0 / count)) * count.sqrt();
        let by_chance = distribution.inverse_cdf(1.0 - LEVEL / 2.0) + distribution.inverse_cdf(POWER);
        let all_must_be = 2.0_f64.powf(2.0 - count) > LEVEL;
        let reach = if all_must_be { alike.max(by_chance) } else { by_chance };
        1.0 - (-reach * error).exp()
    }
}

/// Compares pairs (smaller, larger) of slices at one rate. Pairs in which the harness was the limit, or was late by as much as would
/// be noticed, are left out.
pub(super) fn compare(rate: f64, pairs: &[(&Trial, &Trial)], objective: &Objective, seed: u64) -> Compared {
    let late = |trial: &Trial| trial.waived.is_some() && trial.lag_p99 as f64 > noticed(objective);
    let limited = |trial: &Trial| is_limited(trial, objective) || late(trial);
    let pairs: Vec<(&Trial, &Trial)> =
        pairs.iter().copied().filter(|(smaller, larger)| !limited(smaller) && !limited(larger)).collect();
    let p99 = Ratio::of(&pairs, |trial| trial.response.p99 as f64);
    let service = Ratio::of(&pairs, |trial| trial.service.mean);
    let both = |value: &dyn Fn(&Trial) -> f64| {
        let mean = |all: Vec<f64>| all.iter().sum::<f64>() / (all.len() as f64).max(1.0);
        let (smaller, larger) = pairs.iter().map(|(smaller, larger)| (value(smaller), value(larger))).unzip();
        (mean(smaller), mean(larger))
    };
    let busy = |side: fn(&(&Trial, &Trial)) -> Option<f64>| {
        let known: Vec<f64> = pairs.iter().filter_map(side).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    Compared {
        response_p99: both(&|trial| trial.response.p99 as f64).0,
        highest_p99: level(&mut pairs.iter().map(|(smaller, _)| *smaller))
            .max(level(&mut pairs.iter().map(|(_, larger)| *larger))),
        service_mean: both(&|trial| trial.service.mean).0,
        service_p: service.p_value(seed),
        detectable: p99.detectable(),
        told: RateComparison {
            rate,
            decides: true,
            pairs: pairs.len() as u32,
            response_p99: p99.interval(),
            p_value: p99.p_value(seed),
            service: service.interval(),
            throughput: Ratio::of(&pairs, |trial| trial.throughput).interval(),
            wait_p99: both(&|trial| trial.wait.p99 as f64),
            server_busy: (busy(|pair| pair.0.server_busy), busy(|pair| pair.1.server_busy)),
            errors: both(&|trial| trial.failed as f64 / (trial.scheduled as f64).max(1.0)),
        },
    }
}

/// Upper 95 % bound of the geometric mean of response p99, in nanoseconds.
fn level(trials: &mut dyn Iterator<Item = &Trial>) -> f64 {
    let (_, _, high) = Ratio { logs: trials.map(|trial| (trial.response.p99 as f64).ln()).collect() }.interval();
    // Where a slice has no answer nothing is known of its response time.
    if high.is_finite() { high } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::analysis::capacity::simulated::{scenario, trial};

    fn ratio(logs: &[f64]) -> Ratio {
        Ratio { logs: logs.to_vec() }
    }

    #[test]
    fn eight_pairs_of_one_sign_have_the_smallest_p_value() {
        let same = ratio(&[-0.5, -0.4, -0.6, -0.5, -0.3, -0.7, -0.5, -0.5]);
        assert!((same.p_value(1) - 2.0 / 256.0).abs() < 1e-12);
        assert!((ratio(&same.logs[..6]).p_value(1) - 2.0 / 64.0).abs() < 1e-12, "six pairs could never decide");
        // Worked out by hand: of eight sums +-1 +-2 +-4 four are at least 5 away from 0.
        assert!((ratio(&[-1.0, 2.0, 4.0]).p_value(1) - 0.5).abs() < 1e-12);
        assert!((ratio(&[]).p_value(1) - 1.0).abs() < 1e-12);
        assert!((ratio(&[0.0; 5]).p_value(1) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn drawn_signs_agree_with_all_of_them() {
        // Seventeen pairs of which one is 0: turning its sign changes nothing, so the other sixteen say the exact value.
        let sixteen: Vec<f64> = (0..16).map(|index| 0.3 + (f64::from(index) * 1.7).sin()).collect();
        let exact = ratio(&sixteen).p_value(1);
        let drawn = ratio(&[sixteen, vec![0.0]].concat());
        assert!((drawn.p_value(1) - exact).abs() < 0.01, "{exact}");
        assert!((drawn.p_value(1) - drawn.p_value(1)).abs() < f64::EPSILON);
    }

    /// Mean 0.3 and standard deviation 0.1 of five: 0.3 +- 2.776 x 0.1 / sqrt 5, with t as it is tabulated.
    #[test]
    fn intervals_are_students() {
        let deviation = 0.1 * (4.0_f64 / 5.0).sqrt();
        let logs: Vec<f64> = [-1.5, -0.5, 0.0, 0.5, 1.5].iter().map(|z| 0.3 + z * deviation).collect();
        let (point, low, high) = ratio(&logs).interval();
        let reach = 2.776_445 * 0.1 / 5.0_f64.sqrt();
        for (seen, known) in [(point, 0.3), (low, 0.3 - reach), (high, 0.3 + reach)] {
            assert!((seen.ln() - known).abs() < 1e-6, "{seen} {known}");
        }
        assert_eq!(ratio(&[0.0]).interval(), (1.0, 0.0, f64::INFINITY));
    }

    #[test]
    fn chance_is_seldom_taken_for_an_effect_and_a_detectable_one_is_seen() {
        let (mut false_alarms, mut seen) = (0, 0);
        for seed in 0..400 {
            let mut random = generator(seed, 3);
            let noise: Vec<f64> = (0..12).map(|_| StandardNormal.sample(&mut random)).map(|z: f64| 0.1 * z).collect();
            let chance = ratio(&noise);
            false_alarms += u32::from(chance.p_value(seed) <= 0.05);
            let effect = (1.0 - 0.116_f64).ln();
            seen += u32::from(ratio(&noise.iter().map(|log| log + effect).collect::<Vec<_>>()).p_value(seed) <= 0.01);
        }
        assert!((8..=34).contains(&false_alarms), "{false_alarms} of 400 at 5 %");
        // Standard error 0.1 / sqrt 12, reach 3.106 + 0.876: 0.115, 10.9 %.
        assert!((290..=385).contains(&seen), "{seen} of 400");
        let spread = ratio(&[0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1]);
        let error = (12.0_f64 * 0.01 / 11.0 / 12.0).sqrt();
        assert!((spread.detectable() - (1.0 - (-(3.105_81 + 0.875_53) * error).exp())).abs() < 1e-4);
    }

    #[test]
    fn pairs_are_compared_field_by_field() {
        let smaller = trial(0, 1_000.0);
        let mut larger = trial(1, 1_000.0);
        larger.response.p99 = smaller.response.p99 / 2;
        larger.service.mean = smaller.service.mean * 1.2;
        (larger.server_busy, larger.failed, larger.wait.p99) = (None, 100, 7);
        let mut limited = smaller.clone();
        limited.client_limited = Some("lag".into());
        let pairs = [(&smaller, &larger), (&smaller, &larger), (&limited, &larger)];
        let Compared { told, response_p99, .. } = compare(1_000.0, &pairs, &scenario().objective, 1);
        assert_eq!((told.pairs, told.server_busy, told.wait_p99), (2, (Some(0.3), None), (0.0, 7.0)));
        assert!((told.response_p99.0 - 0.5).abs() < 1e-9 && (told.service.0 - 1.2).abs() < 1e-9, "{told:?}");
        assert!((told.errors.1 - 0.01).abs() < 1e-9 && (told.throughput.0 - 1.0).abs() < 1e-9, "{told:?}");
        assert!((response_p99 - 900_000.0).abs() < 1e-6);
    }
}
