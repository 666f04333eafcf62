//! Checks before the load: the rights of every service, and the identity of the server.

use std::{collections::BTreeMap, fs, net::UdpSocket, path::Path, time::Duration};

use bytes::Bytes;
use tokio::{
    net::lookup_host,
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::{
    Connector, Endpoint, Fault, Target, TargetError, Topology,
    ask::send,
    crossing::crossing,
    limits,
    nodes::Node,
    permission::{self, Probe},
    ports::LocalPorts,
    roster::READONLY,
    slots::SlotTable,
};
use crate::{
    operation::Route,
    results::{TargetFacts, UNKNOWN},
    scenario::{Client, ReadFrom, Scenario, Service},
    server::Facts,
};

/// Time that all checks together may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Descriptors that the harness needs besides its connections: files, timers, its runtimes.
const OTHER_DESCRIPTORS: u64 = 100;

/// Connections that the harness opens besides the pools.
const OTHER_CONNECTIONS: u64 = 4;

/// Connections that are open while those of a scenario are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Besides {
    /// To the same server.
    pub here: u64,
    /// To others.
    pub elsewhere: u64,
}

/// Parts of the names of servers' processes.
const SERVERS: [&str; 8] = ["redis", "valkey", "keydb", "dragonfly", "garnet", "kvrocks", "pika", "redict"];

impl Target {
    /// Checks, with one connection for each service, that the server can be reached, the login is right, the database
    /// exists and every command of the mix is permitted; further that the server and this process take as many
    /// connections as the pools want. Takes five seconds at most, and reports everything that is wrong at once.
    pub async fn preflight(&self, scenario: &Scenario) -> Result<TargetFacts, TargetError> {
        self.preflight_beside(scenario, Besides::default()).await
    }

    /// The check where further connections are open at the same time.
    pub async fn preflight_beside(&self, scenario: &Scenario, besides: Besides) -> Result<TargetFacts, TargetError> {
        let deadline = Instant::now() + LIMIT;
        let here = scenario.connections() + besides.here;
        // A connection to a cluster is one to each primary that has slots.
        let holders = || self.primaries().filter(|node| node.slots() > 0 || self.site.topology != Topology::Cluster);
        let servers = holders().count().max(1) as u64;
        // One that reads from replicas is one to each of them as well.
        let reading = scenario.services.iter().filter(|service| service.reads_replicas());
        let reading: u64 = reading.map(Service::connections).sum();
        // Each of fred's to a cluster has one more, to the seed, for questions about the cluster.
        let of_fred = scenario.services.iter().filter(|service| service.client == Client::Fred);
        let is_cluster = self.site.topology == Topology::Cluster;
        let of_fred: u64 = if is_cluster { of_fred.map(Service::connections).sum() } else { 0 };
        let seed = self.connectors.first().map(|connector| connector.site().first());
        let at = |endpoint: &Endpoint| here + if seed == Some(endpoint) { of_fred } else { 0 };
        let all = here * servers + of_fred + reading * self.replicas().count() as u64 + besides.elsewhere;
        let mut errors: Vec<_> = too_few_descriptors(all).into_iter().collect();
        errors.extend(too_few_ports(self.asked(), here + OTHER_CONNECTIONS));
        errors.extend(grouped(self.check_services(scenario, deadline).await));
        if !errors.is_empty() {
            return Err(joined(errors));
        }
        let (facts, said) = self.facts_until(deadline).await?;
        if let Some(message) = said.partial.clone().filter(|_| self.site.topology != Topology::Cluster) {
            return Err(TargetError::Cluster { message });
        }
        if let Some(error) = too_few_clients(&said, at(self.asked())) {
            return Err(error);
        }
        let primaries = holders().skip(1).map(|node| (node, at(&node.endpoint)));
        let replicas = self.replicas().filter(|node| reading > 0 && !node.is_down).map(|node| (node, reading));
        for (node, connections) in primaries.chain(replicas) {
            let connector = self.observer.at(&node.endpoint);
            let silent = |_| Err(connector.failed(Fault::Silent(LIMIT)));
            let said = timeout_at(deadline, ask(&connector)).await.unwrap_or_else(silent)?;
            if let Some(error) = too_few_clients(&said, connections) {
                return Err(error);
            }
        }
        Ok(facts)
    }

