//! A run with what follows from it.

use std::path::Path;

use super::{
    against::Against,
    exit::Failure,
    output::{Document, Format, Look, page, reported, shown},
};
use crate::{
    analysis::{
        Analysis, analyse,
        baseline::{Standing, abstract_of},
    },
    report::{self, AuditLimit},
    results::{Abstract, CiCheck, CiScenario, Run},
    scenario::{self, Scenario},
};

/// A run with what follows from it.
pub(super) struct Concluded {
    run: Run,
    scenario: Scenario,
    /// What is concluded.
    pub(super) analysis: Analysis,
    /// What a comparison with a baseline says, where one was asked for.
    pub(super) against: Option<Against>,
}

impl Concluded {
    /// Draws the conclusions.
    pub(super) fn new(run: Run) -> Result<Self, Failure> {
        let scenario = scenario::parse(&run.scenario, "scenario of the saved run").map_err(Failure::usage)?;
        let analysis = analyse(&run, &scenario);
        Ok(Self { run, scenario, analysis, against: None })
    }

    /// The abstract of the run that lies in a folder, or will.
    pub(super) fn abstracted(&self, folder: &Path) -> Abstract {
        abstract_of(&self.run, &self.analysis, &name_of(folder))
    }

    /// What came of holding the run against others, if that was asked for.
    pub(super) fn standing(&self) -> Option<Standing> {
        self.against.as_ref().map(Against::standing)
    }

    /// Every file of the result folder except the run itself, and the document that is asked for besides.
    pub(super) fn files(&self, style: Option<Document>) -> Vec<(String, Vec<u8>)> {
        let compared = self.against.as_ref().map(Against::compared);
        let mut files = report::files_against(&self.run, &self.scenario, &self.analysis, compared.as_ref());
        if style == Some(Document::Analysis) {
            files.extend(report::analysis_files(&self.run, &self.scenario, &self.analysis));
        }
        files
    }

    /// The verdict in one sentence.
    pub(super) fn headline(&self) -> String {
        report::headline(&self.run, &self.scenario, &self.analysis)
    }

    /// What CI is told of it.
    pub(super) fn for_ci(&self, name: &str, limit: AuditLimit) -> CiScenario {
        report::ci_scenario(name, &self.run, &self.scenario, &self.analysis, limit)
    }

    /// What CI is told of the comparison with a baseline, if there was one.
    pub(super) fn comparison_for_ci(&self, name: &str, fails: bool) -> Option<CiCheck> {
        self.against.as_ref().map(|against| report::ci_comparison(name, &against.compared(), fails))
    }

    /// What is printed of a run, and of the folder that it lies in if it does.
    pub(super) fn summary(&self, format: Format, look: Look, folder: Option<&Path>, style: Option<Document>) -> String {
        let compared = self.against.as_ref().map(Against::compared);
        let compared = compared.as_ref();
        match format {
            Format::Json => report::json_summary(&self.run, &self.scenario, &self.analysis, compared),
            Format::Text => {
                let mut text = report::terminal(&self.run, &self.scenario, &self.analysis, compared, look.style());
                if let Some(folder) = folder {
                    text.push_str(&reported(folder));
                    if style.is_some() {
                        text = format!("{text}Analysis: {}\n", shown(&folder.join(page(style))).display());
                    }
                }
                text
            }
        }
    }
}

/// What a run is called: its folder, and the one above where that is just a number.
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
