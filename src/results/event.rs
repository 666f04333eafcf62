//! Events of a run: what was done to its private server, and when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Nanos;

/// An event of the scenario, and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventRecord {
    /// Action, as in the scenario: `stop:primary:5s`.
    pub action: String,
    /// When it was planned, in nanoseconds since the start of the measured period.
    pub planned_ns: Nanos,
    /// When it began; `None` if the run ended before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_ns: Option<Nanos>,
    /// When it was done: a suspended node was continued, one that was started again answered, a command had its reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ns: Option<Nanos>,
    /// Address of its node; `None` where it concerns all of them, or none was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}
