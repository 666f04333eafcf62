//! Charts of a gate: what they have in common, and which of them are drawn.

mod blocks;
mod course;
mod curves;
mod quantiles;

use super::{
    Chart,
    canvas::{Area, Canvas, Marker, Pen},
    layout::{Entry, Symbol},
    painted,
    palette::{AXIS, BLUE, Colour, ORANGE},
    scale::Scale,
};
use crate::{analysis::Interval, report::subject::GateReport};

/// All charts of a gate, the most important first. Nothing is drawn where its data is missing.
pub(in crate::report) fn gate_charts(outcome: &GateReport) -> Vec<Chart> {
    let plots = [blocks::plot(outcome), quantiles::plot(outcome), curves::plot(outcome), course::plot(outcome)];
    painted(plots.into_iter().flatten().collect())
}

/// Changes beyond this are drawn at the edge.
const MOST: f64 = 9.0;

/// Colour and marker of each arm.
const ARMS: [(Colour, Marker); 2] = [(BLUE, Marker::Circle), (ORANGE, Marker::Diamond)];

/// The arms by their names.
fn arms(outcome: &GateReport, symbol: impl Fn(Colour, Marker) -> Symbol) -> impl Iterator<Item = Entry> {
    let named = ["A", "B"].iter().zip(&outcome.gate.arms).zip(ARMS);
    named.map(move |((letter, arm), (colour, marker))| symbol(colour, marker).named(format!("{letter}: {}", arm.name)))
}

/// Draws grid lines of changes, with a stronger one where nothing changes.
fn change_rows(canvas: &mut Canvas, area: Area, up: &Scale) {
    canvas.rows(area, &up.change_ticks(24.0));
    canvas.line(&[(area.left, up.at(0.0)), (area.right, up.at(0.0))], Pen::solid(AXIS, 1.5));
}

/// Draws the interval of a ratio as an upright bar, with a line across at the estimate; nothing without both ends.
fn interval(canvas: &mut Canvas, (x, up): (f64, &Scale), ratio: Interval, pen: Pen) {
    let Some((low, high)) = ratio.ends() else { return };
    let [low, middle, high] = [low, ratio.point, high].map(|ratio| up.at(ratio - 1.0));
    canvas.line(&[(x, low), (x, high)], pen);
    for (y, reach) in [(low, 5.0), (high, 5.0), (middle, 11.0)] {
        canvas.line(&[(x - reach, y), (x + reach, y)], pen);
    }
}
