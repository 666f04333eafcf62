//! What charts of a gate have in common: looks of arms, and changes with their intervals.

use crate::{
    analysis::Interval,
    report::{
        chart::{
            canvas::{Area, Canvas, Marker, Pen},
            layout::{Entry, Symbol},
            palette::{AXIS, BLUE, Colour, ORANGE},
            scale::Scale,
        },
        subject::GateReport,
    },
    results::Sides,
};

/// Changes beyond this are drawn at the edge.
pub(super) const MOST: f64 = 9.0;

/// Colour and marker of each arm.
pub(super) const ARMS: Sides<(Colour, Marker)> = Sides { a: (BLUE, Marker::Circle), b: (ORANGE, Marker::Diamond) };

/// The arms by their names.
pub(super) fn arms(outcome: &GateReport, symbol: impl Fn(Colour, Marker) -> Symbol) -> impl Iterator<Item = Entry> {
    outcome.gate.arms.named().map(move |(side, arm)| {
        let (colour, marker) = ARMS[side];
        symbol(colour, marker).named(format!("{side}: {}", arm.name))
    })
}

/// Draws grid lines of changes, with a stronger one where nothing changes.
pub(super) fn change_rows(canvas: &mut Canvas, area: Area, up: &Scale) {
    canvas.rows(area, &up.change_ticks(24.0));
    canvas.line(&[(area.left, up.at(0.0)), (area.right, up.at(0.0))], Pen::solid(AXIS, 1.5));
}

/// Draws the interval of a ratio as an upright bar, with a line across at the estimate; nothing without both ends.
pub(super) fn interval(canvas: &mut Canvas, (x, up): (f64, &Scale), ratio: Interval, pen: Pen) {
    let Some((low, high)) = ratio.ends() else { return };
    let [low, middle, high] = [low, ratio.point, high].map(|ratio| up.at(ratio - 1.0));
    canvas.line(&[(x, low), (x, high)], pen);
    for (y, reach) in [(low, 5.0), (high, 5.0), (middle, 11.0)] {
        canvas.line(&[(x - reach, y), (x + reach, y)], pen);
    }
}
