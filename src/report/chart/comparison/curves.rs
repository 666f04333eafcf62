//! Response time by percentile: the run's curve over those of the baseline, of everything and of each service.

use plotters_backend::text_anchor::HPos;

use super::{RUN, base_look};
use crate::{
    report::{
        chart::{
            Caption, Figure,
            canvas::{Area, Canvas, Marker, Pen, Type},
            layout::{AXIS_HEIGHT, Heading, LABELS, Legend, MARGIN, Symbol, WIDTH, base_line, columns, rows},
            lettering::Fonts,
            percentiles::curve,
            scale::{Scale, Tail},
            units::duration,
        },
        comparison::Compared,
    },
    results::{Abstract, AbstractRow},
};

const TITLE: &str = "Response time by percentile, laid over each other";
/// Samples that must lie beyond the end of a curve.
const SAMPLES_BEYOND: f64 = 10.0;
/// Services that get a panel.
const MOST: usize = 6;
const LINE: f64 = 28.0;
const GAP: f64 = 14.0;

pub(super) struct Curves {
    heading: Heading,
    legend: Legend,
    panels: Vec<Panel>,
    bottom: f64,
    description: String,
}

/// Places of the tail and values, and how the line through them looks.
type Curve = (Vec<(Tail, f64)>, Pen);

struct Panel {
    name: String,
    area: Area,
    across: Scale,
    up: Scale,
    curves: Vec<Curve>,
}

/// A row of the run with the same of the baseline's runs.
struct Subject<'a> {
    name: String,
    base: Vec<&'a AbstractRow>,
    run: &'a AbstractRow,
}

impl Curves {
    /// `None` where there is no curve on either side.
    pub(super) fn new(compared: &Compared<'_>, fonts: &Fonts) -> Option<Self> {
        let subjects = subjects(compared);
        let (base_pen, base_name) = base_look(compared);
        let heading = Heading::new(
            TITLE,
            "Curves end where fewer than ten requests lie beyond. Where the run's lies above the others it is slower.",
            fonts,
        );
        let entries =
            vec![(Symbol::Line(base_pen, None), base_name), (Symbol::Line(RUN, None), compared.run.name.clone())];
        let legend = Legend::new(entries, WIDTH - 2.0 * MARGIN, fonts);
        let drawn: Vec<(String, Vec<Curve>)> = subjects
            .iter()
            .map(|subject| {
                let base = subject.base.iter().filter_map(|row| Some((points(row)?, base_pen)));
                (subject.name.clone(), base.chain(points(subject.run).map(|points| (points, RUN))).collect())
            })
            .filter(|(_, curves): &(_, Vec<_>)| !curves.is_empty())
            .collect();
        if drawn.is_empty() {
            return None;
        }
        let (panels, bottom) = place(drawn, heading.bottom() + legend.height() + 14.0);
        let told: Vec<_> = subjects.iter().filter_map(describe).collect();
        let description = format!("{TITLE}: {} against {}. {}.", compared.run.name, compared.against, told.join("; "));
        Some(Self { heading, legend, panels, bottom, description })
    }
}

/// The whole, and each service where there are several.
fn subjects<'a>(compared: &Compared<'a>) -> Vec<Subject<'a>> {
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
    let told = |percentile: f64| {
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
    let told: Vec<_> = [50.0, 99.0].into_iter().filter_map(told).collect();
    (!told.is_empty()).then(|| format!("{}: {}", subject.name, told.join(", ")))
}

fn points(row: &AbstractRow) -> Option<Vec<(Tail, f64)>> {
    let histogram = row.response.unpack();
    let beyond = SAMPLES_BEYOND / histogram.len() as f64;
    // No farther than what is told in numbers.
    let known = row.percentiles.iter().map(|known| known.percentile).fold(0.0, f64::max);
    let end = (beyond < 1.0).then(|| Tail::from_nines(-beyond.log10()))?;
    let end = if known > 0.0 && Tail::of_percent(known) > end { Tail::of_percent(known) } else { end };
    (end.nines() > 0.0).then(|| curve(&histogram, end))
}

/// The first panel over the whole width, the others in pairs below it.
fn place(drawn: Vec<(String, Vec<Curve>)>, top: f64) -> (Vec<Panel>, f64) {
    let all = || drawn.iter().flat_map(|(_, curves)| curves).flat_map(|(points, _)| points);
    let end = all().map(|(tail, _)| tail.nines()).fold(0.0, f64::max);
    let values: Vec<f64> = all().map(|(_, value)| *value).collect();
    let mut panels = Vec::new();
    let mut y = top;
    let mut left_half = true;
    let count = drawn.len();
    for (number, (name, curves)) in drawn.into_iter().enumerate() {
        let wide = number == 0;
        let height = if wide { 250.0 } else { 150.0 };
        let half = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;
        let (left, right) = match (wide, left_half) {
            (true, _) => (MARGIN, WIDTH - MARGIN - 18.0),
            (false, true) => (MARGIN, MARGIN + half),
            (false, false) => (MARGIN + half + GAP, WIDTH - MARGIN),
        };
        let area = Area { left: left + LABELS, top: y + LINE, right, bottom: y + LINE + height };
        panels.push(Panel {
            name,
            area,
            across: Scale::tail(Tail::from_nines(end + 0.05), area.left, area.right - if wide { 0.0 } else { 14.0 }),
            up: Scale::durations(values.iter().copied(), area.bottom, area.top),
            curves,
        });
        if wide || !left_half || number + 1 == count {
            y = area.bottom + AXIS_HEIGHT + 10.0;
        }
        left_half = wide || !left_half;
    }
    (panels, y)
}

impl Figure for Curves {
    fn caption(&self) -> Caption {
        Caption {
            name: "percentiles-laid-over",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.bottom + MARGIN - 8.0,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        for (number, panel) in self.panels.iter().enumerate() {
            let area = panel.area;
            canvas.text(&panel.name, (area.left - LABELS, area.top - 14.0), HPos::Left, Type::bold(13.0));
            rows(canvas, area, &panel.up.duration_ticks(22.0));
            let mut ticks = panel.across.tail_ticks();
            if number > 0 {
                // Half as wide: what is beside each other would touch.
                ticks.retain(|tick| tick.label != "50 %");
            }
            columns(canvas, area, &ticks);
            let title = if number == 0 { "share of requests that were at least as fast" } else { "" };
            base_line(canvas, area, &ticks, title);
            for (points, pen) in &panel.curves {
                let line: Vec<_> =
                    points.iter().map(|(tail, value)| (panel.across.at(tail.nines()), panel.up.at(*value))).collect();
                canvas.line(&line, *pen);
                // Of many nobody asks where each ends.
                if let Some(end) = line.last().filter(|_| pen.width > 2.0) {
                    canvas.marker(*end, Marker::Circle, 5.0, pen.colour);
                }
            }
        }
    }
}
