//! The outputs of a gate, made from its slices and what was concluded from them.

use super::{Style, View, chart, csv_gate, html, json_gate, markdown, terminal};
use crate::{
    analysis::gate::{GateAnalysis, GateRow},
    results::Gate,
};

/// Every file of the folder of a gate except the saved gate itself.
pub fn gate_files(gate: &Gate, analysis: &GateAnalysis) -> Vec<(String, Vec<u8>)> {
    let outcome = GateOutcome { gate, analysis };
    let charts = chart::gate_charts(outcome);
    let view = View::of_gate(outcome, &charts);
    let mut files = vec![
        ("report.html".to_owned(), html::render(&view).into_bytes()),
        ("report.md".to_owned(), markdown::render(&view).into_bytes()),
        ("gate.csv".to_owned(), csv_gate::metrics(outcome)),
        ("quantiles.csv".to_owned(), csv_gate::quantiles(outcome)),
        ("slices.csv".to_owned(), csv_gate::slices(outcome)),
        ("scenario.toml".to_owned(), gate.scenario.clone().into_bytes()),
    ];
    files.extend(chart::files(charts));
    files
}

/// The report for the terminal.
pub fn gate_terminal(gate: &Gate, analysis: &GateAnalysis, style: Style) -> String {
    terminal::render(&View::of_gate(GateOutcome { gate, analysis }, &[]), style)
}

/// The verdict in one sentence.
pub fn gate_headline(gate: &Gate, analysis: &GateAnalysis) -> String {
    View::of_gate(GateOutcome { gate, analysis }, &[]).headline.sentence
}

/// The verdict as JSON, for programs. Fields are only ever added; the schema is `gate.schema.json` beside this file.
pub fn gate_json(gate: &Gate, analysis: &GateAnalysis) -> String {
    let outcome = GateOutcome { gate, analysis };
    json_gate::render(outcome, &View::of_gate(outcome, &[]))
}

/// A gate with everything that is known of it.
#[derive(Clone, Copy)]
pub(super) struct GateOutcome<'a> {
    pub(super) gate: &'a Gate,
    pub(super) analysis: &'a GateAnalysis,
}

impl<'a> GateOutcome<'a> {
    /// The row of all requests; none where nothing was compared.
    pub(super) fn whole(&self) -> Option<&'a GateRow> {
        self.analysis.rows.last().filter(|row| row.scope.service.is_none())
    }
}
