//! The ratio of B over A in every block, metric by metric, with the estimate and what would matter.

use plotters_backend::text_anchor::HPos;

use super::{change_rows, interval};
use crate::{
    analysis::gate::{GateMetric, MetricResult},
    report::{
        chart::{
            Caption, Figure,
            canvas::{Area, Canvas, Marker, Pen},
            layout::{Heading, LABELS, Legend, MARGIN, NAME, Symbol, WIDTH},
            lettering::Fonts,
            palette::{CONTEXT, INK, TARGET},
            scale::Scale,
        },
        gate::GateOutcome,
        view::{gate_change, metric_name},
    },
};

const TITLE: &str = "B against A, block by block";
const HEIGHT: f64 = 250.0;
/// How far the points of a metric are spread.
const SPREAD: f64 = 0.8;
/// Between the panels.
const GAP: f64 = 8.0;
/// Changes beyond this are drawn at the edge.
const MOST: f64 = 4.0;

pub(super) struct Blocks<'a> {
    heading: Heading,
    legend: Legend,
    panels: Vec<Panel<'a>>,
    bottom: f64,
    description: String,
}

/// One metric on an axis of its own: a tail varies by a hundred times what a median does.
struct Panel<'a> {
    metric: &'a MetricResult,
    plot: Area,
    up: Scale,
}

impl<'a> Blocks<'a> {
    /// `None` where nothing was compared.
    pub(super) fn new(outcome: GateOutcome<'a>, fonts: &Fonts) -> Option<Self> {
        let metrics: Vec<&MetricResult> = outcome.whole()?.metrics.iter().collect();
        let note = "Each point is one block on fresh servers, all requests of the stage that decides. The bar is the 95 % interval of \
                    the change, B over A; what reaches the dashed line matters.";
        let heading = Heading::new(TITLE, note, fonts);
        let legend = Legend::new(
            vec![
                (Symbol::Marker(Marker::Circle, CONTEXT), "one block".to_owned()),
                (Symbol::Line(Pen::solid(INK, 2.0), None), "change and its interval".to_owned()),
                (Symbol::Line(Pen::dashed(TARGET, 1.5, &[5.0, 3.0]), None), "matters from here".to_owned()),
            ],
            WIDTH - 2.0 * MARGIN,
            fonts,
        );
        let top = heading.bottom() + legend.height() + 40.0;
        let pitch = (WIDTH - 2.0 * MARGIN) / metrics.len().max(1) as f64;
        let panels = metrics
            .iter()
            .enumerate()
            .map(|(number, metric)| {
                let left = MARGIN + number as f64 * pitch;
                let plot = Area { left: left + LABELS, top, right: left + pitch - GAP, bottom: top + HEIGHT };
                let change = metric.deciding();
                let points = change.blocks.iter().map(|log| log.exp_m1());
                let values = points.chain([shown(change.low), shown(change.high), matters(metric)]);
                let up = Scale::changes(values.map(|value| value.clamp(-1.0, MOST)), plot.bottom, plot.top);
                Panel { metric, plot, up }
            })
            .collect();
        let told = metrics
            .iter()
            .map(|metric| format!("{} {}", metric_name(metric.metric), gate_change(metric.deciding())))
            .collect::<Vec<_>>();
        let description = format!("{TITLE}. {}.", told.join("; "));
        Some(Self { heading, legend, panels, bottom: top + HEIGHT, description })
    }
}

fn shown(ratio: f64) -> f64 {
    if ratio.is_finite() { ratio - 1.0 } else { 0.0 }
}

/// Where a change begins to matter, as B over A.
fn matters(metric: &MetricResult) -> f64 {
    if metric.metric.more_is_worse() { metric.limit } else { -metric.limit }
}

impl Figure for Blocks<'_> {
    fn caption(&self) -> Caption {
        Caption {
            name: "blocks",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.bottom + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        for Panel { metric, plot, up } in &self.panels {
            let middle = f64::midpoint(plot.left, plot.right);
            let change = metric.deciding();
            canvas.text(panel_name(metric.metric), (middle, plot.top - 12.0), HPos::Center, NAME);
            change_rows(canvas, *plot, up);
            let y = up.at(matters(metric));
            canvas.line(&[(plot.left, y), (plot.right, y)], Pen::dashed(TARGET, 1.5, &[5.0, 3.0]));
            let count = change.blocks.len().max(2) as f64;
            for (block, log) in change.blocks.iter().enumerate() {
                let x = middle + (block as f64 / (count - 1.0) - 0.5) * SPREAD * plot.width();
                canvas.marker((x, up.at(log.exp_m1())), Marker::Circle, 7.0, CONTEXT);
            }
            if change.high.is_finite() {
                let bar = [change.low, change.ratio, change.high].map(|ratio| up.at(ratio - 1.0));
                interval(canvas, middle, (bar[0], bar[1], bar[2]), Pen::solid(INK, 2.0));
            }
        }
    }
}

/// What fits above a panel.
fn panel_name(metric: GateMetric) -> &'static str {
    match metric {
        GateMetric::Throughput => "throughput",
        metric => metric_name(metric),
    }
}
