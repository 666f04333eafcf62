//! The chart of a history: p50, p99 and throughput run by run, with the levels between the changes.

use plotters_backend::text_anchor::HPos;

use super::{
    canvas::{Canvas, Marker, Pen, Type},
    layout::{LABEL, MARGIN, NAME, Symbol, TARGET_LABEL},
    painted,
    palette::{BLUE, CONTEXT, GREEN, INK, ORANGE, TARGET},
    plot::{Axes, Plot},
    scale::{Scale, Tick},
    units::{count, duration},
};
use crate::{
    analysis::baseline::{ChangePoint, LEAST_VALUES, Quantity, QuantityCourse},
    report::{format::signed, subject::HistoryReport, view::Chart},
    results::Abstract,
};

/// The chart of a history; none where there is no run.
pub(in crate::report) fn history_charts(chronicle: &HistoryReport) -> Vec<Chart> {
    painted(plot(chronicle).into_iter().collect())
}

const HEIGHT: f64 = 130.0;
/// Between two panels: the name of the lower one, and the labels of its changes.
const GAP: f64 = 58.0;
const CHANGE: Pen = Pen { colour: TARGET, width: 1.5, dash: &[4.0, 3.0] };
const LEVEL: Pen = Pen { colour: INK, width: 1.25, dash: &[] };

fn plot(chronicle: &HistoryReport) -> Option<Plot> {
    let history = &chronicle.history;
    let courses = history.courses.iter().filter(|course| course.values.iter().any(Option::is_some));
    let courses: Vec<_> = courses.collect();
    let note = if history.is_long_enough() {
        "One point per run; lines are the levels between changes, with the size of each change above.".to_owned()
    } else {
        format!("One point per run. Change points are computed from {LEAST_VALUES} valid runs on.")
    };
    let (day, labels) = when(&history.runs);
    let note = day.map_or(note.clone(), |day| format!("{note} All of {day}, times in UTC."));
    let changed = history.courses.iter().any(|course| !course.changes.is_empty());
    let entries =
        [Some(Symbol::Line(LEVEL, None).named("level")), changed.then(|| Symbol::Line(CHANGE, None).named("change"))];
    let mut plot = Plot::new("history", title(chronicle), &note).legend(entries.into_iter().flatten());
    for (number, course) in courses.iter().enumerate() {
        let area = plot.area(if number == 0 { 54.0 } else { GAP }, HEIGHT, 12.0);
        let known = course.values.iter().flatten().copied();
        // From 0, so that a change looks as large as it is.
        let up = Scale::amounts(known.fold(0.0, f64::max));
        let axes = Axes::new(area, Scale::lengths(history.runs.len().max(2) as f64), up);
        draw(&mut plot.canvas, course, axes);
        if number + 1 == courses.len() {
            let dates = dates(&labels, &axes.across, &plot.canvas);
            plot.base_line(area, &dates, "");
        }
    }
    plot.bottom -= 12.0;
    (!courses.is_empty()).then(|| plot.described(describe(chronicle)))
}

fn draw(canvas: &mut Canvas, course: &QuantityCourse, axes: Axes) {
    let Axes { area, across, up } = axes;
    let x = |place: f64| across.at(place + 0.5);
    let (colour, ticks) = match course.quantity {
        Quantity::P50 => (BLUE, up.duration_steps(24.0)),
        Quantity::P99 => (ORANGE, up.duration_steps(24.0)),
        Quantity::Throughput => (GREEN, up.amount_ticks(24.0)),
    };
    canvas.text(name(course), (MARGIN, area.top - 28.0), HPos::Left, Type { bold: true, ..NAME });
    canvas.rows(area, &ticks);
    canvas.base_line(area, &[], "");
    let mut free = f64::NEG_INFINITY;
    for change in &course.changes {
        let x = x(change.at as f64 - 0.5);
        canvas.line(&[(x, area.top - 8.0), (x, area.bottom)], CHANGE);
        // Labels of neighbours stand one above the other.
        let raised = if x < free { 15.0 } else { 0.0 };
        free = x + 62.0;
        canvas.plated_text(&percent(change), (x, area.top - 11.0 - raised), HPos::Center, TARGET_LABEL);
    }
    let points = course.values.iter().enumerate();
    let points: Vec<_> = points.filter_map(|(place, value)| Some((x(place as f64), up.at((*value)?)))).collect();
    canvas.line(&points, Pen::solid(CONTEXT, 1.0));
    for (from, to, level) in levels(course) {
        canvas.line(&[(x(from as f64 - 0.5), up.at(level)), (x(to as f64 - 0.5), up.at(level))], LEVEL);
    }
    for point in points {
        canvas.marker(point, Marker::Circle, 5.5, colour);
    }
}

/// First run, end and geometric mean of every level.
fn levels(course: &QuantityCourse) -> Vec<(usize, usize, f64)> {
    let changes = course.changes.iter().map(|change| change.at);
    let edges: Vec<usize> = [0].into_iter().chain(changes).chain([course.values.len()]).collect();
    let levels = edges.windows(2).filter_map(|pair| {
        let logarithms: Vec<f64> = course.values[pair[0]..pair[1]].iter().flatten().map(|value| value.ln()).collect();
        let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
        (!logarithms.is_empty()).then(|| (pair[0], pair[1], mean.exp()))
    });
    levels.collect()
}

fn title(chronicle: &HistoryReport) -> String {
    format!("History of {}", chronicle.scenario)
}

/// What distinguishes the runs: their days, or their times where all are of one day, which is given then.
fn when(runs: &[Abstract]) -> (Option<&str>, Vec<&str>) {
    let parts: Vec<(&str, &str)> =
        runs.iter().map(|run| run.started.split_once('T').unwrap_or((&run.started, ""))).collect();
    match parts[..] {
        [(first, _), _, ..] if parts.iter().all(|(day, _)| *day == first) => {
            let cut =
                |length: usize| parts.iter().map(|(_, time)| time.get(..length).unwrap_or(time)).collect::<Vec<_>>();
            let minutes = cut("00:00".len());
            let distinct = minutes.windows(2).all(|pair| pair[0] != pair[1]);
            (Some(first), if distinct { minutes } else { cut("00:00:00".len()) })
        }
        _ => (None, parts.iter().map(|(day, _)| *day).collect()),
    }
}

/// Days or times below runs, as many as fit.
fn dates(days: &[&str], across: &Scale, canvas: &Canvas) -> Vec<Tick> {
    let widest = days.iter().map(|day| canvas.width(day, LABEL)).fold(1.0, f64::max) + 18.0;
    let pitch = (across.at(1.0) - across.at(0.0)).max(1e-6);
    let every = (widest / pitch).ceil().max(1.0) as usize;
    let shown = days.iter().enumerate().step_by(every);
    shown.map(|(place, day)| Tick { at: across.at(place as f64 + 0.5), label: (*day).to_owned() }).collect()
}

fn describe(chronicle: &HistoryReport) -> String {
    let history = &chronicle.history;
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
            let listed = if changes.is_empty() { "no change".to_owned() } else { changes.join(", ") };
            Some(format!("{} between {} and {}, {listed}", name(course), written(course, low), written(course, high)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample::abstracted;

    #[test]
    fn runs_of_one_day_are_reported_apart_by_their_times() {
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
