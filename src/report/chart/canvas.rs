//! A sheet of paper: lines, dashes, markers and text in units of the picture, painted on any plotters backend.

use plotters_backend::{BackendCoord, DrawingBackend, DrawingErrorKind, text_anchor::HPos};

use super::{
    lettering::{Fonts, Lettering},
    palette::{Colour, INK, Ink, SURFACE},
};

/// Pixels of a backend per unit of the picture.
pub(super) const UNIT: f64 = 4.0;

/// A place, in units from the upper left corner.
pub(super) type Point = (f64, f64);

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pen {
    pub(super) colour: Colour,
    pub(super) width: f64,
    /// Lengths of strokes and gaps in turn; empty for a solid line.
    pub(super) dash: &'static [f64],
}

impl Pen {
    pub(super) fn solid(colour: Colour, width: f64) -> Self {
        Self { colour, width, dash: &[] }
    }

    pub(super) fn dashed(colour: Colour, width: f64, dash: &'static [f64]) -> Self {
        Self { colour, width, dash }
    }
}

/// Shape of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
    Left,
    /// An upright stroke.
    Bar,
}

/// How text is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: Colour,
}

impl Type {
    pub(super) const fn new(size: f64, colour: Colour) -> Self {
        Self { size, bold: false, colour }
    }

    pub(super) const fn bold(size: f64) -> Self {
        Self { size, bold: true, colour: INK }
    }

    /// From the baseline down to where the letters sit in the middle.
    pub(super) fn middle(&self) -> f64 {
        // Half the height of a capital letter of Noto Sans.
        0.357 * self.size
    }
}

/// One thing that is drawn.
#[derive(Clone)]
enum Mark {
    Rectangle(Area, Colour),
    /// An open line with its width.
    Line(Vec<Point>, Colour, f64),
    Polygon(Vec<Point>, Colour),
    /// A filled circle with its radius.
    Disc(Point, f64, Colour),
    Text(String, Point, HPos, Type),
}

/// The sheet: what was drawn on it, in order, ready to be painted on any backend.
pub(super) struct Canvas {
    marks: Vec<Mark>,
    // Boxed, because parsed fonts are kilobytes large.
    fonts: Box<Fonts>,
}

impl Canvas {
    pub(super) fn new() -> Self {
        Self { marks: Vec::new(), fonts: Box::new(Fonts::new()) }
    }

    /// Width of a text.
    pub(super) fn width(&self, text: &str, kind: Type) -> f64 {
        self.fonts.width(text, kind.size, kind.bold)
    }

    /// Fills a rectangle.
    pub(super) fn fill(&mut self, area: Area, colour: Colour) {
        self.marks.push(Mark::Rectangle(area, colour));
    }

    /// Draws a line through all points; fewer than two draw nothing.
    pub(super) fn line(&mut self, points: &[Point], pen: Pen) {
        if points.len() >= 2 {
            let strokes = dashes(points, pen.dash).into_iter();
            self.marks.extend(strokes.map(|stroke| Mark::Line(stroke, pen.colour, pen.width)));
        }
    }

    /// Draws a marker of a number of units across, with a rim that sets it off from what lies below.
    pub(super) fn marker(&mut self, at: Point, marker: Marker, size: f64, colour: Colour) {
        self.shape(at, marker, size / 2.0 + 1.25, SURFACE);
        self.shape(at, marker, size / 2.0, colour);
    }

    /// Draws a marker with an empty middle.
    pub(super) fn hollow_marker(&mut self, at: Point, marker: Marker, size: f64, colour: Colour) {
        self.marker(at, marker, size, colour);
        self.shape(at, marker, size / 2.0 - 2.0, SURFACE);
    }

    fn shape(&mut self, (x, y): Point, marker: Marker, radius: f64, colour: Colour) {
        let corners: &[Point] = match marker {
            Marker::Circle => return self.marks.push(Mark::Disc((x, y), radius, colour)),
            Marker::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Marker::Diamond => &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
            Marker::Up => &[(0.0, -1.2), (1.15, 0.9), (-1.15, 0.9)],
            Marker::Down => &[(0.0, 1.2), (1.15, -0.9), (-1.15, -0.9)],
            Marker::Left => &[(-1.2, 0.0), (0.9, -1.15), (0.9, 1.15)],
            Marker::Bar => &[(-0.35, -1.4), (0.35, -1.4), (0.35, 1.4), (-0.35, 1.4)],
        };
        let corners = corners.iter().map(|(dx, dy)| (x + dx * radius, y + dy * radius)).collect();
        self.marks.push(Mark::Polygon(corners, colour));
    }

