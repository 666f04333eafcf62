//! The server that is measured, with the login of each service.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::timeout};

use super::{
    Connector, Endpoint, Fault, Listen, PrivateServer, PrivateTopology, ServerOptions, Site, TargetError, TargetUrl,
    Topology, WireConnector,
    login::{Access, Login},
    nodes::{self, Node},
    roster::Roster,
    slots::SlotTable,
    tls::Tls,
    wire::ClusterConnector,
};
use crate::{
    results::{NodeRole, brief_address},
    scenario::{Protocol, ReadFrom, Scenario, Service, TlsOptions},
};

/// User of services that name none, on a private server.
const DEFAULT_USER: &str = "plimsoll";

/// Connections to a private server beside those of the services: questions about it, and writing the data.
const SPARE_CLIENTS: u64 = 100;

/// Name of connections for questions about the server, in the place of a service's.
const OBSERVER: &str = "observer";

/// Time that a seed has to answer before the next one is asked as well.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The server that is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A private one, started for the run.
    Embedded {
        /// Its program; `None` looks on `PATH`.
        server_bin: Option<PathBuf>,
        /// Number of servers, and how they belong together.
        topology: PrivateTopology,
        /// Whether connections to it are encrypted.
        tls: bool,
        /// Further settings of it, name and value.
        config: Vec<(String, String)>,
    },
    /// A server that is running already.
    Url(TargetUrl),
}

/// The server that is measured, with the login of each service.
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) site: Site,
    /// Nodes as they were found; none of a server that stands alone.
    pub(super) nodes: Vec<Node>,
    /// Whether the harness started it.
    pub(super) private: bool,
    /// In the scenario's order.
    pub(super) connectors: Vec<Connector>,
    /// Targets of the services behind those.
    pub(super) others: Vec<Self>,
    /// For questions about the server itself.
    pub(super) observer: Connector,
}

impl Target {
    /// Finds out who logs in as whom, and starts the private server if one is wanted. It stops when it is dropped.
    pub async fn prepare(source: Source, scenario: &Scenario) -> Result<(Self, Option<PrivateServer>), TargetError> {
        let (target, server) = Self::started(source, scenario).await?;
        Ok((target.found().await?, server))
    }

    /// Like [`Self::prepare`], for questions only: some of the nodes may not answer.
    pub async fn prepare_in_part(
        source: Source,
        scenario: &Scenario,
    ) -> Result<(Self, Option<PrivateServer>), TargetError> {
        let (target, server) = Self::started(source, scenario).await?;
        Ok((target.found_in_part().await?, server))
    }

    async fn started(source: Source, scenario: &Scenario) -> Result<(Self, Option<PrivateServer>), TargetError> {
        match source {
            Source::Embedded { server_bin, topology, tls, config: further } => {
                let users = scenario.services.iter().map(|service| private_user(service).to_owned()).collect();
                // Ten thousand, as in the report that this began with, unless the scenario asks for more.
                // fred has two connections to one of the nodes of a cluster.
                let each = if matches!(topology, PrivateTopology::Cluster { .. }) { 2 } else { 1 };
                let clients = scenario.connections().saturating_mul(each).saturating_add(SPARE_CLIENTS).max(10_000);
                let mut config = vec![("maxclients".to_owned(), clients.to_string())];
                config.extend(further);
                let (binary, listen) = (server_bin, Listen::Loopback);
                let options = ServerOptions { binary, topology, tls, users, listen, config };
                let server = PrivateServer::start(options).await?;
                Ok((Self::of_private(&server, scenario)?, Some(server)))
            }
            Source::Url(url) => Ok((Self::at(&url, scenario)?, None)),
        }
    }

    /// A private server that runs already, with a user for each of the scenario's; services without one log in as
    /// `plimsoll`.
    pub fn of_private(server: &PrivateServer, scenario: &Scenario) -> Result<Self, TargetError> {
        let access = |service: &Service| Access {
            service: service.name.clone(),
            login: server.login(private_user(service)),
            database: service.database,
            protocol: service.protocol,
            read_from: service.read_from,
        };
        let login = server.login(server.admin());
        let (url, observer) = (server.url(), observer(login, 0));
        Self::new(url.site, &url.tls, true, scenario.services.iter().map(access), observer)
    }

