//! The chart of a history: p50, p99 and throughput run by run, with the levels between the changes.

use plotters_backend::text_anchor::HPos;

use super::{
    Caption, Chart, Figure,
    canvas::{Area, Canvas, Marker, Pen, Type},
    chart,
    layout::{AXIS_HEIGHT, Heading, LABEL, LABELS, Legend, MARGIN, NAME, Symbol, WIDTH, base_line, rows},
    lettering::Fonts,
    palette::{BLUE, CONTEXT, Colour, GREEN, INK, ORANGE, TARGET},
    scale::{Scale, Tick},
    units::{count, duration},
};
use crate::{
    analysis::baseline::{ChangePoint, LEAST_VALUES, Quantity, QuantityCourse},
    report::{format::signed, history::Chronicle},
    results::Abstract,
};

/// The chart of a history; none where there is no run.
pub(in crate::report) fn history_charts(chronicle: &Chronicle<'_>) -> Vec<Chart> {
    let fonts = Fonts::new();
    Course::new(chronicle, &fonts).iter().map(|course| chart(course, &fonts)).collect()
}

const HEIGHT: f64 = 130.0;
/// Between two panels: the name of the lower one, and the labels of its changes.
const GAP: f64 = 58.0;
const CHANGE: Pen = Pen { colour: TARGET, width: 1.5, dash: &[4.0, 3.0] };
const LEVEL: Pen = Pen { colour: INK, width: 1.25, dash: &[] };

pub(super) struct Course {
    heading: Heading,
    legend: Legend,
    panels: Vec<Panel>,
    across: Scale,
    dates: Vec<Tick>,
    description: String,
}

struct Panel {
    name: &'static str,
    colour: Colour,
    area: Area,
    up: Scale,
    ticks: Vec<Tick>,
    values: Vec<Option<f64>>,
    levels: Vec<(usize, usize, f64)>,
    changes: Vec<(usize, String)>,
}

impl Course {
    /// `None` where nothing is known of any run.
    pub(super) fn new(chronicle: &Chronicle<'_>, fonts: &Fonts) -> Option<Self> {
        let history = chronicle.history;
        let title = title(chronicle);
        let note = if history.is_long_enough() {
            "Each point is a run; lines are the levels between changes, with the size of each change above it."
                .to_owned()
        } else {
            format!("Each point is a run. Changes are looked for from {LEAST_VALUES} valid runs on.")
        };
        let (day, labels) = when(&history.runs);
        let note = day.map_or(note.clone(), |day| format!("{note} All of {day}, times in UTC."));
        let heading = Heading::new(&title, &note, fonts);
        let mut entries = vec![(Symbol::Line(LEVEL, None), "level".to_owned())];
        if history.courses.iter().any(|course| !course.changes.is_empty()) {
            entries.push((Symbol::Line(CHANGE, None), "change".to_owned()));
        }
        let legend = Legend::new(entries, WIDTH - 2.0 * MARGIN, fonts);
        let (left, right) = (MARGIN + LABELS, WIDTH - MARGIN - 12.0);
        let across = Scale::lengths(history.runs.len().max(2) as f64, left, right);
        let mut top = heading.bottom() + legend.height() + 54.0;
        let mut panels = Vec::new();
        for course in history.courses.iter().filter(|course| course.values.iter().any(Option::is_some)) {
            let area = Area { left, top, right, bottom: top + HEIGHT };
            panels.push(Panel::new(course, area));
            top = area.bottom + GAP;
        }
        if panels.is_empty() {
            return None;
        }
        let dates = dates(&labels, &across, fonts);
        Some(Self { description: describe(chronicle), heading, legend, panels, across, dates })
    }

    fn x(&self, place: f64) -> f64 {
        self.across.at(place + 0.5)
    }
}

fn title(chronicle: &Chronicle<'_>) -> String {
    format!("History of {}", chronicle.scenario)
}

/// What tells the runs apart: their days, or their times where all are of one day, which is given then.
fn when(runs: &[Abstract]) -> (Option<&str>, Vec<&str>) {
    let parts: Vec<(&str, &str)> =
        runs.iter().map(|run| run.started.split_once('T').unwrap_or((&run.started, ""))).collect();
    match parts[..] {
        [(first, _), _, ..] if parts.iter().all(|(day, _)| *day == first) => {
            (Some(first), parts.iter().map(|(_, time)| time.get(..5).unwrap_or(time)).collect())
        }
        _ => (None, parts.iter().map(|(day, _)| *day).collect()),
    }
}

/// Days or times below runs, as many as fit.
fn dates(days: &[&str], across: &Scale, fonts: &Fonts) -> Vec<Tick> {
    let widest = days.iter().map(|day| fonts.width(day, LABEL.size, false)).fold(1.0, f64::max) + 18.0;
    let pitch = (across.at(1.0) - across.at(0.0)).max(1e-6);
    let every = (widest / pitch).ceil().max(1.0) as usize;
    let shown = days.iter().enumerate().step_by(every);
    shown.map(|(place, day)| Tick { at: across.at(place as f64 + 0.5), label: (*day).to_owned() }).collect()
}

