//! Wilcoxon's signed-rank test, exactly, with the estimate and the interval that belong to it.
//!
//! Hollander, Wolfe and Chicken, "Nonparametric Statistical Methods", 3rd edition, section 3.1 to 3.3.

use crate::analysis::Interval;

/// One-sided level of every test, of each stage.
pub const LEVEL: f64 = 0.01;

/// Confidence of intervals.
const CONFIDENCE: f64 = 0.95;

/// Where some differences lie, and whether that is chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::analysis) struct Location {
    /// Hodges-Lehmann estimate: median of the means of all pairs, each difference paired with itself included. Its interval
    /// comes from the ordered means of pairs.
    pub(in crate::analysis) estimate: Interval,
    /// One-sided p-value of differences so far above 0 by chance.
    pub(in crate::analysis) p_above: f64,
    /// The same below 0.
    pub(in crate::analysis) p_below: f64,
}

/// Of differences, at least one.
pub(in crate::analysis) fn location(differences: &[f64]) -> Location {
    let mut means = walsh_averages(differences);
    means.sort_by(f64::total_cmp);
    let count = differences.len();
    let estimate = match critical(count, (1.0 - CONFIDENCE) / 2.0) {
        Some(critical) => Interval::between(middle(&means), (means[critical], means[means.len() - 1 - critical])),
        None => Interval::unbounded(middle(&means)),
    };
    let turned: Vec<f64> = differences.iter().map(|difference| -difference).collect();
    Location { estimate, p_above: p_above(differences), p_below: p_above(&turned) }
}

/// Probability that signs alone make the ranks against "above 0" sum up to as little as they do. Equal distances share their
/// ranks; differences of 0 speak against it.
pub(in crate::analysis) fn p_above(differences: &[f64]) -> f64 {
    let ranks = doubled_ranks(differences);
    distribution(&ranks).iter().take(against(&ranks, differences) + 1).sum::<f64>().min(1.0)
}

/// The least that has to be added to differences without ties for a rank sum of at most `critical` against "above 0", and their
/// estimate: that sum is the number of means of pairs that are not above 0 (Tukey, 1949).
pub(super) fn least_shift(differences: &[f64], critical: usize) -> (f64, f64) {
    let mut means = walsh_averages(differences);
    means.sort_by(f64::total_cmp);
    (-means[critical], middle(&means))
}

fn against(ranks: &[usize], differences: &[f64]) -> usize {
    ranks.iter().zip(differences).filter(|(_, difference)| **difference <= 0.0).map(|(rank, _)| rank).sum()
}

/// The largest rank sum whose one-sided probability is at most `level`, for differences without ties; `None` where there is
/// none.
pub(in crate::analysis) fn critical(count: usize, level: f64) -> Option<usize> {
    let ranks: Vec<usize> = (1..=count).collect();
    let mut sum = 0.0;
    let below = distribution(&ranks).into_iter().take_while(|probability| {
        sum += *probability;
        sum <= level
    });
    below.count().checked_sub(1)
}

/// Probability of every sum of those ranks whose sign a fair coin makes negative.
fn distribution(ranks: &[usize]) -> Vec<f64> {
    let mut probability = vec![1.0];
    for rank in ranks {
        let mut next = vec![0.0; probability.len() + rank];
        for (sum, share) in probability.iter().enumerate() {
            next[sum] += share / 2.0;
            next[sum + rank] += share / 2.0;
        }
        probability = next;
    }
    probability
}

/// Ranks of the distances from 0, doubled so that shared ones are whole.
fn doubled_ranks(differences: &[f64]) -> Vec<usize> {
    let rank = |one: &f64| {
        let nearer = differences.iter().filter(|other| other.abs() < one.abs()).count();
        let equal = differences.iter().filter(|other| other.abs().total_cmp(&one.abs()).is_eq()).count();
        2 * nearer + equal + 1
    };
    differences.iter().map(rank).collect()
}

fn walsh_averages(differences: &[f64]) -> Vec<f64> {
    let from = |first: usize| differences[first..].iter().map(move |other| f64::midpoint(differences[first], *other));
    (0..differences.len()).flat_map(from).collect()
}

/// The median of what is sorted.
fn middle(sorted: &[f64]) -> f64 {
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    f64::midpoint(low, high)
}

/// The median; of nothing it is 0.
pub(in crate::analysis) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() { 0.0 } else { middle(&sorted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(seen: f64, known: f64) {
        assert!((seen - known).abs() < 1e-12, "{seen} {known}");
    }

    /// P(W <= w | n) is a count of subsets over 2^n.
    #[test]
    fn tail_probabilities_are_the_tabulated_ones() {
        let tail =
            |count: usize, sum: usize| distribution(&(1..=count).collect::<Vec<_>>()).iter().take(sum + 1).sum::<f64>();
        close(tail(10, 5), 10.0 / 1024.0);
        close(tail(12, 9), 33.0 / 4096.0);
        close(tail(8, 1), 2.0 / 256.0);
    }

    #[test]
    fn critical_values_are_the_tabulated_ones() {
        let of = |count| critical(count, 0.01);
        assert_eq!([6, 7, 8, 9, 10, 11, 12].map(of), [None, Some(0), Some(1), Some(3), Some(5), Some(7), Some(9)]);
        // Hollander and Wolfe, table A.4, 2.5 %.
        assert_eq!([6, 8, 10, 15, 20].map(|count| critical(count, 0.025)), [0, 3, 8, 25, 52].map(Some));
    }

    /// Nine differences in depression scores: Hollander and Wolfe, example 3.1, tranquilizers (T+ = 5, p = 0.0195; estimate
    /// -0.46; 96 % interval -0.786 to -0.010).
    #[test]
    fn agrees_with_a_textbook() {
        let change = [-0.952, 0.147, -1.022, -0.430, -0.620, -0.590, -0.490, 0.080, -0.010];
        let seen = location(&change);
        assert!((seen.p_below - 0.0195).abs() < 5e-5, "{seen:?}");
        assert!((seen.estimate.point + 0.46).abs() < 5e-4, "{seen:?}");
        let (low, high) = seen.estimate.ends().unwrap();
        assert!((low + 0.786).abs() < 5e-4 && (high + 0.010).abs() < 5e-4, "{seen:?}");
        let turned: Vec<f64> = change.iter().map(|value| -value).collect();
        close(location(&turned).p_above, seen.p_below);
        close(location(&turned).estimate.point, -seen.estimate.point);
    }

    #[test]
    fn the_least_shift_is_where_significance_begins() {
        let differences = [0.31, -0.12, 0.07, -0.45, 0.66, -0.29, 0.02, 0.18, -0.03];
        let critical = critical(differences.len(), LEVEL).unwrap();
        let (shift, estimate) = least_shift(&differences, critical);
        let p = |more: f64| p_above(&differences.map(|value| value + shift + more));
        assert!(p(1e-9) <= LEVEL && p(-1e-9) > LEVEL, "{} {}", p(1e-9), p(-1e-9));
        close(estimate, location(&differences).estimate.point);
    }

    #[test]
    fn no_difference_is_no_evidence() {
        close(p_above(&[0.0; 9]), 1.0);
        assert!(p_above(&[0.0, 0.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]) > 0.01);
        close(p_above(&[0.1; 8]), 1.0 / 256.0);
        let few = location(&[0.1, 0.2]);
        assert_eq!((few.estimate.low, few.estimate.high), (None, None));
    }
}
