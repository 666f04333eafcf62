//! The summary as JSON for programs: `--format json`.
//!
//! Fields are only ever added; one that changes its meaning gets another name and raises `schema_version`. Rows have
//! the names and units of `summary.csv`. The schema is `summary.schema.json` beside this file.

use serde::Serialize;

use super::{
    format::plain,
    json_audit,
    json_parts::{Finding, Objective, Software, Target, findings, text},
    number::{micros, seconds},
    subject::RunReport,
    summary::{Record, records},
    view::{View, comparison_headline, level_slug, outcome_slug, slug, standing_slug},
};
use crate::analysis::DependencySide;

/// Version of the layout of this summary.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Summary<'a> {
    schema_version: u32,
    scenario: &'a str,
    started: &'a str,
    measured_s: f64,
    interrupted: bool,
    target: Target<'a>,
    objective: Objective,
    verdict: &'static str,
    headline: String,
    remarks: Vec<String>,
    rows: Vec<Record<'a>>,
    checks: Vec<Check<'a>>,
    findings: Vec<Finding>,
    audit: Vec<json_audit::Record<'a>>,
    dependencies: Vec<Dependency<'a>>,
    software: Software<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<Baseline<'a>>,
}

#[derive(Serialize)]
struct Baseline<'a> {
    name: &'a str,
    verdict: &'static str,
    headline: String,
}

#[derive(Serialize)]
struct Check<'a> {
    kind: &'static str,
    subject: Option<&'a str>,
    /// What is no number becomes `null`.
    value: f64,
    warn: f64,
    refuse: Option<f64>,
    level: &'static str,
}

#[derive(Serialize)]
struct Dependency<'a> {
    name: &'a str,
    address: &'a str,
    probes: u32,
    failures: u32,
    latency_min_us: Option<f64>,
    latency_mean_us: Option<f64>,
    latency_max_us: Option<f64>,
    last_failure: Option<&'a str>,
}

/// The summary, indented, with a line break at its end.
pub(super) fn render(report: &RunReport, view: &View) -> String {
    let RunReport { run, scenario, analysis, against } = report;
    let (target, objective, period) = (&run.target, &scenario.objective, &run.recording.period);
    let summary = Summary {
        schema_version: SCHEMA_VERSION,
        scenario: &scenario.name,
        started: &run.started,
        measured_s: seconds(period.measured_ns),
        interrupted: period.interrupted,
        target: target.into(),
        objective: objective.into(),
        verdict: outcome_slug(analysis.verdict.outcome),
        headline: plain(&view.headline.sentence),
        remarks: view.headline.remarks.iter().map(|remark| plain(remark)).collect(),
        rows: records(scenario, analysis),
        checks: analysis
            .checks
            .iter()
            .map(|check| Check {
                kind: slug(check.kind),
                subject: check.subject.as_deref(),
                value: check.value,
                warn: check.warn,
                refuse: check.refuse,
                level: level_slug(check.level),
            })
            .collect(),
        findings: findings(view),
        audit: analysis.audit.iter().map(json_audit::Record::new).collect(),
        dependencies: analysis.dependencies.iter().map(dependency).collect(),
        software: (&run.software).into(),
        baseline: against.as_ref().map(|compared| Baseline {
            name: &compared.against,
            verdict: standing_slug(compared.comparison.standing),
            headline: plain(&comparison_headline(compared).sentence),
        }),
    };
    text(&summary)
}

fn dependency(side: &DependencySide) -> Dependency<'_> {
    let all = side.all();
    Dependency {
        name: &side.name,
        address: &side.address,
        probes: all.probes,
        failures: all.failed(),
        latency_min_us: side.latency.map(|latency| micros(latency.min as f64)),
        latency_mean_us: side.latency.map(|latency| micros(latency.mean)),
        latency_max_us: side.latency.map(|latency| micros(latency.max as f64)),
        last_failure: side.last_failure.as_deref(),
    }
}
