//! Response time by percentile, one curve per operation, on an axis that gives every nine of the tail the same space.

use hdrhistogram::Histogram;
use plotters_backend::text_anchor::HPos;

use crate::{
    analysis::{Distribution, Row},
    report::subject::RunReport,
};

use super::{
    canvas::{Area, Marker, Pen, Point},
    facts::trusted_tail,
    layout::{Symbol, TARGET_LABEL, TARGET_PEN},
    palette::{BEYOND, CONTEXT, INK, SERIES},
    plot::{Axes, Plot},
    scale::{Scale, Tail},
    units::{duration, percentile},
};

const PLOT_HEIGHT: f64 = 310.0;
/// Nines between two points of a curve.
const STEP: f64 = 0.02;
/// Markers, one per colour.
pub(super) const MARKERS: [Marker; SERIES.len()] =
    [Marker::Circle, Marker::Square, Marker::Diamond, Marker::Up, Marker::Down, Marker::Left];
/// Percentiles at which a curve carries its marker.
const MARKED: [f64; 5] = [50.0, 90.0, 99.0, 99.9, 99.99];

struct Curve {
    /// Number of nines and value, as are the marks.
    points: Vec<(f64, f64)>,
    marks: Vec<(f64, f64)>,
    pen: Pen,
    marker: Option<Marker>,
}

pub(super) fn plot(facts: &RunReport) -> Plot {
    let mut operations = facts.operations();
    operations.retain(|row| trusted_tail(&row.response).is_some());
    operations.sort_by(|a, b| facts.slowness(b).total_cmp(&facts.slowness(a)));
    let coloured = operations.len().min(SERIES.len());
    let whole = facts.whole().filter(|_| operations.len() > 1).map(|(row, _)| row);

    let mut curves = Vec::new();
    let mut entries = Vec::new();
    let mut sentences = Vec::new();
    let others = operations[coloured..].iter().map(|row| (*row, Pen::solid(CONTEXT, 1.25), None));
    curves.extend(others.filter_map(|(row, pen, marker)| Curve::new(&row.response, pen, marker)));
    for (number, row) in operations[..coloured].iter().enumerate() {
        let (pen, marker) = (Pen::solid(SERIES[number], 2.0), MARKERS[number]);
        curves.extend(Curve::new(&row.response, pen, Some(marker)));
        sentences.push(with_tail(facts, row));
        entries.push(Symbol::Line(pen, Some(marker)).named(with_tail(facts, row)));
    }
    if operations.len() > coloured {
        let count = operations.len() - coloured;
        entries.push(Symbol::Line(Pen::solid(CONTEXT, 1.25), None).named(format!("{count} faster operations")));
    }
    if let Some(row) = whole {
        let pen = Pen::dashed(INK, 2.25, &[2.5, 2.5]);
        curves.extend(Curve::new(&row.response, pen, None));
        sentences.push(with_tail(facts, row));
        entries.push(Symbol::Line(pen, None).named(with_tail(facts, row)));
    }

    let mut notes = vec![
        "A curve in the shaded corner misses the target. Curves end where fewer than ten requests lie beyond."
            .to_owned(),
    ];
    if operations.len() > coloured {
        notes.push(format!("The {coloured} slowest of {} operations have a colour.", operations.len()));
    }
    let mut plot = Plot::new("latency-by-percentile", "Response time by percentile", &notes.join(" "));
    let area = plot.area(20.0, PLOT_HEIGHT, 18.0);
    let judged = Tail::of_percent(facts.judged());
    let values = curves.iter().flat_map(|curve| &curve.points).map(|(_, value)| *value);
    let up = Scale::durations(values.chain([facts.target() * 2.0]));
    let ends = curves.iter().filter_map(|curve| curve.points.last()).map(|(nines, _)| *nines);
    let end = ends.fold(judged.nines(), f64::max) + 0.05;
    let axes = Axes::new(area, Scale::tail(Tail::from_nines(end)), up);

    let corner = axes.at((judged.nines(), facts.target()));
    plot.canvas.fill(Area { right: corner.0, bottom: corner.1, ..area }, BEYOND);
    plot.name_above(area, 10.0, "response time");
    plot.canvas.rows(area, &axes.up.duration_ticks(22.0));
    let ticks = axes.across.tail_ticks();
    plot.canvas.columns(area, &ticks);
    plot.base_line(area, &ticks, "share of requests at least as fast");
    draw_objective(&mut plot, area, corner, &facts.objective());
    for curve in &curves {
        plot.canvas.line(&axes.line(&curve.points), curve.pen);
    }
    for curve in &curves {
        let Some(marker) = curve.marker else { continue };
        for at in axes.line(&curve.marks) {
            plot.canvas.marker(at, marker, 7.5, curve.pen.colour);
        }
    }
    if curves.is_empty() {
        plot.canvas.empty_note(area, "too few requests completed to draw a curve");
    }
    plot.bottom += 14.0;
    plot.legend(entries).described(if sentences.is_empty() {
        format!("Too few requests succeeded to draw a curve; {}.", facts.objective())
    } else {
        format!("Response time by percentile, {}. {}.", facts.objective(), sentences.join("; "))
    })
}

