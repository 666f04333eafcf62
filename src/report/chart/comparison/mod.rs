//! Charts of a comparison: the run laid over the runs that it is compared with.

mod changes;
mod course;
mod curves;
mod runs;

use super::painted;
use crate::report::{subject::ComparisonReport, view::Chart};

/// All charts of a comparison, the most important first. Nothing is drawn where its data is missing.
pub(in crate::report) fn comparison_charts(compared: &ComparisonReport) -> Vec<Chart> {
    painted([changes::plot(compared), curves::plot(compared), course::plot(compared)].into_iter().flatten().collect())
}
