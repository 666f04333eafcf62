//! The change of every quantile: of all requests alike, or of the slowest alone.

use super::arms::{MOST, change_rows, interval};
use crate::{
    analysis::Interval,
    report::{
        chart::{
            canvas::{Marker, Pen},
            palette::INK,
            plot::Plot,
            scale::{Scale, Tick},
            units::percentile,
        },
        subject::GateReport,
        view::effect,
    },
};

const TITLE: &str = "Change by quantile";
const HEIGHT: f64 = 220.0;

/// `None` where there are too few requests for any.
pub(super) fn plot(outcome: &GateReport) -> Option<Plot> {
    let changes = outcome.whole()?.quantiles.as_slice();
    if changes.is_empty() {
        return None;
    }
    let note = "Response time of all requests, B over A, with 95 % intervals. Level points are a change of all \
                requests; points rising to the right are a change of slow requests.";
    let mut plot = Plot::new("quantiles", TITLE, note);
    let mut area = plot.area(26.0, HEIGHT, 10.0);
    area.left += 8.0;
    let values = changes.iter().flat_map(|(_, change)| {
        let Interval { point, low, high } = change.effect.ratio;
        [low, Some(point), high].into_iter().flatten()
    });
    let shown = values.map(|ratio| (ratio - 1.0).min(MOST));
    let up = Scale::changes(shown).between(area.bottom, area.top);

    plot.name_above(area, 12.0, "change, B over A");
    change_rows(&mut plot.canvas, area, &up);
    let pitch = area.width() / changes.len() as f64;
    let mut ticks = Vec::new();
    for (number, (quantile, change)) in changes.iter().enumerate() {
        let x = area.left + (number as f64 + 0.5) * pitch;
        ticks.push(Tick { at: x, label: percentile(quantile * 100.0) });
        let ratio = change.effect.ratio;
        interval(&mut plot.canvas, (x, &up), ratio, Pen::solid(INK, 2.0));
        plot.canvas.marker((x, up.at(ratio.point - 1.0)), Marker::Circle, 8.0, INK);
    }
    plot.base_line(area, &ticks, "quantile of the response time");
    let described: Vec<_> =
        changes.iter().map(|(of, change)| format!("{} {}", percentile(of * 100.0), effect(&change.effect))).collect();
    Some(plot.described(format!("{TITLE}. {}.", described.join("; "))))
}
