//! A gate with what follows from it, and the exit code that says so.

use std::path::Path;

use crate::{
    analysis::gate::{GateAnalysis, GateVerdict, conclude},
    cli::{
        exit::{Exit, Failure},
        output::{Format, Look, reported},
    },
    report,
    results::{CiCheck, Ended, Gate},
    scenario,
};

/// A gate with what follows from it.
pub(in crate::cli) struct ConcludedGate {
    gate: Gate,
    analysis: GateAnalysis,
}

impl ConcludedGate {
    /// Draws the conclusions.
    pub(in crate::cli) fn new(gate: Gate) -> Result<Self, Failure> {
        let scenario = scenario::parse(&gate.scenario, "scenario of the saved gate").map_err(Failure::usage)?;
        let analysis = conclude(&gate, &scenario);
        Ok(Self { gate, analysis })
    }

    /// Every file of the folder except the gate itself.
    pub(in crate::cli) fn files(&self) -> Vec<(String, Vec<u8>)> {
        report::gate_files(&self.gate, &self.analysis)
    }

    /// The verdict in one sentence.
    pub(in crate::cli) fn headline(&self) -> String {
        report::gate_headline(&self.gate, &self.analysis)
    }

    /// What is printed of it, and of the folder that it lies in if it does.
    pub(in crate::cli) fn summary(&self, format: Format, look: Look, folder: Option<&Path>) -> String {
        match format {
            Format::Json => report::gate_json(&self.gate, &self.analysis),
            Format::Text => {
                let text = report::gate_terminal(&self.gate, &self.analysis, look.style());
                folder.map_or(text.clone(), |folder| format!("{text}{}", reported(folder)))
            }
        }
    }

    /// What CI is told of it.
    pub(in crate::cli) fn for_ci(&self, name: &str) -> CiCheck {
        report::ci_gate(name, &self.gate, &self.analysis)
    }

    /// How the process ends.
    pub(in crate::cli) fn exit(&self) -> Exit {
        if self.gate.ended == Ended::Interrupted {
            return Exit::Interrupted;
        }
        if self.gate.ended == Ended::Lost {
            return Exit::Unusable;
        }
        match self.analysis.verdict {
            GateVerdict::Ok | GateVerdict::Improved => Exit::Met,
            // On servers that others use as well it is a hint.
            GateVerdict::Regression if self.gate.plan.advisory.is_some() => Exit::Inconclusive,
            GateVerdict::Regression => Exit::Missed,
            GateVerdict::Inconclusive => Exit::Inconclusive,
            GateVerdict::Invalid => Exit::Unusable,
        }
    }
}
