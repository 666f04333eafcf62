//! Response time by percentile, one curve per operation, on an axis that gives every nine of the tail the same space.

use hdrhistogram::Histogram;
use plotters_backend::text_anchor::HPos;

use crate::analysis::{Distribution, Row};

use super::{
    Caption, Figure,
    canvas::{Area, Canvas, Marker, Pen, Point},
    facts::{Facts, trusted_tail},
    layout::{
        AXIS_HEIGHT, Heading, LABEL, LABELS, Legend, MARGIN, Symbol, TARGET_DASH, TARGET_LABEL, WIDTH, base_line,
        columns, empty_note, rows,
    },
    lettering::Fonts,
    palette::{BEYOND, CONTEXT, INK, SERIES, TARGET},
    scale::{Scale, Tail},
    units::{duration, percentile},
};

const PLOT_HEIGHT: f64 = 310.0;
/// Nines between two points of a curve.
const STEP: f64 = 0.02;
/// Markers, one per colour.
const MARKERS: [Marker; SERIES.len()] =
    [Marker::Circle, Marker::Square, Marker::Diamond, Marker::Up, Marker::Down, Marker::Left];
/// Percentiles at which a curve carries its marker.
const MARKED: [f64; 5] = [50.0, 90.0, 99.0, 99.9, 99.99];

pub(super) struct Percentiles {
    heading: Heading,
    legend: Legend,
    curves: Vec<Curve>,
    target: f64,
    judged: Tail,
    objective: String,
    description: String,
    plot: Area,
    across: Scale,
    up: Scale,
}

struct Curve {
    points: Vec<(Tail, f64)>,
    marks: Vec<(Tail, f64)>,
    pen: Pen,
    marker: Option<Marker>,
}

impl Percentiles {
    pub(super) fn new(facts: &Facts<'_>, fonts: &Fonts) -> Self {
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
            let name = with_tail(facts, row);
            sentences.push(name.clone());
            entries.push((Symbol::Line(pen, Some(marker)), name));
        }
        if operations.len() > coloured {
            let count = operations.len() - coloured;
            entries.push((Symbol::Line(Pen::solid(CONTEXT, 1.25), None), format!("{count} faster operations")));
        }
        if let Some(row) = whole {
            let pen = Pen::dashed(INK, 2.25, &[2.5, 2.5]);
            curves.extend(Curve::new(&row.response, pen, None));
            let name = with_tail(facts, row);
            sentences.push(name.clone());
            entries.push((Symbol::Line(pen, None), name));
        }

        let mut notes = vec![
            "A curve that enters the shaded corner misses the target. Curves end where fewer than ten requests lie beyond."
                .to_owned(),
        ];
        if operations.len() > coloured {
            notes.push(format!("The {coloured} slowest of {} operations have a colour.", operations.len()));
        }
        let heading = Heading::new("Response time by percentile", &notes.join(" "), fonts);
        let legend = Legend::new(entries, WIDTH - 2.0 * MARGIN, fonts);

        let judged = Tail::of_percent(facts.judged());
        let top = heading.bottom() + 20.0;
        let bottom = top + PLOT_HEIGHT;
        let values = curves.iter().flat_map(|curve| &curve.points).map(|(_, value)| *value);
        let up = Scale::durations(values.chain([facts.target() * 2.0]), bottom, top);
        let plot = Area { left: MARGIN + LABELS, top, right: WIDTH - MARGIN - 18.0, bottom };
        let ends = curves.iter().filter_map(|curve| curve.points.last()).map(|(tail, _)| tail.nines());
        let end = ends.fold(judged.nines(), f64::max) + 0.05;
        let across = Scale::tail(Tail::from_nines(end), plot.left, plot.right);

