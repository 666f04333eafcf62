//! Charts of a gate: what they have in common, and which of them are drawn.

mod blocks;
mod course;
mod curves;
mod quantiles;

use super::{
    Chart, Figure,
    canvas::{Area, Canvas, Marker, Pen},
    chart,
    layout::{Symbol, rows},
    lettering::Fonts,
    palette::{AXIS, BLUE, Colour, ORANGE},
    scale::Scale,
};
use crate::report::gate::GateOutcome;

/// All charts of a gate, the most important first. Nothing is drawn where its data is missing.
pub(in crate::report) fn gate_charts(outcome: GateOutcome<'_>) -> Vec<Chart> {
    let fonts = Fonts::new();
    gate_figures(outcome, &fonts).iter().map(|figure| chart(figure.as_ref(), &fonts)).collect()
}

/// The same, ready to be drawn.
pub(super) fn gate_figures<'a>(outcome: GateOutcome<'a>, fonts: &Fonts) -> Vec<Box<dyn Figure + 'a>> {
    let figures: [Option<Box<dyn Figure + 'a>>; 4] = [
        blocks::Blocks::new(outcome, fonts).map(boxed),
        quantiles::Quantiles::new(outcome, fonts).map(boxed),
        curves::Curves::new(outcome, fonts).map(boxed),
        course::Course::new(outcome, fonts).map(boxed),
    ];
    figures.into_iter().flatten().collect()
}

fn boxed<'a>(figure: impl Figure + 'a) -> Box<dyn Figure + 'a> {
    Box::new(figure)
}

/// Colour and marker of each arm.
const ARMS: [(Colour, Marker); 2] = [(BLUE, Marker::Circle), (ORANGE, Marker::Diamond)];

/// The arms by their names.
fn arms(outcome: GateOutcome<'_>, symbol: impl Fn(Colour, Marker) -> Symbol) -> Vec<(Symbol, String)> {
    let named = ["A", "B"].iter().zip(&outcome.gate.arms).zip(ARMS);
    named.map(|((letter, arm), (colour, marker))| (symbol(colour, marker), format!("{letter}: {}", arm.name))).collect()
}

/// Grid lines of changes, with a stronger one where nothing changes.
fn change_rows(canvas: &mut Canvas<'_>, plot: Area, up: &Scale) {
    rows(canvas, plot, &up.change_ticks(24.0));
    canvas.line(&[(plot.left, up.at(0.0)), (plot.right, up.at(0.0))], Pen::solid(AXIS, 1.5));
}

/// An interval as an upright bar, with a line across at its middle.
fn interval(canvas: &mut Canvas<'_>, x: f64, (low, middle, high): (f64, f64, f64), pen: Pen) {
    canvas.line(&[(x, low), (x, high)], pen);
    for (y, reach) in [(low, 5.0), (high, 5.0), (middle, 11.0)] {
        canvas.line(&[(x - reach, y), (x + reach, y)], pen);
    }
}
