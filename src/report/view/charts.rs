//! Charts as sections of a report.

use super::{Block, Chart, Section};

/// Charts that matter most, which stand before the tables.
pub(super) const LEADING: usize = 3;

/// The first charts, and those behind them.
pub(super) fn charts_sections(charts: &[Chart], leading: usize) -> [Section; 2] {
    let (leading, further) = charts.split_at(leading.min(charts.len()));
    [charts_section("charts", "Charts", leading), charts_section("further-charts", "Further charts", further)]
}

pub(super) fn charts_section(id: &'static str, title: &'static str, charts: &[Chart]) -> Section {
    let blocks = if charts.is_empty() { Vec::new() } else { vec![Block::Charts(charts.to_vec())] };
    Section::new(id, title, blocks)
}
