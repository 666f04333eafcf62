//! How a run is compared with others.

use clap::Args;

use super::number::share;
use crate::analysis::baseline::Question;

/// How a comparison is made.
#[derive(Debug, Args)]
pub(in crate::cli) struct ComparisonArgs {
    /// Change of p50 and throughput that matters; p99 may change by five times as much
    ///
    /// With a baseline of seven runs or more a change counts from half of it on, if the runs' spread shows that it is none of
    /// chance.
    #[arg(long, value_name = "PERCENT", value_parser = share, default_value = "20%", help_heading = "Comparison")]
    threshold: f64,
    /// Compare also where scenario, server or settings differ
    #[arg(long, help_heading = "Comparison")]
    allow_differences: bool,
}

impl ComparisonArgs {
    /// Whether runs of different things are compared.
    pub(in crate::cli) fn allows_differences(&self) -> bool {
        self.allow_differences
    }

    pub(in crate::cli) fn question(&self) -> Question {
        Question { threshold: self.threshold, allow_differences: self.allow_differences }
    }
}
