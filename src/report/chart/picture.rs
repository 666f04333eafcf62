//! Charts as files: SVG for pages and PNG for slides, both from the same drawing.

use super::{plot::Plot, raster, svg};

/// One chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Stem of its file names, unique within a run.
    pub name: &'static str,
    /// Title; it is also part of the picture.
    pub title: String,
    /// What it shows, with the numbers that matter, for people who do not see it.
    pub description: String,
    /// A document that may also be placed inside a page: as wide as its container, light or dark by the page's
    /// `color-scheme`. Its elements have ids that start with `name`.
    pub svg: String,
    /// 1600 pixels wide, light.
    pub png: Vec<u8>,
}

/// The files of charts, by their path within a folder of results.
pub(in crate::report) fn files(charts: Vec<Chart>) -> impl Iterator<Item = (String, Vec<u8>)> {
    charts.into_iter().flat_map(|Chart { name, svg, png, .. }| {
        [(format!("charts/{name}.svg"), svg.into_bytes()), (format!("charts/{name}.png"), png)]
    })
}

/// Charts of these plots.
pub(super) fn painted(plots: Vec<Plot>) -> Vec<Chart> {
    let painted = |plot: Plot| {
        let (svg, png) = (svg::document(&plot), raster::png(plot.size(), &plot.canvas));
        let Plot { name, title, description, .. } = plot;
        Chart { name, title, description, svg, png }
    };
    plots.into_iter().map(painted).collect()
}
