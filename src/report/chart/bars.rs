//! Rows for operations or commands: names on the left that are never cut, as many as can be read.

use plotters_backend::text_anchor::HPos;

use crate::{analysis::Row, report::subject::RunReport};

use super::{
    canvas::{Area, Canvas, Type},
    layout::{LABELS, MARGIN, NAME, WIDTH, wrapped},
    palette::GRID,
    plot::Plot,
};

/// Operations that are shown at most.
const MOST: usize = 40;
/// Widest column of names.
const WIDEST: f64 = 250.0;
const LINE: f64 = 17.0;
const PADDING: f64 = 9.0;

/// One row.
pub(super) struct Bar<T> {
    /// What it shows.
    pub(super) row: T,
    name: Vec<String>,
    /// Whether it is the sum of the others.
    sum: bool,
    pub(super) area: Area,
}

impl<T> Bar<T> {
    pub(super) fn middle(&self) -> f64 {
        f64::midpoint(self.area.top, self.area.bottom)
    }

    fn draw_name(&self, canvas: &mut Canvas) {
        let kind = Type { bold: self.sum, ..NAME };
        let first = self.middle() - (self.name.len() - 1) as f64 * LINE / 2.0 + kind.middle();
        for (number, line) in self.name.iter().enumerate() {
            canvas.text(line, (self.area.left - 10.0, first + number as f64 * LINE), HPos::Right, kind);
        }
    }
}

/// What a row shows, its name, and whether it is the sum of the others.
pub(super) type Named<T> = (T, String, bool);

/// All rows of a chart.
pub(super) struct Bars<T> {
    pub(super) bars: Vec<Bar<T>>,
    /// The rows without the column of names.
    pub(super) area: Area,
}

impl<'a> Bars<&'a Row> {
    /// Adds operations that completed anything, the slowest on top, below the sum of all.
    pub(super) fn of_operations(facts: &'a RunReport, plot: &mut Plot, above: f64, right: f64) -> Self {
        let mut rows = facts.operations();
        rows.retain(|row| row.response.mean.is_some());
        rows.sort_by(|a, b| facts.slowness(b).total_cmp(&facts.slowness(a)));
        rows.truncate(MOST);
        let whole = facts.whole().map(|(row, _)| row).filter(|row| rows.len() > 1 && row.response.mean.is_some());
        let all = whole.map(|row| (row, true)).into_iter().chain(rows.into_iter().map(|row| (row, false)));
        Self::new(all.map(|(row, sum)| (row, facts.name(row), sum)).collect(), plot, above, right)
    }

    /// What the subtitle says about operations that are not shown; empty where all are.
    pub(super) fn omission(facts: &RunReport) -> String {
        match facts.operations().len().saturating_sub(MOST) {
            0 => String::new(),
            left_out => format!(" Without the {left_out} fastest operations."),
        }
    }
}

impl<T> Bars<T> {
    /// Adds rows in this order to a plot, with space above them and on their right.
    pub(super) fn new(rows: Vec<Named<T>>, plot: &mut Plot, above: f64, right: f64) -> Self {
        let (top, right) = (plot.bottom + above, WIDTH - MARGIN - right);
        let lines = |(row, name, sum): Named<T>| {
            let lines = wrapped(&name, WIDEST, Type { bold: sum, ..NAME }, &plot.canvas);
            (row, sum, lines)
        };
        let named: Vec<_> = rows.into_iter().map(lines).collect();
        let widest = named
            .iter()
            .flat_map(|(_, sum, lines)| lines.iter().map(|line| plot.canvas.width(line, Type { bold: *sum, ..NAME })))
            .fold(LABELS, f64::max);
        let left = MARGIN + widest + 10.0;
        let mut bars = Vec::new();
        let mut y = top;
        for (row, sum, name) in named {
            let bottom = y + name.len() as f64 * LINE + PADDING;
            bars.push(Bar { row, name, sum, area: Area { left, top: y, right, bottom } });
            y = bottom;
        }
        plot.bottom = y.max(top + 60.0);
        Self { bars, area: Area { left, top, right, bottom: plot.bottom } }
    }

    /// A faint line between rows, a plain one below the sum, and the names.
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        if self.bars.is_empty() {
            canvas.empty_note(self.area, "nothing completed");
        }
        for bar in &self.bars {
            let bottom = Area { left: MARGIN, top: bar.area.bottom - 0.5, ..bar.area };
            let thick = if bar.sum { 1.0 } else { 0.0 };
            canvas.fill(Area { top: bottom.top - thick, ..bottom }, GRID);
            bar.draw_name(canvas);
        }
    }
}
