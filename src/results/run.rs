//! The saved artifact.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Calibration, ClientCost, DependencyRecord, Environment, EventRecord, Generator, Inspection, LoadFailure, NodeFacts,
    NodeRecord, NodeRole, ServerRecord, ShardRecord, WriteAuditRecord,
};
use crate::{
    measure::Recording,
    scenario::{Client, Scenario, Service},
};

/// Version of the schema of [`Run`] that this build writes and reads.
pub const SCHEMA_VERSION: u32 = 3;

/// One run: the waist through which everything passes. Every output is made from it alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "plimsoll run")]
pub struct Run {
    /// Version of this schema.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// What measured.
    pub software: Software,
    /// Start of the measured period, RFC 3339 in UTC with seconds.
    pub started: String,
    /// TOML text of the scenario as it was run, overrides applied.
    pub scenario: String,
    /// Target of the measurement.
    pub target: TargetFacts,
    /// The machine that the harness ran on.
    pub environment: Environment,
    /// Recording.
    pub recording: Recording,
    /// The server's side of it.
    pub server: ServerRecord,
    /// Each node's side of it; none where the server stands alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeRecord>,
    /// Inspection of the server, its users and its machine, after the measured period.
    pub inspection: Inspection,
    /// Dependencies of the services besides the server, in the scenario's order.
    pub dependencies: Vec<DependencyRecord>,
    /// What was done to the private server during the measured period, in the scenario's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventRecord>,
    /// Audit of acknowledged writes; `None` where the scenario has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_audit: Option<WriteAuditRecord>,
    /// Speed of the machine; `None` if not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// What the client library costs; `None` if not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_cost: Option<ClientCost>,
    /// Which part of a run this is; `None` for a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardRecord>,
    /// Processes that sent the load, in the order of their numbers; none where it was one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub generators: Vec<Generator>,
    /// Why the load of several processes ended early; `None` where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_failure: Option<LoadFailure>,
}

impl Run {
    /// Name of a worker thread by its place in the recording, for people: `worker 1`, or `worker 1 of generator 0 on HOST`.
    pub fn worker(&self, place: usize) -> String {
        let mut first = 0;
        for generator in &self.generators {
            let end = first + generator.workers as usize;
            if (first..end).contains(&place) {
                return format!("worker {} of {}", place - first + 1, generator.name());
            }
            first = end;
        }
        format!("worker {}", place + 1)
    }
}

/// What measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Software {
    /// Version of plimsoll.
    pub version: String,
    /// Git commit that it was built from, where known.
    pub commit: Option<String>,
    /// Version of fred.
    pub fred: String,
    /// Build profile, such as `release`, `fast` or `debug`.
    pub profile: String,
}

/// Product or version of a server that does not report it.
pub const UNKNOWN: &str = "unknown";

/// Target of the measurement. Contains no password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct TargetFacts {
    /// Address without credentials: `redis://127.0.0.1:6379`.
    pub address: String,
    /// Whether the harness started the server itself.
    pub private: bool,
    /// `redis`, `valkey` or `keydb`.
    pub product: String,
    /// Its version.
    pub version: String,
    /// `standalone`, `sentinel` or `cluster`.
    pub mode: String,
    /// Whether the server's certificate was not checked (`--tls-insecure`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls_insecure: bool,
    /// Whether the server's address is one of the machine of the harness.
    pub same_machine: bool,
    /// Whether the server is nevertheless not a process of that machine: it is reached through a tunnel, or runs in a container.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// Facts for the reader, name and value: `maxmemory`, `maxmemory-policy`, `io-threads`, `maxclients`, ...;
    /// only those that could be read. Of several nodes, those of the first primary.
    pub settings: Vec<(String, String)>,
    /// Nodes before the load; none where the server stands alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeFacts>,
    /// Number of replicas of a server whose nodes are not listed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub replicas: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is that of serde")]
fn is_none(replicas: &u32) -> bool {
    *replicas == 0
}

