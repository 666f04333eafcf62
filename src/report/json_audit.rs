//! An audit as JSON for programs, and its rulings for the summary of a run.
//!
//! Fields are only ever added. The schema is `audit.schema.json` beside this file.

use serde::Serialize;

use super::{
    format::plain,
    json_parts::text,
    subject::AuditReport,
    view::{AuditWords, audit_fact, audit_words, severity_word},
};
use crate::analysis::audit::{Quantity, Remedy, Ruling, Severity};

/// Version of the layout.
const SCHEMA_VERSION: u32 = 1;

/// The audit as JSON.
pub(super) fn render(audit: &AuditReport<'_>) -> String {
    let (target, withheld) = (audit.subject.target, &audit.subject.inspection.withheld);
    text(&Audit {
        schema_version: SCHEMA_VERSION,
        taken: audit.taken,
        target: Target { address: &target.address, product: &target.product, version: &target.version },
        scenario: audit.subject.scenario.map(|scenario| scenario.name.as_str()),
        rulings: audit.rulings.iter().map(Record::new).collect(),
        withheld: withheld.iter().map(|entry| Withheld { what: &entry.what, reason: &entry.reason }).collect(),
        software: Version { version: &audit.software.version, commit: audit.software.commit.as_deref() },
    })
}

#[derive(Serialize)]
struct Audit<'a> {
    schema_version: u32,
    taken: &'a str,
    target: Target<'a>,
    scenario: Option<&'a str>,
    rulings: Vec<Record<'a>>,
    withheld: Vec<Withheld<'a>>,
    software: Version<'a>,
}

#[derive(Serialize)]
struct Target<'a> {
    address: &'a str,
    product: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Withheld<'a> {
    what: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Version<'a> {
    version: &'a str,
    commit: Option<&'a str>,
}

/// One ruling for programs, in an audit and in the summary of a run alike.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    /// Name of the rule.
    rule: &'static str,
    /// `critical`, `warning`, `note`, `passed` or `unknown`.
    severity: &'static str,
    /// What it is about, where the rule is held against several things.
    about: Option<&'a str>,
    /// What was found, in a sentence.
    fact: String,
    evidence: Vec<Fact>,
    /// What to do; empty where the rule holds.
    advice: &'static str,
    /// Lines to be typed or written, each kind for its place.
    remedies: Vec<Step>,
    reads: &'static str,
    source: &'static str,
}

/// A fact with its value in the unit that is named; text has none.
#[derive(Serialize)]
struct Fact {
    what: &'static str,
    value: serde_json::Value,
    unit: Option<&'static str>,
}

/// One line, and what it is for: `command`, `setting`, `configuration`, `shell`, `elsewhere` or `scenario`.
#[derive(Serialize)]
struct Step {
    kind: &'static str,
    line: String,
}

impl<'a> Record<'a> {
    /// The record of a ruling.
    pub(super) fn new(ruling: &'a Ruling) -> Self {
        let AuditWords { id, advice, reads, source, .. } = audit_words(ruling.rule);
        Self {
            rule: id,
            severity: severity_word(ruling.severity),
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
        Quantity::Text(text) => (text.as_str().into(), None),
        Quantity::Count(count) => ((*count).into(), Some("1")),
        Quantity::Bytes(bytes) => ((*bytes).into(), Some("bytes")),
        Quantity::Nanos(nanos) => ((*nanos / 1e9).into(), Some("seconds")),
        Quantity::Age(seconds) => ((*seconds as f64).into(), Some("seconds")),
        Quantity::Share(share) | Quantity::Ratio(share) => ((*share).into(), Some("ratio")),
    };
    Fact { what, value, unit }
}

fn steps(remedy: &Remedy) -> Vec<Step> {
    let one = |kind, line: &str| Step { kind, line: line.to_owned() };
    match remedy {
        Remedy::Command(line) => vec![one("command", line)],
        Remedy::Setting { name, value } => vec![one("setting", &format!("{name} {value}"))],
        Remedy::Configuration(lines) => lines.iter().map(|line| one("configuration", line)).collect(),
        Remedy::Shell(line) => vec![one("shell", line)],
        Remedy::Elsewhere { place, line } => vec![one("elsewhere", &format!("{place}: {line}"))],
        Remedy::Scenario(line) => vec![one("scenario", line)],
    }
}
