//! Colours of all charts. Each has a light and a dark form: pictures are drawn with the light one, and a style sheet
//! inside every SVG swaps in the dark one where the page is dark.
//!
//! The series colours began as those of Okabe and Ito, "Color Universal Design" (2008), and were moved until every two of
//! them stay apart for normal, protanopic and deuteranopic eyes, and each stands out from the surface by at least 3:1
//! (WCAG 2.2, 1.4.11). Tests hold them to it.

use std::fmt::Write as _;

use plotters_backend::{BackendColor, BackendStyle};

/// One colour in both of its forms, each 0xRRGGBB. The light form names the colour: no two share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour {
    light: u32,
    dark: u32,
}

const fn colour(light: u32, dark: u32) -> Colour {
    Colour { light, dark }
}

/// Background of every chart.
pub(super) const SURFACE: Colour = colour(0xff_ff_ff, 0x16_1b_22);
/// Text and sums.
pub(super) const INK: Colour = colour(0x1b_1f_24, 0xe6_ed_f3);
/// Secondary text.
pub(super) const MUTED: Colour = colour(0x57_60_6a, 0x9d_a7_b3);
/// Axis lines.
pub(super) const AXIS: Colour = colour(0x8c_95_9f, 0x6e_76_81);
/// Grid lines and stripes.
pub(super) const GRID: Colour = colour(0xe4_e8_ec, 0x2a_31_3a);
/// Series that are only there for comparison.
pub(super) const CONTEXT: Colour = colour(0xb9_c0_c8, 0x4d_56_61);
/// What lies beyond the target or outside the measured period.
pub(super) const BEYOND: Colour = colour(0xfb_f0_ea, 0x2b_1f_1b);
/// The target.
pub(super) const TARGET: Colour = colour(0xb4_23_18, 0xff_7b_72);

/// First series colour; also the median, service time and whatever is as it should be.
pub(super) const BLUE: Colour = colour(0x00_56_c9, 0x23_98_fe);
/// Second; also the tail and whatever is late.
pub(super) const ORANGE: Colour = colour(0xdd_69_00, 0xd3_68_04);
/// Third.
pub(super) const GREEN: Colour = colour(0x00_a4_99, 0x66_cf_9a);
/// Fourth; also the maximum.
pub(super) const PURPLE: Colour = colour(0x75_26_67, 0xb8_68_99);
/// Fifth; also wait time.
pub(super) const OCHRE: Colour = colour(0x93_3c_05, 0xff_e9_36);
/// Sixth.
pub(super) const SKY: Colour = colour(0x3b_93_fb, 0xb3_f3_ff);

/// Colours that distinguish series; dashes and markers distinguish what goes beyond them.
pub(super) const SERIES: [Colour; 6] = [BLUE, ORANGE, GREEN, PURPLE, OCHRE, SKY];

/// From few to many, in equal steps of lightness. The steps run towards the ink, away from the surface.
pub(super) const HEAT: [Colour; 8] = [
    colour(0xd7_e7_f5, 0x18_2f_4a),
    colour(0xb4_d3_ed, 0x1d_42_69),
    colour(0x8b_bb_e3, 0x22_57_8a),
    colour(0x5f_a0_d6, 0x2a_6f_ad),
    colour(0x38_82_c2, 0x43_8c_cb),
    colour(0x1f_65_a8, 0x6d_aa_df),
    colour(0x10_48_86, 0x9c_c8_ee),
    colour(0x07_2b_5c, 0xd2_e8_fb),
];

impl Colour {
    /// Red, green and blue of the light form.
    pub(super) fn rgb(self) -> (u8, u8, u8) {
        let [_, red, green, blue] = self.light.to_be_bytes();
        (red, green, blue)
    }
}

