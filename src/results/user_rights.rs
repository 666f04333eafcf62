//! Users of a server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user of the server's access control list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserRights {
    /// Name.
    pub name: String,
    /// Whether it can log in.
    pub enabled: bool,
    /// Whether any password will do.
    pub no_password: bool,
    /// Passwords that it has.
    pub passwords: u32,
    /// Whether one of them is among the most common ones.
    pub common_password: bool,
    /// Rules for commands, as the server writes them: `+@all -@dangerous`.
    pub commands: String,
    /// Patterns of keys: `~*`.
    pub keys: Vec<String>,
    /// Patterns of channels: `&*`.
    pub channels: Vec<String>,
    /// Further sets of rules (selectors).
    pub selectors: u32,
}
