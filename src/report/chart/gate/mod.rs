//! Charts of a gate.

mod arms;
mod blocks;
mod course;
mod curves;
mod quantiles;

use super::painted;
use crate::report::{subject::GateReport, view::Chart};

/// All charts of a gate, the most important first. Nothing is drawn where its data is missing.
pub(in crate::report) fn gate_charts(outcome: &GateReport) -> Vec<Chart> {
    let plots = [blocks::plot(outcome), quantiles::plot(outcome), curves::plot(outcome), course::plot(outcome)];
    painted(plots.into_iter().flatten().collect())
}
