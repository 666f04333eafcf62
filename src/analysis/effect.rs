//! The size of a difference between two measurements, and its certainty.

/// An estimate with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub point: f64,
    /// Lower end; `None` where the data set no bound.
    pub low: Option<f64>,
    /// Upper end; `None` where the data set no bound.
    pub high: Option<f64>,
}

impl Interval {
    /// An estimate between two ends.
    pub fn between(point: f64, (low, high): (f64, f64)) -> Self {
        Self { point, low: Some(low), high: Some(high) }
    }

    /// An estimate of unknown accuracy.
    pub fn unbounded(point: f64) -> Self {
        Self { point, low: None, high: None }
    }

    /// Both ends, where both are known.
    pub fn ends(self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }

    /// The interval of a rising function of the estimated quantity.
    #[must_use]
    pub fn map(self, rising: impl Fn(f64) -> f64) -> Self {
        Self { point: rising(self.point), low: self.low.map(&rising), high: self.high.map(&rising) }
    }
}

/// Ratio of a quantity to that of its reference: of B to A, of a run to its baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// The ratio.
    pub ratio: Interval,
    /// Probability of a ratio at least as bad without any difference; `None` without a test.
    pub p: Option<f64>,
    /// Smallest worsening, as a share, that 95 of 100 such comparisons detect; `None` where no worsening is.
    pub smallest_detectable: Option<f64>,
}
