//! Options of comparisons with stored runs.

use clap::Args;

use super::number::share;
use crate::analysis::baseline::CompareOptions;

/// Options of a comparison.
#[derive(Debug, Args)]
pub(in crate::cli) struct ComparisonArgs {
    /// Smallest change of p50 and throughput that is a regression; five times as much for p99
    ///
    /// With a baseline of seven runs or more, a statistically significant change of at least half the threshold counts.
    #[arg(long, value_name = "PERCENT", value_parser = share, default_value = "20%", help_heading = "Comparison")]
    threshold: f64,
    /// Compare runs although their scenario, server or settings differ
    #[arg(long, help_heading = "Comparison")]
    allow_differences: bool,
}

impl ComparisonArgs {
    /// Whether runs of different things are compared.
    pub(in crate::cli) fn allows_differences(&self) -> bool {
        self.allow_differences
    }

    pub(in crate::cli) fn options(&self) -> CompareOptions {
        CompareOptions { threshold: self.threshold, allow_differences: self.allow_differences }
    }
}