        let description = if sentences.is_empty() {
            format!("Too few requests succeeded to draw a curve; {}.", facts.objective())
        } else {
            format!("Response time by percentile, {}. {}.", facts.objective(), sentences.join("; "))
        };
        let (target, objective) = (facts.target(), facts.objective());
        Self { heading, legend, curves, target, judged, objective, description, plot, across, up }
    }

    fn at(&self, (tail, value): (Tail, f64)) -> Point {
        (self.across.at(tail.nines()), self.up.at(value))
    }

    /// A curve never falls, so it misses the objective exactly if it enters the corner above and left of it.
    fn draw_objective(&self, canvas: &mut Canvas<'_>) {
        let (x, y) = self.at((self.judged, self.target));
        canvas.line(&[(self.plot.left, y), (self.plot.right, y)], Pen::dashed(TARGET, 1.5, TARGET_DASH));
        canvas.line(&[(x, self.plot.top), (x, y)], Pen::dashed(TARGET, 1.5, TARGET_DASH));
        let (at, anchor) =
            if x > self.plot.left + 280.0 { (x, HPos::Right) } else { (x.max(self.plot.left + 60.0), HPos::Left) };
        canvas.text(&self.objective, (at, self.plot.top - 10.0), anchor, TARGET_LABEL);
    }
}

impl Figure for Percentiles {
    fn caption(&self) -> Caption {
        Caption {
            name: "latency-by-percentile",
            title: "Response time by percentile".to_owned(),
            description: self.description.clone(),
            height: self.plot.bottom + AXIS_HEIGHT + 14.0 + self.legend.height() + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        let corner = self.at((self.judged, self.target));
        canvas.fill(Area { right: corner.0, bottom: corner.1, ..self.plot }, BEYOND);
        canvas.text("response time", (MARGIN, self.plot.top - 10.0), HPos::Left, LABEL);
        rows(canvas, self.plot, &self.up.duration_ticks(22.0));
        let tail = self.across.tail_ticks();
        columns(canvas, self.plot, &tail);
        base_line(canvas, self.plot, &tail, "share of requests that were at least as fast");
        self.draw_objective(canvas);
        for curve in &self.curves {
            let points: Vec<_> = curve.points.iter().map(|point| self.at(*point)).collect();
            canvas.line(&points, curve.pen);
        }
        for curve in &self.curves {
            for (marker, mark) in curve.marker.iter().flat_map(|marker| curve.marks.iter().map(move |at| (marker, at)))
            {
                canvas.marker(self.at(*mark), *marker, 7.5, curve.pen.colour);
            }
        }
        if self.curves.is_empty() {
            empty_note(canvas, self.plot, "too few requests completed to draw a curve");
        }
        self.legend.draw(canvas, (MARGIN, self.plot.bottom + AXIS_HEIGHT + 14.0));
    }
}

impl Curve {
    fn new(distribution: &Distribution, pen: Pen, marker: Option<Marker>) -> Option<Self> {
        let end = trusted_tail(distribution)?;
        let points = curve(&distribution.histogram, end);
        let mark = |percent| {
            let tail = Tail::of_percent(percent);
            (tail <= end).then(|| (tail, distribution.histogram.value_at_quantile(tail.quantile()) as f64))
        };
        let marks = MARKED.into_iter().filter_map(mark).collect();
        Some(Self { points, marks, pen, marker })
    }
}

/// Values at evenly spaced places of the tail, up to its end, in one pass over the histogram.
pub(super) fn curve(histogram: &Histogram<u64>, end: Tail) -> Vec<(Tail, f64)> {
    let total = histogram.len() as f64;
    let steps = (end.nines() / STEP).floor() as u32;
    let mut places = (0..=steps).map(|step| Tail::from_nines(f64::from(step) * STEP)).chain([end]).peekable();
    let mut points = Vec::new();
    let mut seen = 0;
    for bucket in histogram.iter_recorded() {
        seen += bucket.count_at_value();
        while let Some(place) = places.next_if(|place| place.quantile() * total <= seen as f64) {
            points.push((place, bucket.value_iterated_to() as f64));
        }
    }
    points
}

fn with_tail(facts: &Facts<'_>, row: &Row) -> String {
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
            prop_assert!(points.last().unwrap().0 == end);
            prop_assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
            for (tail, value) in points.iter().skip(1) {
                // A place may fall exactly between two requests: then either is right.
                let near = |offset: f64| histogram.value_at_quantile(tail.quantile() + offset) as f64;
                prop_assert!((near(-1e-9)..=near(1e-9)).contains(value));
            }
        }
    }
}
