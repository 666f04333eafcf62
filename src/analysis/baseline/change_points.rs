//! Where a series of runs changes: E-divisive (Matteson and James, "A nonparametric approach for multiple change point
//! analysis of multivariate data", Journal of the American Statistical Association 109, 2014), with Student's t-test instead
//! of permutations, as change point tools for performance tests have it (Fleming and others, "Hunter", ICPE 2023).
//!
//! The standard deviations of the test are those of samples, with n - 1 in their denominator. A series is looked at from
//! twenty values on, and no change lies closer than five values to its ends or to another one. What is found is reported and
//! judges nothing: the test takes the place of the change for given, although it was looked for, so a steady series
//! shows a false change now and then.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Values from which on a series is looked at.
pub const LEAST_VALUES: usize = 20;

/// Values on either side of a change.
const LEAST_SIDE: usize = 5;

/// Largest p-value of a change.
const SIGNIFICANT: f64 = 0.001;

/// A change within a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// First value behind it.
    pub at: usize,
    /// Mean of the values since the change before, or since the beginning.
    pub before: f64,
    /// Mean of the values until the next change, or until the end.
    pub after: f64,
    /// Two-sided p-value of the difference between them.
    pub p_value: f64,
}

/// The changes of a series, in order.
pub fn change_points(values: &[f64]) -> Vec<ChangePoint> {
    if values.len() < LEAST_VALUES {
        return Vec::new();
    }
    let distances = Distances::of(values);
    let mut found: Vec<usize> = Vec::new();
    loop {
        let edges = edges(&found, values.len());
        let candidates = edges.windows(2).filter_map(|pair| distances.split(pair[0], pair[1], LEAST_SIDE));
        let Some((_, at)) = candidates.max_by(|a, b| a.0.total_cmp(&b.0)) else { break };
        let place = found.partition_point(|known| *known < at);
        found.insert(place, at);
        if test(values, &found, place).p_value > SIGNIFICANT {
            found.remove(place);
            break;
        }
    }
    // A change that was found first may be none between the later ones.
    loop {
        let tested: Vec<ChangePoint> = (0..found.len()).map(|place| test(values, &found, place)).collect();
        let weakest = tested.iter().enumerate().max_by(|(_, a), (_, b)| a.p_value.total_cmp(&b.p_value));
        match weakest {
            Some((place, change)) if change.p_value > SIGNIFICANT => found.remove(place),
            _ => return tested,
        };
    }
}

/// Ends of the parts that changes divide a series into.
fn edges(found: &[usize], length: usize) -> Vec<usize> {
    std::iter::once(0).chain(found.iter().copied()).chain([length]).collect()
}

/// Compares the values before a change with those after it.
fn test(values: &[f64], found: &[usize], place: usize) -> ChangePoint {
    let edges = edges(found, values.len());
    let (from, at, to) = (edges[place], edges[place + 1], edges[place + 2]);
    let (left, right) = (&values[from..at], &values[at..to]);
    ChangePoint { at, before: mean(left), after: mean(right), p_value: t_test(left, right) }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Two-sided p-value of Student's t-test for two samples of equal variance.
fn t_test(left: &[f64], right: &[f64]) -> f64 {
    let (n, m) = (left.len() as f64, right.len() as f64);
    let squares = |values: &[f64]| {
        let middle = mean(values);
        values.iter().map(|value| (value - middle).powi(2)).sum::<f64>()
    };
    let freedom = n + m - 2.0;
    let variance = (squares(left) + squares(right)) / freedom;
    let difference = (mean(left) - mean(right)).abs();
    if difference == 0.0 {
        return 1.0;
    }
    let t = difference / (variance * (1.0 / n + 1.0 / m)).sqrt();
    // Equal values on both sides: infinite, and certain.
    if !t.is_finite() {
        return 0.0;
    }
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |student| 2.0 * student.cdf(-t))
}

/// Sums of distances between all pairs of values.
struct Distances {
    /// Row by row: the sum of distances of all pairs with both places below.
    sums: Vec<f64>,
    width: usize,
}

impl Distances {
    fn of(values: &[f64]) -> Self {
        let width = values.len() + 1;
        let mut sums = vec![0.0; width * width];
        for (i, one) in (1..).zip(values) {
            for (j, other) in (1..).zip(values) {
                sums[i * width + j] = (one - other).abs() + sums[(i - 1) * width + j] + sums[i * width + j - 1]
                    - sums[(i - 1) * width + j - 1];
            }
        }
        Self { sums, width }
    }

    /// Sum of distances between values of one stretch and values of another.
    fn between(&self, (from, to): (usize, usize), (other_from, other_to): (usize, usize)) -> f64 {
        let at = |i: usize, j: usize| self.sums[i * self.width + j];
        at(to, other_to) - at(from, other_to) - at(to, other_from) + at(from, other_from)
    }