fn describe(chronicle: &Chronicle<'_>) -> String {
    let history = chronicle.history;
    let sentences: Vec<_> = history
        .courses
        .iter()
        .filter_map(|course| {
            let mut known = course.values.iter().flatten().copied();
            let first = known.next()?;
            let (low, high) = known.fold((first, first), |(low, high), value| (low.min(value), high.max(value)));
            let changes: Vec<_> = course
                .changes
                .iter()
                .map(|change| format!("{} with {}", percent(change), history.runs[change.at].started))
                .collect();
            let told = if changes.is_empty() { "no change".to_owned() } else { changes.join(", ") };
            Some(format!("{} between {} and {}, {told}", name(course), written(course, low), written(course, high)))
        })
        .collect();
    format!("{}: {} runs. {}.", title(chronicle), history.runs.len(), sentences.join("; "))
}

fn name(course: &QuantityCourse) -> &'static str {
    match course.quantity {
        Quantity::P50 => "p50",
        Quantity::P99 => "p99",
        Quantity::Throughput => "requests per second",
    }
}

fn written(course: &QuantityCourse, value: f64) -> String {
    if course.quantity == Quantity::Throughput { count(value) } else { duration(value) }
}

fn percent(change: &ChangePoint) -> String {
    format!("{} %", signed(change.after / change.before))
}

impl Panel {
    fn new(course: &QuantityCourse, area: Area) -> Self {
        let known: Vec<f64> = course.values.iter().flatten().copied().collect();
        let largest = known.iter().copied().fold(0.0, f64::max);
        // From 0, so that a change looks as large as it is.
        let up = Scale::amounts(largest, area.bottom, area.top);
        let (colour, ticks) = match course.quantity {
            Quantity::P50 => (BLUE, up.duration_steps(24.0)),
            Quantity::P99 => (ORANGE, up.duration_steps(24.0)),
            Quantity::Throughput => (GREEN, up.amount_ticks(24.0)),
        };
        let edges: Vec<usize> = std::iter::once(0)
            .chain(course.changes.iter().map(|change| change.at))
            .chain([course.values.len()])
            .collect();
        let levels = edges.windows(2).filter_map(|pair| {
            let logarithms: Vec<f64> =
                course.values[pair[0]..pair[1]].iter().flatten().map(|value| value.ln()).collect();
            let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
            (!logarithms.is_empty()).then(|| (pair[0], pair[1], mean.exp()))
        });
        Self {
            name: name(course),
            colour,
            area,
            up,
            ticks,
            levels: levels.collect(),
            changes: course.changes.iter().map(|change| (change.at, percent(change))).collect(),
            values: course.values.clone(),
        }
    }
}

impl Figure for Course {
    fn caption(&self) -> Caption {
        let bottom = self.panels.last().map_or(0.0, |panel| panel.area.bottom);
        Caption {
            name: "history",
            title: self.description.split(':').next().unwrap_or_default().to_owned(),
            description: self.description.clone(),
            height: bottom + AXIS_HEIGHT + MARGIN - 12.0,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        self.legend.draw(canvas, (MARGIN, self.heading.bottom()));
        for panel in &self.panels {
            let area = panel.area;
            canvas.text(panel.name, (MARGIN, area.top - 28.0), HPos::Left, Type { bold: true, ..NAME });
            rows(canvas, area, &panel.ticks);
            base_line(canvas, area, &[], "");
            let mut free = f64::NEG_INFINITY;
            for (place, label) in &panel.changes {
                let x = self.x(*place as f64 - 0.5);
                canvas.line(&[(x, area.top - 8.0), (x, area.bottom)], CHANGE);
                // Labels of neighbours stand one above the other.
                let raised = if x < free { 15.0 } else { 0.0 };
                free = x + 62.0;
                let kind = Type { size: 12.5, bold: true, colour: TARGET };
                canvas.plated_text(label, (x, area.top - 11.0 - raised), HPos::Center, kind);
            }
            let points = panel.values.iter().enumerate();
            let points: Vec<_> =
                points.filter_map(|(place, value)| Some((self.x(place as f64), panel.up.at((*value)?)))).collect();
            canvas.line(&points, Pen::solid(CONTEXT, 1.0));
            for (from, to, level) in &panel.levels {
                let y = panel.up.at(*level);
                canvas.line(&[(self.x(*from as f64 - 0.5), y), (self.x(*to as f64 - 0.5), y)], LEVEL);
            }
            for point in points {
                canvas.marker(point, Marker::Circle, 5.5, panel.colour);
            }
        }
        if let Some(panel) = self.panels.last() {
            base_line(canvas, panel.area, &self.dates, "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample::abstracted;

    #[test]
    fn runs_of_one_day_are_told_apart_by_their_times() {
        let started = |texts: &[&str]| -> Vec<Abstract> {
            texts.iter().map(|text| Abstract { started: (*text).to_owned(), ..abstracted(0, 1.0) }).collect()
        };
        let one_day = started(&["2026-11-25T02:00:00Z", "2026-11-25T14:30:59Z"]);
        assert_eq!(when(&one_day), (Some("2026-11-25"), vec!["02:00", "14:30"]));
        let nights = started(&["2026-11-25T02:00:00Z", "2026-11-26T02:00:00Z"]);
        assert_eq!(when(&nights), (None, vec!["2026-11-25", "2026-11-26"]));
        assert_eq!(when(&nights[..1]), (None, vec!["2026-11-25"]));
    }
}
