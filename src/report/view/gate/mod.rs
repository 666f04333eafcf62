//! What the report of a gate says: the verdict in its first sentence, then what it rests on.

mod comparison;
mod headline;
mod method;
mod trust;
mod words;

use super::{Chart, View, charts::charts_sections, names::made_by};
use crate::report::{format, subject::GateReport};

pub(in crate::report) use headline::headline as gate_headline;
pub use words::advisory_words;
pub(in crate::report) use words::metric_name;

impl View {
    /// The report of a gate, with the charts that were drawn of it.
    pub(crate) fn of_gate(outcome: &GateReport, charts: &[Chart]) -> Self {
        let [leading, further] = charts_sections(charts, 2);
        let sections = [
            leading,
            comparison::section(outcome),
            comparison::quantiles(outcome),
            trust::section(outcome),
            further,
            method::section(outcome),
        ];
        let title = format!("{}: B compared with A", words::scenario_name(&outcome.gate));
        let subtitle = subtitle(outcome);
        Self::new(title, subtitle, headline::headline(outcome), sections, made_by(&outcome.gate.software))
    }
}

fn subtitle(outcome: &GateReport) -> String {
    let gate = &outcome.gate;
    let slices: usize = gate.blocks.iter().map(|block| block.slices.len()).sum();
    let arms = gate.arms.named().map(|(side, arm)| format!("{side}: {} ({}). ", arm.name, arm.target.software()));
    format!(
        "{}{} in {}, profile {}, begun on {}.",
        arms.collect::<String>(),
        format::counted(slices as u64, "slice", "slices"),
        format::counted(gate.blocks.len() as u64, "block", "blocks"),
        gate.plan.profile,
        gate.started,
    )
}