/// The light form as SVG and CSS write it.
pub(super) fn hex((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// A colour with the width of its line, as backends take it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink {
    pub(super) colour: Colour,
    pub(super) width: u32,
}

impl BackendStyle for Ink {
    fn color(&self) -> BackendColor {
        BackendColor { alpha: 1.0, rgb: self.colour.rgb() }
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

fn all() -> impl Iterator<Item = Colour> {
    [SURFACE, INK, MUTED, AXIS, GRID, CONTEXT, BEYOND, TARGET].into_iter().chain(SERIES).chain(HEAT)
}

/// Style sheet that swaps in the dark form of each colour that `body` uses.
///
/// Fill and stroke attributes keep the light form, so a viewer without `light-dark()` shows a light picture. Inside a
/// page its `color-scheme` decides; a file on its own follows the reader's preference. A page may give the charts a
/// background of its own by setting `--chart-surface`.
pub(super) fn style_sheet(body: &str) -> String {
    let mut css = String::from(".plimsoll-chart:root{color-scheme:light dark}");
    for colour in all() {
        let light = hex(colour.rgb());
        let [_, red, green, blue] = colour.dark.to_be_bytes();
        let mut value = format!("light-dark({light},{})", hex((red, green, blue)));
        if colour == SURFACE {
            value = format!("var(--chart-surface,{value})");
        }
        for property in ["fill", "stroke"] {
            let attribute = format!("{property}=\"{light}\"");
            if body.contains(&attribute) {
                write!(css, ".plimsoll-chart [{attribute}]{{{property}:{value}}}")
                    .expect("writing to a string does not fail");
            }
        }
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(colour: u32) -> [f64; 3] {
        let [_, red, green, blue] = colour.to_be_bytes();
        [red, green, blue].map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn luminance([red, green, blue]: [f64; 3]) -> f64 {
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(a: u32, b: u32) -> f64 {
        let (a, b) = (luminance(linear(a)), luminance(linear(b)));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Distance in Ottosson's `OKLab` (2020), as seen with the deficiencies of Machado and others (2009).
    fn difference(one: u32, other: u32, sight: [[f64; 3]; 3]) -> f64 {
        let (one, other) = (perceived(one, sight), perceived(other, sight));
        one.iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt()
    }

    fn perceived(colour: u32, sight: [[f64; 3]; 3]) -> [f64; 3] {
        let seen = times(sight, linear(colour)).map(|channel| channel.clamp(0.0, 1.0));
        times(CONES_TO_LAB, times(RGB_TO_CONES, seen).map(f64::cbrt))
    }

    fn times(matrix: [[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| row.iter().zip(vector).map(|(weight, channel)| weight * channel).sum())
    }

    const RGB_TO_CONES: [[f64; 3]; 3] = [
        [0.412_221_47, 0.536_332_54, 0.051_445_99],
        [0.211_903_5, 0.680_699_55, 0.107_396_96],
        [0.088_302_46, 0.281_718_84, 0.629_978_7],
    ];
    const CONES_TO_LAB: [[f64; 3]; 3] = [
        [0.210_454_26, 0.793_617_79, -0.004_072_05],
        [1.977_998_5, -2.428_592_2, 0.450_593_71],
        [0.025_904_04, 0.782_771_77, -0.808_675_77],
    ];
    const NORMAL: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    const PROTANOPIA: [[f64; 3]; 3] =
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]];
    const DEUTERANOPIA: [[f64; 3]; 3] =
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]];

    #[test]
    fn no_two_colours_share_their_light_form() {
        let mut seen: Vec<_> = all().map(|colour| colour.light).collect();
        seen.sort_unstable();
        let count = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn marks_and_text_stand_out_from_the_surface_in_both_forms() {
        for colour in SERIES.into_iter().chain([TARGET]) {
            assert!(contrast(colour.light, SURFACE.light) >= 3.0, "{:06x} on light", colour.light);
            assert!(contrast(colour.dark, SURFACE.dark) >= 3.0, "{:06x} on dark", colour.dark);
        }
        for colour in [INK, MUTED, TARGET] {
            assert!(contrast(colour.light, SURFACE.light) >= 4.5, "{:06x} on light", colour.light);
            assert!(contrast(colour.dark, SURFACE.dark) >= 4.5, "{:06x} on dark", colour.dark);
        }
    }

    #[test]
    fn every_two_series_stay_apart_for_colour_blind_eyes() {
        for (number, a) in SERIES.iter().enumerate() {
            for b in &SERIES[number + 1..] {
                for sight in [NORMAL, PROTANOPIA, DEUTERANOPIA] {
                    let (light, dark) = (difference(a.light, b.light, sight), difference(a.dark, b.dark, sight));
                    assert!(light > 0.15 && dark > 0.15, "{:06x} {:06x}: {light} {dark}", a.light, b.light);
                }
            }
        }
    }

    #[test]
    fn heat_runs_from_the_surface_to_the_ink() {
        for pair in HEAT.windows(2) {
            assert!(luminance(linear(pair[0].light)) > luminance(linear(pair[1].light)));
            assert!(luminance(linear(pair[0].dark)) < luminance(linear(pair[1].dark)));
        }
    }

    #[test]
    fn the_style_sheet_names_what_is_used_and_nothing_else() {
        let css = style_sheet(r##"<path fill="#0056c9"/>"##);
        assert!(css.contains(r##"[fill="#0056c9"]{fill:light-dark(#0056c9,#2398fe)}"##), "{css}");
        assert!(!css.contains("stroke") && !css.contains("#dd6900"), "{css}");
    }
}
