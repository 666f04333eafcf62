//! Throughput against latency: the rates of the curve, the knee, and what is sustained within other limits than the objective's.

use super::{
    evidence::{Evidence, same_rate},
    judge,
    search::Search,
};
use crate::{
    results::{LIMITS, Purpose, Trial},
    scenario::Objective,
};

/// Shares of the closed-loop maximum that are offered.
pub(super) const SHARES: [f64; 12] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05];

/// Rates of the curve with the blocks that they go by, upwards and then downwards, as far as `end`.
pub(super) fn rates(maximum: f64, end: f64) -> Vec<(u32, f64)> {
    let there = SHARES.iter();
    let back = SHARES.iter().rev();
    let all = (0_u32..).zip(there.chain(back).map(|share| share * maximum));
    all.filter(|(_, rate)| *rate <= end).collect()
}

/// The largest throughput that closed loops of the first arm reached.
pub(super) fn closed_maximum(trials: &[Trial]) -> Option<f64> {
    let closed = trials.iter().filter(|trial| trial.purpose == Purpose::Closed && trial.arm == 0);
    closed.map(|trial| trial.throughput).filter(|rate| *rate > 0.0).max_by(f64::total_cmp)
}

/// The rate at which throughput over response time is largest: the *power* of a queue (Kleinrock, "Power and deterministic
/// rules of thumb for probabilistic problems in computer communications", ICC 1979). Trials of one rate count together.
pub(super) fn knee<'a>(trials: impl Iterator<Item = &'a Trial>, objective: &Objective) -> Option<f64> {
    let mut rates: Vec<(f64, f64, f64)> = Vec::new();
    for trial in trials.filter(|trial| !judge::is_limited(trial, objective) && trial.response.mean > 0.0) {
        let Some(rate) = trial.offered else { continue };
        let power = trial.throughput / trial.response.mean;
        match rates.iter_mut().find(|(known, ..)| same_rate(*known, rate)) {
            Some((_, sum, count)) => (*sum, *count) = (*sum + power, *count + 1.0),
            None => rates.push((rate, power, 1.0)),
        }
    }
    let mean = |(_, sum, count): &(f64, f64, f64)| sum / count;
    let best = rates.iter().max_by(|a, b| mean(a).total_cmp(&mean(b)));
    // Where there are but two rates, either of them is the largest.
    best.filter(|_| rates.len() > 2).map(|(rate, ..)| *rate)
}

/// For each of [`LIMITS`] the highest rate that stays within it and the lowest that does not, by the objective's percentile.
///
/// For the objective's own limit that is what the search says. Nothing counts from the rate on at which the harness was the limit.
pub(super) fn by_limit(
    search: &Search,
    trials: &[&Trial],
    objective: &Objective,
) -> Vec<(u64, Option<f64>, Option<f64>)> {
    let bracket = |(index, limit): (usize, u64)| {
        if u128::from(limit) == objective.latency.as_nanos() {
            return (limit, search.sustained(), search.bracket().high.map(|high| high.rate));
        }
        let mut evidence = Evidence::default();
        for trial in trials {
            let Some(rate) = trial.offered else { continue };
            evidence.take(rate, &judge::hold_within(trial, index, objective));
        }
        let bracket = evidence.bracket(search.wall().unwrap_or(f64::INFINITY));
        (limit, bracket.low.map(|low| low.rate), bracket.high.map(|high| high.rate))
    };
    LIMITS.into_iter().enumerate().map(bracket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::capacity::simulated::{by_harness, plan, scenario, trial};

    /// The search that made these trials.
    fn search(trials: &[&Trial]) -> Search {
        let mut search = Search::new(0, &plan(&[], 1));
        for trial in trials {
            search.record(trial, &judge(trial, &scenario().objective));
        }
        search
    }

    /// A trial of M/M/1 that serves 10 000 per second, whose power is largest at half of that.
    fn queue(rate: f64) -> Trial {
        let mut trial = trial(0, rate);
        trial.response.mean = 1e9 / (10_000.0 - rate);
        trial
    }

    #[test]
    fn the_knee_of_a_queue_is_at_half_its_capacity() {
        let trials: Vec<Trial> = (1..10).map(|tenth| queue(f64::from(tenth) * 1_000.0)).collect();
        assert_eq!(knee(trials.iter(), &scenario().objective), Some(5_000.0));
        assert_eq!(knee(trials.iter().take(2), &scenario().objective), None, "two rates have no knee");
    }

    #[test]
    fn trials_of_one_rate_are_averaged_for_the_knee() {
        let mut lucky = queue(9_000.0);
        lucky.response.mean /= 2.0;
        let others = [3_000.0, 5_000.0, 7_000.0, 9_000.0].map(queue);
        assert_eq!(knee(others.iter().chain([&lucky]), &scenario().objective), Some(5_000.0));
        let mut limited = lucky.clone();
        (limited.response.mean, limited.client_limited) = (1.0, Some(by_harness("lag")));
        assert_eq!(knee(others.iter().chain([&limited]), &scenario().objective), Some(5_000.0));
    }

    #[test]
    fn rates_go_up_and_down_as_far_as_allowed() {
        let all = rates(1_000.0, f64::INFINITY);
        assert_eq!((all.len(), all[0], all[12].0, all[11].1.round(), all[23].1), (24, (0, 100.0), 12, 1_050.0, 100.0));
        let blocks: Vec<u32> = rates(1_000.0, 250.0).iter().map(|(block, _)| *block).collect();
        assert_eq!(blocks, [0, 1, 22, 23], "numbers stay what they are");
    }

    #[test]
    fn each_limit_has_its_own_bracket() {
        let within = |rate: f64, within: [u64; 6]| Trial { within: within.to_vec(), ..trial(0, rate) };
        let n = 100_000;
        let calm = within(10_000.0, [n / 2, n, n, n, n, n]);
        let busy = within(20_000.0, [0, n, 2 * n, 2 * n, 2 * n, 2 * n]);
        let mut over = within(40_000.0, [0; 6]);
        over.late = over.scheduled;
        let trials = [&calm, &busy, &over];
        let seen = by_limit(&search(&trials), &trials, &scenario().objective);
        assert_eq!(seen[0], (1_000_000, None, Some(10_000.0)));
        assert_eq!(seen[1], (5_000_000, Some(10_000.0), Some(20_000.0)));
        assert_eq!(seen[2], (10_000_000, Some(20_000.0), Some(40_000.0)));
    }

    #[test]
    fn limits_do_not_contradict_the_search() {
        let passed = trial(0, 10_000.0);
        let failed = Trial { late: 200_000, within: vec![0; 6], ..trial(0, 20_000.0) };
        let ends = |trials: &[&Trial]| -> Vec<_> {
            let limits = by_limit(&search(trials), trials, &scenario().objective);
            limits.into_iter().map(|(_, low, high)| (low, high)).collect()
        };
        assert_eq!(ends(&[&passed, &failed]), [(Some(10_000.0), Some(20_000.0)); 6]);
        let limited = Trial { client_limited: Some(by_harness("lag")), ..trial(0, 15_000.0) };
        assert_eq!(ends(&[&passed, &failed, &limited, &limited]), [(Some(10_000.0), None); 6], "not from the wall on");
    }
}
