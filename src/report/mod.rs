//! Outputs, each made from a saved run alone.
//!
//! What they say is decided once, in [`view`] (prose, tables, findings) and [`summary`] (records for programs); each
//! output is one file that supplies only syntax. Nothing here judges: verdicts, grades and checks come from
//! [`crate::analysis`]. Nothing here writes to disk either: the caller gets names and bytes.

mod audit;
mod baseline;
mod capacity;
#[cfg(test)]
mod capacity_sample;
#[cfg(test)]
mod capacity_tests;
pub mod chart;
mod ci;
mod comparison;
#[cfg(test)]
mod comparison_tests;
mod csv;
mod csv_capacity;
mod csv_comparison;
mod csv_dependencies;
mod csv_gate;
mod csv_history;
mod csv_keyspace;
mod csv_server;
mod csv_table;
#[cfg(test)]
mod document_tests;
pub(crate) mod format;
mod gate;
#[cfg(test)]
mod gate_tests;
mod history;
mod hlog;
mod html;
mod json;
mod json_capacity;
mod json_comparison;
mod json_gate;
mod json_parts;
mod markdown;
mod number;
mod schema;
#[cfg(test)]
mod schema_tests;
mod summary;
mod terminal;
#[cfg(test)]
mod tests;
mod view;

pub use audit::AuditReport;
pub use baseline::{baseline_terminal, difference};
pub use capacity::{capacity_files, capacity_headline, capacity_json, capacity_terminal};
pub use ci::{
    AuditLimit, CI_SUMMARY, ci_annotations, ci_comparison, ci_files, ci_gate, ci_gate_interrupted, ci_headline,
    ci_no_baseline, ci_no_gate, ci_not_run, ci_scenario, ci_summary, ci_terminal, ci_unmeasured, ci_unsaved,
};
pub use comparison::Compared;
pub use gate::{gate_files, gate_headline, gate_json, gate_terminal};
pub use history::Chronicle;
pub use schema::Printed;
pub use terminal::Style;
pub use view::{outcome_slug, purpose_slug};

use self::view::View;
use crate::{
    analysis::{Analysis, RoundTrips},
    results::Run,
    scenario::{Objective, Scenario},
};

/// Every file of a result folder except the run itself, by its path within the folder.
pub fn files(run: &Run, scenario: &Scenario, analysis: &Analysis) -> Vec<(String, Vec<u8>)> {
    files_against(run, scenario, analysis, None)
}

/// The same with what a comparison with a baseline says, in the report and in files of its own.
pub fn files_against(
    run: &Run,
    scenario: &Scenario,
    analysis: &Analysis,
    against: Option<&Compared<'_>>,
) -> Vec<(String, Vec<u8>)> {
    let mut charts = chart::charts(run, scenario, analysis);
    charts.extend(against.map(chart::comparison_charts).unwrap_or_default());
    let view = View::new(run, scenario, analysis, &charts).against(against);
    let mut files = vec![
        ("report.html".to_owned(), html::render(&view).into_bytes()),
        ("report.md".to_owned(), markdown::render(&view).into_bytes()),
    ];
    files.extend(csv_files(run, scenario, analysis));
    files.push(("histograms.hlog".to_owned(), hlog::render(run, analysis)));
    files.push(("scenario.toml".to_owned(), run.scenario.clone().into_bytes()));
    if let Some(compared) = against {
        files.push(("comparison.csv".to_owned(), compared.csv()));
        files.push(("comparison.json".to_owned(), compared.json().into_bytes()));
    }
    files.extend(chart::files(charts));
    files
}

/// Those of [`files`] that are for spreadsheets and scripts.
pub fn csv_files(run: &Run, scenario: &Scenario, analysis: &Analysis) -> Vec<(String, Vec<u8>)> {
    vec![
        ("summary.csv".to_owned(), csv::summary(scenario, analysis)),
        ("timeline.csv".to_owned(), csv::timeline(analysis)),
        ("percentiles.csv".to_owned(), csv::percentiles(analysis)),
        ("errors.csv".to_owned(), csv::errors(run)),
        ("server.csv".to_owned(), csv_server::server(run)),
        ("commands.csv".to_owned(), csv_server::commands(analysis)),
        ("dependencies.csv".to_owned(), csv_dependencies::dependencies(run)),
        ("keyspace.csv".to_owned(), csv_keyspace::keyspace(analysis)),
    ]
}

/// The analysis of the server as a document of its own, by the names of its files.
pub fn analysis_files(run: &Run, scenario: &Scenario, analysis: &Analysis) -> Vec<(String, Vec<u8>)> {
    let charts = chart::charts(run, scenario, analysis);
    let view = View::dossier(run, scenario, analysis, &charts);
    vec![
        (ANALYSIS_HTML.to_owned(), html::render(&view).into_bytes()),
        ("analysis.md".to_owned(), markdown::render(&view).into_bytes()),
    ]
}

/// The page of [`analysis_files`].
pub const ANALYSIS_HTML: &str = "analysis.html";

/// The report for the terminal: verdict, table, what a comparison says, trust, findings.
pub fn terminal(
    run: &Run,
    scenario: &Scenario,
    analysis: &Analysis,
    against: Option<&Compared<'_>>,
    style: Style,
) -> String {
    terminal::render(&View::new(run, scenario, analysis, &[]).against(against), style)
}

/// Round trips that were measured one operation at a time, held against an objective: the table of the report, for the
/// terminal.
pub fn round_trips(measured: &[RoundTrips], objective: &Objective, style: Style) -> String {
    terminal::table(&view::round_trips(measured, objective), style)
}

/// The verdict in one sentence.
pub fn headline(run: &Run, scenario: &Scenario, analysis: &Analysis) -> String {
    View::new(run, scenario, analysis, &[]).headline.sentence
}

/// The summary as JSON, for programs.
pub fn json_summary(run: &Run, scenario: &Scenario, analysis: &Analysis, against: Option<&Compared<'_>>) -> String {
    json::render(run, scenario, analysis, &View::new(run, scenario, analysis, &[]), against)
}
