//! A sheet of paper over any plotters backend: lines, dashes, markers and text in units of the picture.

use plotters_backend::{BackendCoord, DrawingBackend, text_anchor::HPos};

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

/// The sheet.
pub(super) struct Canvas<'a, B: DrawingBackend> {
    backend: &'a mut B,
    fonts: &'a Fonts,
}

impl<'a, B: DrawingBackend> Canvas<'a, B> {
    pub(super) fn new(backend: &'a mut B, fonts: &'a Fonts) -> Self {
        Self { backend, fonts }
    }

    /// Fills a rectangle.
    pub(super) fn fill(&mut self, area: Area, colour: Colour) {
        let style = Ink { colour, width: 0 };
        let drawn =
            self.backend.draw_rect(pixel((area.left, area.top)), pixel((area.right, area.bottom)), &style, true);
        drawn.expect("drawing into memory does not fail");
    }

    /// Draws a line through all points; fewer than two draw nothing.
    pub(super) fn line(&mut self, points: &[Point], pen: Pen) {
        if points.len() < 2 {
            return;
        }
        let style = Ink { colour: pen.colour, width: (pen.width * UNIT).round() as u32 };
        for stroke in dashes(points, pen.dash) {
            let drawn = self.backend.draw_path(stroke.into_iter().map(pixel), &style);
            drawn.expect("drawing into memory does not fail");
        }
    }

    /// Draws a marker of so many units across, with a rim that sets it off from what lies below.
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
        let style = Ink { colour, width: 0 };
        let corners: &[Point] = match marker {
            Marker::Circle => {
                let drawn = self.backend.draw_circle(pixel((x, y)), (radius * UNIT).round() as u32, &style, true);
                return drawn.expect("drawing into memory does not fail");
            }
            Marker::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Marker::Diamond => &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
            Marker::Up => &[(0.0, -1.2), (1.15, 0.9), (-1.15, 0.9)],
            Marker::Down => &[(0.0, 1.2), (1.15, -0.9), (-1.15, -0.9)],
            Marker::Left => &[(-1.2, 0.0), (0.9, -1.15), (0.9, 1.15)],
            Marker::Bar => &[(-0.35, -1.4), (0.35, -1.4), (0.35, 1.4), (-0.35, 1.4)],
        };
        let corners = corners.iter().map(|(dx, dy)| pixel((x + dx * radius, y + dy * radius)));
        self.backend.fill_polygon(corners, &style).expect("drawing into memory does not fail");
    }

    /// Writes text that ends at a point, on a plate that keeps it legible above whatever lies there.
    pub(super) fn plated_text(&mut self, text: &str, (right, baseline): Point, kind: Type) {
        let left = right - self.fonts.width(text, kind.size, kind.bold);
        let (top, bottom) = (baseline - kind.size * 0.9, baseline + kind.size * 0.28);
        self.fill(Area { left: left - 3.0, top, right: right + 3.0, bottom }, SURFACE);
        self.text(text, (right, baseline), HPos::Right, kind);
    }

    /// Writes text whose baseline starts, is centred or ends at a point.
    pub(super) fn text(&mut self, text: &str, at: Point, anchor: HPos, kind: Type) {
        let style =
            Lettering { fonts: self.fonts, size: kind.size * UNIT, bold: kind.bold, colour: kind.colour, anchor };
        self.backend.draw_text(text, &style, pixel(at)).expect("drawing into memory does not fail");
    }
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
