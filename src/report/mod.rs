//! Outputs, each made from a saved run alone.
//!
//! [`subject`] holds what there are reports on: a saved run or the like with what [`crate::analysis`] concludes from it.
//! What reports say is decided once, in [`view`] (prose, tables, findings) and [`summary`] (records for programs); each
//! output is one file that supplies only syntax. [`Document`], above them all, makes every output of any subject. Nothing
//! here judges: verdicts, grades and checks come from the analysis. Nothing here writes to disk either: the caller gets
//! names and bytes.

#[cfg(test)]
mod capacity_sample;
#[cfg(test)]
mod capacity_tests;
mod chart;
pub mod ci;
#[cfg(test)]
mod comparison_tests;
mod csv;
mod csv_capacity;
mod csv_comparison;
mod csv_gate;
mod csv_history;
mod csv_table;
mod document;
#[cfg(test)]
mod document_tests;
pub(crate) mod format;
#[cfg(test)]
mod gate_tests;
mod hlog;
mod html;
mod json;
mod json_arm;
mod json_audit;
mod json_capacity;
mod json_client_cost;
mod json_comparison;
mod json_events;
mod json_gate;
mod json_generators;
mod json_nodes;
mod json_outages;
mod json_parts;
#[cfg(test)]
mod json_tests;
mod markdown;
mod number;
#[cfg(test)]
mod quoting_tests;
mod record;
mod schema;
#[cfg(test)]
mod schema_tests;
mod subject;
mod summary;
#[cfg(test)]
mod summary_tests;
mod terminal;
#[cfg(test)]
mod tests;
mod view;

pub use document::{Document, File, conclude};
pub use schema::Printed;
pub use subject::{
    AuditReport, BaselineReport, CapacityReport, ComparisonReport, GateReport, HistoryReport, RunReport,
};
pub use terminal::Style;
pub use view::{advisory_words, difference_in_words, harness_limit_words};

use crate::{analysis::RoundTrips, scenario::Objective};

/// Round trips that were measured one operation at a time, compared with an objective: the table of the report, for the
/// terminal.
pub fn round_trips(measured: &[RoundTrips], objective: &Objective, style: Style) -> String {
    terminal::table(&view::round_trips(measured, objective), style)
}
