//! Analysis of a run: facts and judgements, without prose.

use super::{
    Conclusion, audit::Ruling, client_cost::ClientSide, dependencies::DependencySide, events::Events, families::Family,
    finding::Finding, generators::GeneratorRow, judgement::Check, keyspace::KeyspaceSide, nodes::NodeRow,
    outages::Outage, pools::PoolUse, reads::ReadRow, row::Row, scaling::Scaling, server::ServerSide,
    timeline::Timeline,
};

/// Everything that the reports say, computed once from a [`crate::results::Run`].
#[derive(Debug, Clone)]
pub struct Analysis {
    /// Verdict on the whole run, with its reasons.
    pub conclusion: Conclusion,
    /// Checks of the measurement: every row of the validity table that applies.
    pub checks: Vec<Check>,
    /// One row per operation (steps and upkeep behind the operation that they belong to), then one per service, then
    /// the whole.
    pub rows: Vec<Row>,
    /// One timeline per row, in the same order.
    pub timelines: Vec<Timeline>,
    /// Findings, most important first.
    pub findings: Vec<Finding>,
    /// Stalls and bursts, and how the time outside of them went.
    pub events: Events,
    /// Utilisation of each pool, in the scenario's order.
    pub pools: Vec<PoolUse>,
    /// The server's side.
    pub server: ServerSide,
    /// Nodes, then requests that no single known node served; none where the server stands alone.
    pub nodes: Vec<NodeRow>,
    /// Reads by role of the node that served them; none where no service reads from replicas.
    pub reads: Vec<ReadRow>,
    /// Processes that sent the load, by their numbers; none where it was one.
    pub generators: Vec<GeneratorRow>,
    /// Outages of services and nodes, in the order of time.
    pub outages: Vec<Outage>,
    /// What the client library costs; `None` if it was not measured.
    pub client: Option<ClientSide>,
    /// Response time by kind of command, all services together.
    pub families: Vec<Family>,
    /// Rules for the server, its users and its machine.
    pub audit: Vec<Ruling>,
    /// Dependencies besides the server, in the scenario's order.
    pub dependencies: Vec<DependencySide>,
    /// Content of the keyspace; `None` if it was not sampled.
    pub keyspace: Option<KeyspaceSide>,
    /// Whether more connections or more servers are worth a thought.
    pub scaling: Scaling,
}
