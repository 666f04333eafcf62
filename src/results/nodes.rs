//! Nodes of a cluster, or of a primary with its replicas.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ServerRecord;

/// Role of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    /// It takes writes.
    Primary,
    /// It has a copy of a primary's data.
    Replica,
}

/// A node as it was found at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeFacts {
    /// Address without credentials: `redis://127.0.0.1:7000`.
    pub address: String,
    /// Role.
    pub role: NodeRole,
    /// Number of hash slots that it has; 0 outside a cluster, and of a replica.
    #[serde(default)]
    pub slots: u32,
    /// Address of the primary of a replica, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
}

/// A node's side of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeRecord {
    /// The node before the load.
    pub before: NodeFacts,
    /// The node after the load; `None` if it was no longer known to the others.
    pub after: Option<NodeFacts>,
    /// The server's side.
    pub server: ServerRecord,
}