    /// A server without load: for questions only. Some of the nodes may not answer.
    pub async fn without_services(url: &TargetUrl) -> Result<Self, TargetError> {
        let login = Login { username: url.username.clone(), password: url.password.clone() };
        let observer = observer(login, url.database.unwrap_or(0));
        Self::new(url.site.clone(), &url.tls, false, std::iter::empty(), observer)?.found_in_part().await
    }

    fn at(url: &TargetUrl, scenario: &Scenario) -> Result<Self, TargetError> {
        let logins: Vec<_> = scenario
            .services
            .iter()
            .map(|service| Login::of(service, url, |name| std::env::var(name).ok()))
            .collect::<Result<_, _>>()?;
        // The URL's own login is the likeliest to have rights; where it has none, the first service's must do.
        let login = match logins.first() {
            Some(first) if !url.has_login() => first.clone(),
            _ => Login { username: url.username.clone(), password: url.password.clone() },
        };
        let of_url = url.database.unwrap_or(0);
        let observer = observer(login, of_url);
        let access = scenario.services.iter().zip(logins).map(|(service, login)| Access {
            service: service.name.clone(),
            login,
            // A scenario cannot decide database 0 from none; who writes a database into the URL means it.
            database: if service.database == 0 { of_url } else { service.database },
            protocol: service.protocol,
            read_from: service.read_from,
        });
        Self::new(url.site.clone(), &url.tls.or(&scenario.tls), false, access, observer)
    }

    pub(super) fn new(
        site: Site,
        tls: &TlsOptions,
        private: bool,
        services: impl Iterator<Item = Access>,
        observer: Access,
    ) -> Result<Self, TargetError> {
        let tls = Tls::of(site.first(), tls).map_err(|fault| site.failed(fault))?;
        let connectors = services.map(|access| Connector::new(&site, tls.clone(), access)).collect();
        let observer = Connector::new(&site, tls, observer);
        Ok(Self { site, nodes: Vec::new(), private, connectors, others: Vec::new(), observer })
    }

    /// Finds out which nodes there are. Questions about the server then go to the first primary.
    pub async fn found(self) -> Result<Self, TargetError> {
        let (found, unreached) = self.located().await?;
        unreached.into_iter().next().map_or(Ok(found), |(_, error)| Err(error))
    }

    /// Finds out which nodes there are, of which some may not answer. Questions about the server then go to the first primary that
    /// answers, or else to a replica.
    async fn found_in_part(mut self) -> Result<Self, TargetError> {
        if self.site.topology == Topology::Standalone && self.readers().next().is_none() {
            // A primary names its replicas. One that stands alone has none, and a replica is looked at by itself.
            let seen = nodes::seen_by(&self.observer, self.site.first(), &self.site.topology).await;
            self.nodes = seen.map(|(nodes, _)| nodes).ok().filter(|nodes| nodes.len() > 1).unwrap_or_default();
            return Ok(self);
        }
        let (mut found, mut unreached) = self.located().await?;
        if unreached.iter().any(|(endpoint, _)| endpoint == found.asked()) {
            let is_reached = |node: &&Node| unreached.iter().all(|(endpoint, _)| *endpoint != node.endpoint);
            let mut others: Vec<_> = found.primaries().filter(is_reached).map(|node| node.endpoint.clone()).collect();
            others.extend(found.replicas().map(|node| node.endpoint.clone()));
            let mut answers = None;
            for endpoint in others {
                if found.observer.at(&endpoint).connect().await.is_ok() {
                    answers = Some(endpoint);
                    break;
                }
            }
            let Some(endpoint) = answers else { return Err(unreached.swap_remove(0).1) };
            found.observer = found.observer.at(&endpoint);
        }
        Ok(found)
    }

