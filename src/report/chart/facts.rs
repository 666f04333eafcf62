//! The objective and the percentiles of a run as charts show them.

use crate::{
    analysis::{Distribution, PERCENTILES, PercentileValue, Row},
    report::subject::RunReport,
};

use super::{
    scale::Tail,
    units::{duration, percentile},
};

/// Samples that must lie beyond a percentile before it is shown.
const SAMPLES_BEYOND: f64 = 10.0;

impl RunReport {
    /// `target p99 < 100 ms`.
    pub(super) fn objective(&self) -> String {
        format!("target {} < {}", percentile(self.judged()), duration(self.target()))
    }

    /// The judged percentile or, where too few requests lie beyond it, the highest one below it that is known: in
    /// percent, and its value in nanoseconds.
    pub(super) fn tail(&self, distribution: &Distribution) -> Option<(f64, f64)> {
        let judged = self.judged();
        let below = PERCENTILES.into_iter().rev().filter(|percent| *percent < judged);
        [judged].into_iter().chain(below).find_map(|percent| Some((percent, value_at(distribution, percent)?)))
    }

    /// How slow a row is, to sort by.
    pub(super) fn slowness(&self, row: &Row) -> f64 {
        self.tail(&row.response).map(|(_, nanos)| nanos).or(row.response.mean).unwrap_or(0.0)
    }

    /// Value at the judged percentile, in nanoseconds; `None` where too few samples lie beyond it.
    pub(super) fn judged_value(&self, distribution: &Distribution) -> Option<f64> {
        value_at(distribution, self.judged())
    }
}

/// Value at a percentile, in nanoseconds; `None` where too few samples lie beyond it.
pub(super) fn value_at(distribution: &Distribution, percent: f64) -> Option<f64> {
    distribution.percentile(percent).nanos().map(|nanos| nanos as f64)
}

/// How far into the tail a distribution may be shown; `None` where it has nothing to show.
pub(super) fn trusted_tail(distribution: &Distribution) -> Option<Tail> {
    let beyond = SAMPLES_BEYOND / distribution.histogram.len() as f64;
    let mut end = (beyond < 1.0).then(|| Tail::from_nines(-beyond.log10()))?;
    // The analysis has the last word at each percentile that it judged.
    for known in &distribution.percentiles {
        let tail = Tail::of_percent(known.percentile);
        match known.value {
            PercentileValue::Known { .. } if end < tail => end = tail,
            PercentileValue::TooFew { .. } if end >= tail => end = Tail::from_nines(tail.nines() - 0.02),
            _ => {}
        }
    }
    (end.nines() > 0.0).then_some(end)
}
