//! Response time by percentile: the run's curve over those of the baseline, of everything and of each service.

use plotters_backend::text_anchor::HPos;

use super::runs::{RUN, base_pen, entries};
use crate::{
    report::{
        chart::{
            canvas::{Area, Marker, Pen, Type},
            layout::{AXIS_HEIGHT, LABELS, MARGIN, WIDTH},
            percentiles::curve,
            plot::{Axes, Plot},
            scale::{Scale, Tail},
            units::duration,
        },
        subject::ComparisonReport,
    },
    results::{Abstract, AbstractRow},
};

const TITLE: &str = "Response time by percentile, all runs";
/// Samples that must lie beyond the end of a curve.
const SAMPLES_BEYOND: f64 = 10.0;
/// Services that get a panel.
const MOST: usize = 6;
const LINE: f64 = 28.0;
const GAP: f64 = 14.0;

/// Numbers of nines with values, and the pen of the line through them.
type Curve = (Vec<(f64, f64)>, Pen);

/// A row of the run with the same of the baseline's runs.
struct Subject<'a> {
    name: String,
    base: Vec<&'a AbstractRow>,
    run: &'a AbstractRow,
}

/// `None` where there is no curve on either side.
pub(super) fn plot(compared: &ComparisonReport) -> Option<Plot> {
    let subjects = subjects(compared);
    let curves = |subject: &Subject<'_>| -> Vec<Curve> {
        let base = subject.base.iter().filter_map(|row| Some((points(row)?, base_pen(compared))));
        base.chain(points(subject.run).map(|points| (points, RUN))).collect()
    };
    let drawn = subjects.iter().map(|subject| (subject.name.as_str(), curves(subject)));
    let drawn: Vec<_> = drawn.filter(|(_, curves)| !curves.is_empty()).collect();
    if drawn.is_empty() {
        return None;
    }
    let note = "Curves end where fewer than ten requests lie beyond. A higher curve is slower.";
    let mut plot = Plot::new("percentiles-laid-over", TITLE, note).legend(entries(compared));
    plot.bottom += 14.0;
    let all = || drawn.iter().flat_map(|(_, curves)| curves).flat_map(|(points, _)| points);
    let end = all().map(|(nines, _)| *nines).fold(0.0, f64::max);
    let across = Scale::tail(Tail::from_nines(end + 0.05));
    let up = Scale::durations(all().map(|(_, value)| *value));
    for (number, (name, curves)) in drawn.iter().enumerate() {
        let area = place(number, plot.bottom);
        let mut axes = Axes::new(area, across, up);
        if number > 0 {
            axes.across = across.between(area.left, area.right - 14.0);
        }
        draw(&mut plot, axes, name, number == 0, curves);
        // The second of a pair ends the row.
        if number % 2 == 0 || number + 1 == drawn.len() {
            plot.bottom = area.bottom + AXIS_HEIGHT + 10.0;
        }
    }
    plot.bottom -= 8.0;
    let described: Vec<_> = subjects.iter().filter_map(describe).collect();
    let description = format!("{TITLE}: {} against {}. {}.", compared.run.name, compared.against, described.join("; "));
    Some(plot.described(description))
}

/// Area of a panel: the first over the whole width, the others in pairs below it.
fn place(number: usize, top: f64) -> Area {
    let half = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;
    let (left, right, height) = match number {
        0 => (MARGIN, WIDTH - MARGIN - 18.0, 250.0),
        number if number % 2 == 1 => (MARGIN, MARGIN + half, 150.0),
        _ => (MARGIN + half + GAP, WIDTH - MARGIN, 150.0),
    };
    Area { left: left + LABELS, top: top + LINE, right, bottom: top + LINE + height }
}

fn draw(plot: &mut Plot, axes: Axes, name: &str, wide: bool, curves: &[Curve]) {
    let (canvas, area) = (&mut plot.canvas, axes.area);
    canvas.text(name, (area.left - LABELS, area.top - 14.0), HPos::Left, Type::bold(13.0));
    canvas.rows(area, &axes.up.duration_ticks(22.0));
    let mut ticks = axes.across.tail_ticks();
    if !wide {
        // Neighbouring labels would touch.
        ticks.retain(|tick| tick.label != "50 %");
    }
    canvas.columns(area, &ticks);
    canvas.base_line(area, &ticks, if wide { "share of requests at least as fast" } else { "" });
    for (points, pen) in curves {
        let line = axes.line(points);
        canvas.line(&line, *pen);
        // Of many nobody asks where each ends.
        if let Some(end) = line.last().filter(|_| pen.width > 2.0) {
            canvas.marker(*end, Marker::Circle, 5.0, pen.colour);
        }
    }
}

/// The whole, and each service where there are several.
fn subjects<'a>(compared: &'a ComparisonReport) -> Vec<Subject<'a>> {
    let sums = |row: &&AbstractRow| row.operation.is_none();
    let rows: Vec<_> = compared.run.rows.iter().filter(sums).rev().collect();
    let services = if rows.len() > 2 { rows.len() - 1 } else { 0 };
    let subject = |run: &'a AbstractRow| Subject {
        name: run.service.clone().unwrap_or_else(|| "all services".to_owned()),
        base: compared.base.iter().filter_map(|one: &Abstract| one.rows.iter().find(|row| row.is_about(run))).collect(),
        run,
    };
    let mut subjects: Vec<_> = rows.into_iter().take(1 + services).map(subject).collect();
    subjects[1..].reverse();
    subjects.truncate(1 + MOST);
    subjects
}

fn describe(subject: &Subject<'_>) -> Option<String> {
    let described = |percentile: f64| {
        let run = subject.run.percentile(percentile)?.nanos as f64;
        let base: Vec<f64> =
            subject.base.iter().filter_map(|row| Some(row.percentile(percentile)?.nanos as f64)).collect();
        let (low, high) =
            base.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(*value), high.max(*value)));
        let before = match base.len() {
            0 => return None,
            1 => duration(low),
            _ => format!("{} to {}", duration(low), duration(high)),
        };
        Some(format!("p{percentile} {before} before and {} now", duration(run)))
    };
    let parts: Vec<_> = [50.0, 99.0].into_iter().filter_map(described).collect();
    (!parts.is_empty()).then(|| format!("{}: {}", subject.name, parts.join(", ")))
}

fn points(row: &AbstractRow) -> Option<Vec<(f64, f64)>> {
    let histogram = row.response.unpack();
    let beyond = SAMPLES_BEYOND / histogram.len() as f64;
    // No farther than what is reported in numbers.
    let known = row.percentiles.iter().map(|known| known.percentile).fold(0.0, f64::max);
    let end = (beyond < 1.0).then(|| Tail::from_nines(-beyond.log10()))?;
    let end = if known > 0.0 && Tail::of_percent(known) > end { Tail::of_percent(known) } else { end };
    (end.nines() > 0.0).then(|| curve(&histogram, end))
}