    /// Identity of the server, with the login of the observer. Takes five seconds at most.
    pub async fn facts(&self) -> Result<TargetFacts, TargetError> {
        self.facts_until(Instant::now() + LIMIT).await.map(|(facts, _)| facts)
    }

    /// Run ID of the server process, the same for every address of the server; `None` where it has none. Takes five seconds at
    /// most.
    pub async fn run_id(&self) -> Option<String> {
        self.run_id_at(&self.observer).await
    }

    pub(super) async fn run_id_at(&self, connector: &Connector) -> Option<String> {
        timeout_at(Instant::now() + LIMIT, ask(connector)).await.ok()?.ok()?.run_id
    }

    async fn facts_until(&self, deadline: Instant) -> Result<(TargetFacts, Facts), TargetError> {
        let said = timeout_at(deadline, ask(&self.observer)).await.unwrap_or_else(|_| Err(self.silent()))?;
        let facts = said.clone();
        let unknown = || UNKNOWN.to_owned();
        let same_machine = timeout_at(deadline, same_machine(self.asked())).await.unwrap_or(false);
        let facts = TargetFacts {
            address: self.address(),
            private: self.private,
            product: facts.product.unwrap_or_else(unknown),
            version: facts.version.unwrap_or_else(unknown),
            mode: facts.mode.unwrap_or_else(unknown),
            tls_insecure: self.is_insecure(),
            same_machine,
            elsewhere: same_machine && !self.private && said.process.is_some_and(|process| !runs_here(process)),
            settings: facts.settings,
            nodes: self.nodes.iter().map(Node::facts).collect(),
            replicas: facts.replicas.filter(|_| self.nodes.is_empty()).unwrap_or(0),
        };
        Ok((facts, said))
    }

    /// Failures with the names of the services that they concern.
    async fn check_services(&self, scenario: &Scenario, deadline: Instant) -> Vec<(String, TargetError)> {
        let mut checks = JoinSet::new();
        for (index, connector) in self.connectors.iter().cloned().enumerate() {
            let crossing = if connector.slots().is_some() { crossing(scenario, index) } else { Vec::new() };
            if !crossing.is_empty() {
                let name = connector.service().to_owned();
                checks.spawn(async move { (index, name, crossing) });
                continue;
            }
            let probes = permission::probes(scenario, index);
            let of_replicas = match self.at_replicas(&connector, &probes) {
                Ok(of_replicas) => of_replicas,
                Err(error) => {
                    let name = connector.service().to_owned();
                    checks.spawn(async move { (index, name, vec![error]) });
                    continue;
                }
            };
            for (connector, probes) in placed(connector, probes).into_iter().chain(of_replicas) {
                let silent = self.silent();
                checks.spawn(async move {
                    let errors =
                        timeout_at(deadline, check(&connector, &probes)).await.unwrap_or_else(|_| vec![silent]);
                    (index, connector.service().to_owned(), errors)
                });
            }
        }
        let mut results = checks.join_all().await;
        results.sort_by_key(|(index, ..)| *index);
        results
            .into_iter()
            .flat_map(|(_, name, errors)| errors.into_iter().map(move |error| (name.clone(), error)))
            .collect()
    }

    /// The replicas that a service reads from, each with the probes for it; an error where it needs one that is not there.
    fn at_replicas(
        &self,
        connector: &Connector,
        probes: &[Probe],
    ) -> Result<Vec<(Connector, Vec<Probe>)>, TargetError> {
        let from = connector.read_from();
        let Some(roster) = connector.roster().filter(|_| from != ReadFrom::Primary) else { return Ok(Vec::new()) };
        let replicas = roster.replicas();
        let is_cluster = roster.is_cluster();
        let without = self.primaries().filter(|node| !is_cluster || node.slots() > 0).find(|node| {
            // The primary itself serves what replicas need not.
            let others = from == ReadFrom::Any && !replicas.is_empty();
            !others && !replicas.contains_key(&roster.table().number(&node.endpoint))
        });
        if let Some(primary) = without {
            return Err(TargetError::NoReplica { primary: primary.endpoint.to_string(), from: from.into() });
        }
        let of = |(primary, numbers): (&u16, &Vec<u16>)| {
            let is_its_own = |probe: &&Probe| {
                probe.request.route == Route::Open && roster.primary_of(&probe.request) == Some(*primary)
            };
            let probes: Vec<_> = probes.iter().filter(is_its_own).cloned().collect();
            let endpoints: Vec<_> = numbers.iter().filter_map(|number| roster.node(*number)).collect();
            endpoints.into_iter().map(move |endpoint| (connector.at_replica(&endpoint), probes.clone()))
        };
        Ok(replicas.iter().flat_map(of).collect())
    }

