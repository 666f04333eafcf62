//! What CI is reported: a summary for people, and the same in the formats of its tools, all made from the saved
//! [`Ci`] alone. Each format is one file; the checks are made elsewhere.

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

pub use annotations::annotations;
pub use comparing::{compared, gate_interrupted, gated, no_baseline, no_gate};
pub use scenario::{AuditLimit, measured, not_run, unmeasured, unsaved};
pub use summary::summary;

use super::{
    document::{Document, File, headline_file},
    view::{Chart, Headline, View},
};
use crate::results::Ci;

/// The summary in Markdown, by the name of its file.
const CI_SUMMARY: &str = "summary.md";

impl Document for Ci {
    fn headline(&self) -> Headline {
        summary::headline(self)
    }

    fn view(&self, _charts: &[Chart]) -> View {
        summary::view(self, summary::Depth::Whole)
    }

    fn json(&self) -> Option<String> {
        Some(self.to_json())
    }

    fn page(&self) -> String {
        CI_SUMMARY.to_owned()
    }

    fn files(&self) -> Vec<File> {
        let files = [
            (CI_SUMMARY, summary::summary(self)),
            ("junit.xml", junit::render(self)),
            ("benchmark-latency.json", benchmark_action::latency(self)),
            ("benchmark-throughput.json", benchmark_action::throughput(self)),
            ("bencher.json", bencher::render(self)),
            ("metrics.txt", openmetrics::render(self)),
        ];
        let mut files: Vec<File> = files.map(|(name, text)| (name.to_owned(), text.into_bytes())).into();
        files.push(headline_file(self));
        files
    }
}
