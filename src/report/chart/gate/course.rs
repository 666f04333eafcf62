//! The median of every slice over the time of the gate: whether the machine drifted, and whether both arms drifted alike.

use plotters_backend::text_anchor::HPos;

use super::arms::{ARMS, arms};
use crate::{
    report::{
        chart::{
            canvas::Pen,
            layout::{LABEL, Symbol},
            palette::AXIS,
            plot::{Axes, Plot},
            scale::Scale,
            units::duration,
        },
        subject::GateReport,
    },
    results::GateStage,
};

const TITLE: &str = "Median of every slice over time";
const HEIGHT: f64 = 240.0;

/// `None` where there are no slices.
pub(super) fn plot(outcome: &GateReport) -> Option<Plot> {
    let points = outcome.analysis.course.as_slice();
    let last = points.last()?;
    let note = "Both arms were loaded in turns, so a drift of the machine shows in both. Hollow: slices left out, \
                regardless of their response times.";
    let mut plot =
        Plot::new("course", TITLE, note).legend(arms(outcome, |colour, marker| Symbol::Marker(marker, colour)));
    let area = plot.area(34.0, HEIGHT, 10.0);
    let medians = || points.iter().map(|point| point.median).filter(|median| *median > 0.0);
    let axes = Axes::new(area, Scale::time(seconds(last.began_ns)), Scale::durations(medians()));

    plot.name_above(area, 12.0, "response time, p50");
    let (ticks, unit) = axes.across.time_ticks(60.0);
    plot.canvas.columns(area, &ticks);
    plot.canvas.rows(area, &axes.up.duration_ticks(22.0));
    if let Some(first) = points.iter().find(|point| point.stage == GateStage::Confirm) {
        let x = axes.across.at(seconds(first.began_ns)) - 4.0;
        plot.canvas.line(&[(x, area.top), (x, area.bottom)], Pen::dashed(AXIS, 1.5, &[6.0, 4.0]));
        plot.canvas.plated_text("second stage", (x, area.top - 2.0), HPos::Center, LABEL);
    }
    for point in points {
        let (colour, marker) = ARMS[point.arm];
        let at = axes.at((seconds(point.began_ns), point.median));
        if point.dropped {
            plot.canvas.hollow_marker(at, marker, 8.0, colour);
        } else {
            plot.canvas.marker(at, marker, 6.5, colour);
        }
    }
    plot.base_line(area, &ticks, &format!("time since the start of the gate ({unit})"));
    let (low, high) = (medians().fold(f64::INFINITY, f64::min), medians().fold(0.0, f64::max));
    let range = format!("medians from {} to {}", duration(low), duration(high));
    Some(plot.described(format!("{TITLE}. {} slices, {range}.", points.len())))
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}
