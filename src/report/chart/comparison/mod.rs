//! Charts of a comparison: the run laid over the runs that it is held against.

mod changes;
mod course;
mod curves;

use super::{
    Chart, Figure,
    canvas::Pen,
    chart,
    lettering::Fonts,
    palette::{BLUE, CONTEXT, ORANGE},
};
use crate::report::comparison::Compared;

/// All charts of a comparison, the most important first. Nothing is drawn where its data is missing.
pub(in crate::report) fn comparison_charts(compared: &Compared<'_>) -> Vec<Chart> {
    let fonts = Fonts::new();
    comparison_figures(compared, &fonts).iter().map(|figure| chart(figure.as_ref(), &fonts)).collect()
}

/// The same, ready to be drawn.
pub(super) fn comparison_figures<'a>(compared: &Compared<'a>, fonts: &'a Fonts) -> Vec<Box<dyn Figure + 'a>> {
    let mut figures: Vec<Box<dyn Figure + 'a>> = Vec::new();
    if let Some(changes) = changes::Changes::new(compared, fonts) {
        figures.push(Box::new(changes));
    }
    if let Some(curves) = curves::Curves::new(compared, fonts) {
        figures.push(Box::new(curves));
    }
    if let Some(course) = course::Course::new(compared, fonts) {
        figures.push(Box::new(course));
    }
    figures
}

/// The run.
const RUN: Pen = Pen { colour: ORANGE, width: 2.25, dash: &[] };
/// The only run of the baseline.
const BASE: Pen = Pen { colour: BLUE, width: 2.25, dash: &[] };
/// One of several.
const ONE_OF_MANY: Pen = Pen { colour: CONTEXT, width: 1.25, dash: &[] };

/// How the runs of the baseline look, and what the legend calls them.
fn base_look(compared: &Compared<'_>) -> (Pen, String) {
    match compared.base.len() {
        1 => (BASE, compared.against.to_owned()),
        many => (ONE_OF_MANY, format!("each of {many} runs of {}", compared.against)),
    }
}
