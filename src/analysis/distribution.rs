//! Percentiles with their confidence intervals, as far as the sample carries them.

use hdrhistogram::Histogram;

use crate::measure::Nanos;

/// Distribution of a duration.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// All values, in nanoseconds.
    pub histogram: Histogram<u64>,
    /// Mean in nanoseconds; `None` when empty.
    pub mean: Option<f64>,
    /// Burstiness phi >= 1, at the judged percentile: the variance of the per-second counts of exceedances over the
    /// binomial variance.
    pub burstiness: f64,
    /// [`PERCENTILES`] in that order.
    pub percentiles: Vec<Percentile>,
}

/// Percentiles that every output offers.
pub const PERCENTILES: [f64; 6] = [50.0, 90.0, 95.0, 99.0, 99.9, 99.99];

/// One percentile with its confidence interval, or why it cannot be printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentile {
    /// In percent.
    pub percentile: f64,
    /// The value.
    pub value: PercentileValue,
}

/// Whether a percentile can be printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PercentileValue {
    /// Enough samples.
    Known {
        /// The value.
        nanos: Nanos,
        /// Lower bound of the 95 % confidence interval.
        low: Nanos,
        /// Upper bound.
        high: Nanos,
        /// On how many independent samples it rests.
        support: Support,
    },
    /// Too few samples.
    TooFew {
        /// Samples that it needs.
        needed: u64,
        /// Samples that there are.
        have: u64,
    },
}

/// Number of independent samples beyond a percentile: the number of samples, divided by their burstiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// A hundred or more.
    Ample,
    /// Ten to a hundred: printed with a mark.
    Few,
    /// Fewer than ten: the tail comes from few bursts, and another run may differ.
    Bursts,
}

/// Samples that must lie beyond a percentile before it is printed.
const PRINTABLE: f64 = 10.0;

/// Independent samples beyond a percentile below which it is marked, and below which it is marked as that of few bursts.
const AMPLE: f64 = 100.0;
const FEW: f64 = 10.0;

/// Half the width of a 95 % interval in standard deviations.
const NORMAL_95: f64 = 1.96;

/// The recorded values of a histogram, each with the number of values up to it: read once, asked often.
struct Ranks(Vec<(Nanos, u64)>);

impl Distribution {
    /// The distribution of all values of a histogram of nanoseconds.
    pub(super) fn new(histogram: Histogram<u64>, burstiness: f64) -> Self {
        let ranks = Ranks::of(&histogram);
        let mean = (!histogram.is_empty()).then(|| histogram.mean());
        let percentiles = PERCENTILES.map(|percentile| ranks.estimate(percentile, burstiness));
        Self { histogram, mean, burstiness, percentiles: percentiles.to_vec() }
    }

    /// Any percentile.
    pub fn percentile(&self, percentile: f64) -> Percentile {
        let offered = self.percentiles.iter().find(|known| known.percentile.total_cmp(&percentile).is_eq());
        offered.copied().unwrap_or_else(|| Ranks::of(&self.histogram).estimate(percentile, self.burstiness))
    }
}

impl Ranks {
    fn of(histogram: &Histogram<u64>) -> Self {
        let mut passed = 0;
        let recorded = histogram.iter_recorded().map(|step| {
            passed += step.count_at_value();
            (step.value_iterated_to(), passed)
        });
        Self(recorded.collect())
    }

    fn count(&self) -> u64 {
        self.0.last().map_or(0, |(_, count)| *count)
    }

    /// The value at a rank counted from 1; a rank beyond either end is that end's.
    fn at(&self, rank: f64) -> Nanos {
        let rank = rank.clamp(1.0, self.count() as f64) as u64;
        let position = self.0.partition_point(|(_, passed)| *passed < rank);
        self.0.get(position).map_or(0, |(value, _)| *value)
    }

    /// A percentile with its 95 % interval from the order statistics at ranks `n p +- 1.96 sqrt(phi n p (1 - p))` (the
    /// normal approximation to their distribution: David and Nagaraja, "Order Statistics", 3rd edition, section 7.1; the
    /// variance times the burstiness phi).
    ///
    /// It is printed where `n (1 - p) >= 10` samples lie beyond it; below the median `p` takes the place of `1 - p`. Bursts widen
    /// the interval and lower the [`Support`], which is that of `k = n (1 - p) / phi` independent samples; they hide nothing.
    fn estimate(&self, percentile: f64, burstiness: f64) -> Percentile {
        let have = self.count();
        let needed = samples_to_print(percentile);
        if have < needed || have == 0 {
            return Percentile { percentile, value: PercentileValue::TooFew { needed, have } };
        }
        let (count, share) = (have as f64, percentile / 100.0);
        let middle = count * share;
        let reach = NORMAL_95 * (burstiness * middle * (1.0 - share)).sqrt();
        let value = PercentileValue::Known {
            // 0.999 of a thousand is 999 and not, as binary fractions have it, a little more.
            nanos: self.at((middle * (1.0 - 1e-12)).ceil()),
            low: self.at((middle - reach).floor()),
            high: self.at((middle + reach).ceil()),
            support: Support::of(count * rarer(percentile) / burstiness),
        };
        Percentile { percentile, value }
    }
}

