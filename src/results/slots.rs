//! Hash slots that got the most commands of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Commands by hash slot, counted from a sample of the requests of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlotSample {
    /// Commands with a key in the sample.
    pub commands: u64,
    /// Number of them from which a slot is listed.
    pub least: u64,
    /// Slots with the most of them, the busiest first.
    pub busiest: Vec<SlotShare>,
}

/// Commands of a hash slot in a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlotShare {
    /// Slot.
    pub slot: u16,
    /// Its commands.
    pub commands: u64,
    /// Address of the node that had it at the end, where known.
    pub node: Option<String>,
}
