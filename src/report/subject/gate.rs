//! A gate and what is concluded from it.

use crate::{
    analysis::gate::{GateAnalysis, GateRow, conclude},
    results::{Gate, Verdict},
    scenario::{self, ScenarioErrors},
};

/// A gate and what is concluded from it.
#[derive(Debug, Clone)]
pub struct GateReport {
    pub(crate) gate: Gate,
    pub(crate) analysis: GateAnalysis,
}

impl GateReport {
    /// The verdict as it counts: a regression on servers that others use as well is a hint.
    pub fn verdict(&self) -> Verdict {
        if self.gate.plan.advisory.is_some() { self.analysis.verdict.as_hint() } else { self.analysis.verdict }
    }

    /// Draws the conclusions. Fails where the scenario of the gate is none that this version reads.
    pub fn new(gate: Gate) -> Result<Self, ScenarioErrors> {
        let scenario = scenario::parse(&gate.scenario, "scenario of the saved gate")?;
        let analysis = conclude(&gate, &scenario);
        Ok(Self { gate, analysis })
    }

    /// Row of all requests; `None` where nothing was compared.
    pub(crate) fn whole(&self) -> Option<&GateRow> {
        self.analysis.rows.last().filter(|row| row.scope.service.is_none())
    }
}
