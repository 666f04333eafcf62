//! A chart in the making: heading and legend are laid out and drawn from the top down, data and axes below them.

use plotters_backend::text_anchor::HPos;

use super::{
    canvas::{Area, Canvas, Point, Type, UNIT},
    layout::{AXIS_HEIGHT, Entry, LABEL, LABELS, Legend, MARGIN, Paragraph, WIDTH},
    palette::{INK, MUTED},
    scale::{Scale, Tick},
};

const TITLE: Type = Type { size: 18.0, bold: true, colour: INK };
const NOTE: Type = Type::new(13.5, MUTED);
/// Longest line of a heading: on pages narrower than a chart, the part that shows without scrolling.
const HEADING: f64 = 554.0;

/// A chart whose drawing can be painted as it is at any time.
pub(super) struct Plot {
    /// Stem of the file names, unique within a document.
    pub(super) name: &'static str,
    pub(super) title: String,
    /// Text alternative of the picture.
    pub(super) description: String,
    pub(super) canvas: Canvas,
    /// Lower edge of what is laid out; the picture ends a margin below.
    pub(super) bottom: f64,
}

impl Plot {
    /// A chart of a title and a note on how to read it.
    pub(super) fn new(name: &'static str, title: impl Into<String>, note: &str) -> Self {
        let (title, mut canvas) = (title.into(), Canvas::new());
        let heading = Paragraph::new(&title, HEADING, TITLE, &canvas);
        let note = Paragraph::new(note, HEADING, NOTE, &canvas);
        heading.draw(&mut canvas, (MARGIN, MARGIN - 2.0));
        note.draw(&mut canvas, (MARGIN, MARGIN + heading.height()));
        let bottom = MARGIN + heading.height() + note.height() + 12.0;
        Self { name, title, description: String::new(), canvas, bottom }
    }

    /// Sets the text alternative.
    pub(super) fn described(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Adds a legend over the whole width.
    pub(super) fn legend(mut self, entries: impl IntoIterator<Item = Entry>) -> Self {
        self.bottom += self.legend_at(entries, (MARGIN, self.bottom), WIDTH - 2.0 * MARGIN);
        self
    }

    /// Draws a legend elsewhere; returns its height.
    pub(super) fn legend_at(&mut self, entries: impl IntoIterator<Item = Entry>, at: Point, width: f64) -> f64 {
        let legend = Legend::new(entries, width, &self.canvas);
        legend.draw(&mut self.canvas, at);
        legend.height()
    }

    /// Adds an area for data with space above it and on its right, and for the labels of an axis on its left.
    pub(super) fn area(&mut self, above: f64, height: f64, right: f64) -> Area {
        let top = self.bottom + above;
        self.bottom = top + height;
        Area { left: MARGIN + LABELS, top, right: WIDTH - MARGIN - right, bottom: self.bottom }
    }

    /// Writes the name of what is drawn in an area, `above` it.
    pub(super) fn name_above(&mut self, area: Area, above: f64, name: &str) {
        self.canvas.text(name, (MARGIN, area.top - above), HPos::Left, LABEL);
    }

    /// Draws the horizontal axis of the lowest area, with a title below its labels.
    pub(super) fn base_line(&mut self, area: Area, ticks: &[Tick], title: &str) {
        self.canvas.base_line(area, ticks, title);
        self.bottom = area.bottom + AXIS_HEIGHT;
    }

    /// Width and height in pixels of a backend.
    pub(super) fn size(&self) -> (u32, u32) {
        ((WIDTH * UNIT) as u32, ((self.bottom + MARGIN).ceil() * UNIT) as u32)
    }
}

/// An area with a scale along each of its sides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axes {
    pub(super) area: Area,
    pub(super) across: Scale,
    pub(super) up: Scale,
}

impl Axes {
    /// Scales that reach from side to side.
    pub(super) fn new(area: Area, across: Scale, up: Scale) -> Self {
        Self { area, across: across.between(area.left, area.right), up: up.between(area.bottom, area.top) }
    }

    /// Position of a pair of values.
    pub(super) fn at(&self, (across, up): (f64, f64)) -> Point {
        (self.across.at(across), self.up.at(up))
    }

    /// Positions of pairs of values.
    pub(super) fn line<'a>(&self, values: impl IntoIterator<Item = &'a (f64, f64)>) -> Vec<Point> {
        values.into_iter().map(|value| self.at(*value)).collect()
    }
}
