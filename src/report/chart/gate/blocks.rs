//! The ratio of B over A in every block, metric by metric, with the estimate and what would matter.

use plotters_backend::text_anchor::HPos;

use super::arms::{MOST, change_rows, interval};
use crate::{
    analysis::{
        Interval,
        gate::{GateMetric, MetricResult},
    },
    report::{
        chart::{
            canvas::{Area, Marker, Pen},
            layout::{LABELS, MARGIN, NAME, Symbol, WIDTH},
            palette::{CONTEXT, INK, TARGET},
            plot::Plot,
            scale::Scale,
        },
        subject::GateReport,
        view::{effect, metric_name},
    },
};

const TITLE: &str = "B over A by block";
const HEIGHT: f64 = 250.0;
/// How far the points of a metric are spread.
const SPREAD: f64 = 0.8;
/// Between the panels.
const GAP: f64 = 8.0;
const LIMIT: Pen = Pen { colour: TARGET, width: 1.5, dash: &[5.0, 3.0] };

/// Every metric on an axis of its own, because a tail varies by a hundred times what a median does; `None` where
/// nothing was compared.
pub(super) fn plot(outcome: &GateReport) -> Option<Plot> {
    let metrics = &outcome.whole()?.metrics;
    let note = "One point per block on fresh servers, all requests of the deciding stage. Bar: 95 % interval of the \
                change, B over A. Dashed line: threshold.";
    let mut plot = Plot::new("blocks", TITLE, note).legend([
        Symbol::Marker(Marker::Circle, CONTEXT).named("one block"),
        Symbol::Line(Pen::solid(INK, 2.0), None).named("change and its interval"),
        Symbol::Line(LIMIT, None).named("threshold"),
    ]);
    let all = plot.area(40.0, HEIGHT, 0.0);
    let pitch = (WIDTH - 2.0 * MARGIN) / metrics.len().max(1) as f64;
    for (number, metric) in metrics.iter().enumerate() {
        let left = MARGIN + number as f64 * pitch;
        draw(&mut plot, metric, Area { left: left + LABELS, right: left + pitch - GAP, ..all });
    }
    let changes =
        metrics.iter().map(|metric| format!("{} {}", metric_name(metric.metric), effect(&metric.deciding().effect)));
    let description = format!("{TITLE}. {}.", changes.collect::<Vec<_>>().join("; "));
    Some(plot.described(description))
}

fn draw(plot: &mut Plot, metric: &MetricResult, area: Area) {
    let canvas = &mut plot.canvas;
    let change = metric.deciding();
    let points = change.blocks.iter().map(|log| log.exp_m1());
    let Interval { low, high, .. } = change.effect.ratio;
    let ends = [low, high].into_iter().flatten().map(|ratio| ratio - 1.0);
    let values = points.chain(ends).chain([matters(metric)]);
    let up = Scale::changes(values.map(|value| value.clamp(-1.0, MOST))).between(area.bottom, area.top);
    let middle = f64::midpoint(area.left, area.right);
    canvas.text(panel_name(metric.metric), (middle, area.top - 12.0), HPos::Center, NAME);
    change_rows(canvas, area, &up);
    let y = up.at(matters(metric));
    canvas.line(&[(area.left, y), (area.right, y)], LIMIT);
    let count = change.blocks.len().max(2) as f64;
    for (block, log) in change.blocks.iter().enumerate() {
        let x = middle + (block as f64 / (count - 1.0) - 0.5) * SPREAD * area.width();
        canvas.marker((x, up.at(log.exp_m1())), Marker::Circle, 7.0, CONTEXT);
    }
    interval(canvas, (middle, &up), change.effect.ratio, Pen::solid(INK, 2.0));
}

/// Where a change begins to matter, as B over A.
fn matters(metric: &MetricResult) -> f64 {
    if metric.metric.more_is_worse() { metric.limit } else { -metric.limit }
}

/// What fits above a panel.
fn panel_name(metric: GateMetric) -> &'static str {
    match metric {
        GateMetric::Throughput => "throughput",
        metric => metric_name(metric),
    }
}