    fn silent(&self) -> TargetError {
        self.site.failed(Fault::Silent(LIMIT))
    }
}

async fn ask(connector: &Connector) -> Result<Facts, TargetError> {
    let (client, _router) = connector.connect().await?;
    Ok(Facts::of(&client).await)
}

async fn check(connector: &Connector, probes: &[Probe]) -> Vec<TargetError> {
    let (client, _router) = match connector.connect().await {
        Ok(open) => open,
        Err(error) => return vec![error],
    };
    match fred::interfaces::ClientLike::ping::<()>(&client, None).await {
        // The right to PING is needed by nobody who does not PING.
        Err(error) if !error.details().starts_with("NOPERM") => vec![connector.explain(&error)],
        _ => {
            if connector.is_readonly()
                && let Err(error) = send(&client, vec![Bytes::from_static(READONLY.as_bytes())]).await
            {
                return vec![connector.explain(&error)];
            }
            let mut errors = permission::check(&client, connector, probes).await;
            errors.extend(connector.refused_load().await);
            errors
        }
    }
}

/// Probes with a connector to the server that they are for: in a cluster to the node that has the slot of their key.
fn placed(connector: Connector, probes: Vec<Probe>) -> Vec<(Connector, Vec<Probe>)> {
    let Some(slots) = connector.slots().cloned() else { return vec![(connector, probes)] };
    let owners = slots.owners();
    let mut of_nodes: BTreeMap<u16, Vec<Probe>> = owners.iter().map(|owner| (*owner, Vec::new())).collect();
    for probe in probes {
        let owner = SlotTable::slot_of(&probe.request.key).and_then(|slot| slots.owner(slot));
        if let Some(node) = owner.or(owners.first().copied()) {
            of_nodes.entry(node).or_default().push(probe);
        }
    }
    let node = |(number, probes)| Some((connector.at(&slots.node(number)?), probes));
    of_nodes.into_iter().filter_map(node).collect()
}

/// Merges errors that concern several services.
fn grouped(errors: Vec<(String, TargetError)>) -> Vec<TargetError> {
    let mut services: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut distinct = Vec::new();
    for (service, error) in errors {
        let affected = services.entry(error.to_string()).or_default();
        if affected.is_empty() {
            distinct.push(error);
        }
        if !affected.contains(&service) {
            affected.push(service);
        }
    }
    let with_services = |error: TargetError| {
        let services = services.remove(&error.to_string()).unwrap_or_default();
        TargetError::Services { services, source: Box::new(error) }
    };
    distinct.into_iter().map(with_services).collect()
}

fn joined(mut errors: Vec<TargetError>) -> TargetError {
    match errors.len() {
        1 => errors.remove(0),
        _ => TargetError::Several(errors),
    }
}

fn too_few_descriptors(connections: u64) -> Option<TargetError> {
    let need = connections + OTHER_DESCRIPTORS;
    match limits::raise_file_descriptors() {
        Some(limit) if limit < need => Some(TargetError::FileDescriptors { need, limit }),
        _ => None,
    }
}

/// The error of more connections to an endpoint than there are local ports.
fn too_few_ports(endpoint: &Endpoint, need: u64) -> Option<TargetError> {
    let Endpoint::Tcp { .. } = endpoint else { return None };
    let ports = LocalPorts::of_this_machine()?;
    (need > ports.count()).then_some(TargetError::TooFewLocalPorts { need, ports })
}