impl Percentile {
    /// The value, where it can be printed.
    pub fn nanos(&self) -> Option<Nanos> {
        match self.value {
            PercentileValue::Known { nanos, .. } => Some(nanos),
            PercentileValue::TooFew { .. } => None,
        }
    }
}

impl Support {
    fn of(independent: f64) -> Self {
        // 100 - 99.9 is a little off in binary.
        match independent * (1.0 + 1e-9) {
            k if k >= AMPLE => Self::Ample,
            k if k >= FEW => Self::Few,
            _ => Self::Bursts,
        }
    }
}

/// Share of the samples that lie on the smaller side of a percentile.
fn rarer(percentile: f64) -> f64 {
    percentile.min(100.0 - percentile) / 100.0
}

/// Samples that it takes before a percentile is printed.
fn samples_to_print(percentile: f64) -> u64 {
    // Not one more because 100 - 99.99 is a little off in binary.
    (PRINTABLE / rarer(percentile) * (1.0 - 1e-9)).ceil() as u64
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::vec,
        prelude::{ProptestConfig, prop_assert, proptest},
    };

    use super::*;
    use crate::measure::{Latencies, PackedHistogram, merged};

    fn one_to(count: u64) -> Histogram<u64> {
        let mut histogram = PackedHistogram::default().unpack();
        (1..=count).for_each(|value| histogram.record(value).unwrap());
        histogram
    }

    #[test]
    fn ranks_follow_the_formula() {
        // n = 1 000, p = 0.9: 900 +- 1.96 sqrt(90), that is 881.4 to 918.6.
        let value = Ranks::of(&one_to(1_000)).estimate(90.0, 1.0).value;
        assert_eq!(value, PercentileValue::Known { nanos: 900, low: 881, high: 919, support: Support::Ample });
    }

    #[test]
    fn bursts_widen_the_interval() {
        // Four times the variance, twice the reach.
        let value = Ranks::of(&one_to(1_000)).estimate(90.0, 4.0).value;
        assert_eq!(value, PercentileValue::Known { nanos: 900, low: 862, high: 938, support: Support::Few });
    }

    #[test]
    fn says_how_many_samples_it_takes() {
        let value = Ranks::of(&one_to(41_000)).estimate(99.99, 1.0).value;
        assert_eq!(value, PercentileValue::TooFew { needed: 100_000, have: 41_000 });
        assert_eq!([1.0, 50.0, 99.0, 99.9].map(samples_to_print), [1_000, 20, 1_000, 10_000]);
    }

    #[test]
    fn prints_from_ten_raw_samples_beyond_and_marks_by_the_independent_ones() {
        let support = |count, burstiness| match Ranks::of(&one_to(count)).estimate(99.0, burstiness).value {
            PercentileValue::Known { support, .. } => Some(support),
            PercentileValue::TooFew { .. } => None,
        };
        let calm = [999, 1_000, 9_999, 10_000].map(|count| support(count, 1.0));
        assert_eq!(calm, [None, Some(Support::Few), Some(Support::Few), Some(Support::Ample)]);
        let bursty = [999, 1_000, 10_000, 1_000_000].map(|count| support(count, 100.0));
        assert_eq!(bursty, [None, Some(Support::Bursts), Some(Support::Bursts), Some(Support::Ample)]);
    }

    #[test]
    fn knows_other_percentiles_too() {
        let distribution = Distribution::new(one_to(1_000), 1.0);
        assert_eq!(distribution.percentile(75.0).nanos(), Some(750));
        assert_eq!(distribution.percentile(90.0), distribution.percentiles[1]);
    }

    #[test]
    fn an_empty_one_has_neither_mean_nor_percentiles() {
        let empty = Distribution::new(PackedHistogram::default().unpack(), 1.0);
        assert_eq!(empty.mean, None);
        assert!(empty.percentiles.iter().all(|percentile| percentile.nanos().is_none()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn percentiles_rise_and_lie_in_their_intervals(
            values in vec(1..10_000_000_000_u64, 20..3_000), burstiness in 1.0..5.0_f64,
        ) {
            let mut histogram = PackedHistogram::default().unpack();
            for &value in &values {
                histogram.record(value).unwrap();
            }
            let mut before = 0;
            for percentile in Distribution::new(histogram, burstiness).percentiles {
                if let PercentileValue::Known { nanos, low, high, .. } = percentile.value {
                    prop_assert!(low <= nanos && nanos <= high && before <= nanos);
                    before = nanos;
                }
            }
        }

        #[test]
        fn the_order_of_merging_does_not_matter(parts in vec(vec(1..10_000_000_000_u64, 0..50), 1..6)) {
            let mut latencies = Latencies::default();
            let packed: Vec<PackedHistogram> = parts
                .iter()
                .map(|part| {
                    latencies.clear();
                    for &value in part {
                        latencies.record(value);
                    }
                    latencies.pack()
                })
                .collect();
            let forwards = Distribution::new(merged(&packed), 1.0);
            let backwards = Distribution::new(merged(packed.iter().rev()), 1.0);
            prop_assert!(forwards.percentiles == backwards.percentiles && forwards.mean == backwards.mean);
        }
    }
}
