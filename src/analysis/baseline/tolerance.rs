//! Prediction interval of a further run.
//!
//! Logarithms of response times and rates of runs are taken for draws from one normal distribution whose mean and spread
//! are not known. A further draw y then lies as far from the mean of K others as
//! `t = (y - mean) / (s sqrt(1 + 1/K))` says, which follows Student's distribution with K - 1 degrees of freedom (a
//! prediction interval for one further observation: Hahn and Meeker, "Statistical Intervals", 1991, section 4.7). Here
//! "spread" is the standard deviation with K - 1 in its denominator.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Runs from which on the spread decides; with fewer it is hardly known.
pub const ENOUGH_RUNS: usize = 7;

/// Probability of a false alarm, of all rows and quantities together.
pub(super) const ALARM: f64 = 0.01;

/// Probability with which an effect of the smallest detectable size is found.
const POWER: f64 = 0.95;

/// A spread below this is that of the digits of a histogram.
const LEAST_SPREAD: f64 = 1e-4;

/// Logarithms of one quantity of several runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Number; at least 1.
    pub(super) runs: usize,
    pub(super) mean: f64,
    /// `None` of a single run.
    pub(super) spread: Option<f64>,
}

impl Sample {
    /// `None` where there is nothing.
    pub(super) fn of(logarithms: &[f64]) -> Option<Self> {
        if logarithms.is_empty() {
            return None;
        }
        let count = logarithms.len() as f64;
        let mean = logarithms.iter().sum::<f64>() / count;
        let squares: f64 = logarithms.iter().map(|value| (value - mean).powi(2)).sum();
        let spread = (logarithms.len() > 1).then(|| (squares / (count - 1.0)).sqrt().max(LEAST_SPREAD));
        Some(Self { runs: logarithms.len(), mean, spread })
    }

    /// Standard error of the difference between one further run and the mean, with its degrees of freedom.
    fn error(&self) -> Option<(f64, StudentsT)> {
        let spread = self.spread?;
        let error = spread * (1.0 + 1.0 / self.runs as f64).sqrt();
        Some((error, student(self.runs)?))
    }

    /// Probability that a further run of the same thing lies as far above the mean as `value` or farther.
    pub(super) fn chance_above(&self, value: f64) -> Option<f64> {
        self.error().map(|(error, student)| student.cdf(-(value - self.mean) / error))
    }

    /// Distance below and above the mean within which a further run lies with probability 1 - 2 `beyond`.
    pub(super) fn reach(&self, beyond: f64) -> Option<f64> {
        self.error().map(|(error, student)| student.inverse_cdf(1.0 - beyond) * error)
    }
}

/// Smallest true change that is found in 95 % of all cases where false alarms have probability `alarm` and a change must be seen
/// to be at least `least`, as a logarithm: `max(t(1 - alarm) e, least) + t(0.95) e` with `e = s sqrt(1 + 1/K)`, in good
/// approximation to the noncentral distribution. For a spread of 1 and ten runs at 1 % that is 4.88. `None` below two runs.
pub(super) fn smallest_effect(spread: f64, runs: usize, alarm: f64, least: f64) -> Option<f64> {
    let student = student(runs)?;
    let error = spread * (1.0 + 1.0 / runs as f64).sqrt();
    Some((student.inverse_cdf(1.0 - alarm) * error).max(least) + student.inverse_cdf(POWER) * error)
}

fn student(runs: usize) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, runs.checked_sub(1).filter(|freedom| *freedom > 0)? as f64).ok()
}

