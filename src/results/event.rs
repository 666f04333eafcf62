//! Events of a run: what was done to its private server, or on this machine, and when.

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
    /// When it was done: a suspended node was continued, one that was started again answered, the last slot had moved, a command had
    /// its reply or had ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ns: Option<Nanos>,
    /// Address of its node, of a reshard the one that the slots leave; `None` where it concerns all of them or none, or none was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Result beyond its being done: the slots and keys that moved, the exit code of a command with its last line of standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}
