//! The summary as JSON for programs: `--format json`.
//!
//! Fields are only ever added; one that changes its meaning gets another name and raises `schema_version`. Rows have
//! the names and units of `summary.csv`. The JSON Schema is derived from these types.

use super::{
    format::plain,
    json_audit::RulingRecord,
    json_client_cost::ClientCostRow,
    json_events::EventSummary,
    json_generators::GeneratorSummary,
    json_nodes::{NodeSummary, ReadSummary},
    json_outages::{self, OutageSummary},
    json_parts::{Finding, Objective, ServiceClient, Software, Target, clients, findings, remarks, text},
    number::{micros, seconds},
    record::record,
    subject::{ComparisonReport, RunReport},
    summary::{Row, rows},
    view::{View, comparison_headline},
};
use crate::{
    analysis::{self, CheckKind, DependencySide, Level},
    results::{InComparison, InRun, WriteAuditRecord},
};

/// Version of the layout of this summary.
const SCHEMA_VERSION: u32 = 1;

record! {
    /// Output of `run --format json`. Times are microseconds, rates are per second, shares lie between 0 and 1. Fields may be
    /// added; null stands where nothing is known.
    #[schemars(title = "Summary of a plimsoll run")]
    pub(super) struct Summary<'a>(report: &'a RunReport, view: &View) {
        /// Version of this layout.
        #[schemars(extend("const" = SCHEMA_VERSION))]
        schema_version: u32 = SCHEMA_VERSION,
        /// Name of the scenario.
        scenario: &'a str = &report.scenario.name,
        /// Start of the measured period, RFC 3339 in UTC.
        started: &'a str = &report.run.started,
        /// Length of the measured period.
        measured_s: f64 = seconds(report.run.recording.period.measured_ns),
        /// Whether the run was interrupted.
        interrupted: bool = report.run.recording.period.interrupted,
        /// Server that was measured.
        target: Target<'a> = Target::new(&report.run.target),
        /// Objective of the scenario.
        objective: Objective = Objective::new(&report.scenario.objective),
        /// Client library and protocol of each service.
        clients: Vec<ServiceClient> = clients(&report.scenario),
        /// Verdict of the run.
        verdict: InRun = InRun(report.analysis.conclusion.verdict),
        /// Verdict in one sentence.
        headline: String = plain(&view.headline.sentence),
        /// Remarks beside the verdict.
        remarks: Vec<String> = remarks(&view.headline),
        /// Operations, then services, then the whole; as in `summary.csv`.
        rows: Vec<Row<'a>> = rows(&report.scenario, &report.analysis),
        /// Checks of the measurement.
        checks: Vec<Check<'a>> = report.analysis.checks.iter().map(Check::new).collect(),
        /// Findings.
        findings: Vec<Finding> = findings(view),
        /// Rules applied to the server, its users and its machine.
        audit: Vec<RulingRecord<'a>> = report.analysis.audit.iter().map(RulingRecord::new).collect(),
        /// Dependencies of services besides the server, in the order of the scenario.
        dependencies: Vec<Dependency<'a>> = report.analysis.dependencies.iter().map(Dependency::new).collect(),
        /// Cost of the client library by operation, the whole at the end; only where it was measured.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Vec<ClientCostRow>")]
        client_cost: Option<Vec<ClientCostRow<'a>>> = client_cost(report),
        /// Nodes, then requests that no single known node served; as in `nodes.csv`, and only where there are several nodes.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Vec<NodeSummary>")]
        nodes: Option<Vec<NodeSummary<'a>>> = nodes(report),
        /// Reads by the role of the node that served them; as in `reads.csv`, and only where a service reads from replicas.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Vec<ReadSummary>")]
        reads: Option<Vec<ReadSummary<'a>>> = reads(report),
        /// Processes that sent the load together; as in `generators.csv`, and only where there are several.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Vec<GeneratorSummary>")]
        generators: Option<Vec<GeneratorSummary<'a>>> = generators(report),
        /// Events of the scenario; as in `events.csv`, and only where there are any.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Vec<EventSummary>")]
        events: Option<Vec<EventSummary<'a>>> = events(report),
        /// Outages of services and nodes; as in `outages.csv`, and only where there are any.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Vec<OutageSummary>")]
        outages: Option<Vec<OutageSummary<'a>>> = outages(report),
        /// Audit of acknowledged writes; only where the scenario has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "WriteAuditSummary")]
        write_audit: Option<WriteAuditSummary> = report.run.write_audit.as_ref().map(WriteAuditSummary::new),
        /// Build of plimsoll that measured.
        software: Software<'a> = Software::new(&report.run.software),
        /// Comparison with a baseline; only where one was requested.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Baseline")]
        baseline: Option<Baseline<'a>> = report.against.as_ref().map(Baseline::new),
    }
}

