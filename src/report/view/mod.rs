//! What a report says, once, for every output: the verdict in a sentence, tables, reasons to trust the numbers,
//! findings with advice, and how the run was made. All prose lives here; the renderers know syntax only.

mod audit;
mod baseline;
mod capacity;
mod cells;
mod checks;
mod dependencies;
mod dossier;
mod events;
mod failures;
mod findings;
mod gate;
mod headline;
mod keyspace;
mod method;
mod model;
mod pools;
mod results;
mod round_trips;
mod server;
mod server_findings;
mod server_resources;
mod trust;

use std::time::Duration;

pub(super) use audit::{
    AT_SERVER, Words as AuditWords, fact as audit_fact, headline as audit_headline, severity_word, words as audit_words,
};
pub use baseline::difference_in_words;
pub(super) use baseline::{
    baseline_headline, comparison_headline, difference_field, difference_slug, history_headline, method_slug,
    quantity_slug, standing_slug,
};
pub(super) use capacity::{
    advice_slug, capacity_headline, ended_slug, failure_slug, failure_value, limit_figures, limit_slug, sweep_axes,
    undone,
};
pub(super) use checks::slug;
pub(super) use gate::{gate_change, gate_headline, metric_name, metric_slug, shape_slug, verdict_slug};
pub(super) use headline::headline as run_headline;
pub(crate) use model::{
    Advice, Align, Block, Cell, Column, Figure, Headline, KeyNumber, Listing, Note, RowKind, Section, Shown, Table,
    TableRow, Tone, View,
};
pub(super) use round_trips::round_trips;

use super::{chart::Chart, format, subject::RunReport};
use crate::{
    analysis::{Distribution, Grade, Level, Outcome, PercentileValue, Scope},
    results::{Run, Withheld},
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
        let view = Self {
            title: format!("{}: response time against {}", scenario.name, format::setting(scenario.objective.latency)),
            subtitle: subtitle(run, scenario),
            headline: headline::headline(report),
            sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
            colophon: colophon(run),
        };
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

/// Charts that matter most, which stand before the tables.
const LEADING: usize = 3;

/// The first charts, and those behind them.
fn charts_sections(charts: &[Chart], leading: usize) -> [Section; 2] {
    let (leading, further) = charts.split_at(leading.min(charts.len()));
    [charts_section("charts", "Charts", leading), charts_section("further-charts", "Further charts", further)]
}

fn charts_section(id: &'static str, title: &'static str, charts: &[Chart]) -> Section {
    let figures: Vec<_> = charts
        .iter()
        .map(|chart| Figure {
            name: chart.name,
            title: chart.title.clone(),
            description: chart.description.clone(),
            svg: chart.svg.clone(),
        })
        .collect();
    let blocks = if figures.is_empty() { Vec::new() } else { vec![Block::Figures(figures)] };
    Section::new(id, title, blocks)
}

fn subtitle(run: &Run, scenario: &Scenario) -> String {
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

fn colophon(run: &Run) -> String {
    let commit = run.software.commit.as_ref().map(|commit| format!(" ({commit})")).unwrap_or_default();
    format!("plimsoll {}{commit}", run.software.version)
}

/// The word for an outcome in machine-readable outputs.
pub fn outcome_slug(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Inconclusive => "inconclusive",
        Outcome::Invalid => "invalid",
    }
}

/// The word for a level in machine-readable outputs.
pub(super) fn level_slug(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Unknown => "unknown",
        Level::Warn => "warn",
        Level::Refuse => "refuse",
    }
}

/// The word for a grade.
pub(super) fn grade_word(grade: Grade) -> &'static str {
    match grade {
        Grade::Excellent => "EXCELLENT",
        Grade::Good => "GOOD",
        Grade::Acceptable => "ACCEPTABLE",
        Grade::Missed => "MISSED",
    }
}

/// What a row is called in running text: `api GET`, `api`, `all services`.
fn row_name(service: Option<&str>, operation: Option<&str>) -> String {
    match (service, operation) {
        (Some(service), Some(operation)) => format!("{service} {operation}"),
        (Some(service), None) => service.to_owned(),
        (None, _) => "all services".to_owned(),
    }
}

/// What could not be learned, each reason once.
fn not_learned<'a>(withheld: impl Iterator<Item = &'a Withheld>) -> Option<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for Withheld { what, reason } in withheld {
        let (reason, what) = match reason.split_once("; Redis has them since ") {
            Some((reason, since)) => (reason, format!("{what}, from Redis {since} on")),
            None => (reason.as_str(), what.clone()),
        };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, all)) => all.push(what),
            None => reasons.push((reason, vec![what])),
        }
    }
    let said: Vec<_> = reasons.into_iter().map(|(reason, all)| format!("{} ({reason})", all.join(", "))).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn scope_name(scope: &Scope) -> String {
    row_name(scope.service.as_deref(), scope.operation.as_deref())
}

/// A percentile of a distribution, if analysis offers it.
fn known_percentile(distribution: &Distribution, percentile: f64) -> Option<PercentileValue> {
    // Both numbers come from decimal literals or the same field; they are equal or they are different percentiles.
    distribution.percentiles.iter().find(|known| (known.percentile - percentile).abs() < 1e-9).map(|known| known.value)
}
