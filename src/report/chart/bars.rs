//! Rows for operations or commands: names on the left that are never cut, as many as can be read.

use plotters_backend::text_anchor::HPos;

use crate::analysis::Row;

use super::{
    canvas::{Area, Canvas, Type},
    facts::Facts,
    layout::{LABELS, MARGIN, NAME, empty_note, wrapped},
    lettering::Fonts,
    palette::GRID,
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

    fn draw_name(&self, canvas: &mut Canvas<'_>) {
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
    /// Operations that completed anything, the slowest on top, below the sum of all.
    pub(super) fn new(facts: &Facts<'a>, top: f64, right: f64, fonts: &Fonts) -> Self {
        let mut rows = facts.operations();
        rows.retain(|row| row.response.mean.is_some());
        rows.sort_by(|a, b| facts.slowness(b).total_cmp(&facts.slowness(a)));
        rows.truncate(MOST);
        let whole = facts.whole().map(|(row, _)| row).filter(|row| rows.len() > 1 && row.response.mean.is_some());
        let all = whole.map(|row| (row, true)).into_iter().chain(rows.into_iter().map(|row| (row, false)));
        Self::of(all.map(|(row, sum)| (row, facts.name(row), sum)).collect(), top, right, fonts)
    }

    /// What the subtitle says about operations that are not shown; empty where all are.
    pub(super) fn omission(facts: &Facts<'_>) -> String {
        match facts.operations().len().saturating_sub(MOST) {
            0 => String::new(),
            left_out => format!(" Without the {left_out} fastest operations."),
        }
    }
}

impl<T> Bars<T> {
    /// Rows in this order, top down.
    pub(super) fn of(rows: Vec<Named<T>>, top: f64, right: f64, fonts: &Fonts) -> Self {
        let lines = |(row, name, sum): Named<T>| {
            let lines = wrapped(&name, WIDEST, Type { bold: sum, ..NAME }, fonts);
            (row, sum, lines)
        };
        let named: Vec<_> = rows.into_iter().map(lines).collect();
        let widest = named
            .iter()
            .flat_map(|(_, sum, lines)| lines.iter().map(|line| fonts.width(line, NAME.size, *sum)))
            .fold(LABELS, f64::max);
        let left = MARGIN + widest + 10.0;
        let mut bars = Vec::new();
        let mut y = top;
        for (row, sum, name) in named {
            let bottom = y + name.len() as f64 * LINE + PADDING;
            bars.push(Bar { row, name, sum, area: Area { left, top: y, right, bottom } });
            y = bottom;
        }
        let bottom = y.max(top + 60.0);
        Self { bars, area: Area { left, top, right, bottom } }
    }

    /// A faint line between rows, a plain one below the sum, and the names.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        if self.bars.is_empty() {
            empty_note(canvas, self.area, "nothing completed");
        }
        for bar in &self.bars {
            let bottom = Area { left: MARGIN, top: bar.area.bottom - 0.5, ..bar.area };
            let thick = if bar.sum { 1.0 } else { 0.0 };
            canvas.fill(Area { top: bottom.top - thick, ..bottom }, GRID);
            bar.draw_name(canvas);
        }
    }
}
