//! What the summaries of runs and of capacity runs have in common as JSON.

use serde::Serialize;

use super::{
    format::plain,
    number::micros,
    view::{Note, View},
};
use crate::{results, scenario};

#[derive(Serialize)]
pub(super) struct Target<'a> {
    address: &'a str,
    product: &'a str,
    version: &'a str,
    private: bool,
    same_machine: bool,
}

#[derive(Serialize)]
pub(super) struct Objective {
    latency_us: f64,
    percentile: f64,
    max_error_rate: f64,
}

#[derive(Serialize)]
pub(super) struct Finding {
    severity: &'static str,
    fact: String,
    advice: String,
}

#[derive(Serialize)]
pub(super) struct Software<'a> {
    version: &'a str,
    commit: Option<&'a str>,
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

/// A summary, indented, with a line break at its end.
pub(super) fn text(summary: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(summary).expect("strings and numbers always serialise");
    text.push('\n');
    text
}
