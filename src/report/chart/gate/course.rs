//! The median of every slice over the time of the gate: whether the machine drifted, and whether both arms drifted alike.

use plotters_backend::text_anchor::HPos;

use super::{ARMS, arms};
use crate::{
    analysis::gate::CoursePoint,
    report::{
        chart::{
            Caption, Figure,
            canvas::{Area, Canvas, Pen},
            layout::{AXIS_HEIGHT, Heading, LABEL, LABELS, Legend, MARGIN, Symbol, WIDTH, base_line, columns, rows},
            lettering::Fonts,
            palette::AXIS,
            scale::{Scale, Tick},
            units::duration,
        },
        gate::GateOutcome,
    },
    results::GateStage,
};

const TITLE: &str = "Median of every slice over time";
const HEIGHT: f64 = 240.0;

pub(super) struct Course<'a> {
    heading: Heading,
    legend: Legend,
    points: &'a [CoursePoint],
    /// When the second stage began, in seconds.
    confirmed_from: Option<f64>,
    plot: Area,
    ticks: Vec<Tick>,
    unit: &'static str,
    across: Scale,
    up: Scale,
    description: String,
}

impl<'a> Course<'a> {
    /// `None` where there are no slices.
    pub(super) fn new(outcome: GateOutcome<'a>, fonts: &Fonts) -> Option<Self> {
        let points = outcome.analysis.course.as_slice();
        let last = points.last()?;
        let note = "Both arms were loaded in turns, so a drift of the machine shows in both. Hollow: left out, decided without a look at \
                    response times.";
        let heading = Heading::new(TITLE, note, fonts);
        let legend =
            Legend::new(arms(outcome, |colour, marker| Symbol::Marker(marker, colour)), WIDTH - 2.0 * MARGIN, fonts);
        let top = heading.bottom() + legend.height() + 34.0;
        let plot = Area { left: MARGIN + LABELS, top, right: WIDTH - MARGIN - 10.0, bottom: top + HEIGHT };
        let across = Scale::time(last.began_ns as f64 / 1e9, plot.left, plot.right);
        let (ticks, unit) = across.time_ticks(60.0);
        let medians = || points.iter().map(|point| point.median).filter(|median| *median > 0.0);
        let up = Scale::durations(medians(), plot.bottom, plot.top);
        let (low, high) = (medians().fold(f64::INFINITY, f64::min), medians().fold(0.0, f64::max));
        let description =
            format!("{TITLE}. {} slices, medians from {} to {}.", points.len(), duration(low), duration(high));
        let confirmed_from =
            points.iter().find(|point| point.stage == GateStage::Confirm).map(|point| point.began_ns as f64 / 1e9);
        Some(Self { heading, legend, points, confirmed_from, plot, ticks, unit, across, up, description })
    }
}

impl Figure for Course<'_> {
    fn caption(&self) -> Caption {
        Caption {
            name: "course",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.plot.bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        canvas.text("response time, p50", (MARGIN, self.plot.top - 12.0), HPos::Left, LABEL);
        columns(canvas, self.plot, &self.ticks);
        rows(canvas, self.plot, &self.up.duration_ticks(22.0));
        if let Some(seconds) = self.confirmed_from {
            let x = self.across.at(seconds) - 4.0;
            canvas.line(&[(x, self.plot.top), (x, self.plot.bottom)], Pen::dashed(AXIS, 1.5, &[6.0, 4.0]));
            canvas.plated_text("second stage", (x, self.plot.top - 2.0), HPos::Center, LABEL);
        }
        for point in self.points {
            let (colour, marker) = ARMS[point.arm as usize % 2];
            let at = (self.across.at(point.began_ns as f64 / 1e9), self.up.at(point.median));
            if point.dropped {
                canvas.hollow_marker(at, marker, 8.0, colour);
            } else {
                canvas.marker(at, marker, 6.5, colour);
            }
        }
        base_line(canvas, self.plot, &self.ticks, &format!("since the gate began ({})", self.unit));
    }
}