fn too_few_clients(facts: &Facts, connections: u64) -> Option<TargetError> {
    let limit = facts.max_clients?;
    // The connection that asked is among them, and will be gone.
    let taken = facts.connected_clients.unwrap_or(1).saturating_sub(1);
    let need = connections + OTHER_CONNECTIONS;
    (need + taken > limit).then_some(TargetError::TooFewClients { need, taken, limit })
}

/// Whether a process with this PID is a server on this machine; assumed where the system does not show processes.
fn runs_here(process: u32) -> bool {
    let processes = Path::new("/proc");
    if !processes.join("self").exists() {
        return true;
    }
    let name = fs::read_to_string(processes.join(process.to_string()).join("comm")).unwrap_or_default();
    let name = name.to_lowercase();
    SERVERS.iter().any(|server| name.contains(server))
}

/// Whether the server runs on this machine, judged by its address.
pub(super) async fn same_machine(endpoint: &Endpoint) -> bool {
    let Endpoint::Tcp { host, port, .. } = endpoint else { return true };
    let Ok(addresses) = lookup_host(format!("{host}:{port}")).await else { return false };
    addresses.into_iter().any(|address| {
        // Connecting a datagram socket sends nothing, but finds the address that packets would come from.
        let local = UdpSocket::bind(if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })
            .and_then(|socket| socket.connect(address).and_then(|()| socket.local_addr()));
        address.ip().is_loopback() || local.is_ok_and(|local| local.ip() == address.ip())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Scheme;

    fn facts(max_clients: Option<u64>, connected_clients: Option<u64>) -> Facts {
        Facts { max_clients, connected_clients, ..Facts::default() }
    }

    #[test]
    fn counts_the_clients_that_are_there_already() {
        assert!(too_few_clients(&facts(Some(100), Some(1)), 96).is_none());
        assert!(too_few_clients(&facts(Some(100), Some(2)), 96).is_some());
        assert!(too_few_clients(&facts(None, Some(2)), 1_000_000).is_none());
    }

    #[test]
    fn needs_a_descriptor_for_each_connection() {
        assert!(too_few_descriptors(1).is_none());
        let error = too_few_descriptors(u64::from(u32::MAX)).map(|error| error.to_string());
        assert!(error.is_none_or(|error| error.contains("4294967395")));
    }

    #[test]
    fn says_once_what_concerns_several_services() {
        let refused = || TargetError::Connection { address: "redis://localhost:1".to_owned(), fault: Fault::Refused };
        let unknown = TargetError::UnknownCommand { command: "FT.SEARCH".to_owned() };
        let errors = vec![("a".to_owned(), refused()), ("b".to_owned(), unknown), ("c".to_owned(), refused())];
        let text = joined(grouped(errors)).to_string();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.starts_with("services `a` and `c`: redis://localhost:1: connection refused"), "{text}");
        assert!(text.contains("\nservice `b`: the server does not know FT.SEARCH"), "{text}");
    }

    #[test]
    fn a_process_that_is_no_server_is_not_taken_for_one() {
        assert!(!runs_here(std::process::id()), "this is a test, not a server");
        assert!(!runs_here(u32::MAX), "nobody");
    }

    #[tokio::test]
    async fn knows_its_own_machine() {
        let here = Endpoint::Tcp { host: "127.0.0.1".to_owned(), port: 1, scheme: Scheme::REDIS };
        assert!(same_machine(&here).await);
        assert!(same_machine(&Endpoint::Unix { path: "/run/redis.sock".into() }).await);
        // A network for documentation (RFC 5737): nobody's own.
        let there = Endpoint::Tcp { host: "192.0.2.1".to_owned(), port: 1, scheme: Scheme::REDIS };
        assert!(!same_machine(&there).await);
    }

    #[test]
    fn a_socket_in_the_file_system_needs_no_ports() {
        let path = "/run/redis.sock".into();
        assert_eq!(too_few_ports(&Endpoint::Unix { path }, u64::MAX).map(|error| error.to_string()), None);
        let port = Endpoint::Tcp { host: "localhost".to_owned(), port: 1, scheme: Scheme::REDIS };
        let error = too_few_ports(&port, 1 << 17).map(|error| error.to_string());
        assert!(error.is_none_or(|error| error.contains("needs 131072 connections")));
        assert!(too_few_ports(&port, 1).is_none());
    }
}
