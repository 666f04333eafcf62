//! Comparing a run with a baseline as part of its own report.

use std::path::Path;

use super::exit::Failure;
use crate::{
    analysis::baseline::{CompareOptions, abstract_of},
    report::{ComparisonReport, File, RunReport},
    results::{Abstract, Asked, BASELINE_COPY, Baseline, Baselines},
};

/// Runs that others are compared with, and the name that stands for them.
#[derive(Debug, Clone)]
pub(super) struct BaselineRuns {
    pub(super) name: String,
    pub(super) runs: Vec<Abstract>,
}

/// The abstract of the run that lies in a folder, or will.
pub(super) fn abstracted(report: &RunReport, folder: &Path) -> Abstract {
    abstract_of(&report.run, &report.analysis, &name_of(folder))
}

/// Compares a run with its baseline.
pub(super) fn compared(
    held: BaselineRuns,
    report: &RunReport,
    folder: &Path,
    options: CompareOptions,
) -> ComparisonReport {
    ComparisonReport::new(held.name, held.runs, abstracted(report, folder), options)
}

/// The same comparison once more, for a run whose folder holds the copy of what it was compared with.
pub(super) fn again(folder: &Path, report: &RunReport) -> Result<Option<ComparisonReport>, Failure> {
    let Some(copy) = Baselines::beside(folder).map_err(Failure::usage)? else { return Ok(None) };
    let Some(asked) = copy.asked else { return Ok(None) };
    let options = CompareOptions { threshold: asked.threshold, allow_differences: asked.allow_differences };
    Ok(Some(compared(BaselineRuns { name: asked.name, runs: copy.runs }, report, folder, options)))
}

/// The copy that lies beside the run: the baseline may change, and the report must stay.
pub(super) fn copy(comparison: &ComparisonReport) -> File {
    let asked = Asked {
        name: comparison.against.clone(),
        threshold: comparison.options.threshold,
        allow_differences: comparison.options.allow_differences,
    };
    let copy = Baseline { asked: Some(asked), ..Baseline::new(comparison.base.clone()) };
    (BASELINE_COPY.to_owned(), copy.to_json().into_bytes())
}

/// Name of a run: its folder, with the folder above where that is just a number.
fn name_of(folder: &Path) -> String {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let full = if full.is_file() { full.parent().map(Path::to_owned).unwrap_or_default() } else { full };
    let mut parts = full.iter().rev().map(|part| part.to_string_lossy().into_owned());
    let name = parts.next().unwrap_or_else(|| "run".to_owned());
    match (parts.next().as_deref(), parts.next()) {
        (Some("trials"), Some(capacity)) => format!("{capacity}-trial-{name}"),
        _ => name,
    }
}