    /// Finds out which nodes there are, and which primaries cannot be reached at the address that a seed gives for them.
    async fn located(mut self) -> Result<(Self, Vec<(Endpoint, TargetError)>), TargetError> {
        let reads_replicas = self.readers().next().is_some();
        if self.site.topology == Topology::Standalone && !reads_replicas {
            return Ok((self, Vec::new()));
        }
        if self.site.topology == Topology::Cluster {
            let elsewhere = self.connectors.iter().filter(|connector| connector.database() != 0);
            let services: Vec<_> = elsewhere.map(|connector| connector.service().to_owned()).collect();
            if !services.is_empty() {
                return Err(TargetError::ClusterDatabase { services });
            }
        }
        let (seed, (nodes, has_login)) = self.look_around().await?;
        self.nodes = nodes;
        let unreached = self.unreached_primaries(&seed).await;
        let primary = self.primaries().next();
        let primary = primary.ok_or_else(|| TargetError::NoPrimary { address: self.address() })?;
        self.observer = self.observer.at(&primary.endpoint);
        let is_cluster = self.site.topology == Topology::Cluster;
        let slots = Arc::new(SlotTable::new(self.nodes.iter().map(|node| node.endpoint.clone()).collect()));
        if is_cluster {
            nodes::note(&slots, &self.nodes);
        }
        let roster = reads_replicas.then(|| Arc::new(Roster::new(Arc::clone(&slots), is_cluster)));
        if let Some(roster) = &roster {
            nodes::note_replicas(roster, &self.nodes);
        }
        for connector in &mut self.connectors {
            // A seed that does not answer would cost each connection the time that it is waited for.
            let found = connector.asking_first(&seed).asking_sentinels(has_login);
            let found = if is_cluster { found.knowing(Arc::clone(&slots)) } else { found };
            *connector = if let Some(roster) = &roster { found.reading_by(Arc::clone(roster)) } else { found };
        }
        Ok((self, unreached))
    }

    /// Connectors of the services that read from replicas.
    pub(super) fn readers(&self) -> impl Iterator<Item = &Connector> {
        self.connectors.iter().filter(|connector| connector.read_from() != ReadFrom::Primary)
    }

    /// The seed that answers first, the nodes as it sees them, and whether a Sentinel was asked with the login of the servers. They are
    /// asked one after the other, without waiting long for one that is silent.
    pub(super) async fn look_around(&self) -> Result<(Endpoint, (Vec<Node>, bool)), TargetError> {
        let (mut seeds, mut asked, mut errors) = (self.site.seeds.iter().cloned(), JoinSet::new(), Vec::new());
        loop {
            if let Some(seed) = seeds.next() {
                let (observer, topology) = (self.observer.clone(), self.site.topology.clone());
                asked.spawn(async move { nodes::seen_by(&observer, &seed, &topology).await.map(|seen| (seed, seen)) });
            }
            let patience = if seeds.len() == 0 { Duration::MAX } else { TIMEOUT };
            match timeout(patience, asked.join_next()).await {
                Ok(Some(seen)) => match seen.expect("asking does not panic, and nothing aborts it") {
                    Ok(seen) => return Ok(seen),
                    Err(error) => errors.push(error),
                },
                Ok(None) => return Err(self.no_seed(errors)),
                Err(_) => {}
            }
        }
    }

    /// The error of seeds of which none is of use: what one says that answers, or why none does.
    fn no_seed(&self, mut errors: Vec<TargetError>) -> TargetError {
        let unreachable = |error: &TargetError| match error {
            TargetError::Connection { fault, .. } if fault.is_unreachable() => Some(fault.to_string()),
            _ => None,
        };
        if let Some(place) = errors.iter().position(|error| unreachable(error).is_none()) {
            return errors.swap_remove(place);
        }
        let alike = errors.iter().all(|error| unreachable(error) == unreachable(&errors[0]));
        match errors.pop() {
            Some(TargetError::Connection { fault, .. }) if alike => self.site.failed(fault),
            last => TargetError::Several(errors.into_iter().chain(last).collect()),
        }
    }

