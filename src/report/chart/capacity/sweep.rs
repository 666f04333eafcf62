//! A sweep of two settings: the sustainable rate of each pair of values, as a grid of colours with its numbers.

use plotters_backend::text_anchor::HPos;

use super::series::carried_label;
use crate::report::{
    chart::{
        canvas::{Area, Type},
        layout::{LABEL, MARGIN, NAME, WIDTH, wrapped},
        palette::{GRID, HEAT, INK, MUTED, SURFACE},
        plot::Plot,
        units::count,
    },
    subject::capacity::{CapacityReport, carried},
    view::sweep_axes,
};

const TITLE: &str = "Sustainable rate by two settings";
const ROW: f64 = 40.0;
const LINE: f64 = 16.0;
/// Widest column of names.
const WIDEST: f64 = 200.0;
/// From this class of colour on, text stands out in the colour of the surface rather than that of ink.
const DEEP: usize = 4;

/// `None` unless there are two axes and some sustainable rate.
pub(super) fn plot(answers: &CapacityReport) -> Option<Plot> {
    let [(down, of_rows), (across, of_columns)] = <[_; 2]>::try_from(sweep_axes(&answers.capacity)).ok()?;
    let known = |row: &String, column: &String| {
        answers.arms().find(|(_, arm, _)| {
            let has =
                |field: &String, value: &String| arm.coordinates.iter().any(|(of, is)| of == field && is == value);
            has(&down, row) && has(&across, column)
        })
    };
    let rate = |row: &String, column: &String| known(row, column).and_then(|(_, _, answer)| answer.sustainable);
    let pairs = || of_rows.iter().flat_map(|row| of_columns.iter().map(move |column| (row, column)));
    let rates: Vec<_> = pairs().filter_map(|(row, column)| Some(rate(row, column)?.rate)).collect();
    let (low, high) = (rates.iter().copied().reduce(f64::min)?, rates.iter().copied().reduce(f64::max)?);
    let class = |rate: f64| {
        // All alike are all in the middle.
        let share = if high > low { (rate - low) / (high - low) } else { 0.5 };
        (share * (HEAT.len() - 1) as f64).round() as usize
    };
    let cell = |row: &String, column: &String| match (rate(row, column), known(row, column)) {
        (Some(sustainable), Some((_, _, answer))) => {
            let limited = if answer.client_limited.is_some() { "≥ " } else { "" };
            (Some(class(sustainable.rate)), format!("{limited}{}", count(carried(sustainable.rate))))
        }
        (_, Some((_, _, answer))) if answer.client_limited.is_some() => (None, "harness".to_owned()),
        _ => (None, "–".to_owned()),
    };
    let cells: Vec<Vec<_>> =
        of_rows.iter().map(|row| of_columns.iter().map(|column| cell(row, column)).collect()).collect();
    let described = pairs().filter_map(|(row, column)| {
        Some(format!("{down} {row}, {across} {column}: {}", carried_label(rate(row, column)?.rate)))
    });
    let description = format!("{TITLE}. {}.", described.collect::<Vec<_>>().join("; "));
    let mut note = "Operations per second within the objective; darker is more.".to_owned();
    if cells.iter().flatten().any(|(class, _)| class.is_none()) {
        note += " A dash: no sustainable rate is known.";
    }
    if cells.iter().flatten().any(|(_, text)| text == "harness" || text.starts_with('≥')) {
        note += " ≥ and \"harness\": the harness was the limit.";
    }
    let mut plot = Plot::new("sweep", TITLE, &note);
    let canvas = &mut plot.canvas;
    let rows: Vec<_> = of_rows.iter().map(|value| wrapped(value, WIDEST, NAME, canvas)).collect();
    let widest = rows.iter().flatten().map(|line| canvas.width(line, NAME)).fold(60.0, f64::max);
    let left = MARGIN + widest + 12.0;
    let pitch = (WIDTH - MARGIN - left) / of_columns.len() as f64;
    let columns: Vec<_> = of_columns.iter().map(|value| wrapped(value, pitch - 6.0, NAME, canvas)).collect();
    let lines = columns.iter().map(Vec::len).max().unwrap_or(1) as f64;
    let top = plot.bottom + 2.0 * LINE + lines * LINE + 8.0;

    let labels = top - 8.0 - lines * LINE;
    // Right of the rows' names, so that neither name of an axis runs into the other.
    canvas.text(&format!("rows: {down}"), (MARGIN, labels - LINE), HPos::Left, LABEL);
    canvas.text(&format!("columns: {across}"), (left, labels), HPos::Left, LABEL);
    for (number, label) in columns.iter().enumerate() {
        let x = left + (number as f64 + 0.5) * pitch;
        for (line, text) in label.iter().rev().enumerate() {
            canvas.text(text, (x, top - 7.0 - line as f64 * LINE), HPos::Center, NAME);
        }
    }
    let mut y = top;
    for (name, cells) in rows.iter().zip(&cells) {
        let height = ROW.max(name.len() as f64 * LINE + 10.0);
        let middle = y + height / 2.0;
        let first = middle - (name.len() - 1) as f64 * LINE / 2.0 + NAME.middle();
        for (line, text) in name.iter().enumerate() {
            canvas.text(text, (left - 10.0, first + line as f64 * LINE), HPos::Right, NAME);
        }
        for (number, (class, text)) in cells.iter().enumerate() {
            let left = left + number as f64 * pitch;
            let area = Area { left: left + 1.0, top: y + 1.0, right: left + pitch - 1.0, bottom: y + height - 1.0 };
            canvas.fill(area, class.map_or(GRID, |class| HEAT[class]));
            let colour = match class {
                Some(class) if *class >= DEEP => SURFACE,
                Some(_) => INK,
                None => MUTED,
            };
            let kind = Type { colour, ..NAME };
            canvas.text(text, (f64::midpoint(area.left, area.right), middle + NAME.middle()), HPos::Center, kind);
        }
        y += height;
    }
    plot.bottom = y;
    Some(plot.described(description))
}
