//! What the report of a run says.

use std::time::Duration;

use super::{
    Block, Chart, Note, Section, View, audit,
    charts::{LEADING, charts_sections},
    client_cost, dependencies, findings, generators, headline, method,
    names::{made_by, server as server_name},
    nodes, operator, outages, results, server, timetable, trust, write_audit,
};
use crate::{
    report::{format, subject::RunReport},
    results::Run,
    scenario::Scenario,
};

impl View {
    /// The report of a run, with the charts that were drawn of it.
    pub(crate) fn of_run(report: &RunReport, charts: &[Chart]) -> Self {
        Self::with_sections(report, charts, false)
    }

    /// The same with sections about the server, for its operator.
    pub(crate) fn of_server(report: &RunReport, charts: &[Chart]) -> Self {
        Self::with_sections(report, charts, true)
    }

    fn with_sections(report: &RunReport, charts: &[Chart], for_operator: bool) -> Self {
        let RunReport { run, scenario, analysis, against } = report;
        let added = |section: fn(&RunReport) -> Section| for_operator.then(|| section(report));
        let [leading, further] = charts_sections(charts, LEADING);
        let sections = [
            added(operator::overview),
            Some(findings::section(analysis, scenario)),
            Some(leading),
            added(operator::kinds),
            Some(results::section(scenario, analysis)),
            Some(trust::section(run, scenario, analysis)),
            added(operator::access),
            Some(dependencies::section(analysis)),
            client_cost::section(scenario, analysis),
            Some(timetable::section(&run.events)),
            Some(outages::section(report)),
            Some(write_audit::section(run, scenario)),
            Some(generators::section(analysis)),
            Some(nodes::section(run, scenario, analysis)),
            Some(server::section(run, analysis)),
            added(operator::configuration),
            Some(audit::section(&analysis.audit, &run.inspection)),
            added(operator::scaling),
            Some(further),
            Some(method::section(run, scenario)),
        ];
        let title = format!("{}: response time against {}", scenario.name, format::setting(scenario.objective.latency));
        let (headline, sections) = (headline::headline(report), sections.into_iter().flatten());
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

/// Connections of all pools, and where each goes to several nodes, how many they are.
fn connections(run: &Run, scenario: &Scenario) -> String {
    let pooled = format::counted(scenario.connections(), "connection", "connections");
    match run.target.opened(scenario) {
        opened if opened == scenario.connections() => pooled,
        opened => format!("{pooled} ({} to all nodes)", format::count(opened)),
    }
}

/// How many generators the connections are of, where it is not one process.
fn generators(run: &Run) -> String {
    match run.generators.len() as u64 {
        0 => String::new(),
        count => format!(" from {}", format::counted(count, "generator", "generators")),
    }
}

fn subtitle(run: &Run, scenario: &Scenario) -> String {
    let period = &run.recording.period;
    format!(
        "{} over {}{} to {}, {} measured after {} of warm-up, on {}.",
        format::counted(scenario.services.len() as u64, "service", "services"),
        connections(run, scenario),
        generators(run),
        server_name(&run.target),
        headline::elapsed(period.measured_ns),
        format::setting(Duration::from_nanos(period.warmup_ns)),
        run.started,
    )
}
