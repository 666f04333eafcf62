//! Inspection of a server, its users and its machine, without load and without changes.
//! Holds no password and no hash of one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KeyspaceSample, NodeInspection, SentinelInspection, SlotSample, UserRights, Withheld};

/// What an inspection found. Whatever a server or the rights of the user withheld is absent, and named in
/// [`Self::withheld`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Inspection {
    /// Settings by name, as `CONFIG GET` gives them; never a secret.
    pub settings: BTreeMap<String, String>,
    /// Fields of `INFO` by name.
    pub info: BTreeMap<String, String>,
    /// Round trips of `PING`, one after another on a connection without other use and without other load, in
    /// nanoseconds.
    pub pings: Vec<u64>,
    /// Users that the server knows, in its order.
    pub users: Vec<UserRights>,
    /// Users that the scenario's services log in as, with what they need.
    pub logins: Vec<ServiceLogin>,
    /// The server's machine; `None` where it is another than the harness's.
    pub machine: Option<Machine>,
    /// Content of the keyspace; `None` if it was not sampled.
    pub keyspace: Option<KeyspaceSample>,
    /// Facts that are unknown.
    pub withheld: Vec<Withheld>,
    /// Nodes of a cluster, or of a primary with its replicas, with the one that the fields above are about; none where the server
    /// stands alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeInspection>,
    /// Sentinels that watch the primary; none without Sentinels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sentinels: Vec<SentinelInspection>,
    /// Hash slots that got the most commands of the run; `None` without a cluster, and where there was no load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<SlotSample>,
}

impl Inspection {
    /// Facts that are unknown, of all nodes; what several nodes refuse alike once.
    pub fn refused(&self) -> Vec<&Withheld> {
        let mut refused: Vec<&Withheld> = Vec::new();
        for withheld in self.withheld.iter().chain(self.nodes.iter().flat_map(|node| &node.withheld)) {
            if !refused.contains(&withheld) {
                refused.push(withheld);
            }
        }
        refused
    }

    /// The user that a service logged in as, and the database that it really selected: a target may name its own.
    pub fn login_of(&self, service: &str) -> Option<(&ServiceLogin, u8)> {
        self.logins.iter().find_map(|login| {
            let found = login.services.iter().find(|of| of.service == service)?;
            Some((login, found.database))
        })
    }
}

/// A user that services log in as.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceLogin {
    /// User; `default` where none is named.
    pub user: String,
    /// Services that log in as it, each with its database.
    pub services: Vec<ServiceDatabase>,
    /// Reason of a refused login; `None` where the login works.
    pub refused: Option<String>,
    /// Its password, where the harness knows one.
    pub password: Option<PasswordStrength>,
    /// Rules of `ACL SETUSER` that give what its services need and no more.
    pub needs: Vec<String>,
    /// Rights of the harness: to write the scenario's data, keep it in bounds and remove it.
    pub harness: Vec<String>,
    /// Whether the server itself finds those rules sufficient.
    pub proof: Proof,
    /// Commands and keys that it may use although no service needs them, as the server itself says; `None` where it was
    /// not asked, or did not say.
    pub excess: Option<Vec<String>>,
}

/// The database that a service selects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceDatabase {
    /// Service.
    pub service: String,
    /// Number of the database.
    pub database: u8,
}

/// Whether `ACL DRYRUN` lets a user with just the proposed rules do everything that is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// It does.
    Proven {
        /// Commands that were tried.
        commands: u32,
    },
    /// It does not.
    Refuted {
        /// The command that was refused.
        command: String,
        /// Reply of the server.
        message: String,
    },
    /// It was not asked.
    Untried {
        /// Reason.
        reason: String,
    },
}

/// Strength of a password, without the password.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PasswordStrength {
    /// Characters.
    pub length: u32,
    /// Bits that a random password of its length and kinds of characters has: no password is stronger than that.
    pub bits: f64,
    /// Whether it is among the most common ones.
    pub common: bool,
}

/// The server's machine, where that is the harness's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// Cores.
    pub cores: Option<u32>,
    /// Transparent huge pages: `always`, `madvise` or `never`.
    pub huge_pages: Option<String>,
    /// `vm.overcommit_memory`: 0, 1 or 2.
    pub overcommit: Option<u8>,
    /// `net.core.somaxconn`: longest queue of connections that wait to be accepted.
    pub somaxconn: Option<u64>,
}
