//! Parts that JSON documents have in common.

use schemars::Schema;
use serde::Serialize;
use serde_json::Value;

use super::{
    format::plain,
    number::micros,
    record::record,
    view::{Headline, Note, NoteSeverity, View},
};
use crate::{results, scenario};

record! {
    /// The server that was measured.
    pub(super) struct Target<'a>(target: &'a results::TargetFacts) {
        /// Address without credentials.
        address: &'a str = &target.address,
        /// Product: redis, valkey or keydb.
        product: &'a str = &target.product,
        /// Version of the server.
        version: &'a str = &target.version,
        /// Whether the harness started the server.
        private: bool = target.private,
        /// Whether the server runs on the machine of the harness.
        same_machine: bool = target.same_machine,
    }
}

record! {
    /// Client library and protocol of a service.
    pub(super) struct ServiceClient(service: &scenario::Service) {
        /// Name of the service.
        service: String = service.name.clone(),
        /// Client library.
        client: scenario::Client = service.client,
        /// Version of the protocol: 2 for RESP2, 3 for RESP3.
        #[schemars(range(min = 2, max = 3))]
        protocol: u8 = service.protocol as u8,
        /// Nodes that operations which only read are sent to.
        read_from: scenario::ReadFrom = service.read_from,
    }
}

record! {
    /// The objective of a scenario.
    pub(super) struct Objective(objective: &scenario::Objective) {
        /// Longest response time at the percentile.
        #[schemars(range(min = 0))]
        latency_us: f64 = micros(objective.latency.as_nanos() as f64),
        /// Percentile of response times, in percent.
        #[schemars(range(min = 0, max = 100))]
        percentile: f64 = objective.percentile,
        /// Largest share of failed requests.
        #[schemars(range(min = 0, max = 1))]
        max_error_rate: f64 = objective.max_error_rate,
        /// Longest time from the beginning of an outage until the objective is met again; absent without a limit.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 0))]
        recovery_s: Option<f64> = objective.recovery.map(|limit| limit.as_secs_f64()),
    }
}

record! {
    /// Something worth knowing, with advice.
    pub(super) struct Finding(note: &Note) {
        /// Severity.
        severity: NoteSeverity = note.tone.severity(),
        /// Observation in one sentence.
        fact: String = plain(&note.fact),
        /// Meaning or remedy; empty where there is none.
        advice: String = plain(&note.advice) ,
    }
}

record! {
    /// A build of plimsoll.
    pub(super) struct Software<'a>(software: &'a results::Software) {
        /// Version.
        version: &'a str = &software.version,
        /// Git commit, where known.
        commit: Option<&'a str> = software.commit.as_deref(),
        /// Build profile.
        profile: &'a str = &software.profile ,
    }
}

/// Client library and protocol of each service.
pub(super) fn clients(scenario: &scenario::Scenario) -> Vec<ServiceClient> {
    scenario.services.iter().map(ServiceClient::new).collect()
}

/// All findings of a report.
pub(super) fn findings(view: &View) -> Vec<Finding> {
    view.notes().map(Finding::new).collect()
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
