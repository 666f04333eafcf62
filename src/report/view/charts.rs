//! Charts as sections of a report.

use super::{Block, Figure, Section};
use crate::report::chart::Chart;

/// Charts that matter most, which stand before the tables.
pub(super) const LEADING: usize = 3;

/// The first charts, and those behind them.
pub(super) fn charts_sections(charts: &[Chart], leading: usize) -> [Section; 2] {
    let (leading, further) = charts.split_at(leading.min(charts.len()));
    [charts_section("charts", "Charts", leading), charts_section("further-charts", "Further charts", further)]
}

pub(super) fn charts_section(id: &'static str, title: &'static str, charts: &[Chart]) -> Section {
    let figures: Vec<_> = charts
        .iter()
        .map(|chart| Figure {
            name: chart.name,
            title: chart.title.clone(),
            description: chart.description.clone(),
            svg: chart.svg.clone(),
        })
        .collect();
    let blocks = if figures.is_empty() { Vec::new() } else { vec![Block::Figures(figures)] };
    Section::new(id, title, blocks)
}
