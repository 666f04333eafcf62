//! Charts of a capacity run.

use super::{Chart, Figure, chart, lettering::Fonts};
use crate::report::capacity::Answers;

/// All charts of a capacity run, the most important first. Nothing is drawn where its data is missing.
pub(in crate::report) fn capacity_charts(answers: &Answers<'_>) -> Vec<Chart> {
    let fonts = Fonts::new();
    figures(answers, &fonts).iter().map(|figure| chart(figure.as_ref(), &fonts)).collect()
}

fn figures<'a>(_answers: &Answers<'a>, _fonts: &Fonts) -> Vec<Box<dyn Figure + 'a>> {
    Vec::new()
}
