//! The change of every quantile: of all requests alike, or of the slowest alone.

use plotters_backend::text_anchor::HPos;

use super::{change_rows, interval};
use crate::{
    analysis::gate::Change,
    report::{
        chart::{
            Caption, Figure,
            canvas::{Area, Canvas, Marker, Pen},
            layout::{AXIS_HEIGHT, Heading, LABEL, LABELS, MARGIN, WIDTH, base_line},
            lettering::Fonts,
            palette::INK,
            scale::{Scale, Tick},
            units::percentile,
        },
        gate::GateOutcome,
        view::gate_change,
    },
};

const TITLE: &str = "Change by quantile";
const HEIGHT: f64 = 220.0;
/// Changes beyond this are drawn at the edge.
const MOST: f64 = 9.0;

pub(super) struct Quantiles<'a> {
    heading: Heading,
    changes: &'a [(f64, Change)],
    plot: Area,
    up: Scale,
    description: String,
}

impl<'a> Quantiles<'a> {
    /// `None` where there are too few requests for any.
    pub(super) fn new(outcome: GateOutcome<'a>, fonts: &Fonts) -> Option<Self> {
        let changes = outcome.whole()?.quantiles.as_slice();
        if changes.is_empty() {
            return None;
        }
        let note = "Response time of all requests, B over A, with 95 % intervals. A level row of points is a change of all requests \
                    alike; one that rises to the right is a change of the slow ones.";
        let heading = Heading::new(TITLE, note, fonts);
        let top = heading.bottom() + 26.0;
        let plot = Area { left: MARGIN + LABELS + 8.0, top, right: WIDTH - MARGIN - 10.0, bottom: top + HEIGHT };
        let values = changes.iter().flat_map(|(_, change)| [change.low, change.ratio, change.high]);
        let shown = values.filter(|ratio| ratio.is_finite()).map(|ratio| (ratio - 1.0).min(MOST));
        let up = Scale::changes(shown, plot.bottom, plot.top);
        let told: Vec<_> =
            changes.iter().map(|(of, change)| format!("{} {}", percentile(of * 100.0), gate_change(change))).collect();
        Some(Self { heading, changes, plot, up, description: format!("{TITLE}. {}.", told.join("; ")) })
    }
}

impl Figure for Quantiles<'_> {
    fn caption(&self) -> Caption {
        Caption {
            name: "quantiles",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.plot.bottom + AXIS_HEIGHT + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        canvas.text("change, B over A", (MARGIN, self.plot.top - 12.0), HPos::Left, LABEL);
        change_rows(canvas, self.plot, &self.up);
        let pitch = self.plot.width() / self.changes.len() as f64;
        let mut ticks = Vec::new();
        for (number, (quantile, change)) in self.changes.iter().enumerate() {
            let x = self.plot.left + (number as f64 + 0.5) * pitch;
            ticks.push(Tick { at: x, label: percentile(quantile * 100.0) });
            let at = |ratio: f64| self.up.at(ratio - 1.0);
            if change.high.is_finite() {
                interval(canvas, x, (at(change.low), at(change.ratio), at(change.high)), Pen::solid(INK, 2.0));
            }
            canvas.marker((x, at(change.ratio)), Marker::Circle, 8.0, INK);
        }
        base_line(canvas, self.plot, &ticks, "quantile of the response time");
    }
}
