//! The summary as JSON for programs: `--format json`.
//!
//! Fields are only ever added; one that changes its meaning gets another name and raises `schema_version`. Rows have
//! the names and units of `summary.csv`. The JSON Schema is derived from these types.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    format::plain,
    json_audit::RulingRecord,
    json_parts::{Finding, Objective, Software, Target, findings, remarks, text},
    number::{micros, seconds},
    subject::RunReport,
    summary::{Row, rows},
    view::{View, comparison_headline},
};
use crate::analysis::{self, CheckKind, DependencySide, Level, Outcome, baseline::Standing};

/// Version of the layout of this summary.
const SCHEMA_VERSION: u32 = 1;

/// Output of `run --format json`. Times are microseconds, rates are per second, shares lie between 0 and 1. Fields may be
/// added; null stands where nothing is known.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Summary of a plimsoll run")]
pub(super) struct Summary<'a> {
    /// Version of this layout.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// Name of the scenario.
    scenario: &'a str,
    /// Start of the measured period, RFC 3339 in UTC.
    started: &'a str,
    /// Length of the measured period.
    measured_s: f64,
    /// Whether the run was interrupted.
    interrupted: bool,
    /// Server that was measured.
    target: Target<'a>,
    /// Objective of the scenario.
    objective: Objective,
    /// Verdict of the run.
    verdict: Outcome,
    /// Verdict in one sentence.
    headline: String,
    /// Remarks beside the verdict.
    remarks: Vec<String>,
    /// Operations, then services, then the whole; as in `summary.csv`.
    rows: Vec<Row<'a>>,
    /// Checks of the measurement.
    checks: Vec<Check<'a>>,
    /// Findings.
    findings: Vec<Finding>,
    /// Rules applied to the server, its users and its machine.
    audit: Vec<RulingRecord<'a>>,
    /// Dependencies of services besides the server, in the order of the scenario.
    dependencies: Vec<Dependency<'a>>,
    /// Build of plimsoll that measured.
    software: Software<'a>,
    /// Comparison with a baseline; only where one was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Baseline")]
    baseline: Option<Baseline<'a>>,
}

/// Comparison of the run with a baseline.
#[derive(Serialize, JsonSchema)]
struct Baseline<'a> {
    /// Name of the baseline.
    name: &'a str,
    /// Verdict of the comparison.
    verdict: Standing,
    /// Verdict in one sentence.
    headline: String,
}

/// Check of the measurement.
#[derive(Serialize, JsonSchema)]
struct Check<'a> {
    /// Kind.
    kind: CheckKind,
    /// Service or worker; null for the whole run.
    subject: Option<&'a str>,
    /// Measured value; null where it is not known.
    value: Option<f64>,
    /// Limit from which on the check warns.
    warn: f64,
    /// Limit from which on the check invalidates the run; null for none.
    refuse: Option<f64>,
    /// Outcome.
    level: Level,
}

/// Probes of a dependency.
#[derive(Serialize, JsonSchema)]
struct Dependency<'a> {
    /// Name.
    name: &'a str,
    /// Address.
    address: &'a str,
    /// Number of probes before, during and after the run.
    probes: u32,
    /// Number of probes that failed.
    failures: u32,
    /// Shortest time from the request to the answer.
    latency_min_us: Option<f64>,
    /// Mean time from the request to the answer.
    latency_mean_us: Option<f64>,
    /// Longest time from the request to the answer.
    latency_max_us: Option<f64>,
    /// Message of the last failure.
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
        verdict: analysis.verdict.outcome,
        headline: plain(&view.headline.sentence),
        remarks: remarks(&view.headline),
        rows: rows(scenario, analysis),
        checks: analysis.checks.iter().map(check).collect(),
        findings: findings(view),
        audit: analysis.audit.iter().map(RulingRecord::new).collect(),
        dependencies: analysis.dependencies.iter().map(dependency).collect(),
        software: (&run.software).into(),
        baseline: against.as_ref().map(|compared| Baseline {
            name: &compared.against,
            verdict: compared.comparison.standing,
            headline: plain(&comparison_headline(compared).sentence),
        }),
    };
    text(&summary)
}

fn check(check: &analysis::Check) -> Check<'_> {
    Check {
        kind: check.kind,
        subject: check.subject.as_deref(),
        value: Some(check.value).filter(|value| value.is_finite()),
        warn: check.warn,
        refuse: check.refuse,
        level: check.level,
    }
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
