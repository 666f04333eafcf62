//! Percentile curves of both arms, with the range of their blocks.

use super::arms::{ARMS, arms};
use crate::{
    analysis::gate::CurvePoint,
    report::{
        chart::{
            canvas::{Pen, Point},
            layout::Symbol,
            plot::{Axes, Plot},
            scale::{Scale, Tail},
            units::duration,
        },
        subject::GateReport,
    },
};

const TITLE: &str = "Response time by percentile, both arms";
const HEIGHT: f64 = 300.0;

/// `None` where there are too few requests for any.
pub(super) fn plot(outcome: &GateReport) -> Option<Plot> {
    let curves = &outcome.analysis.curves;
    if curves.iter().any(Vec::is_empty) {
        return None;
    }
    let note = "All requests of the deciding stage. Thin lines: lowest and highest block. Curves end where fewer than \
                ten requests of a block lie beyond.";
    let mut plot = Plot::new("curves", TITLE, note)
        .legend(arms(outcome, |colour, _| Symbol::Line(Pen::solid(colour, 2.25), None)));
    let area = plot.area(34.0, HEIGHT, 18.0);
    let points = || curves.iter().flatten();
    let end = points().map(nines).fold(2.0, f64::max);
    let up = Scale::durations(points().flat_map(|point| [point.low, point.high]));
    let axes = Axes::new(area, Scale::tail(Tail::from_nines(end + 0.05)), up);

    plot.name_above(area, 12.0, "response time");
    plot.canvas.rows(area, &axes.up.duration_ticks(22.0));
    let ticks = axes.across.tail_ticks();
    plot.canvas.columns(area, &ticks);
    plot.base_line(area, &ticks, "share of requests at least as fast");
    let line = |curve: &[CurvePoint], value: fn(&CurvePoint) -> f64| -> Vec<Point> {
        curve.iter().map(|point| axes.at((nines(point), value(point)))).collect()
    };
    for (curve, &(colour, _)) in curves.iter().zip(ARMS.iter()) {
        for edge in [line(curve, |point| point.low), line(curve, |point| point.high)] {
            plot.canvas.line(&edge, Pen::solid(colour, 0.75));
        }
    }
    for (curve, &(colour, _)) in curves.iter().zip(ARMS.iter()) {
        plot.canvas.line(&line(curve, |point| point.value), Pen::solid(colour, 2.25));
    }
    let ends = curves.named().filter_map(|(side, curve)| {
        let middle = curve.iter().rfind(|point| point.quantile <= 0.5)?;
        let last = curve.last()?;
        let (median, tail) = (duration(middle.value), duration(last.value));
        Some(format!("{side}: p50 {median}, p{:.1} {tail}", last.quantile * 100.0))
    });
    let description = format!("{TITLE}. {}.", ends.collect::<Vec<_>>().join("; "));
    Some(plot.described(description))
}

fn nines(point: &CurvePoint) -> f64 {
    Tail::of_percent(point.quantile * 100.0).nines()
}
