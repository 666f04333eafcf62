//! Charts as files: SVG for pages and PNG for slides, both from the same drawing.

use super::{plot::Plot, raster, svg};
use crate::report::view::Chart;

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
