//! An audit as JSON for programs, and its rulings for the summary of a run.
//!
//! Fields are only ever added. The JSON Schema is derived from these types.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    format::plain,
    json_parts::text,
    record::record,
    subject::AuditReport,
    view::{audit_fact, audit_words},
};
use crate::{
    analysis::audit::{Evidence, Quantity, Remedy, RemedyName, Ruling, Severity},
    results::{Software, TargetFacts, Withheld, slug},
};

/// Version of the layout.
const SCHEMA_VERSION: u32 = 1;

/// The audit as JSON.
pub(super) fn render(audit: &AuditReport<'_>) -> String {
    text(&AuditDocument::new(audit))
}

record! {
    /// Output of `audit --format json`.
    #[schemars(title = "Audit by plimsoll")]
    pub(super) struct AuditDocument<'a>(audit: &'a AuditReport<'a>) {
        /// Version of this layout.
        #[schemars(extend("const" = SCHEMA_VERSION))]
        schema_version: u32 = SCHEMA_VERSION,
        /// Time of the audit, RFC 3339 in UTC.
        #[schemars(extend("format" = "date-time"))]
        taken: &'a str = audit.taken,
        /// Server that was audited.
        target: Target<'a> = Target::new(audit.subject.target),
        /// Name of the scenario whose services use the server.
        scenario: Option<&'a str> = audit.subject.scenario.map(|scenario| scenario.name.as_str()),
        /// One entry for each rule and thing that it applies to.
        rulings: Vec<RulingRecord<'a>> = audit.rulings.iter().map(RulingRecord::new).collect(),
        /// Facts that could not be learned.
        withheld: Vec<&'a Withheld> = audit.subject.inspection.refused(),
        /// Build of plimsoll that audited.
        software: Version<'a> = Version::new(audit.software),
    }
}

record! {
    /// Server that was audited.
    struct Target<'a>(target: &'a TargetFacts) {
        /// Address without credentials.
        address: &'a str = &target.address,
        /// Product: redis, valkey or keydb.
        product: &'a str = &target.product,
        /// Version of the server.
        version: &'a str = &target.version,
    }
}

record! {
    /// Build of plimsoll.
    struct Version<'a>(software: &'a Software) {
        /// Version.
        version: &'a str = &software.version,
        /// Git commit, where known.
        commit: Option<&'a str> = software.commit.as_deref(),
    }
}

record! {
    /// One rule applied to one thing; the same in an audit and in the summary of a run.
    pub(super) struct RulingRecord<'a>(ruling: &'a Ruling) {
        /// Name of the rule.
        #[schemars(regex(pattern = r"^[a-z-]+$"))]
        rule: String = slug(&ruling.rule),
        /// Severity.
        severity: Severity = ruling.severity,
        /// User, service or command that the rule is applied to; null where there is only one.
        about: Option<&'a str> = ruling.about.as_deref(),
        /// Addresses of the nodes that the ruling is about; absent where it is about all nodes together, or a server that stands alone.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        nodes: &'a [String] = ruling.scope.as_ref().map_or(&[][..], |scope| &scope.nodes[..]),
        /// Observation in one sentence.
        fact: String = plain(&audit_fact(ruling)),
        /// Figures behind the observation.
        evidence: Vec<Fact> = ruling.evidence.iter().map(Fact::new).collect(),
        /// Advice; empty where the rule holds.
        advice: &'static str = if ruling.severity >= Severity::Note { audit_words(ruling.rule).advice } else { "" },
        /// Lines to be typed or written.
        remedies: Vec<Step> = ruling.remedies.iter().flat_map(steps).collect(),
        /// Commands and files that were read.
        reads: &'static str = audit_words(ruling.rule).reads,
        /// Source of the rule.
        source: &'static str = audit_words(ruling.rule).source,
    }
}

record! {
    /// A figure.
    struct Fact(fact: &Evidence) {
        /// Name.
        what: &'static str = fact.what,
        /// Value in the unit.
        value: FactValue = fact_value(&fact.value),
        /// Unit; null for text.
        unit: Option<FactUnit> = fact_unit(&fact.value),
    }
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

fn fact_value(value: &Quantity) -> FactValue {
    match value {
        Quantity::Text(text) => FactValue::Text(text.clone()),
        Quantity::Count(number) | Quantity::Bytes(number) => FactValue::Count(*number),
        Quantity::Nanos(nanos) => FactValue::Number(*nanos / 1e9),
        Quantity::Age(seconds) => FactValue::Number(*seconds as f64),
        Quantity::Share(share) | Quantity::Ratio(share) => FactValue::Number(*share),
    }
}

fn fact_unit(value: &Quantity) -> Option<FactUnit> {
    match value {
        Quantity::Text(_) => None,
        Quantity::Count(_) => Some(FactUnit::One),
        Quantity::Bytes(_) => Some(FactUnit::Bytes),
        Quantity::Nanos(_) | Quantity::Age(_) => Some(FactUnit::Seconds),
        Quantity::Share(_) | Quantity::Ratio(_) => Some(FactUnit::Ratio),
    }
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
