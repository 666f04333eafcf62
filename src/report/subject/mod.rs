//! Subjects of the outputs: what was measured together with what is concluded from it, and look-ups that several outputs share.

pub(super) mod capacity;
mod comparison;
mod gate;
mod run;

pub use capacity::CapacityReport;
pub use comparison::ComparisonReport;
pub use gate::GateReport;
pub use run::RunReport;

use crate::{
    analysis::{
        audit::{Ruling, Subject},
        baseline::History,
    },
    results::{Baseline, Software},
};

/// An audit of a server without a run.
#[derive(Debug, Clone, Copy)]
pub struct AuditReport<'a> {
    /// What was audited.
    pub subject: Subject<'a>,
    /// What came of it.
    pub rulings: &'a [Ruling],
    /// What audited.
    pub software: &'a Software,
    /// When, RFC 3339 in UTC.
    pub taken: &'a str,
}

/// A stored baseline.
#[derive(Debug, Clone, Copy)]
pub struct BaselineReport<'a> {
    /// Name of the baseline.
    pub name: &'a str,
    /// Runs of the baseline.
    pub baseline: &'a Baseline,
}

/// A history with the name of its scenario.
#[derive(Debug, Clone)]
pub struct HistoryReport {
    /// Name of the scenario.
    pub scenario: String,
    /// Its runs.
    pub history: History,
}
