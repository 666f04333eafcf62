//! An audit on its own, without a run: the same words as in a report, in every form.

use serde::Serialize;

use super::{
    Style,
    format::plain,
    html, markdown, terminal,
    view::{AuditWords, View, audit_fact, audit_words, severity_word},
};
use crate::{
    analysis::audit::{Quantity, Remedy, Ruling, Severity, Subject},
    results::Software,
};

/// Version of the layout of [`AuditReport::json`].
const SCHEMA_VERSION: u32 = 1;

/// What an audit found, ready to be written.
#[derive(Debug, Clone, Copy)]
pub struct AuditReport<'a> {
    /// What was audited.
    pub subject: Subject<'a>,
    /// What came of it.
    pub rulings: &'a [Ruling],
    /// What audited.
    pub software: &'a Software,
    /// When, RFC 3339 in UTC.
    pub taken: &'a str,
}

impl AuditReport<'_> {
    /// For a terminal.
    pub fn terminal(&self, style: Style) -> String {
        terminal::render(&View::of_audit(self), style)
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        markdown::render(&View::of_audit(self))
    }

    /// As a page of its own.
    pub fn html(&self) -> String {
        html::render(&View::of_audit(self))
    }

    /// For programs. Fields are only ever added; the schema is `audit.schema.json` beside this file.
    pub fn json(&self) -> String {
        let (target, withheld) = (self.subject.target, &self.subject.inspection.withheld);
        let document = Document {
            schema_version: SCHEMA_VERSION,
            taken: self.taken,
            target: Target { address: &target.address, product: &target.product, version: &target.version },
            scenario: self.subject.scenario.map(|scenario| scenario.name.as_str()),
            rulings: self.rulings.iter().map(Record::new).collect(),
            withheld: withheld.iter().map(|entry| Withheld { what: &entry.what, reason: &entry.reason }).collect(),
            software: Version { version: &self.software.version, commit: self.software.commit.as_deref() },
        };
        let mut text = serde_json::to_string_pretty(&document).expect("strings and numbers always serialise");
        text.push('\n');
        text
    }
}

#[derive(Serialize)]
struct Document<'a> {
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
