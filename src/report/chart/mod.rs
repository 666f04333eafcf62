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
mod event_labels;
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
mod picture;
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

use super::{subject::RunReport, view::Chart};

pub(super) use capacity::capacity_charts;
pub(super) use comparison::comparison_charts;
pub(super) use gate::gate_charts;
pub(super) use history::history_charts;
pub(super) use picture::files;
use picture::painted;
use plot::Plot;

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