    /// Primaries that cannot be reached at the address that a seed gives for them.
    async fn unreached_primaries(&self, seed: &Endpoint) -> Vec<(Endpoint, TargetError)> {
        let mut tried = JoinSet::new();
        for endpoint in self.primaries().map(|node| node.endpoint.clone()).filter(|endpoint| endpoint != seed) {
            let connector = self.observer.at(&endpoint);
            tried.spawn(async move { (endpoint, connector.connect().await.err()) });
        }
        let settings = match self.site.topology {
            Topology::Sentinel { .. } => "replica-announce-ip of the server, or the address in `sentinel monitor`",
            Topology::Cluster | Topology::Standalone => "cluster-announce-ip and cluster-announce-port",
        };
        let unreached = |(endpoint, error): (Endpoint, Option<TargetError>)| match error {
            Some(TargetError::Connection { fault, .. }) if fault.is_unreachable() => {
                let (node, by) = (endpoint.to_string(), seed.to_string());
                Some((endpoint, TargetError::NodeUnreachable { node, by, fault, settings }))
            }
            _ => None,
        };
        tried.join_all().await.into_iter().filter_map(unreached).collect()
    }

    /// Connectors to each server that has some of the keys, with the login of a service.
    pub(super) fn holders(&self, connector: &Connector) -> Vec<Connector> {
        match self.site.topology {
            Topology::Cluster => self.primaries().map(|node| connector.at(&node.endpoint)).collect(),
            Topology::Standalone | Topology::Sentinel { .. } => vec![connector.clone()],
        }
    }

    /// Primaries among the nodes; none of a server that stands alone.
    pub(super) fn primaries(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.role == NodeRole::Primary)
    }

    /// Replicas among the nodes.
    pub(super) fn replicas(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.role == NodeRole::Replica)
    }

    /// Where the server is asked about itself.
    pub(super) fn asked(&self) -> &Endpoint {
        self.observer.site().first()
    }

    /// Addresses of the nodes that a request can have been served by, in the order of their numbers; none of a server that
    /// stands alone.
    pub fn node_addresses(&self) -> Vec<String> {
        let is_known = self.site.topology == Topology::Cluster || self.readers().next().is_some();
        self.nodes.iter().filter(|_| is_known).map(|node| node.endpoint.to_string()).collect()
    }

    /// Services of this one and then those of another, each at their own server. Questions are for this one's.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Self {
        Self { others: vec![other.clone()], ..self.clone() }
    }

    /// Opens connections of one service, by its index in the scenario, and counts their losses.
    ///
    /// # Panics
    /// Where the index is out of range.
    pub fn connector(&self, service: usize) -> Connector {
        let all = self.connectors.iter().chain(self.others.iter().flat_map(|other| &other.connectors));
        all.skip(service).map(Connector::of_load).next().expect("every service has a connector")
    }

    /// Like [`Self::connector`], for connections that speak the protocol themselves.
    ///
    /// # Panics
    /// Where the index is out of range.
    pub fn wire_connector(&self, service: usize) -> WireConnector {
        WireConnector::like(self.connector(service))
    }

    /// Like [`Self::wire_connector`], for a cluster; nothing for other targets.
    ///
    /// # Panics
    /// Where the index is out of range.
    pub fn cluster_connector(&self, service: usize) -> Option<ClusterConnector> {
        ClusterConnector::like(self.connector(service))
    }

    /// Opens connections for questions about the server: as the private server's administrator, else with the login of
    /// the URL.
    pub fn observer(&self) -> Connector {
        self.observer.clone()
    }

    /// Opens a connection within a time, and closes it.
    pub async fn answers(&self, within: Duration) -> Result<(), TargetError> {
        let silent = |_| Err(self.site.failed(Fault::Silent(within)));
        timeout(within, self.observer.connect()).await.unwrap_or_else(silent).map(drop)
    }

    /// Whether the server's certificate is not checked.
    pub fn is_insecure(&self) -> bool {
        self.observer.tls().is_some_and(Tls::is_insecure)
    }

    /// Database of each service.
    pub fn databases(&self) -> Vec<u8> {
        self.connectors.iter().map(Connector::database).collect()
    }

    /// The address in messages: the first of its hosts, and how many more it has.
    pub fn brief_address(&self) -> String {
        brief_address(&self.address())
    }

    /// The address, without any login.
    pub fn address(&self) -> String {
        self.site.to_string()
    }
}

pub(super) fn observer(login: Login, database: u8) -> Access {
    let (protocol, read_from) = (Protocol::Resp2, ReadFrom::Primary);
    Access { service: OBSERVER.to_owned(), login, database, protocol, read_from }
}

fn private_user(service: &Service) -> &str {
    service.username.as_deref().unwrap_or(DEFAULT_USER)
}
