//! Looks of the run and of the runs that it is compared with.

use crate::report::{
    chart::{
        canvas::Pen,
        layout::{Entry, Symbol},
        palette::{BLUE, CONTEXT, ORANGE},
    },
    subject::ComparisonReport,
};

/// The run.
pub(super) const RUN: Pen = Pen { colour: ORANGE, width: 2.25, dash: &[] };
/// The only run of the baseline.
const BASE: Pen = Pen { colour: BLUE, width: 2.25, dash: &[] };
/// One of several.
const ONE_OF_MANY: Pen = Pen { colour: CONTEXT, width: 1.25, dash: &[] };

/// Pen of the runs of the baseline.
pub(super) fn base_pen(compared: &ComparisonReport) -> Pen {
    if compared.base.len() == 1 { BASE } else { ONE_OF_MANY }
}

/// Entries of a legend for the baseline and the run.
pub(super) fn entries(compared: &ComparisonReport) -> [Entry; 2] {
    let base = match compared.base.len() {
        1 => compared.against.clone(),
        many => format!("each of {many} runs of {}", compared.against),
    };
    [Symbol::Line(base_pen(compared), None).named(base), Symbol::Line(RUN, None).named(&*compared.run.name)]
}
