//! Panels over time that charts are put together from: response time, throughput and failures of one track.

use super::{
    canvas::{Area, Canvas, Marker, Pen},
    layout::{columns, rows, target_line},
    palette::{BEYOND, BLUE, GREEN, MUTED, ORANGE, PURPLE},
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
/// What an open loop offers.
pub(super) const OFFERED: Pen = Pen { colour: MUTED, width: 1.5, dash: &[5.0, 3.0] };

/// The axis of time that panels share.
#[derive(Clone, Copy)]
pub(super) struct Across {
    pub(super) scale: Scale,
    /// Length of the measured period, in seconds.
    pub(super) measured: f64,
}

/// One panel.
pub(super) struct Panel {
    pub(super) area: Area,
    up: Scale,
    ticks: Vec<Tick>,
}

impl Panel {
    /// For durations in nanoseconds.
    pub(super) fn durations(area: Area, values: impl IntoIterator<Item = f64>) -> Self {
        let up = Scale::durations(values, area.bottom, area.top);
        Self { area, up, ticks: up.duration_ticks(21.0) }
    }

    /// For amounts from 0.
    pub(super) fn amounts(area: Area, largest: f64) -> Self {
        let up = Scale::amounts(largest, area.bottom, area.top);
        Self { area, up, ticks: up.amount_ticks(24.0) }
    }

    /// The grid, and shade over what lies behind the measured period.
    pub(super) fn draw_ground(&self, canvas: &mut Canvas<'_>, across: Across, time: &[Tick]) {
        let end = across.scale.at(across.measured);
        if end < self.area.right {
            canvas.fill(Area { left: end, ..self.area }, BEYOND);
        }
        columns(canvas, self.area, time);
        rows(canvas, self.area, &self.ticks);
    }

    pub(super) fn draw_response(
        &self,
        canvas: &mut Canvas<'_>,
        across: Across,
        track: &Track,
        target: f64,
        label: Option<&str>,
    ) {
        for (which, (_, pen, marker)) in RESPONSE.iter().enumerate().rev() {
            trace(canvas, track.response_points(which, &across.scale, &self.up), *pen, *marker);
        }
        target_line(canvas, self.area, self.up.at(target), label);
    }

    pub(super) fn draw_rate(&self, canvas: &mut Canvas<'_>, across: Across, track: &Track, offered: Option<f64>) {
        if let Some(rate) = offered {
            let (right, y) = (across.scale.at(across.measured), self.up.at(rate));
            canvas.line(&[(self.area.left, y), (right, y)], OFFERED);
        }
        trace(canvas, track.rate_points(&across.scale, &self.up), COMPLETED, Marker::Circle);
    }

    /// Points by the second and the amount.
    pub(super) fn draw_amounts(
        &self,
        canvas: &mut Canvas<'_>,
        across: Across,
        points: &[Option<(f64, f64)>],
        pen: Pen,
        marker: Marker,
    ) {
        let place = |(second, amount): (f64, f64)| (across.scale.at(second), self.up.at(amount));
        trace(canvas, points.iter().map(|point| point.map(place)), pen, marker);
    }

    pub(super) fn draw_failures(&self, canvas: &mut Canvas<'_>, across: Across, track: &Track) {
        for bar in track.failure_bars(&across.scale, &self.up, self.area) {
            canvas.fill(bar, ORANGE);
        }
    }
}
