//! Histograms with the buckets that Prometheus understands, filled from the recorded HDR histograms: every count is one that
//! was recorded, none is sampled or estimated.

use crate::measure::{Latencies, Nanos};

/// Bounds within a decade, in tenths of its start. Neighbours are at most two thirds apart, which bounds the error of a
/// quantile that is interpolated between them.
const WITHIN_DECADE: [Nanos; 6] = [10, 15, 20, 30, 50, 70];

/// A tenth of where each decade starts: 10 us to 1 s, in nanoseconds.
const DECADES: [Nanos; 6] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Highest bound: 10 s.
const HIGHEST: Nanos = 10_000_000_000;

/// Upper bounds of buckets in nanoseconds, ascending; what lies above the last has a bucket without bound.
#[derive(Debug, Clone)]
pub(super) struct Ladder(Vec<Nanos>);

/// Durations by bucket.
#[derive(Debug, Clone)]
pub(super) struct Distribution {
    /// Counts by bucket, the last one without bound; not cumulative.
    counts: Vec<u64>,
    sum: f64,
}

impl Ladder {
    /// Bounds between 10 us and 10 s, and one exactly at `limit`, so that the share of what is in time is exact.
    pub(super) fn with(limit: Nanos) -> Self {
        let decades = DECADES.iter().flat_map(|tenth| WITHIN_DECADE.map(|step| step * tenth));
        let mut bounds: Vec<_> = decades.chain([HIGHEST, limit]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        Self(bounds)
    }
}

impl Distribution {
    pub(super) fn empty(ladder: &Ladder) -> Self {
        Self { counts: vec![0; ladder.0.len() + 1], sum: 0.0 }
    }

    /// Adds what was recorded. A duration lies in a bucket if the highest value that it may stand for does, as where the
    /// objective is judged.
    pub(super) fn add(&mut self, ladder: &Ladder, latencies: &Latencies) {
        if latencies.is_empty() {
            return;
        }
        let mut bucket = 0;
        latencies.visit(|value, count| {
            // Values ascend.
            bucket += ladder.0[bucket..].iter().take_while(|bound| **bound < value).count();
            self.counts[bucket] += count;
        });
        self.counts[ladder.0.len()] += latencies.beyond_range();
        self.sum += latencies.sum();
    }

    /// Number of samples of at most `limit`, which is one of the bounds.
    pub(super) fn up_to(&self, ladder: &Ladder, limit: Nanos) -> u64 {
        ladder.0.iter().zip(&self.counts).take_while(|(bound, _)| **bound <= limit).map(|(_, count)| count).sum()
    }

    /// All of them.
    pub(super) fn len(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Their sum, in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.sum / 1e9
    }

    /// Upper bounds in seconds with the counts of their own bucket, ascending.
    pub(super) fn buckets(&self, ladder: &Ladder) -> Vec<(f64, u64)> {
        let bounds = ladder.0.iter().map(|bound| *bound as f64 / 1e9);
        bounds.chain([f64::INFINITY]).zip(self.counts.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::HIGHEST_NANOS;

    const MILLISECOND: Nanos = 1_000_000;

    #[test]
    fn bounds_ascend_from_10_us_to_10_s_with_one_at_the_objective() {
        for (limit, bounds) in [(42 * MILLISECOND, 38), (100 * MILLISECOND, 37), (1_000, 38), (HIGHEST_NANOS, 38)] {
            let ladder = Ladder::with(limit);
            assert!(ladder.0.is_sorted_by(|a, b| a < b), "{ladder:?}");
            assert!(ladder.0.contains(&limit) && ladder.0.contains(&10_000) && ladder.0.contains(&HIGHEST));
            assert_eq!(ladder.0.len(), bounds);
        }
        let bounds: Vec<_> = Ladder::with(42 * MILLISECOND).0;
        assert!(bounds.windows(2).all(|pair| pair[1] * 3 <= pair[0] * 5), "at most two thirds apart: {bounds:?}");
    }

    #[test]
    fn counts_and_sum_are_those_of_the_histogram() {
        let ladder = Ladder::with(42 * MILLISECOND);
        let (mut distribution, mut all) = (Distribution::empty(&ladder), Latencies::default());
        for second in 0..3 {
            let mut latencies = Latencies::default();
            (1..4_000_u64).for_each(|step| latencies.record(step * step * (500 + second)));
            latencies.record(HIGHEST_NANOS * 3);
            distribution.add(&ladder, &latencies);
            all.merge(&latencies);
        }
        assert_eq!(distribution.len(), all.len() + all.beyond_range());
        assert!((distribution.seconds() - all.sum() / 1e9).abs() < 1e-6 * distribution.seconds());

        let mut passed = 0;
        for ((bound, count), nanos) in distribution.buckets(&ladder).into_iter().zip(&ladder.0) {
            passed += count;
            assert!((bound * 1e9 - *nanos as f64).abs() < 1e-3, "{bound} s is {nanos} ns");
            let mut expected = 0;
            all.visit(|value, count| expected += if value <= *nanos { count } else { 0 });
            assert_eq!(passed, expected, "up to {bound} s");
            assert_eq!(distribution.up_to(&ladder, *nanos), expected);
        }
        let (bound, beyond) = *distribution.buckets(&ladder).last().unwrap();
        assert!(bound.is_infinite());
        assert_eq!(passed + beyond, distribution.len());
        assert!(beyond >= all.beyond_range() && all.beyond_range() == 3);
    }

    #[test]
    fn what_is_just_in_time_is_in_the_bucket_of_the_objective_and_what_is_late_is_not() {
        let limit = 100 * MILLISECOND;
        let ladder = Ladder::with(limit);
        let mut latencies = Latencies::default();
        // Three digits: 99.9 ms is reported from 100 ms, and that from 100.2 ms.
        for nanos in [limit - MILLISECOND / 10, limit + MILLISECOND / 5, 7 * limit] {
            latencies.record(nanos);
        }
        let mut distribution = Distribution::empty(&ladder);
        distribution.add(&ladder, &latencies);
        assert_eq!(distribution.up_to(&ladder, limit), 1);
        assert_eq!(distribution.len(), 3);
    }
}
