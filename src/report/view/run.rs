//! What the report of a run says.

use std::time::Duration;

use super::{
    Block, Note, View, audit,
    charts::{LEADING, charts_sections},
    dependencies, findings, headline, method,
    names::made_by,
    results, server, trust,
};
use crate::{
    report::{chart::Chart, format, subject::RunReport},
    results::Run,
    scenario::Scenario,
};

impl View {
    /// The report of a run, with the charts that were drawn of it.
    pub(crate) fn of_run(report: &RunReport, charts: &[Chart]) -> Self {
        let RunReport { run, scenario, analysis, against } = report;
        let [leading, further] = charts_sections(charts, LEADING);
        let sections = [
            findings::section(analysis),
            leading,
            results::section(scenario, analysis),
            trust::section(run, scenario, analysis),
            dependencies::section(analysis),
            server::section(run, analysis),
            audit::section(&analysis.audit, &run.inspection.withheld),
            further,
            method::section(run, scenario),
        ];
        let title = format!("{}: response time against {}", scenario.name, format::setting(scenario.objective.latency));
        let headline = headline::headline(report);
        let view = Self::new(title, subtitle(run, scenario), headline, sections, made_by(&run.software));
        view.against(against.as_ref())
    }

    /// The findings alone, as the summary for programs repeats them.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &Note> {
        let findings = self.sections.iter().filter(|section| section.id == findings::ID);
        findings.flat_map(|section| &section.blocks).flat_map(|block| match block {
            Block::Notes(notes) => notes.as_slice(),
            _ => &[],
        })
    }
}

pub(super) fn subtitle(run: &Run, scenario: &Scenario) -> String {
    let services = scenario.services.len() as u64;
    let target = &run.target;
    format!(
        "{} over {} to {} {} at {}{}, {} measured after {} of warm-up, on {}.",
        format::counted(services, "service", "services"),
        format::counted(scenario.connections(), "connection", "connections"),
        target.product,
        target.version,
        target.address,
        if target.private { " (private server)" } else { "" },
        headline::elapsed(run.recording.period.measured_ns),
        format::setting(Duration::from_nanos(run.recording.period.warmup_ns)),
        run.started,
    )
}
