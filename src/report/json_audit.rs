//! An audit as JSON for programs, and its rulings for the summary of a run.
//!
//! Fields are only ever added. The JSON Schema is derived from these types.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    format::plain,
    json_parts::text,
    subject::AuditReport,
    view::{AuditWords, audit_fact, audit_words},
};
use crate::analysis::audit::{Quantity, Remedy, RemedyName, Ruling, Severity};

/// Version of the layout.
const SCHEMA_VERSION: u32 = 1;

/// The audit as JSON.
pub(super) fn render(audit: &AuditReport<'_>) -> String {
    let (target, withheld) = (audit.subject.target, &audit.subject.inspection.withheld);
    text(&AuditDocument {
        schema_version: SCHEMA_VERSION,
        taken: audit.taken,
        target: Target { address: &target.address, product: &target.product, version: &target.version },
        scenario: audit.subject.scenario.map(|scenario| scenario.name.as_str()),
        rulings: audit.rulings.iter().map(RulingRecord::new).collect(),
        withheld: withheld.iter().map(|entry| Withheld { what: &entry.what, reason: &entry.reason }).collect(),
        software: Version { version: &audit.software.version, commit: audit.software.commit.as_deref() },
    })
}

/// Output of `audit --format json`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Audit by plimsoll")]
pub(super) struct AuditDocument<'a> {
    /// Version of this layout.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    /// Time of the audit, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    taken: &'a str,
    /// Server that was audited.
    target: Target<'a>,
    /// Name of the scenario whose services use the server.
    scenario: Option<&'a str>,
    /// One entry for each rule and thing that it applies to.
    rulings: Vec<RulingRecord<'a>>,
    /// Facts that could not be learned.
    withheld: Vec<Withheld<'a>>,
    /// Build of plimsoll that audited.
    software: Version<'a>,
}

/// Server that was audited.
#[derive(Serialize, JsonSchema)]
struct Target<'a> {
    /// Address without credentials.
    address: &'a str,
    /// Product: redis, valkey or keydb.
    product: &'a str,
    /// Version of the server.
    version: &'a str,
}

/// Fact that could not be learned.
#[derive(Serialize, JsonSchema)]
struct Withheld<'a> {
    /// Fact.
    what: &'a str,
    /// Reason.
    reason: &'a str,
}

/// Build of plimsoll.
#[derive(Serialize, JsonSchema)]
struct Version<'a> {
    /// Version.
    version: &'a str,
    /// Git commit, where known.
    commit: Option<&'a str>,
}

/// One rule applied to one thing; the same in an audit and in the summary of a run.
#[derive(Serialize, JsonSchema)]
pub(super) struct RulingRecord<'a> {
    /// Name of the rule.
    #[schemars(regex(pattern = r"^[a-z-]+$"))]
    rule: &'static str,
    /// Severity.
    severity: Severity,
    /// User, service or command that the rule is applied to; null where there is only one.
    about: Option<&'a str>,
    /// Observation in one sentence.
    fact: String,
    /// Figures behind the observation.
    evidence: Vec<Fact>,
    /// Advice; empty where the rule holds.
    advice: &'static str,
    /// Lines to be typed or written.
    remedies: Vec<Step>,
    /// Commands and files that were read.
    reads: &'static str,
    /// Source of the rule.
    source: &'static str,
}

/// A figure.
#[derive(Serialize, JsonSchema)]
struct Fact {
    /// Name.
    what: &'static str,
    /// Value in the unit.
    value: FactValue,
    /// Unit; null for text.
    unit: Option<FactUnit>,
}

/// Value of a figure.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum FactValue {
    /// Text.
    Text(String),
    /// Whole number.
    Count(u64),
    /// Number.
    Number(f64),
}

/// Unit of a figure.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum FactUnit {
    /// Number of things.
    #[serde(rename = "1")]
    One,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Share or ratio.
    Ratio,
}

/// A line to be typed or written.
#[derive(Serialize, JsonSchema)]
struct Step {
    /// Place of the line.
    kind: RemedyName,
    /// Line.
    line: String,
}

impl<'a> RulingRecord<'a> {
    /// The record of a ruling.
    pub(super) fn new(ruling: &'a Ruling) -> Self {
        let AuditWords { id, advice, reads, source, .. } = audit_words(ruling.rule);
        Self {
            rule: id,
            severity: ruling.severity,
            about: ruling.about.as_deref(),
            fact: plain(&audit_fact(ruling)),
            evidence: ruling.evidence.iter().map(|known| fact(known.what, &known.value)).collect(),
            advice: if ruling.severity >= Severity::Note { advice } else { "" },
            remedies: ruling.remedies.iter().flat_map(steps).collect(),
            reads,
            source,
        }
    }
}

fn fact(what: &'static str, value: &Quantity) -> Fact {
    let (value, unit) = match value {
        Quantity::Text(text) => (FactValue::Text(text.clone()), None),
        Quantity::Count(count) => (FactValue::Count(*count), Some(FactUnit::One)),
        Quantity::Bytes(bytes) => (FactValue::Count(*bytes), Some(FactUnit::Bytes)),
        Quantity::Nanos(nanos) => (FactValue::Number(*nanos / 1e9), Some(FactUnit::Seconds)),
        Quantity::Age(seconds) => (FactValue::Number(*seconds as f64), Some(FactUnit::Seconds)),
        Quantity::Share(share) | Quantity::Ratio(share) => (FactValue::Number(*share), Some(FactUnit::Ratio)),
    };
    Fact { what, value, unit }
}

fn steps(remedy: &Remedy) -> Vec<Step> {
    let lines = match remedy {
        Remedy::Command(line) | Remedy::Shell(line) | Remedy::Scenario(line) => vec![line.clone()],
        Remedy::Setting { name, value } => vec![format!("{name} {value}")],
        Remedy::Configuration(lines) => lines.clone(),
        Remedy::Elsewhere { place, line } => vec![format!("{place}: {line}")],
    };
    lines.into_iter().map(|line| Step { kind: remedy.into(), line }).collect()
}
