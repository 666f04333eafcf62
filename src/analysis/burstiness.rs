//! How much less a sample shows than its size promises, because what is rare comes in bursts.

/// Burstiness phi >= 1 of cases counted second by second: the variance of the counts about the share they have in all,
/// over the binomial variance that independent requests would show.
///
/// With x of n in a second, p = sum x / sum n and m seconds, phi = sum (x - n p)^2 / (m - 1) / (mean n * p (1 - p)):
/// the design effect of a ratio estimate from clusters (Kish, "Survey Sampling", 1965; Cochran, "Sampling Techniques",
/// 1977, chapter 9A), a second being a cluster.
pub(super) fn burstiness(seconds: impl Iterator<Item = (u64, u64)> + Clone) -> f64 {
    let (mut cases, mut trials, mut count) = (0, 0, 0_u32);
    for (of_second, all) in seconds.clone() {
        cases += of_second;
        trials += all;
        count += 1;
    }
    if count < 2 || trials == 0 || cases == 0 || cases == trials {
        return 1.0;
    }
    let share = cases as f64 / trials as f64;
    let squares: f64 = seconds.map(|(of_second, all)| (of_second as f64 - all as f64 * share).powi(2)).sum();
    let degrees = f64::from(count - 1);
    let binomial = trials as f64 / f64::from(count) * share * (1.0 - share);
    (squares / degrees / binomial).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_without_bursts() {
        let calm = [(10, 1_000), (9, 1_000), (11, 1_000), (10, 1_000)];
        assert!((burstiness(calm.into_iter()) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn follows_its_definition() {
        // p = 0.01, counts 40, 0, 0, 0: variance 400 over binomial variance 9.9.
        let burst = [(40, 1_000), (0, 1_000), (0, 1_000), (0, 1_000)];
        assert!((burstiness(burst.into_iter()) - 400.0 / 9.9).abs() < 1e-9);
    }

    #[test]
    fn a_second_with_few_requests_weighs_little() {
        let calm = [(10, 1_000), (9, 1_000), (11, 1_000), (2, 2)];
        assert!(burstiness(calm.into_iter()) < 4.0);
    }

    #[test]
    fn is_one_where_all_or_none_are_cases() {
        for seconds in [vec![], vec![(1, 5)], vec![(0, 5), (0, 7)], vec![(5, 5), (7, 7)]] {
            assert!((burstiness(seconds.into_iter()) - 1.0).abs() < f64::EPSILON);
        }
    }
}
