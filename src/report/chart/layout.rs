//! Parts of charts: lines of text that fit, legends, grids and axes.

use plotters_backend::text_anchor::HPos;

use super::{
    canvas::{Area, Canvas, Marker, Pen, Point, Type},
    palette::{AXIS, Colour, GRID, INK, MUTED, TARGET},
    scale::Tick,
};

/// Width of every chart.
pub(super) const WIDTH: f64 = 800.0;
/// Empty rim.
pub(super) const MARGIN: f64 = 16.0;
/// Space that the labels of a vertical axis take.
pub(super) const LABELS: f64 = 56.0;

/// Labels of ticks and axes.
pub(super) const LABEL: Type = Type::new(12.5, MUTED);
/// Names and values.
pub(super) const NAME: Type = Type::new(13.0, INK);
/// The target's label.
pub(super) const TARGET_LABEL: Type = Type { size: 12.5, bold: true, colour: TARGET };

/// The target line.
pub(super) const TARGET_PEN: Pen = Pen { colour: TARGET, width: 1.5, dash: &[7.0, 4.0] };

/// Text as lines that are at most `width` wide. It breaks between words; a word that is too long breaks behind its
/// punctuation or, where it has none, anywhere: nothing is cut.
pub(super) fn wrapped(text: &str, width: f64, kind: Type, canvas: &Canvas) -> Vec<String> {
    let fits = |line: &str| canvas.width(line.trim_end(), kind) <= width;
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut place = |piece: &str| {
        if !line.is_empty() && !fits(&format!("{line}{piece}")) {
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(piece);
    };
    for word in text.split_inclusive(' ') {
        if fits(word) {
            place(word);
            continue;
        }
        for part in word.split_inclusive(['-', '_', ':', '/', '.', '|', '+']) {
            if fits(part) {
                place(part);
            } else {
                part.split_inclusive(|_: char| true).for_each(&mut place);
            }
        }
    }
    lines.push(line);
    lines.iter().map(|line| line.trim().to_owned()).collect()
}

/// Lines of text, top down.
#[derive(Debug)]
pub(super) struct Paragraph {
    lines: Vec<String>,
    kind: Type,
}

impl Paragraph {
    pub(super) fn new(text: &str, width: f64, kind: Type, canvas: &Canvas) -> Self {
        Self { lines: wrapped(text, width, kind, canvas), kind }
    }

    fn pitch(&self) -> f64 {
        self.kind.size * 1.35
    }

    pub(super) fn height(&self) -> f64 {
        self.lines.len() as f64 * self.pitch()
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, (left, top): Point) {
        for (number, line) in self.lines.iter().enumerate() {
            let baseline = top + self.kind.size + number as f64 * self.pitch();
            canvas.text(line, (left, baseline), HPos::Left, self.kind);
        }
    }
}

/// What stands for a series in the legend.
#[derive(Debug, Clone, Copy)]
pub(super) enum Symbol {
    Line(Pen, Option<Marker>),
    Marker(Marker, Colour),
    Ring(Marker, Colour),
    Fill(Colour),
}

/// An entry of a legend: a symbol and its name.
pub(super) type Entry = (Symbol, String);

impl Symbol {
    pub(super) fn named(self, name: impl Into<String>) -> Entry {
        (self, name.into())
    }
}

/// Symbols with their names, in rows that fill the width.
#[derive(Debug)]
pub(super) struct Legend {
    entries: Vec<(Symbol, Point, Paragraph)>,
    height: f64,
}

/// Width that a symbol takes in front of its name.
const SYMBOL: f64 = 38.0;
const ENTRY_GAP: f64 = 22.0;

impl Legend {
    /// In one column width: entries line up below each other where that saves no row.
    pub(super) fn new(entries: impl IntoIterator<Item = Entry>, width: f64, canvas: &Canvas) -> Self {
        let paragraphs: Vec<_> = entries
            .into_iter()
            .map(|(symbol, name)| (symbol, Paragraph::new(&name, width - SYMBOL, NAME, canvas)))
            .collect();
        let space = |paragraph: &Paragraph| {
            let widest = paragraph.lines.iter().map(|line| canvas.width(line, NAME));
            SYMBOL + widest.fold(0.0, f64::max) + ENTRY_GAP
        };
        let widest = paragraphs.iter().map(|(_, paragraph)| space(paragraph)).fold(1.0, f64::max);
        let columns = ((width + ENTRY_GAP) / widest).floor().max(1.0);
        let single_row = paragraphs.iter().map(|(_, paragraph)| space(paragraph)).sum::<f64>() <= width + ENTRY_GAP;
        let pitch = if single_row { 0.0 } else { (width + ENTRY_GAP) / columns };
        let (mut x, mut y, mut row_height) = (0.0, 0.0, 0.0_f64);
        let mut placed = Vec::new();
        for (symbol, paragraph) in paragraphs {
            let step = if single_row { space(&paragraph) } else { pitch };
            if !single_row && x + step > width + ENTRY_GAP + 0.5 {
                (x, y, row_height) = (0.0, y + row_height + 4.0, 0.0);
            }
            row_height = row_height.max(paragraph.height());
            placed.push((symbol, (x, y), paragraph));
            x += step;
        }
        let height = if placed.is_empty() { 0.0 } else { y + row_height };
        Self { entries: placed, height }
    }

    pub(super) fn height(&self) -> f64 {
        self.height
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, (left, top): Point) {
        for (symbol, (x, y), paragraph) in &self.entries {
            let (left, middle) = (left + x, top + y + NAME.size - NAME.middle());
            let (right, centre) = (left + SYMBOL - 8.0, left + (SYMBOL - 8.0) / 2.0);
            match *symbol {
                Symbol::Line(pen, marker) => {
                    canvas.line(&[(left, middle), (right, middle)], pen);
                    if let Some(marker) = marker {
                        canvas.marker((centre, middle), marker, 8.0, pen.colour);
                    }
                }
                Symbol::Marker(marker, colour) => canvas.marker((centre, middle), marker, 9.0, colour),
                Symbol::Ring(marker, colour) => canvas.hollow_marker((centre, middle), marker, 12.0, colour),
                Symbol::Fill(colour) => {
                    let (top, bottom) = (middle - 5.5, middle + 5.5);
                    canvas.fill(Area { left: left + 6.0, top, right, bottom }, colour);
                }
            }
            paragraph.draw(canvas, (left + SYMBOL, top + y));
        }
    }
}

impl Canvas {
    /// Draws horizontal grid lines with their labels to the left.
    pub(super) fn rows(&mut self, area: Area, ticks: &[Tick]) {
        for tick in ticks {
            self.line(&[(area.left, tick.at), (area.right, tick.at)], Pen::solid(GRID, 1.0));
            self.text(&tick.label, (area.left - 8.0, tick.at + LABEL.middle()), HPos::Right, LABEL);
        }
    }

    /// Draws vertical grid lines.
    pub(super) fn columns(&mut self, area: Area, ticks: &[Tick]) {
        for tick in ticks {
            self.line(&[(tick.at, area.top), (tick.at, area.bottom)], Pen::solid(GRID, 1.0));
        }
    }

    /// Draws the line at the bottom with its labels and, below them, its title.
    pub(super) fn base_line(&mut self, area: Area, ticks: &[Tick], title: &str) {
        self.line(&[(area.left, area.bottom), (area.right, area.bottom)], Pen::solid(AXIS, 1.0));
        for tick in ticks {
            self.line(&[(tick.at, area.bottom), (tick.at, area.bottom + 4.0)], Pen::solid(AXIS, 1.0));
            self.text(&tick.label, (tick.at, area.bottom + 17.0), HPos::Center, LABEL);
        }
        let middle = f64::midpoint(area.left, area.right);
        self.text(title, (middle, area.bottom + 35.0), HPos::Center, LABEL);
    }

    /// Draws a horizontal line at the target, with its label where one is given.
    pub(super) fn target_line(&mut self, area: Area, y: f64, label: Option<&str>) {
        self.line(&[(area.left, y), (area.right, y)], TARGET_PEN);
        if let Some(label) = label {
            // Below the line where there is no room above it.
            let baseline = if y - area.top < 20.0 { y + 16.0 } else { y - 6.0 };
            self.plated_text(label, (area.right - 6.0, baseline), HPos::Right, TARGET_LABEL);
        }
    }

    /// Writes in the lower part of an area why it is empty.
    pub(super) fn empty_note(&mut self, area: Area, note: &str) {
        let place = (f64::midpoint(area.left, area.right), area.top + 0.72 * (area.bottom - area.top));
        self.plated_text(note, place, HPos::Center, NAME);
    }
}

/// Height that labels and title of a horizontal axis take.
pub(super) const AXIS_HEIGHT: f64 = 42.0;

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn wraps_at_spaces_and_breaks_what_is_too_long() {
        let canvas = Canvas::new();
        assert_eq!(wrapped("one two", 1_000.0, NAME, &canvas), ["one two"]);
        assert_eq!(wrapped("one two", 30.0, NAME, &canvas), ["one", "two"]);
        assert!(wrapped("abcdefghij", 30.0, NAME, &canvas).len() > 1);
    }

    #[test]
    fn legends_keep_their_entries_within_the_width() {
        let canvas = Canvas::new();
        let entries = |count: usize| {
            let name = |number| (Symbol::Fill(INK), format!("operation number {number}"));
            Legend::new((0..count).map(name), 500.0, &canvas)
        };
        assert!(entries(0).height().abs() < 1e-9);
        assert!(entries(30).height() > entries(3).height());
        for (_, (x, _), paragraph) in &entries(30).entries {
            let width = canvas.width(&paragraph.lines[0], NAME);
            assert!(x + SYMBOL + width <= 500.0);
        }
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_letter_and_keeps_the_width(text in "[a-zA-Z0-9 :._-]{0,80}", width in 20.0..300.0_f64) {
            let canvas = Canvas::new();
            let lines = wrapped(&text, width, NAME, &canvas);
            let letters = |text: &str| text.chars().filter(|letter| *letter != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
            prop_assert!(lines.iter().all(|line| canvas.width(line, NAME) <= width));
        }
    }
}