    /// Difference of the values before and after a point: `mn / (m + n)` times the energy distance of both samples.
    fn energy(&self, from: usize, at: usize, to: usize) -> f64 {
        let (n, m) = ((at - from) as f64, (to - at) as f64);
        let pairs = |size: f64| size * (size - 1.0) / 2.0;
        let within = |from, to| self.between((from, to), (from, to)) / 2.0;
        let mean_within = |from, to, size: f64| if size > 1.0 { within(from, to) / pairs(size) } else { 0.0 };
        let across = 2.0 / (m * n) * self.between((from, at), (at, to));
        m * n / (m + n) * (across - mean_within(from, at, n) - mean_within(at, to, m))
    }

    /// The place within a stretch that divides it most clearly, compared with any part of what follows.
    fn split(&self, from: usize, to: usize, least: usize) -> Option<(f64, usize)> {
        let places = (from + least..=to.saturating_sub(least)).filter(|at| at + least <= to);
        let splits = places.flat_map(|at| (at + least..=to).map(move |until| (self.energy(from, at, until), at)));
        splits.max_by(|a, b| a.0.total_cmp(&b.0))
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
    use rand_distr::StandardNormal;

    use super::*;

    const SERIES: [f64; 32] = [
        50.0, 53.0, 48.0, 51.0, 52.0, 49.0, 50.0, 54.0, 47.0, 51.0, 52.0, 50.0, 60.0, 62.0, 59.0, 61.0, 63.0, 58.0,
        60.0, 61.0, 62.0, 59.0, 61.0, 60.0, 55.0, 54.0, 56.0, 53.0, 57.0, 55.0, 54.0, 56.0,
    ];

    /// Values of Apache Otava 0.8.0, `PairDistanceCalculator.get_candidate_change_point`.
    #[test]
    fn divides_as_an_independent_program_does() {
        let distances = Distances::of(&SERIES);
        let split = |from, to| distances.split(from, to, 1).unwrap();
        for ((energy, at), (expected, place)) in [
            (split(0, 32), (94.545_454_545, 12)),
            (split(0, 12), (4.698_412_698, 8)),
            (split(12, 32), (37.111_688_312, 24)),
        ] {
            assert!((energy - expected).abs() < 1e-8 && at == place, "{energy} at {at}");
        }
        assert!((distances.energy(0, 12, 32) - 71.034_090_909).abs() < 1e-8);
    }

    /// Values of `scipy.stats.ttest_ind`.
    #[test]
    fn tests_as_scipy_does() {
        for (left, right, expected) in [
            (&SERIES[..12], &SERIES[12..24], 2.505_821_455_026_404e-12),
            (&SERIES[..5], &SERIES[5..12], 0.769_835_144_355_339),
            (&SERIES[12..24], &SERIES[24..], 8.033_194_321_511_888e-8),
        ] {
            let p = t_test(left, right);
            assert!((p / expected - 1.0).abs() < 1e-4, "{p} instead of {expected}");
        }
        assert!((t_test(&[1.0, 1.0], &[1.0, 1.0]) - 1.0).abs() < 1e-12 && t_test(&[1.0, 1.0], &[2.0, 2.0]) == 0.0);
    }

    #[test]
    fn finds_both_changes_and_what_lies_between() {
        let found = change_points(&SERIES);
        assert_eq!(found.iter().map(|change| change.at).collect::<Vec<_>>(), [12, 24]);
        assert!((found[0].before - 607.0 / 12.0).abs() < 1e-9 && (found[1].after - 55.0).abs() < 1e-9);
        assert!((found[0].after - found[1].before).abs() < 1e-12);
    }

    #[test]
    fn little_is_not_looked_at() {
        let step: Vec<f64> = (0..19).map(|number| if number < 10 { 1.0 } else { 2.0 }).collect();
        assert_eq!(change_points(&step), []);
        let edge: Vec<f64> = (0..24).map(|number| if number < 21 { 1.0 } else { 2.0 }).collect();
        assert!(change_points(&edge).iter().all(|change| change.at <= 19), "three values are no side");
    }

    #[test]
    fn steady_series_hardly_ever_change_and_a_step_is_found_where_it_is() {
        let mut random = StdRng::seed_from_u64(3);
        let mut series = |step: f64| -> Vec<f64> {
            (0..40)
                .map(|number| 0.03 * random.sample::<f64, _>(StandardNormal) + if number < 25 { 0.0 } else { step })
                .collect()
        };
        let trials = 300;
        let alarms = (0..trials).filter(|_| !change_points(&series(0.0)).is_empty()).count();
        assert!(alarms <= 12, "{alarms} of {trials}");
        let near =
            (0..50).filter(|_| change_points(&series(0.1)).iter().any(|change| change.at.abs_diff(25) <= 1)).count();
        assert!(near >= 47, "{near} of 50");
    }
}
