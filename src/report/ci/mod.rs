//! What CI is told: a summary for people, and the same in the formats of its tools, all made from the saved
//! [`Ci`] alone. Each format is one file; what checks there are is none of its business.

mod annotations;
mod bencher;
mod benchmark_action;
mod comparing;
mod junit;
mod openmetrics;
mod scenario;
mod summary;
#[cfg(test)]
mod tests;
mod words;

pub use annotations::annotations as ci_annotations;
pub use comparing::{ci_comparison, ci_gate, ci_gate_interrupted, ci_no_baseline, ci_no_gate};
pub use scenario::{AuditLimit, ci_not_run, ci_scenario, ci_unmeasured, ci_unsaved};
pub use summary::{ci_headline, ci_summary};

use super::{Style, terminal};
use crate::results::Ci;

/// The summary in Markdown, by the name of its file.
pub const CI_SUMMARY: &str = "summary.md";

/// Every file of the folder of a `plimsoll ci` except `ci.json` itself and its runs.
pub fn ci_files(ci: &Ci) -> Vec<(String, Vec<u8>)> {
    let files = [
        (CI_SUMMARY, ci_summary(ci)),
        ("junit.xml", junit::render(ci)),
        ("benchmark-latency.json", benchmark_action::latency(ci)),
        ("benchmark-throughput.json", benchmark_action::throughput(ci)),
        ("bencher.json", bencher::render(ci)),
        ("metrics.txt", openmetrics::render(ci)),
    ];
    files.map(|(name, text)| (name.to_owned(), text.into_bytes())).into()
}

/// The summary for the terminal.
pub fn ci_terminal(ci: &Ci, style: Style) -> String {
    terminal::render(&summary::view(ci, summary::Depth::Whole), style)
}
