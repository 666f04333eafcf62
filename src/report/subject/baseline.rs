//! A stored baseline.

use crate::results::Baseline;

/// A stored baseline.
#[derive(Debug, Clone, Copy)]
pub struct BaselineReport<'a> {
    /// Name of the baseline.
    pub name: &'a str,
    /// Runs of the baseline.
    pub baseline: &'a Baseline,
}
