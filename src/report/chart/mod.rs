//! Charts of a run as SVG for pages and PNG for slides, both from the same drawing.
//!
//! A chart is a function from an analysis to a [`Plot`], which any plotters backend can paint. Plotters supplies that
//! interface and the pixels; axes, legends and text are laid out here, because labels must never overlap or be cut. The
//! same run gives the same bytes on every machine.

mod against_target;
mod bars;
mod canvas;
mod capacity;
mod commands;
mod comparison;
mod events;
mod facts;
mod gate;
mod heat;
mod heatmap;
mod history;
mod layout;
mod lettering;
mod levels;
mod over_time;
mod palette;
mod panel;
mod percentiles;
mod plot;
mod raster;
mod scale;
mod services;
mod split;
mod svg;
#[cfg(test)]
mod tests;
mod timeline;
mod units;

use super::subject::RunReport;

pub(super) use capacity::capacity_charts;
pub(super) use comparison::comparison_charts;
pub(super) use gate::gate_charts;
pub(super) use history::history_charts;
use plot::Plot;

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
pub(super) fn files(charts: Vec<Chart>) -> impl Iterator<Item = (String, Vec<u8>)> {
    charts.into_iter().flat_map(|Chart { name, svg, png, .. }| {
        [(format!("charts/{name}.svg"), svg.into_bytes()), (format!("charts/{name}.png"), png)]
    })
}

/// All charts of a run, the most important first.
pub(super) fn run_charts(facts: &RunReport) -> Vec<Chart> {
    painted(plots(facts))
}

fn plots(facts: &RunReport) -> Vec<Plot> {
    let plots = [
        Some(against_target::plot(facts)),
        Some(percentiles::plot(facts)),
        Some(over_time::plot(facts)),
        services::plot(facts),
        Some(heatmap::plot(facts)),
        Some(split::plot(facts)),
        levels::pools(facts),
        levels::server(facts),
        commands::plot(facts),
    ];
    plots.into_iter().flatten().collect()
}

fn painted(plots: Vec<Plot>) -> Vec<Chart> {
    let painted = |plot: Plot| {
        let (svg, png) = (svg::document(&plot), raster::png(plot.size(), &plot.canvas));
        let Plot { name, title, description, .. } = plot;
        Chart { name, title, description, svg, png }
    };
    plots.into_iter().map(painted).collect()
}
