//! A sweep of two settings: the sustainable rate of each pair of values, as a grid of colours with its numbers.

use plotters_backend::text_anchor::HPos;

use super::carried_label;
use crate::report::{
    capacity::{Answers, carried},
    chart::{
        Caption, Figure,
        canvas::{Area, Canvas, Type},
        layout::{Heading, LABEL, MARGIN, NAME, WIDTH, wrapped},
        lettering::Fonts,
        palette::{GRID, HEAT, INK, MUTED, SURFACE},
        units::count,
    },
    view::sweep_axes,
};

const TITLE: &str = "Sustainable rate by two settings";
const ROW: f64 = 40.0;
const LINE: f64 = 16.0;
/// Widest column of names.
const WIDEST: f64 = 200.0;
/// From this class of colour on, text stands out in the colour of the surface rather than that of ink.
const DEEP: usize = 4;

pub(super) struct Sweep {
    heading: Heading,
    axes: (String, String),
    /// Labels of the columns and rows, in lines.
    columns: Vec<Vec<String>>,
    rows: Vec<Vec<String>>,
    /// By row and column: class of colour and text.
    cells: Vec<Vec<(Option<usize>, String)>>,
    grid: Area,
    description: String,
}

impl Sweep {
    /// `None` unless there are two axes and some sustainable rate.
    pub(super) fn new(answers: &Answers<'_>, fonts: &Fonts) -> Option<Self> {
        let [(down, of_rows), (across, of_columns)] = <[_; 2]>::try_from(sweep_axes(answers.capacity)).ok()?;
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
        let mut subtitle = "Operations per second within the objective; the darker, the more.".to_owned();
        if cells.iter().flatten().any(|(class, _)| class.is_none()) {
            subtitle += " A dash: no rate is known to be sustainable.";
        }
        if cells.iter().flatten().any(|(_, text)| text == "harness" || text.starts_with('≥')) {
            subtitle += " With ≥, and where it says harness, the harness was the limit.";
        }
        let heading = Heading::new(TITLE, &subtitle, fonts);
        let rows: Vec<_> = of_rows.iter().map(|value| wrapped(value, WIDEST, NAME, fonts)).collect();
        let name =
            |lines: &Vec<String>| lines.iter().map(|line| fonts.width(line, NAME.size, false)).fold(0.0, f64::max);
        let widest = rows.iter().map(name).fold(60.0, f64::max);
        let left = MARGIN + widest + 12.0;
        let pitch = (WIDTH - MARGIN - left) / of_columns.len() as f64;
        let columns: Vec<_> = of_columns.iter().map(|value| wrapped(value, pitch - 6.0, NAME, fonts)).collect();
        let lines = columns.iter().map(Vec::len).max().unwrap_or(1);
        let top = heading.bottom() + 2.0 * LINE + lines as f64 * LINE + 8.0;
        let heights: f64 = rows.iter().map(|name| row_height(name)).sum();
        let grid = Area { left, top, right: WIDTH - MARGIN, bottom: top + heights };
        Some(Self { heading, axes: (down, across), columns, rows, cells, grid, description })
    }
}

fn row_height(name: &[String]) -> f64 {
    ROW.max(name.len() as f64 * LINE + 10.0)
}

impl Figure for Sweep {
    fn caption(&self) -> Caption {
        Caption {
            name: "sweep",
            title: TITLE.to_owned(),
            description: self.description.clone(),
            height: self.grid.bottom + MARGIN,
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>) {
        self.heading.draw(canvas);
        let pitch = self.grid.width() / self.columns.len() as f64;
        let lines = self.columns.iter().map(Vec::len).max().unwrap_or(1);
        let (down, across) = &self.axes;
        let top = self.grid.top - 8.0 - lines as f64 * LINE;
        // Right of the rows' names, so that neither name of an axis runs into the other.
        canvas.text(&format!("rows: {down}"), (MARGIN, top - LINE), HPos::Left, LABEL);
        canvas.text(&format!("columns: {across}"), (self.grid.left, top), HPos::Left, LABEL);
        for (number, label) in self.columns.iter().enumerate() {
            let x = self.grid.left + (number as f64 + 0.5) * pitch;
            for (line, text) in label.iter().rev().enumerate() {
                canvas.text(text, (x, self.grid.top - 7.0 - line as f64 * LINE), HPos::Center, NAME);
            }
        }
        let mut y = self.grid.top;
        for (name, cells) in self.rows.iter().zip(&self.cells) {
            let height = row_height(name);
            let middle = y + height / 2.0;
            let first = middle - (name.len() - 1) as f64 * LINE / 2.0 + NAME.middle();
            for (line, text) in name.iter().enumerate() {
                canvas.text(text, (self.grid.left - 10.0, first + line as f64 * LINE), HPos::Right, NAME);
            }
            for (number, (class, text)) in cells.iter().enumerate() {
                let left = self.grid.left + number as f64 * pitch;
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
    }
}
