//! Whether a quantity rises or falls over time: robust slope and rank correlation.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Slope per step of equally spaced values: the median of the slopes between all pairs (Theil 1950, Sen 1968). A few
/// outliers do not move it. 0 with fewer than two values.
pub(super) fn slope(values: &[f64]) -> f64 {
    let mut slopes: Vec<f64> = (0..values.len())
        .flat_map(|from| (from + 1..values.len()).map(move |to| (values[to] - values[from]) / (to - from) as f64))
        .collect();
    median(&mut slopes).unwrap_or(0.0)
}

/// Median; `None` without values. Reorders them.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let (middle, is_odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if is_odd {
        return Some(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    Some(f64::midpoint(lower, upper))
}

/// Spearman's rank correlation of equally spaced values with time, -1..=1; equal values share their mean rank. 0 where
/// all are equal.
pub(super) fn rank_correlation(values: &[f64]) -> f64 {
    let ranks = ranks(values);
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let (mut product, mut of_time, mut of_rank) = (0.0, 0.0, 0.0);
    for (time, rank) in ranks.iter().enumerate() {
        let (time, rank) = (time as f64 - middle, rank - middle);
        product += time * rank;
        of_time += time * time;
        of_rank += rank * rank;
    }
    if of_rank == 0.0 { 0.0 } else { (product / (of_time * of_rank).sqrt()).clamp(-1.0, 1.0) }
}

/// Two-sided probability of a rank correlation at least so strong among `count` values without any trend, by Student's
/// t with `count - 2` degrees of freedom (Zar, "Significance testing of the Spearman rank correlation coefficient",
/// 1972); good from about ten values on. 1 with fewer than three.
pub(super) fn chance_of(correlation: f64, count: usize) -> f64 {
    let freedom = count as f64 - 2.0;
    if correlation.abs() >= 1.0 && freedom > 0.0 {
        // Of all orders of the values one rises all the time and one falls.
        return 2.0 / (1..=count).map(|factor| factor as f64).product::<f64>();
    }
    let t = correlation * (freedom / (1.0 - correlation * correlation)).sqrt();
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(student) => 2.0 * student.cdf(-t.abs()),
        Err(_) => 1.0,
    }
}

/// Mean ranks from 0.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let mean = first as f64 + (tied.len() as f64 - 1.0) / 2.0;
        for &index in tied {
            ranks[index] = mean;
        }
        first += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::vec,
        prelude::{prop_assert, proptest},
    };

    use super::*;

    #[test]
    fn the_slope_ignores_an_outlier() {
        assert!((slope(&[1.0, 3.0, 5.0, 1e6, 9.0, 11.0, 13.0]) - 2.0).abs() < 1e-12);
        assert!(slope(&[7.0]).abs() < f64::EPSILON);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut []), None);
    }

    #[test]
    fn has_the_tabulated_rank_correlation() {
        // IQ and hours of television, ordered by IQ: the usual textbook example, rho = -29/165, p = 0.627.
        let hours = [2.0, 20.0, 28.0, 27.0, 50.0, 29.0, 7.0, 17.0, 6.0, 12.0];
        let rho = rank_correlation(&hours);
        assert!((rho + 29.0 / 165.0).abs() < 1e-12, "{rho}");
        assert!((chance_of(rho, hours.len()) - 0.627).abs() < 5e-4);
    }

    #[test]
    fn equal_values_share_their_rank() {
        // scipy.stats.spearmanr([0, 1, 2, 3, 4], [1, 1, 2, 2, 3])
        assert!((rank_correlation(&[1.0, 1.0, 2.0, 2.0, 3.0]) - 0.948_683_298_050_513_7).abs() < 1e-12);
        assert!(rank_correlation(&[5.0; 9]).abs() < f64::EPSILON);
    }

    #[test]
    fn few_values_are_no_trend() {
        assert!((chance_of(1.0, 2) - 1.0).abs() < f64::EPSILON);
        assert!((chance_of(1.0, 3) - 1.0 / 3.0).abs() < 1e-12, "two of six orders");
        assert!((chance_of(-1.0, 6) - 2.0 / 720.0).abs() < 1e-12);
        assert!(chance_of(1.0, 10) < 1e-6);
        // scipy.stats: rho 0.7 over 12 values.
        assert!((chance_of(0.7, 12) - 0.011_257).abs() < 1e-5, "{}", chance_of(0.7, 12));
    }

    proptest! {
        #[test]
        fn turning_time_round_turns_the_trend(mut values in vec(-1e3..1e3_f64, 3..40)) {
            let (slope_before, rho) = (slope(&values), rank_correlation(&values));
            values.reverse();
            prop_assert!((slope_before + slope(&values)).abs() < 1e-9);
            prop_assert!((rho + rank_correlation(&values)).abs() < 1e-9);
        }
    }
}
