//! Dependencies of the services besides the server, and their answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A dependency, with every probe of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DependencyRecord {
    /// Its name in the scenario.
    pub name: String,
    /// Its address: `tcp://host:port` or `http://host:port/path`.
    pub address: String,
    /// HTTP status that it should answer with; `None` for any below 400, and where HTTP is not spoken.
    pub status: Option<u16>,
    /// In order.
    pub probes: Vec<Probe>,
}

/// One attempt to reach a dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Probe {
    /// When, relative to the measured period.
    pub phase: ProbePhase,
    /// Second of the measured period; `None` before and after it.
    pub second: Option<u32>,
    /// From asking to the answer, in nanoseconds: the connection for TCP, the response's head for HTTP.
    pub elapsed_ns: u64,
    /// Error; `None` if it answered correctly.
    pub failure: Option<String>,
}

/// When a probe was made, relative to the measured period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProbePhase {
    /// Before any load.
    Before,
    /// While the load runs.
    During,
    /// When it is over.
    After,
}
