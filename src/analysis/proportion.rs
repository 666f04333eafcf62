//! Shares with their confidence intervals.

use std::cmp::Ordering;

use statrs::function::beta::beta_reg;

/// A share with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    /// Cases.
    pub count: u64,
    /// Out of a number of.
    pub of: u64,
    /// `count / of`, 0 when `of` is 0.
    pub share: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// One tail of a two-sided 95 % interval.
const TAIL: f64 = 0.025;

/// Halvings that bring an interval of width 1 below the resolution of a double near 1e-9.
const HALVINGS: u32 = 80;

impl Proportion {
    /// `count` of `of` with the exact 95 % interval of Clopper and Pearson ("The use of confidence or fiducial limits
    /// illustrated in the case of the binomial", Biometrika 26, 1934).
    ///
    /// Cases that come in bursts show less than as many independent ones: both numbers are divided by the burstiness
    /// (at least 1) first, as Korn and Graubard do for clustered samples ("Confidence intervals for proportions with
    /// small expected number of positive counts estimated from survey data", Survey Methodology 24, 1998).
    pub fn estimate(count: u64, of: u64, burstiness: f64) -> Self {
        if of == 0 {
            return Self { count, of, share: 0.0, low: 0.0, high: 1.0 };
        }
        let (cases, trials) = (count as f64 / burstiness, of as f64 / burstiness);
        let others = trials - cases;
        Self {
            count,
            of,
            share: count as f64 / of as f64,
            low: if count == 0 { 0.0 } else { beta_quantile(cases, others + 1.0, TAIL) },
            high: if count >= of { 1.0 } else { beta_quantile(cases + 1.0, others, 1.0 - TAIL) },
        }
    }

    /// Where the interval of [`Proportion::estimate`] lies: `Greater` where it is above a limit between 0 and 1, `Less` where
    /// no part of it is, and `Equal` where it holds the limit. Needs no bound, and is a hundred times as fast.
    pub(super) fn against(limit: f64, count: u64, of: u64, burstiness: f64) -> Ordering {
        let (cases, others) = (count as f64 / burstiness, of.saturating_sub(count) as f64 / burstiness);
        if count > 0 && beta_reg(cases, others + 1.0, limit) < TAIL {
            Ordering::Greater
        } else if count < of && beta_reg(cases + 1.0, others, limit) >= 1.0 - TAIL {
            Ordering::Less
        } else {
            Ordering::Equal
        }
    }
}

/// Quantile of the beta distribution, by halving: Newton's method, as statrs has it, does not end where a share is
/// about 1e-6 and less.
fn beta_quantile(a: f64, b: f64, probability: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if beta_reg(a, b, middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    fn assert_interval(count: u64, of: u64, low: f64, high: f64) {
        let seen = Proportion::estimate(count, of, 1.0);
        assert!((seen.low - low).abs() < 5e-5 && (seen.high - high).abs() < 5e-5, "{count} of {of}: {seen:?}");
    }

    #[test]
    fn has_the_tabulated_intervals() {
        assert_interval(0, 100, 0.0, 0.0362);
        assert_interval(10, 100, 0.0490, 0.1762);
        assert_interval(50, 100, 0.3983, 0.6017);
        assert_interval(100, 100, 0.9638, 1.0);
        assert_interval(1, 10, 0.0025, 0.4450);
    }

    #[test]
    fn holds_for_very_many_trials() {
        let none = Proportion::estimate(0, 100_000_000, 1.0);
        let exact = 1.0 - 0.025_f64.powf(1e-8);
        assert!((none.high / exact - 1.0).abs() < 1e-6, "{none:?}");

        let many = Proportion::estimate(36_000, 3_600_000, 1.0);
        let normal = 1.96 * (0.01 * 0.99 / 3.6e6_f64).sqrt();
        assert!(((many.high - 0.01) / normal - 1.0).abs() < 0.01, "{many:?}");
        assert!(((0.01 - many.low) / normal - 1.0).abs() < 0.01, "{many:?}");
    }

    #[test]
    fn knows_nothing_without_trials() {
        assert_eq!(Proportion::estimate(0, 0, 1.0), Proportion { count: 0, of: 0, share: 0.0, low: 0.0, high: 1.0 });
    }

    proptest! {
        #[test]
        fn the_interval_contains_the_share(of in 1_u64..5_000_000, part in 0.0..=1.0_f64, burstiness in 1.0..50.0_f64) {
            let count = (part * of as f64) as u64;
            let seen = Proportion::estimate(count, of, burstiness);
            prop_assert!(0.0 <= seen.low && seen.low <= seen.share && seen.share <= seen.high && seen.high <= 1.0);
        }

        #[test]
        fn lies_where_its_bounds_lie(of in 1_u64..500_000, part in 0.0..=0.05_f64, burstiness in 1.0..50.0_f64) {
            let count = (part * of as f64) as u64;
            let seen = Proportion::estimate(count, of, burstiness);
            let place = Proportion::against(0.01, count, of, burstiness);
            let near = |bound: f64| (bound - 0.01).abs() < 1e-9;
            prop_assert!(near(seen.low) || (seen.low > 0.01) == (place == Ordering::Greater), "{seen:?} {place:?}");
            prop_assert!(near(seen.high) || (seen.high <= 0.01) == (place == Ordering::Less), "{seen:?} {place:?}");
        }

        #[test]
        fn bursts_widen_the_interval(of in 100_u64..1_000_000, part in 0.001..0.999_f64, burstiness in 1.5..50.0_f64) {
            let count = (part * of as f64) as u64;
            let (calm, bursty) = (Proportion::estimate(count, of, 1.0), Proportion::estimate(count, of, burstiness));
            prop_assert!(bursty.low <= calm.low && calm.high <= bursty.high);
        }
    }
}
