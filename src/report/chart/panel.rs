//! Panels over time that charts are put together from: response time, throughput and failures of one track.

use super::{
    canvas::{Area, Canvas, Marker, Pen},
    palette::{BEYOND, BLUE, Colour, GREEN, MUTED, OCHRE, ORANGE, PURPLE},
    plot::Axes,
    scale::{Scale, Tick},
    timeline::{Track, trace},
};

/// p50, p99 and the maximum: name, pen, and the marker of a single point.
pub(super) const RESPONSE: [(&str, Pen, Marker); 3] = [
    ("p50", Pen { colour: BLUE, width: 2.25, dash: &[] }, Marker::Circle),
    ("p99", Pen { colour: ORANGE, width: 2.0, dash: &[7.0, 2.5] }, Marker::Square),
    ("max", Pen { colour: PURPLE, width: 1.0, dash: &[] }, Marker::Up),
];
/// Completed requests per second.
pub(super) const COMPLETED: Pen = Pen { colour: GREEN, width: 2.25, dash: &[] };
/// Rate that an open loop offers.
pub(super) const OFFERED: Pen = Pen { colour: MUTED, width: 1.5, dash: &[5.0, 3.0] };

/// Failed requests per second.
pub(super) const FAILED: Colour = OCHRE;

/// One panel.
pub(super) struct Panel {
    pub(super) axes: Axes,
    /// Ticks of the vertical axis.
    ticks: Vec<Tick>,
    /// Length of the measured period, in seconds.
    measured: f64,
}

impl Panel {
    /// Panel of durations in nanoseconds.
    pub(super) fn durations(area: Area, time: Time, values: impl IntoIterator<Item = f64>) -> Self {
        let axes = Axes::new(area, time.scale, Scale::durations(values));
        Self { axes, ticks: axes.up.duration_ticks(21.0), measured: time.measured }
    }

    /// Panel of amounts from 0.
    pub(super) fn amounts(area: Area, time: Time, largest: f64) -> Self {
        let axes = Axes::new(area, time.scale, Scale::amounts(largest));
        Self { axes, ticks: axes.up.amount_ticks(24.0), measured: time.measured }
    }

    /// Draws the grid, the base line, and shade over what lies behind the measured period.
    pub(super) fn draw_ground(&self, canvas: &mut Canvas, time: &[Tick]) {
        let Axes { area, across, .. } = self.axes;
        let end = across.at(self.measured);
        if end < area.right {
            canvas.fill(Area { left: end, ..area }, BEYOND);
        }
        canvas.columns(area, time);
        canvas.rows(area, &self.ticks);
        canvas.base_line(area, &[], "");
    }

    pub(super) fn draw_response(&self, canvas: &mut Canvas, track: &Track, target: f64, label: Option<&str>) {
        for (which, (_, pen, marker)) in RESPONSE.iter().enumerate().rev() {
            trace(canvas, track.response_points(which, &self.axes), *pen, *marker);
        }
        canvas.target_line(self.axes.area, self.axes.up.at(target), label);
    }

    pub(super) fn draw_rate(&self, canvas: &mut Canvas, track: &Track, offered: Option<f64>) {
        if let Some(rate) = offered {
            let (right, y) = self.axes.at((self.measured, rate));
            canvas.line(&[(self.axes.area.left, y), (right, y)], OFFERED);
        }
        trace(canvas, track.rate_points(&self.axes), COMPLETED, Marker::Circle);
    }

    /// Draws points by the second and the amount.
    pub(super) fn draw_amounts(&self, canvas: &mut Canvas, points: &[Option<(f64, f64)>], pen: Pen, marker: Marker) {
        trace(canvas, points.iter().map(|point| point.map(|point| self.axes.at(point))), pen, marker);
    }

    pub(super) fn draw_failures(&self, canvas: &mut Canvas, track: &Track) {
        for bar in track.failure_bars(&self.axes) {
            canvas.fill(bar, FAILED);
        }
    }
}

/// The axis of time that panels share.
#[derive(Clone, Copy)]
pub(super) struct Time {
    scale: Scale,
    measured: f64,
}

impl Time {
    /// From 0 to an end, with the length of the measured period; both in seconds.
    pub(super) fn new(end: f64, measured: f64) -> Self {
        Self { scale: Scale::time(end), measured }
    }
}
