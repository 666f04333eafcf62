//! A stand-in, to be deleted.

use super::Style;
use crate::{analysis::capacity::CapacityAnalysis, results::Capacity, scenario::Scenario};

/// Files.
pub fn capacity_files(capacity: &Capacity, scenario: &Scenario, analysis: &CapacityAnalysis) -> Vec<(String, Vec<u8>)> {
    vec![("report.html".to_owned(), capacity_headline(capacity, scenario, analysis).into_bytes())]
}

/// Terminal.
pub fn capacity_terminal(
    capacity: &Capacity,
    scenario: &Scenario,
    analysis: &CapacityAnalysis,
    _style: Style,
) -> String {
    format!("{}\n", capacity_headline(capacity, scenario, analysis))
}

/// Headline.
pub fn capacity_headline(_: &Capacity, _: &Scenario, analysis: &CapacityAnalysis) -> String {
    format!("{:?}", analysis.arms)
}

/// JSON.
pub fn capacity_json(capacity: &Capacity, scenario: &Scenario, analysis: &CapacityAnalysis) -> String {
    format!("{{\"headline\": {:?}}}\n", capacity_headline(capacity, scenario, analysis))
}
