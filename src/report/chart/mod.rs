//! Charts of a run as SVG for pages and PNG for slides, both from the same drawing.
//!
//! A [`Figure`] is one chart: it takes what it shows from an analysis, lays it out, and draws itself on a [`Canvas`]
//! over any plotters backend. Plotters supplies the interface and the pixels; axes, legends and text are laid out here,
//! because labels must never overlap or be cut. The same run gives the same bytes on every machine.

mod against_target;
mod bars;
mod canvas;
mod facts;
mod heat;
mod heatmap;
mod layout;
mod lettering;
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

use plotters_backend::DrawingBackend;

use crate::{analysis::Analysis, results::Run, scenario::Scenario};

use canvas::{Area, Canvas, UNIT};
use facts::Facts;
use lettering::Fonts;

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

/// All charts of a run, the most important first.
pub fn charts(run: &Run, scenario: &Scenario, analysis: &Analysis) -> Vec<Chart> {
    let facts = Facts { run, scenario, analysis };
    let fonts = Fonts::new();
    let mut charts = vec![
        rendered(&against_target::AgainstTarget::new(&facts, &fonts), &fonts),
        rendered(&percentiles::Percentiles::new(&facts, &fonts), &fonts),
        rendered(&over_time::OverTime::new(&facts, &fonts), &fonts),
    ];
    charts.extend(services::Services::new(&facts, &fonts).map(|services| rendered(&services, &fonts)));
    charts.push(rendered(&heatmap::Heatmap::new(&facts, &fonts), &fonts));
    charts.push(rendered(&split::Split::new(&facts, &fonts), &fonts));
    charts
}

/// One chart, laid out and ready to be drawn.
trait Figure {
    /// Stem of its file names.
    const NAME: &'static str;

    fn title(&self) -> String;

    fn description(&self) -> String;

    /// In units; the width is [`layout::WIDTH`].
    fn height(&self) -> f64;

    fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<'_, B>);
}

fn rendered<F: Figure>(figure: &F, fonts: &Fonts) -> Chart {
    let height = figure.height().ceil();
    let size = ((layout::WIDTH * UNIT) as u32, (height * UNIT) as u32);
    let (title, description) = (figure.title(), figure.description());

    let mut svg = svg::SvgBackend::new(size);
    drawn(figure, height, &mut Canvas::new(&mut svg, fonts));
    let svg = svg.finish(F::NAME, &title, &description);
    let png = raster::png(size, |backend| drawn(figure, height, &mut Canvas::new(backend, fonts)));
    Chart { name: F::NAME, title, description, svg, png }
}

fn drawn<F: Figure, B: DrawingBackend>(figure: &F, height: f64, canvas: &mut Canvas<'_, B>) {
    canvas.fill(Area { left: 0.0, top: 0.0, right: layout::WIDTH, bottom: height }, palette::SURFACE);
    figure.draw(canvas);
}
