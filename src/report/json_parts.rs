//! Parts that JSON documents have in common.

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::Value;

use super::{
    format::plain,
    number::micros,
    view::{Headline, Note, NoteSeverity, View},
};
use crate::{results, scenario};

/// The server that was measured.
#[derive(Serialize, JsonSchema)]
pub(super) struct Target<'a> {
    /// Address without credentials.
    address: &'a str,
    /// Product: redis, valkey or keydb.
    product: &'a str,
    /// Version of the server.
    version: &'a str,
    /// Whether the harness started the server.
    private: bool,
    /// Whether the server runs on the machine of the harness.
    same_machine: bool,
}

/// The objective of a scenario.
#[derive(Serialize, JsonSchema)]
pub(super) struct Objective {
    /// Longest response time at the percentile.
    #[schemars(range(min = 0))]
    latency_us: f64,
    /// Percentile of response times, in percent.
    #[schemars(range(min = 0, max = 100))]
    percentile: f64,
    /// Largest share of failed requests.
    #[schemars(range(min = 0, max = 1))]
    max_error_rate: f64,
}

/// Something worth knowing, with advice.
#[derive(Serialize, JsonSchema)]
pub(super) struct Finding {
    /// Severity.
    severity: NoteSeverity,
    /// Observation in one sentence.
    fact: String,
    /// Meaning or remedy; empty where there is none.
    advice: String,
}

/// A build of plimsoll.
#[derive(Serialize, JsonSchema)]
pub(super) struct Software<'a> {
    /// Version.
    version: &'a str,
    /// Git commit, where known.
    commit: Option<&'a str>,
    /// Build profile.
    profile: &'a str,
}

impl<'a> From<&'a results::TargetFacts> for Target<'a> {
    fn from(target: &'a results::TargetFacts) -> Self {
        Self {
            address: &target.address,
            product: &target.product,
            version: &target.version,
            private: target.private,
            same_machine: target.same_machine,
        }
    }
}

impl From<&scenario::Objective> for Objective {
    fn from(objective: &scenario::Objective) -> Self {
        Self {
            latency_us: micros(objective.latency.as_nanos() as f64),
            percentile: objective.percentile,
            max_error_rate: objective.max_error_rate,
        }
    }
}

impl From<&Note> for Finding {
    fn from(note: &Note) -> Self {
        Self { severity: note.tone.severity(), fact: plain(&note.fact), advice: plain(&note.advice) }
    }
}

impl<'a> From<&'a results::Software> for Software<'a> {
    fn from(software: &'a results::Software) -> Self {
        Self { version: &software.version, commit: software.commit.as_deref(), profile: &software.profile }
    }
}

/// All findings of a report.
pub(super) fn findings(view: &View) -> Vec<Finding> {
    view.notes().map(Finding::from).collect()
}

/// Remarks beside the verdict.
pub(super) fn remarks(headline: &Headline) -> Vec<String> {
    headline.remarks.iter().map(|remark| plain(remark)).collect()
}

/// A document, indented, with a line break at its end.
pub(super) fn text(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("strings and numbers always serialise");
    text.push('\n');
    text
}

/// Bounds the numbers of a record from below by 0.
pub(super) fn not_negative(schema: &mut Schema) {
    let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
    for field in fields.into_iter().flat_map(|fields| fields.values_mut()) {
        let kind = &field["type"];
        if kind == "number" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "number")) {
            field["minimum"] = 0.into();
        }
    }
}
