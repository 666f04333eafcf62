//! A plotters backend that writes SVG for pages: small, responsive, in the colours of the page, and described for
//! people who do not see it.
//!
//! Consecutive shapes of one colour become one path, which keeps a heatmap of thousands of cells small.

use std::{convert::Infallible, fmt::Write as _};

use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
    text_anchor::HPos,
};

use super::{
    canvas::UNIT,
    lettering::FAMILIES,
    palette::{SURFACE, hex, style_sheet},
    plot::Plot,
};

const WRITES: &str = "writing to a string does not fail";

/// The document of a plot; the plot's name makes its ids unique within a page.
pub(super) fn document(plot: &Plot) -> String {
    let size = plot.size();
    let mut backend = SvgBackend::new(size);
    backend.shape(Paint::Fill(SURFACE.rgb()), &format!("M0 0H{}V{}H0z", units(size.0), units(size.1)));
    plot.canvas.paint(&mut backend);
    backend.finish(plot.name, &plot.title, &plot.description)
}

/// SVG in the making.
struct SvgBackend {
    size: (u32, u32),
    body: String,
    open: Option<(Paint, String)>,
}

/// What consecutive shapes must share to become one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paint {
    /// Filled, edges on whole pixels so that neighbours leave no seam.
    Cells((u8, u8, u8)),
    Fill((u8, u8, u8)),
    Stroke((u8, u8, u8), u32),
}

impl SvgBackend {
    fn new(size: (u32, u32)) -> Self {
        Self { size, body: String::new(), open: None }
    }

    fn finish(mut self, name: &str, title: &str, description: &str) -> String {
        self.close();
        format!(
            concat!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" class="plimsoll-chart" role="img" viewBox="0 0 {w} {h}" "#,
                r#"width="100%" font-family="{families}" aria-labelledby="{name}-title {name}-description">"#,
                "\n<title id=\"{name}-title\">{title}</title>\n<desc id=\"{name}-description\">{description}</desc>\n",
                "<style>{style}</style>\n{body}</svg>\n",
            ),
            w = units(self.size.0),
            h = units(self.size.1),
            families = FAMILIES,
            name = name,
            title = escaped(title),
            description = escaped(description),
            style = style_sheet(&self.body),
            body = self.body,
        )
    }

    fn shape(&mut self, paint: Paint, outline: &str) {
        match &mut self.open {
            Some((open, data)) if *open == paint => data.push_str(outline),
            _ => {
                self.close();
                self.open = Some((paint, outline.to_owned()));
            }
        }
    }

    fn close(&mut self) {
        let Some((paint, data)) = self.open.take() else { return };
        match paint {
            Paint::Cells(rgb) => {
                writeln!(self.body, r#"<path fill="{}" shape-rendering="crispEdges" d="{data}"/>"#, hex(rgb))
            }
            Paint::Fill(rgb) => writeln!(self.body, r#"<path fill="{}" d="{data}"/>"#, hex(rgb)),
            Paint::Stroke(rgb, width) => writeln!(
                self.body,
                concat!(
                    r#"<path fill="none" stroke="{}" stroke-width="{}" stroke-linejoin="round" "#,
                    r#"stroke-linecap="butt" d="{}"/>"#
                ),
                hex(rgb),
                units(width),
                data
            ),
        }
        .expect(WRITES);
    }
}

/// Pixels of the backend as units of the picture.
fn units(pixels: impl Into<f64>) -> f64 {
    pixels.into() / UNIT
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 has no way to write other control characters.
            '\n' | '\t' => escaped.push(letter),
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn outline(points: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut data = String::new();
    let mut last = None;
    for (x, y) in points {
        match last {
            None => write!(data, "M{} {}", units(x), units(y)),
            Some((before, _)) if before == x => write!(data, "V{}", units(y)),
            Some((_, before)) if before == y => write!(data, "H{}", units(x)),
            Some(_) => write!(data, "L{} {}", units(x), units(y)),
        }
        .expect(WRITES);
        last = Some((x, y));
    }
    data
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for SvgBackend {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Drawn {
        self.shape(Paint::Cells(colour.rgb), &(outline([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]) + "z"));
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        let data = format!(
            "M{} {}h{}v{}h{}z",
            units(left),
            units(top),
            units(right - left),
            units(bottom - top),
            units(left - right)
        );
        self.shape(Paint::Cells(style.color().rgb), &data);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        self.shape(Paint::Stroke(style.color().rgb, style.stroke_width()), &outline(path));
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, (x, y): BackendCoord, radius: u32, style: &S, _fill: bool) -> Drawn {
        let r = units(radius);
        let data = format!("M{} {}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0z", units(x) - r, units(y), d = 2.0 * r);
        self.shape(Paint::Fill(style.color().rgb), &data);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, vert: I, style: &S) -> Drawn {
        self.shape(Paint::Fill(style.color().rgb), &(outline(vert) + "z"));
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, (x, y): BackendCoord) -> Drawn {
        self.close();
        let (x, y) = (units(x), units(y));
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => r#" text-anchor="middle""#,
            HPos::Right => r#" text-anchor="end""#,
        };
        let weight = if matches!(style.style(), FontStyle::Bold) { r#" font-weight="bold""# } else { "" };
        let (size, fill) = (style.size() / UNIT, hex(style.color().rgb));
        let text = escaped(text);
        writeln!(self.body, r#"<text x="{x}" y="{y}" font-size="{size}"{weight}{anchor} fill="{fill}">{text}</text>"#)
            .expect(WRITES);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::palette::{BLUE, GREEN, Ink};

    const BLUE_LINE: Ink = Ink { colour: BLUE, width: 8 };

    #[test]
    fn joins_shapes_of_one_style_and_keeps_their_order() {
        let mut svg = SvgBackend::new((400, 200));
        svg.draw_path([(0, 0), (4, 4), (4, 8)], &BLUE_LINE).unwrap();
        svg.draw_path([(8, 8), (12, 8)], &BLUE_LINE).unwrap();
        svg.draw_rect((0, 0), (4, 8), &Ink { colour: GREEN, width: 0 }, true).unwrap();
        svg.draw_path([(1, 1), (3, 2)], &BLUE_LINE).unwrap();
        let svg = svg.finish("x", "t", "d");
        let paths: Vec<_> = svg.lines().filter(|line| line.starts_with("<path")).collect();
        assert_eq!(paths.len(), 3, "{svg}");
        assert!(paths[0].contains(r#"stroke-width="2""#) && paths[0].ends_with(r#"d="M0 0L1 1V2M2 2H3"/>"#), "{svg}");
        assert!(paths[1].ends_with(r#"d="M0 0h1v2h-1z"/>"#), "{svg}");
    }

    #[test]
    fn says_what_it_shows_and_takes_the_width_it_gets() {
        let svg = SvgBackend::new((400, 200)).finish("tail", "a < b", "\"p99\" & more\u{1}");
        for part in [
            r#"role="img""#,
            r#"viewBox="0 0 100 50""#,
            r#"width="100%""#,
            r#"aria-labelledby="tail-title tail-description""#,
            r#"<title id="tail-title">a &lt; b</title>"#,
            "&quot;p99&quot; &amp; more\u{fffd}</desc>",
        ] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
    }
}
