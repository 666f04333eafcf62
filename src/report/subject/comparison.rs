//! A run compared with a baseline or with another run.

use crate::{
    analysis::baseline::{CompareOptions, Comparison, compare},
    results::Abstract,
};

/// A comparison with what was compared.
#[derive(Debug, Clone)]
pub struct ComparisonReport {
    /// Name of the baseline, or of the other run.
    pub(crate) against: String,
    /// Runs of the baseline.
    pub(crate) base: Vec<Abstract>,
    pub(crate) run: Abstract,
    pub(crate) options: CompareOptions,
    pub(crate) comparison: Comparison,
}

impl ComparisonReport {
    /// Compares a run with the runs of a baseline.
    pub fn new(against: String, base: Vec<Abstract>, run: Abstract, options: CompareOptions) -> Self {
        let comparison = compare(&base, &run, options);
        Self { against, base, run, options, comparison }
    }

    /// Whether any run of the baseline counts.
    pub(crate) fn has_base(&self) -> bool {
        self.comparison.left_out < self.base.len()
    }
}