record! {
    /// Comparison of the run with a baseline.
    struct Baseline<'a>(compared: &'a ComparisonReport) {
        /// Name of the baseline.
        name: &'a str = &compared.against,
        /// Verdict of the comparison.
        verdict: InComparison = InComparison(compared.comparison.verdict),
        /// Verdict in one sentence.
        headline: String = plain(&comparison_headline(compared).sentence),
    }
}

record! {
    /// Audit of acknowledged writes.
    struct WriteAuditSummary(audit: &WriteAuditRecord) {
        /// Increments that were sent.
        sent: u64 = audit.sent,
        /// Increments with a reply.
        acknowledged: u64 = audit.acknowledged,
        /// Increments with an error reply.
        refused: u64 = audit.refused,
        /// Increments without a reply.
        unknown: u64 = audit.unknown,
        /// Counters that could not be read at the end.
        unread: u64 = audit.unread,
        /// Lower bound of the number of acknowledged increments that were lost.
        lost_least: u64 = audit.lost().0,
        /// Upper bound of that number.
        lost_most: u64 = audit.lost().1,
        /// Increments that were executed more often than they were sent.
        repeated: u64 = audit.repeated,
    }
}

record! {
    /// Check of the measurement.
    struct Check<'a>(check: &'a analysis::Check) {
        /// Kind.
        kind: CheckKind = check.kind,
        /// Service or worker; null for the whole run.
        subject: Option<&'a str> = check.subject.as_deref(),
        /// Measured value; null where it is not known.
        value: Option<f64> = Some(check.value).filter(|value| value.is_finite()),
        /// Limit from which on the check warns.
        warn: f64 = check.warn,
        /// Limit from which on the check invalidates the run; null for none.
        refuse: Option<f64> = check.refuse,
        /// Outcome.
        level: Level = check.level,
    }
}

record! {
    /// Probes of a dependency.
    struct Dependency<'a>(side: &'a DependencySide) {
        /// Name.
        name: &'a str = &side.name,
        /// Address.
        address: &'a str = &side.address,
        /// Number of probes before, during and after the run.
        probes: u32 = side.all().probes,
        /// Number of probes that failed.
        failures: u32 = side.all().failed(),
        /// Shortest time from the request to the answer.
        latency_min_us: Option<f64> = side.latency.map(|latency| micros(latency.min as f64)),
        /// Mean time from the request to the answer.
        latency_mean_us: Option<f64> = side.latency.map(|latency| micros(latency.mean)),
        /// Longest time from the request to the answer.
        latency_max_us: Option<f64> = side.latency.map(|latency| micros(latency.max as f64)),
        /// Message of the last failure.
        last_failure: Option<&'a str> = side.last_failure.as_deref(),
    }
}

fn reads(report: &RunReport) -> Option<Vec<ReadSummary<'_>>> {
    let reads = &report.analysis.reads;
    (!reads.is_empty()).then(|| reads.iter().map(ReadSummary::new).collect())
}

fn generators(report: &RunReport) -> Option<Vec<GeneratorSummary<'_>>> {
    let generators = &report.analysis.generators;
    (!generators.is_empty()).then(|| generators.iter().map(GeneratorSummary::new).collect())
}

fn nodes(report: &RunReport) -> Option<Vec<NodeSummary<'_>>> {
    let nodes = &report.analysis.nodes;
    (!nodes.is_empty()).then(|| nodes.iter().map(NodeSummary::new).collect())
}

fn events(report: &RunReport) -> Option<Vec<EventSummary<'_>>> {
    let events = &report.run.events;
    (!events.is_empty()).then(|| events.iter().map(EventSummary::new).collect())
}

fn outages(report: &RunReport) -> Option<Vec<OutageSummary<'_>>> {
    let RunReport { run, analysis, .. } = report;
    (!analysis.outages.is_empty()).then(|| json_outages::summaries(run, analysis).collect())
}

fn client_cost(report: &RunReport) -> Option<Vec<ClientCostRow<'_>>> {
    report.analysis.client.as_ref().map(|side| side.rows.iter().map(ClientCostRow::new).collect())
}

/// The summary, indented, with a line break at its end.
pub(super) fn render(report: &RunReport, view: &View) -> String {
    text(&Summary::new(report, view))
}
