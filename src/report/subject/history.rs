//! Runs of one scenario over time.

use crate::analysis::baseline::History;

/// A history with the name of its scenario.
#[derive(Debug, Clone)]
pub struct HistoryReport {
    /// Name of the scenario.
    pub scenario: String,
    /// Its runs.
    pub history: History,
}