    /// Writes text whose baseline starts, is centred or ends at a point.
    pub(super) fn text(&mut self, text: &str, at: Point, anchor: HPos, kind: Type) {
        if text.is_empty() {
            return;
        }
        self.marks.push(Mark::Text(text.to_owned(), at, anchor, kind));
    }

    /// The same on a plate that keeps it legible above whatever lies there.
    pub(super) fn plated_text(&mut self, text: &str, (x, baseline): Point, anchor: HPos, kind: Type) {
        let width = self.width(text, kind);
        let left = match anchor {
            HPos::Left => x,
            HPos::Center => x - width / 2.0,
            HPos::Right => x - width,
        };
        let (top, bottom) = (baseline - kind.size * 0.9, baseline + kind.size * 0.28);
        self.fill(Area { left: left - 3.0, top, right: left + width + 3.0, bottom }, SURFACE);
        self.text(text, (x, baseline), anchor, kind);
    }

    /// Paints everything on a backend.
    pub(super) fn paint<B: DrawingBackend>(&self, backend: &mut B) {
        for mark in &self.marks {
            self.paint_mark(mark, backend).expect("painting into memory does not fail");
        }
    }

    fn paint_mark<B: DrawingBackend>(
        &self,
        mark: &Mark,
        backend: &mut B,
    ) -> Result<(), DrawingErrorKind<B::ErrorType>> {
        let filled = |colour| Ink { colour, width: 0 };
        match mark {
            Mark::Rectangle(area, colour) => {
                let (from, to) = (pixel((area.left, area.top)), pixel((area.right, area.bottom)));
                backend.draw_rect(from, to, &filled(*colour), true)
            }
            Mark::Line(points, colour, width) => {
                let style = Ink { colour: *colour, width: pixels(*width) };
                backend.draw_path(points.iter().copied().map(pixel), &style)
            }
            Mark::Polygon(corners, colour) => {
                backend.fill_polygon(corners.iter().copied().map(pixel), &filled(*colour))
            }
            Mark::Disc(centre, radius, colour) => {
                backend.draw_circle(pixel(*centre), pixels(*radius), &filled(*colour), true)
            }
            Mark::Text(text, at, anchor, kind) => {
                let style = Lettering {
                    fonts: &self.fonts,
                    size: kind.size * UNIT,
                    bold: kind.bold,
                    colour: kind.colour,
                    anchor: *anchor,
                };
                backend.draw_text(text, &style, pixel(*at))
            }
        }
    }
}

fn pixels(units: f64) -> u32 {
    (units * UNIT).round() as u32
}

fn pixel((x, y): Point) -> BackendCoord {
    ((x * UNIT).round() as i32, (y * UNIT).round() as i32)
}

/// The strokes of a dashed line.
fn dashes(points: &[Point], pattern: &[f64]) -> Vec<Vec<Point>> {
    if pattern.is_empty() {
        return vec![points.to_vec()];
    }
    let mut lengths = pattern.iter().copied().cycle();
    let mut left = lengths.next().unwrap_or(f64::INFINITY);
    let mut drawing = true;
    let mut strokes = Vec::new();
    let mut stroke = vec![points[0]];
    for pair in points.windows(2) {
        let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
        let length = (to_x - x).hypot(to_y - y);
        let mut gone = 0.0;
        while length - gone > left {
            gone += left;
            let at = (x + (to_x - x) * gone / length, y + (to_y - y) * gone / length);
            if drawing {
                stroke.push(at);
                strokes.push(std::mem::take(&mut stroke));
            } else {
                stroke = vec![at];
            }
            drawing = !drawing;
            left = lengths.next().unwrap_or(f64::INFINITY);
        }
        left -= length - gone;
        if drawing {
            stroke.push((to_x, to_y));
        }
    }
    if stroke.len() > 1 {
        strokes.push(stroke);
    }
    strokes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_follow_the_line_round_its_corners() {
        let strokes = dashes(&[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)], &[4.0, 2.0]);
        assert_eq!(
            strokes,
            [vec![(0.0, 0.0), (4.0, 0.0)], vec![(5.0, 1.0), (5.0, 5.0)]],
            "a gap lies round the corner, the next stroke ends where the line does"
        );
        assert_eq!(dashes(&[(0.0, 0.0), (1.0, 1.0)], &[]), [vec![(0.0, 0.0), (1.0, 1.0)]]);
    }
}