impl TargetFacts {
    /// Number of nodes with a role, the server itself included.
    pub fn count(&self, role: NodeRole) -> u64 {
        match role {
            _ if !self.nodes.is_empty() => self.nodes.iter().filter(|node| node.role == role).count() as u64,
            NodeRole::Primary => 1,
            NodeRole::Replica => self.replicas.into(),
        }
    }

    /// Product and version, for people: `redis 7.0.15`.
    pub fn software(&self) -> String {
        match (self.product.as_str(), self.version.as_str()) {
            (UNKNOWN, UNKNOWN) => "a server of unknown product".to_owned(),
            (product, UNKNOWN) => format!("{product} of unknown version"),
            (UNKNOWN, version) => format!("a server of version {version}"),
            (product, version) => format!("{product} {version}"),
        }
    }

    /// Scheme of the address, which says whether it uses TLS: `rediss+cluster`.
    pub fn scheme(&self) -> &str {
        self.address.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    /// Connections that the pools of a scenario consist of: one to a cluster is one to each primary with slots, and one that reads from
    /// replicas is one to each replica besides. fred has a further one for questions about the cluster.
    pub fn opened(&self, scenario: &Scenario) -> u64 {
        let holders = self.nodes.iter().filter(|node| node.role == NodeRole::Primary && node.slots > 0).count() as u64;
        let replicas = self.count(NodeRole::Replica);
        let opened = |service: &Service| {
            let replicas = if service.reads_replicas() { replicas } else { 0 };
            let questions = u64::from(holders > 0 && service.client == Client::Fred);
            service.connections() * (holders.max(1) + replicas + questions)
        };
        scenario.services.iter().map(opened).sum()
    }

    /// Whether the server is on this machine, as far as is known.
    pub fn is_here(&self) -> bool {
        self.private || self.same_machine && !self.elsewhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_says_nothing_of_itself_is_called_so() {
        for (product, version, expected) in [
            ("redis", "7.0.15", "redis 7.0.15"),
            ("redis", UNKNOWN, "redis of unknown version"),
            (UNKNOWN, "7.0.15", "a server of version 7.0.15"),
            (UNKNOWN, UNKNOWN, "a server of unknown product"),
        ] {
            let [product, version] = [product, version].map(str::to_owned);
            let target = TargetFacts { product, version, ..crate::results::sample::run().target };
            assert_eq!(target.software(), expected);
        }
    }

    #[test]
    fn a_connection_to_a_cluster_is_one_to_each_primary_and_to_each_replica_that_is_read() {
        let node = |role, slots| NodeFacts { address: "redis://h:1".to_owned(), role, slots, primary: None };
        let (holder, spare) = (node(NodeRole::Primary, 8_192), node(NodeRole::Primary, 0));
        let replica = node(NodeRole::Replica, 0);
        let pools = |client: &str, read_from: &str| {
            let service = |name: &str, read_from: &str| {
                format!(
                    "[[service]]\nname = \"{name}\"\nclient = \"{client}\"\nread_from = \"{read_from}\"\npool.size = 10\nload.rate = 1\n\
                     operation = [{{ command = \"GET\" }}]\n"
                )
            };
            let text = format!("name = \"x\"\n{}{}", service("a", read_from), service("b", "primary"));
            crate::scenario::parse(&text, "x.toml").unwrap()
        };
        let cluster = vec![holder.clone(), holder.clone(), spare.clone(), replica.clone(), replica.clone()];
        for (nodes, read_from, opened) in [
            (Vec::new(), "primary", 20),
            (cluster.clone(), "primary", 40),
            (cluster.clone(), "any", 60),
            (vec![spare, replica.clone(), replica], "replica", 40),
        ] {
            let target = TargetFacts { nodes, ..crate::results::sample::run().target };
            assert_eq!(target.opened(&pools("wire", read_from)), opened, "{:?}", target.nodes);
        }
        let target = TargetFacts { nodes: cluster, ..crate::results::sample::run().target };
        assert_eq!(target.opened(&pools("fred", "primary")), 60);
    }
}
