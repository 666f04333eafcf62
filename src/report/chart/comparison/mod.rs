//! Charts of a comparison: the run laid over the runs that it is held against.

mod changes;
mod course;
mod curves;

use super::{
    Chart,
    canvas::Pen,
    layout::{Entry, Symbol},
    painted,
    palette::{BLUE, CONTEXT, ORANGE},
};
use crate::report::subject::ComparisonReport;

/// All charts of a comparison, the most important first. Nothing is drawn where its data is missing.
pub(in crate::report) fn comparison_charts(compared: &ComparisonReport) -> Vec<Chart> {
    painted([changes::plot(compared), curves::plot(compared), course::plot(compared)].into_iter().flatten().collect())
}

/// The run.
const RUN: Pen = Pen { colour: ORANGE, width: 2.25, dash: &[] };
/// The only run of the baseline.
const BASE: Pen = Pen { colour: BLUE, width: 2.25, dash: &[] };
/// One of several.
const ONE_OF_MANY: Pen = Pen { colour: CONTEXT, width: 1.25, dash: &[] };

/// Pen of the runs of the baseline.
fn base_pen(compared: &ComparisonReport) -> Pen {
    if compared.base.len() == 1 { BASE } else { ONE_OF_MANY }
}

/// Entries of a legend for the baseline and the run.
fn entries(compared: &ComparisonReport) -> [Entry; 2] {
    let base = match compared.base.len() {
        1 => compared.against.clone(),
        many => format!("each of {many} runs of {}", compared.against),
    };
    [Symbol::Line(base_pen(compared), None).named(base), Symbol::Line(RUN, None).named(&*compared.run.name)]
}
