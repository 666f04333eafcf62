//! Inspection of the nodes of a cluster, of a primary with its replicas, and of Sentinels.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{NodeRole, UserRights, Withheld};

/// A node as it was inspected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeInspection {
    /// Address without credentials.
    pub address: String,
    /// Role, as the node reports it; of a node that does not answer, as the others do.
    pub role: NodeRole,
    /// Address of its primary; `None` for a primary, or where it is unknown.
    pub primary: Option<String>,
    /// Number of hash slots; 0 outside a cluster, and for a replica.
    pub slots: u32,
    /// Reason why the node was not inspected; `None` where it was.
    pub fault: Option<String>,
    /// Whether the address is one of the machine of the harness.
    pub same_machine: bool,
    /// Product, where known.
    pub product: Option<String>,
    /// Version, where known.
    pub version: Option<String>,
    /// Settings by name, as `CONFIG GET` gives them; never a secret.
    pub settings: BTreeMap<String, String>,
    /// Fields of `INFO` and `CLUSTER INFO` by name.
    pub info: BTreeMap<String, String>,
    /// Users that the node knows, in its order.
    pub users: Vec<UserRights>,
    /// Addresses of the nodes that this node takes for failed.
    pub suspects: Vec<String>,
    /// Slots with the most CPU time, or else with the most keys; none where the server has no statistics of slots.
    pub busiest: Vec<SlotUse>,
    /// Facts that are unknown.
    pub withheld: Vec<Withheld>,
}

/// Use of a hash slot (`CLUSTER SLOT-STATS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlotUse {
    /// Slot.
    pub slot: u16,
    /// Keys.
    pub keys: u64,
    /// CPU time since the statistics began, in microseconds; `None` with `cluster-slot-stats-enabled no`.
    pub cpu_us: Option<u64>,
}

/// A Sentinel as it was inspected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SentinelInspection {
    /// Address without credentials.
    pub address: String,
    /// Reason why the Sentinel was not inspected; `None` where it was.
    pub fault: Option<String>,
    /// Fields of the reply to `SENTINEL MASTER` by name; never a secret.
    pub facts: BTreeMap<String, String>,
    /// Address of the primary that the Sentinel names, where known.
    pub primary: Option<String>,
    /// Other Sentinels that this one knows.
    pub others: Vec<SeenSentinel>,
    /// Reply to `SENTINEL CKQUORUM`: whether the Sentinels that this one reaches can replace the primary; `None` where unknown.
    pub check: Option<String>,
}

/// A Sentinel as another one sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeenSentinel {
    /// Address without credentials.
    pub address: String,
    /// Whether it answers the other one.
    pub answers: bool,
}