/// A curve never falls, so it misses the objective exactly if it enters the corner above and left of it.
fn draw_objective(plot: &mut Plot, area: Area, (x, y): Point, label: &str) {
    plot.canvas.line(&[(area.left, y), (area.right, y)], TARGET_PEN);
    plot.canvas.line(&[(x, area.top), (x, y)], TARGET_PEN);
    let (at, anchor) = if x > area.left + 280.0 { (x, HPos::Right) } else { (x.max(area.left + 60.0), HPos::Left) };
    plot.canvas.text(label, (at, area.top - 10.0), anchor, TARGET_LABEL);
}

impl Curve {
    fn new(distribution: &Distribution, pen: Pen, marker: Option<Marker>) -> Option<Self> {
        let end = trusted_tail(distribution)?;
        let points = curve(&distribution.histogram, end);
        let mark = |percent| {
            let tail = Tail::of_percent(percent);
            (tail <= end).then(|| (tail.nines(), distribution.histogram.value_at_quantile(tail.quantile()) as f64))
        };
        let marks = MARKED.into_iter().filter_map(mark).collect();
        Some(Self { points, marks, pen, marker })
    }
}

/// Values at evenly spaced numbers of nines, up to the end, in one pass over the histogram.
pub(super) fn curve(histogram: &Histogram<u64>, end: Tail) -> Vec<(f64, f64)> {
    let total = histogram.len() as f64;
    let steps = (end.nines() / STEP).floor() as u32;
    let mut places = (0..=steps).map(|step| Tail::from_nines(f64::from(step) * STEP)).chain([end]).peekable();
    let mut points = Vec::new();
    let mut seen = 0;
    for bucket in histogram.iter_recorded() {
        seen += bucket.count_at_value();
        while let Some(place) = places.next_if(|place| place.quantile() * total <= seen as f64) {
            points.push((place.nines(), bucket.value_iterated_to() as f64));
        }
    }
    points
}

fn with_tail(facts: &RunReport, row: &Row) -> String {
    let name = facts.name(row);
    match facts.tail(&row.response) {
        Some((percent, value)) => format!("{name}: {} {}", percentile(percent), duration(value)),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, proptest};

    use super::*;

    proptest! {
        #[test]
        fn a_curve_never_falls_and_says_what_the_histogram_says(
            values in proptest::collection::vec(1..1_000_000_000_u64, 20..200),
        ) {
            let mut histogram = Histogram::<u64>::new(3).unwrap();
            for value in &values {
                histogram.record(*value).unwrap();
            }
            let end = Tail::of_percent(90.0);
            let points = curve(&histogram, end);
            prop_assert!((points.last().unwrap().0 - end.nines()).abs() < 1e-12);
            prop_assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
            for (nines, value) in points.iter().skip(1) {
                // A place may fall exactly between two requests: then either is right.
                let near = |offset: f64| histogram.value_at_quantile(Tail::from_nines(*nines).quantile() + offset) as f64;
                prop_assert!((near(-1e-9)..=near(1e-9)).contains(value));
            }
        }
    }
}
