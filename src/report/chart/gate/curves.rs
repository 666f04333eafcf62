//! Percentile curves of both arms, with the range of their blocks.

use plotters_backend::text_anchor::HPos;

use super::{ARMS, arms};
use crate::{
    analysis::gate::CurvePoint,
    report::{
        chart::{
            Caption, Figure,
            canvas::{Area, Canvas, Pen, Point},
            layout::{AXIS_HEIGHT, Heading, LABEL, LABELS, Legend, MARGIN, Symbol, WIDTH, base_line, columns, rows},
            lettering::Fonts,
            scale::{Scale, Tail},
            units::duration,
        },
        gate::GateOutcome,
    },
};

const TITLE: &str = "Response time by percentile, both arms";
const HEIGHT: f64 = 300.0;

pub(super) struct Curves<'a> {
    heading: Heading,
    legend: Legend,
    arms: &'a [Vec<CurvePoint>; 2],
    plot: Area,
    across: Scale,
    up: Scale,
    description: String,
}

impl<'a> Curves<'a> {
    /// `None` where there are too few requests for any.
    pub(super) fn new(outcome: GateOutcome<'a>, fonts: &Fonts) -> Option<Self> {
        let curves = &outcome.analysis.curves;
        if curves.iter().any(Vec::is_empty) {
            return None;
        }
        let note = "All requests of the stage that decides. Thin lines are the lowest and the highest block. Curves end where fewer \
                    than ten requests of a block lie beyond.";
        let heading = Heading::new(TITLE, note, fonts);
        let legend = Legend::new(
            arms(outcome, |colour, _| Symbol::Line(Pen::solid(colour, 2.25), None)),
            WIDTH - 2.0 * MARGIN,
            fonts,
        );
        let top = heading.bottom() + legend.height() + 34.0;
        let plot = Area { left: MARGIN + LABELS, top, right: WIDTH - MARGIN - 18.0, bottom: top + HEIGHT };
        let points = || curves.iter().flatten();
        let end = points().map(|point| Tail::of_percent(point.quantile * 100.0).nines()).fold(2.0, f64::max);
        let across = Scale::tail(Tail::from_nines(end + 0.05), plot.left, plot.right);
        let up = Scale::durations(points().flat_map(|point| [point.low, point.high]), plot.bottom, plot.top);
        let told = curves.iter().zip(["A", "B"]).filter_map(|(curve, letter)| {
            let middle = curve.iter().rfind(|point| point.quantile <= 0.5)?;
            let last = curve.last()?;
            Some(format!(
                "{letter}: p50 {}, p{:.1} {}",
                duration(middle.value),
                last.quantile * 100.0,
                duration(last.value)
            ))
        });
        let description = format!("{TITLE}. {}.", told.collect::<Vec<_>>().join("; "));
        Some(Self { heading, legend, arms: curves, plot, across, up, description })
    }

    fn line(&self, curve: &[CurvePoint], value: impl Fn(&CurvePoint) -> f64) -> Vec<Point> {
        let at = |point: &CurvePoint| {
            (self.across.at(Tail::of_percent(point.quantile * 100.0).nines()), self.up.at(value(point)))
        };
        curve.iter().map(at).collect()
    }
}

impl Figure for Curves<'_> {
    fn caption(&self) -> Caption {
        Caption {
            name: "curves",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.plot.bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        canvas.text("response time", (MARGIN, self.plot.top - 12.0), HPos::Left, LABEL);
        rows(canvas, self.plot, &self.up.duration_ticks(22.0));
        let tail = self.across.tail_ticks();
        columns(canvas, self.plot, &tail);
        base_line(canvas, self.plot, &tail, "share of requests that were at least as fast");
        for (curve, (colour, _)) in self.arms.iter().zip(ARMS) {
            for edge in [self.line(curve, |point| point.low), self.line(curve, |point| point.high)] {
                canvas.line(&edge, Pen::solid(colour, 0.75));
            }
        }
        for (curve, (colour, _)) in self.arms.iter().zip(ARMS) {
            canvas.line(&self.line(curve, |point| point.value), Pen::solid(colour, 2.25));
        }
    }
}
