//! p50, p99 and throughput over time: the run over those of the baseline, second by second from the start of each.

use plotters_backend::text_anchor::HPos;

use super::runs::{RUN, base_pen, entries};
use crate::{
    report::{
        chart::{
            canvas::Marker,
            layout::{MARGIN, NAME},
            panel::{Panel, Time},
            plot::Plot,
            units::duration,
        },
        subject::ComparisonReport,
    },
    results::{Abstract, Stretch, WorstSeconds},
};

const TITLE: &str = "Runs over time";
const HEIGHT: f64 = 120.0;
const GAP: f64 = 40.0;

/// Value of a stretch that a panel shows.
type Of = fn(&Stretch) -> Option<f64>;

/// `None` where nothing was answered.
pub(super) fn plot(compared: &ComparisonReport) -> Option<Plot> {
    let note = "All services together; each run from the start of its measured period.";
    let mut plot = Plot::new("over-time-laid-over", TITLE, note).legend(entries(compared));
    let all = || compared.base.iter().chain([&compared.run]);
    let end = all().flat_map(|run| &run.course).map(|at| f64::from(at.second) + 1.0).fold(1.0, f64::max);
    let measured = all().map(|run| run.measured_ns as f64 / 1e9).fold(0.0, f64::max);
    let time = Time::new(end.max(measured), measured);
    let kinds: [(&str, Of); 3] = [
        ("p50", |at| at.response.map(|worst| worst.p50 as f64)),
        ("p99", |at| at.response.map(|worst| worst.p99 as f64)),
        ("requests per second", |at| at.rate),
    ];
    for (number, (name, of)) in kinds.into_iter().enumerate() {
        let lines: Vec<Vec<_>> =
            all().map(|run| run.course.iter().map(|at| Some((middle(run, at), of(at)?))).collect()).collect();
        let values: Vec<f64> = lines.iter().flatten().flatten().map(|(_, value)| *value).collect();
        if values.is_empty() {
            return None;
        }
        let area = plot.area(if number == 0 { 36.0 } else { GAP }, HEIGHT, 10.0);
        let panel = if name.starts_with('p') {
            Panel::durations(area, time, values)
        } else {
            Panel::amounts(area, time, values.into_iter().fold(0.0, f64::max))
        };
        plot.canvas.text(name, (MARGIN, area.top - 14.0), HPos::Left, NAME);
        let (ticks, unit) = panel.axes.across.time_ticks(48.0);
        panel.draw_ground(&mut plot.canvas, &ticks);
        for (run, points) in all().zip(&lines) {
            let pen = if std::ptr::eq(run, &raw const compared.run) { RUN } else { base_pen(compared) };
            panel.draw_amounts(&mut plot.canvas, points, pen, Marker::Circle);
        }
        if number + 1 == kinds.len() {
            plot.base_line(area, &ticks, &format!("time since the start of the measured period ({unit})"));
        }
    }
    Some(plot.described(describe(compared)))
}

/// The middle of a stretch, in seconds.
fn middle(run: &Abstract, at: &Stretch) -> f64 {
    let length = match &run.course[..] {
        [first, second, ..] => f64::from(second.second - first.second),
        _ => 1.0,
    };
    f64::from(at.second) + length / 2.0
}

fn describe(compared: &ComparisonReport) -> String {
    let worst = |run: &Abstract, of: fn(WorstSeconds) -> u64| {
        run.course.iter().filter_map(|at| at.response.map(of)).max().unwrap_or(0) as f64
    };
    let base = |of| compared.base.iter().map(|run| worst(run, of)).fold(0.0, f64::max);
    let [p50, p99]: [fn(WorstSeconds) -> u64; 2] = [|at| at.p50, |at| at.p99];
    format!(
        "{TITLE}: {} against {}. The worst second had a p50 of {} and a p99 of {}; before, {} and {}.",
        compared.run.name,
        compared.against,
        duration(worst(&compared.run, p50)),
        duration(worst(&compared.run, p99)),
        duration(base(p50)),
        duration(base(p99)),
    )
}