/// Which of several tests reject, so that the probability of any false alarm is at most `alarm` whatever they have to do
/// with each other: Holm's procedure with weights (Holm, "A simple sequentially rejective multiple test procedure",
/// Scandinavian Journal of Statistics 6, 1979, section 4). Each test comes with its p-value and its weight.
pub(super) fn rejected(tests: &[(f64, f64)], alarm: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..tests.len()).collect();
    order.sort_by(|&a, &b| (tests[a].0 / tests[a].1).total_cmp(&(tests[b].0 / tests[b].1)));
    let mut weight: f64 = tests.iter().map(|(_, weight)| weight).sum();
    let mut rejected = vec![false; tests.len()];
    for index in order {
        let (p, own) = tests[index];
        if p > alarm * own / weight {
            break;
        }
        rejected[index] = true;
        weight -= own;
    }
    rejected
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
    use rand_distr::StandardNormal;

    use super::*;

    #[test]
    fn has_the_tabulated_quantiles() {
        // Student's t(0.99) with 9 degrees of freedom is 2.821, t(0.95) 1.833.
        let effect = smallest_effect(1.0, 10, 0.01, 0.0).unwrap();
        assert!((effect - 4.88).abs() < 0.005, "{effect}");
        let effect = smallest_effect(1.0, 10, 0.01, 4.0).unwrap();
        assert!((effect - (4.0 + 1.833 * 1.1_f64.sqrt())).abs() < 0.005, "{effect}");
        let sample = Sample { runs: 10, mean: 0.0, spread: Some(1.0) };
        assert!((sample.reach(0.01).unwrap() - 2.821 * 1.1_f64.sqrt()).abs() < 1e-3);
        assert!((sample.chance_above(2.821_44 * 1.1_f64.sqrt()).unwrap() - 0.01).abs() < 1e-5);
        assert!((sample.chance_above(-9.0).unwrap() - 1.0).abs() < 1e-4);
        assert!(smallest_effect(1.0, 1, 0.01, 0.0).is_none());
    }

    #[test]
    fn the_spread_has_one_degree_of_freedom_less_than_runs() {
        let sample = Sample::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert!((sample.spread.unwrap() - (5.0_f64 / 3.0).sqrt()).abs() < 1e-12 && (sample.mean - 2.5).abs() < 1e-12);
        assert!(Sample::of(&[1.0]).unwrap().spread.is_none() && Sample::of(&[]).is_none());
        assert!(Sample::of(&[1.0, 1.0]).unwrap().chance_above(1.1).unwrap() < 0.01, "equal runs divide by no zero");
    }

    #[test]
    fn holm_rejects_step_by_step() {
        // The example of unit weights: 0.01/4, 0.01/3, 0.01/2, 0.01.
        let plain = |p: [f64; 4]| rejected(&p.map(|p| (p, 1.0)), 0.01);
        assert_eq!(plain([0.002, 0.003, 0.004, 0.02]), [true, true, true, false]);
        assert_eq!(plain([0.02, 0.002, 0.006, 0.004]), [false, true, false, false], "0.004 is above a third of 0.01");
        // Half of everything for one test.
        let weighted = |second| rejected(&[(0.005, 3.0), (second, 1.0), (0.9, 1.0), (0.9, 1.0)], 0.01);
        assert_eq!(weighted(0.0033), [true, true, false, false], "the half that the first test had is passed on");
        assert_eq!(weighted(0.0034), [true, false, false, false]);
    }

    #[test]
    fn one_run_in_a_hundred_lies_beyond_one_percent() {
        let mut random = StdRng::seed_from_u64(20);
        let trials = 4_000;
        let mut alarms = 0;
        for _ in 0..trials {
            let mut draw = || 0.05 * random.sample::<f64, _>(StandardNormal);
            let runs: Vec<f64> = (0..8).map(|_| draw()).collect();
            let further = draw();
            alarms += usize::from(Sample::of(&runs).unwrap().chance_above(further).unwrap() <= 0.01);
        }
        // 40 are expected; 20 and 60 are more than three standard deviations away.
        assert!((20..=60).contains(&alarms), "{alarms} of {trials}");
    }

    #[test]
    fn the_smallest_effect_is_found_in_nineteen_of_twenty_runs() {
        let mut random = StdRng::seed_from_u64(21);
        let effect = smallest_effect(0.05, 10, 0.01, 0.0).unwrap();
        let trials = 2_000;
        let mut found = 0;
        for _ in 0..trials {
            let mut draw = || 0.05 * random.sample::<f64, _>(StandardNormal);
            let runs: Vec<f64> = (0..10).map(|_| draw()).collect();
            let further = effect + draw();
            found += usize::from(Sample::of(&runs).unwrap().chance_above(further).unwrap() <= 0.01);
        }
        let share = f64::from(found as u32) / f64::from(trials);
        assert!((0.92..0.98).contains(&share), "{share}");
    }
}
