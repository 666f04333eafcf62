//! Machines that load comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The machine that the harness ran on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// CPU model.
    pub cpu: String,
    /// Cores that the harness may use.
    pub cores: u32,
    /// Memory, in bytes.
    pub memory: u64,
    /// Operating system and kernel.
    pub kernel: String,
}
