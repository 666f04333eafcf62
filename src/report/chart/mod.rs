//! Charts of a run as SVG for pages and PNG for slides, both from the same drawing.
//!
//! A [`Figure`] is one chart: it takes what it shows from an analysis, lays it out, and draws itself on a [`Canvas`],
//! which any plotters backend can paint. Plotters supplies that interface and the pixels; axes, legends and text are
//! laid out here, because labels must never overlap or be cut. The same run gives the same bytes on every machine.

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
mod raster;
mod scale;
mod services;
mod split;
mod svg;
#[cfg(test)]
mod tests;
mod timeline;
mod units;

use crate::{analysis::Analysis, results::Run, scenario::Scenario};

use against_target::AgainstTarget;
use canvas::{Canvas, UNIT};
pub(super) use capacity::capacity_charts;
use commands::Commands;
pub(super) use comparison::comparison_charts;
use facts::Facts;
pub(super) use gate::gate_charts;
use heatmap::Heatmap;
pub(super) use history::history_charts;
use lettering::Fonts;
use over_time::OverTime;
use percentiles::Percentiles;
use services::Services;
use split::Split;

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
pub fn charts(run: &Run, scenario: &Scenario, analysis: &Analysis) -> Vec<Chart> {
    let fonts = Fonts::new();
    figures(&Facts { run, scenario, analysis }, &fonts).iter().map(|figure| chart(figure.as_ref(), &fonts)).collect()
}

fn figures<'a>(facts: &Facts<'a>, fonts: &Fonts) -> Vec<Box<dyn Figure + 'a>> {
    let mut figures: Vec<Box<dyn Figure + 'a>> = vec![
        Box::new(AgainstTarget::new(facts, fonts)),
        Box::new(Percentiles::new(facts, fonts)),
        Box::new(OverTime::new(facts, fonts)),
    ];
    if let Some(services) = Services::new(facts, fonts) {
        figures.push(Box::new(services));
    }
    figures.push(Box::new(Heatmap::new(facts, fonts)));
    figures.push(Box::new(Split::new(facts, fonts)));
    for levels in [levels::pools(facts, fonts), levels::server(facts, fonts)].into_iter().flatten() {
        figures.push(Box::new(levels));
    }
    if let Some(commands) = Commands::new(facts, fonts) {
        figures.push(Box::new(commands));
    }
    figures
}

/// One chart, laid out and ready to be drawn.
trait Figure {
    fn caption(&self) -> Caption;

    fn draw(&self, canvas: &mut Canvas<'_>);
}

/// What is known of a chart before it is drawn.
struct Caption {
    /// Stem of its file names.
    name: &'static str,
    title: String,
    description: String,
    /// In units; the width is [`layout::WIDTH`].
    height: f64,
}

fn chart(figure: &dyn Figure, fonts: &Fonts) -> Chart {
    let (caption, size, canvas) = drawn(figure, fonts);
    let svg = svg::document(size, &canvas, &caption);
    let Caption { name, title, description, .. } = caption;
    Chart { name, svg, png: raster::png(size, &canvas), title, description }
}

/// The caption, the size in pixels and the drawing.
fn drawn<'a>(figure: &dyn Figure, fonts: &'a Fonts) -> (Caption, (u32, u32), Canvas<'a>) {
    let caption = figure.caption();
    let mut canvas = Canvas::new(fonts);
    figure.draw(&mut canvas);
    let size = ((layout::WIDTH * UNIT) as u32, (caption.height.ceil() * UNIT) as u32);
    (caption, size, canvas)
}
