//! Text: the font, its measures, and a text style that any plotters backend can draw.
//!
//! Positions are baselines. The font comes from the crate graph, so pictures look the same on every machine.

use std::convert::Infallible;

use ab_glyph::{Font as _, FontRef, PxScale, ScaleFont as _};
use plotters_backend::{
    BackendColor, BackendCoord, BackendTextStyle, FontFamily, FontStyle,
    text_anchor::{HPos, Pos, VPos},
};

use super::palette::Colour;

/// Families that an SVG asks for; the first is the one that pictures are drawn with.
pub(super) const FAMILIES: &str = "Noto Sans,Segoe UI,Helvetica Neue,Arial,sans-serif";

/// Browsers without the font take another, which may be wider.
const SLACK: f64 = 1.06;

/// Both weights of the font.
pub(super) struct Fonts {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

impl Fonts {
    pub(super) fn new() -> Self {
        let font = |bytes| FontRef::try_from_slice(bytes).expect("the bundled fonts are sound");
        Self { regular: font(notosans::REGULAR_TTF), bold: font(notosans::BOLD_TTF) }
    }

    /// Space that a text takes, in units of `size`, which is that of the em square.
    pub(super) fn width(&self, text: &str, size: f64, bold: bool) -> f64 {
        self.face(bold).advance(text, size) * SLACK
    }

    fn face(&self, bold: bool) -> Face<'_> {
        Face(if bold { &self.bold } else { &self.regular })
    }
}

struct Face<'a>(&'a FontRef<'static>);

impl Face<'_> {
    /// `ab_glyph` scales by the height of the line, SVG by the em square.
    fn scale(&self, em: f64) -> PxScale {
        let units = self.0.units_per_em().expect("the bundled fonts state their units");
        PxScale::from(em as f32 * self.0.height_unscaled() / units)
    }

    fn advance(&self, text: &str, em: f64) -> f64 {
        let font = self.0.as_scaled(self.scale(em));
        f64::from(text.chars().map(|letter| font.h_advance(font.glyph_id(letter))).sum::<f32>())
    }
}

/// One way to write text.
#[derive(Clone, Copy)]
pub(super) struct Lettering<'a> {
    pub(super) fonts: &'a Fonts,
    /// Em square, in pixels of the backend.
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: Colour,
    pub(super) anchor: HPos,
}

impl BackendTextStyle for Lettering<'_> {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        BackendColor { alpha: 1.0, rgb: self.colour.rgb() }
    }

    fn size(&self) -> f64 {
        self.size
    }

    fn style(&self) -> FontStyle {
        if self.bold { FontStyle::Bold } else { FontStyle::Normal }
    }

    fn anchor(&self) -> Pos {
        Pos::new(self.anchor, VPos::Top)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(FAMILIES)
    }

    fn layout_box(&self, text: &str) -> Result<((i32, i32), (i32, i32)), Infallible> {
        Ok(((0, 0), (self.fonts.face(self.bold).advance(text, self.size) as i32, 0)))
    }

    fn draw<E, D: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        text: &str,
        (left, baseline): BackendCoord,
        mut draw: D,
    ) -> Result<Result<(), E>, Infallible> {
        let face = self.fonts.face(self.bold);
        let font = face.0.as_scaled(face.scale(self.size));
        let colour = self.color();
        let mut pen = 0.0;
        for letter in text.chars() {
            let glyph = font.glyph_id(letter);
            let placed = glyph.with_scale_and_position(font.scale(), ab_glyph::point(pen, 0.0));
            pen += font.h_advance(glyph);
            let Some(outline) = font.outline_glyph(placed) else { continue };
            let corner = outline.px_bounds().min;
            let (left, top) = (left + corner.x as i32, baseline + corner.y as i32);
            let mut drawn = Ok(());
            outline.draw(|x, y, share| {
                if drawn.is_ok() && share > 0.0 {
                    let alpha = f64::from(share.min(1.0));
                    drawn = draw(left + x.cast_signed(), top + y.cast_signed(), BackendColor { alpha, ..colour });
                }
            });
            if drawn.is_err() {
                return Ok(drawn);
            }
        }
        Ok(Ok(()))
    }
}
