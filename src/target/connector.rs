//! Opening connections: one fred client each.
//!
//! RESP2 is spoken, which every server does; RESP3 only on connections for load, where a service asks for it.

use std::{fmt, sync::Arc, time::Duration};

use fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::{ClientInterface, ClientLike},
    types::{
        RespVersion,
        config::{
            ClusterDiscoveryPolicy, Config, ConnectionConfig, PerformanceConfig, ReconnectPolicy, Server, ServerConfig,
            TcpConfig, TlsConfig, TlsHostMapping,
        },
    },
};
use tokio::time::timeout;

use super::{
    Connection, Endpoint, Fault, Site, TargetError, Topology,
    ask::ask,
    driver::{Driver, Losses},
    failure,
    fred::{Opened, Router, quoted},
    link::{LONGEST_PAUSE, REDIRECTIONS, SHORTEST_PAUSE},
    login::{Access, Login},
    roster::{READONLY, Roster},
    slots::SlotTable,
    tls::{self, Tls},
};
use crate::scenario::{Protocol, ReadFrom};

/// Time that a connection has to come about, and again to log in.
pub(super) const OPEN_LIMIT: Duration = Duration::from_secs(5);

/// Events that fred keeps for a slow listener, in eight queues per client. A listener that misses one still learns that there
/// was one, which is enough; the 32 that fred keeps otherwise would cost each client 20 KB.
const KEPT_EVENTS: usize = 1;

/// The same in a cluster, where each node has events of its own.
const KEPT_EVENTS_OF_CLUSTER: usize = 32;

/// Opens connections of one service. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    settings: Arc<Settings>,
    losses: Arc<Losses>,
    /// Which node of a cluster has which slots.
    slots: Option<Arc<SlotTable>>,
    /// Which replicas there are, where a service reads from them.
    roster: Option<Arc<Roster>>,
    /// Whether its connections are to read from a replica of a cluster (`READONLY`).
    is_readonly: bool,
}

#[derive(Clone)]
struct Settings {
    site: Site,
    access: Arc<Access>,
    tls: Option<Tls>,
    client_name: String,
    config: Config,
    connection: ConnectionConfig,
    performance: PerformanceConfig,
    policy: ReconnectPolicy,
}

impl Connector {
    pub(super) fn new(site: &Site, tls: Option<Tls>, access: Access) -> Self {
        let Login { username, password } = &access.login;
        let password = password.as_ref().map(|password| password.expose().to_owned());
        let config = Config {
            // The first attempt decides: a wrong password must not be tried for ever.
            fail_fast: true,
            username: username.clone(),
            // fred sends no AUTH without a password; a user with `nopass` is accepted with any.
            password: password.or_else(|| username.as_ref().map(|_| String::new())),
            server: addressed(site, tls.as_ref()),
            version: RespVersion::RESP2,
            database: (access.database != 0).then_some(access.database),
            ..Config::default()
        };
        let connection = ConnectionConfig {
            connection_timeout: OPEN_LIMIT,
            internal_command_timeout: OPEN_LIMIT,
            // A command is sent once. Else one that was under way when the connection broke would be sent again: an
            // outage would look like latency, and a command that is not idempotent could run twice.
            max_command_attempts: attempts(site),
            max_redirections: REDIRECTIONS,
            tcp: TcpConfig { nodelay: Some(true), ..TcpConfig::default() },
            ..ConnectionConfig::default()
        };
        let events = if site.topology == Topology::Cluster { KEPT_EVENTS_OF_CLUSTER } else { KEPT_EVENTS };
        let settings = Settings {
            site: site.clone(),
            client_name: format!("plimsoll:{}", access.service),
            access: Arc::new(access),
            tls,
            config,
            connection,
            performance: PerformanceConfig { broadcast_channel_capacity: events, ..PerformanceConfig::default() },
            policy: ReconnectPolicy::new_exponential(0, SHORTEST_PAUSE, LONGEST_PAUSE, 2),
        };
        let settings = Arc::new(settings);
        Self { settings, losses: Arc::default(), slots: None, roster: None, is_readonly: false }
    }

    /// A connector for a cluster whose nodes are known.
    pub(super) fn knowing(&self, slots: Arc<SlotTable>) -> Self {
        Self { slots: Some(slots), ..self.clone() }
    }

    /// A connector for a target whose replicas are known.
    pub(super) fn reading_by(&self, roster: Arc<Roster>) -> Self {
        Self { roster: Some(roster), ..self.clone() }
    }

    /// A connector to one server of the site, with the same login.
    pub(super) fn at(&self, endpoint: &Endpoint) -> Self {
        Self { slots: None, roster: None, ..self.to(endpoint.clone().into()) }
    }

    /// A connector to a replica, to read from it.
    pub(super) fn at_replica(&self, endpoint: &Endpoint) -> Self {
        Self { is_readonly: self.roster.as_ref().is_some_and(|roster| roster.is_cluster()), ..self.at(endpoint) }
    }

    /// A connector to another site, with the same login.
    fn to(&self, site: Site) -> Self {
        let mut settings = (*self.settings).clone();
        settings.config.server = addressed(&site, settings.tls.as_ref());
        settings.connection.max_command_attempts = attempts(&site);
        settings.site = site;
        Self { settings: Arc::new(settings), ..self.clone() }
    }

    /// A connector that asks one of the seeds before the others.
    pub(super) fn asking_first(&self, seed: &Endpoint) -> Self {
        let mut site = self.settings.site.clone();
        site.seeds.sort_by_key(|other| other != seed);
        self.to(site)
    }

    /// Opens a bare client to a Sentinel: with the login of the servers, and without one where the Sentinel does not know that.
    /// Shows whether it has the login.
    pub(super) async fn sentinel(&self, sentinel: &Endpoint) -> Result<(Client, Router, bool), Fault> {
        let mut connector = self.at(sentinel);
        let settings = Arc::make_mut(&mut connector.settings);
        // A Sentinel has no databases.
        settings.config.database = None;
        let has_login = settings.config.password.is_some();
        match connector.attempt().await {
            Ok(Opened { client, router, .. }) => Ok((client, router, has_login)),
            Err(Fault::WrongPassword { .. } | Fault::NoPassword | Fault::NoUsers) if has_login => {
                let settings = Arc::make_mut(&mut connector.settings);
                (settings.config.username, settings.config.password) = (None, None);
                connector.attempt().await.map(|Opened { client, router, .. }| (client, router, false))
            }
            Err(fault) => Err(fault),
        }
    }

    /// A connector whose connections ask the Sentinels with the login of the servers, or without one.
    pub(super) fn asking_sentinels(mut self, with_login: bool) -> Self {
        let config = &mut Arc::make_mut(&mut self.settings).config;
        let login = (config.username.clone(), config.password.clone());
        if let ServerConfig::Sentinel { username, password, .. } = &mut config.server {
            (*username, *password) = if with_login { login } else { (None, None) };
        }
        self
    }

    /// A connector for load: in the protocol of its service, with its own count of losses.
    pub(super) fn of_load(&self) -> Self {
        let mut settings = (*self.settings).clone();
        settings.config.version = match settings.access.protocol {
            Protocol::Resp2 => RespVersion::RESP2,
            Protocol::Resp3 => RespVersion::RESP3,
        };
        Self { settings: Arc::new(settings), losses: Arc::default(), ..self.clone() }
    }

    /// The protocol of its connections.
    pub(super) fn protocol(&self) -> Protocol {
        if self.settings.config.version == RespVersion::RESP3 { Protocol::Resp3 } else { Protocol::Resp2 }
    }

    /// Why a server that it reaches in RESP2 refuses connections for load.
    pub(super) async fn refused_load(&self) -> Option<TargetError> {
        let of_load = self.of_load();
        if of_load.protocol() == Protocol::Resp2 {
            return None;
        }
        let fault = match of_load.attempt().await.err()? {
            // What proxies do that do not know `HELLO`.
            Fault::HungUp => Fault::NoResp3,
            fault => fault,
        };
        Some(self.failed(fault))
    }

    /// Number of lost connections that the connector (or a clone) has opened.
    pub fn losses(&self) -> Arc<Losses> {
        Arc::clone(&self.losses)
    }

    /// Opens a connection: connects, logs in, selects the database and says its name. One attempt, of at most ten
    /// seconds. Its tasks run on the current runtime.
    pub async fn open(&self) -> Result<Connection, TargetError> {
        let opened = self.attempt().await.map_err(|fault| self.failed(fault))?;
        if self.is_readonly {
            ask(&opened.client, READONLY, Vec::new()).await.map_err(|error| self.explain(&error))?;
        }
        let (losses, slots) = (self.losses(), self.slots.clone());
        Ok(Connection::new(opened, &self.settings.client_name, losses, slots, self.is_readonly).await)
    }

    /// The service that it opens connections for.
    pub(super) fn service(&self) -> &str {
        &self.settings.access.service
    }

    /// What its connections go to.
    pub(super) fn site(&self) -> &Site {
        &self.settings.site
    }

    /// Which node of a cluster has which slots.
    pub(super) fn slots(&self) -> Option<&Arc<SlotTable>> {
        self.slots.as_ref()
    }

    /// Which replicas there are, where a service reads from them.
    pub(super) fn roster(&self) -> Option<&Arc<Roster>> {
        self.roster.as_ref()
    }

    /// Nodes that its load reads from.
    pub(super) fn read_from(&self) -> ReadFrom {
        self.settings.access.read_from
    }

    /// Whether its connections are to read from a replica of a cluster.
    pub(super) fn is_readonly(&self) -> bool {
        self.is_readonly
    }

    /// TLS, if the endpoint uses it.
    pub(super) fn tls(&self) -> Option<&Tls> {
        self.settings.tls.as_ref()
    }

    /// The user that it logs in as, where one is given.
    pub(super) fn username(&self) -> Option<&str> {
        self.settings.config.username.as_deref()
    }

    /// The password that it sends, which may be empty.
    pub(super) fn any_password(&self) -> Option<&str> {
        self.settings.config.password.as_deref()
    }

    /// Name of its connections (`CLIENT SETNAME`).
    pub(super) fn client_name(&self) -> &str {
        &self.settings.client_name
    }

    /// Its access to the server.
    pub(super) fn access(&self) -> &Access {
        &self.settings.access
    }

    /// The database that it selects.
    pub(super) fn database(&self) -> u8 {
        self.settings.access.database
    }

    /// The user that it logs in as.
    pub(super) fn user(&self) -> &str {
        self.settings.access.login.user()
    }

    /// The password that it logs in with, if that is one.
    pub(super) fn password(&self) -> Option<&str> {
        self.any_password().filter(|password| !password.is_empty())
    }

    /// Opens a bare client, which is all that is needed before and after the load. It lives as long as its router.
    /// Reports a server that uses TLS unexpectedly, or does not use it.
    pub(super) async fn connect(&self) -> Result<(Client, Router), TargetError> {
        let first = self.settings.site.first();
        let connected = tokio::select! {
            biased;
            opened = self.attempt() => match opened {
                Err(Fault::HungUp | Fault::NotAServer) if tls::uses_tls(first).await => Err(Fault::WantsTls),
                opened => opened.map(|Opened { client, router, .. }| (client, router)),
            },
            () = tls::answered_plainly(first) => Err(Fault::NoTls),
        };
        connected.map_err(|fault| self.failed(fault))
    }

    /// Opens a bare client that shows its name to those who look at the server meanwhile.
    pub(super) async fn connect_by_name(&self) -> Result<(Client, Router), TargetError> {
        let (client, router) = self.connect().await?;
        // Without the right to give names it goes without.
        let _ = client.client_setname(self.settings.client_name.as_str()).await;
        Ok((client, router))
    }

    async fn attempt(&self) -> Result<Opened, Fault> {
        self.opened().await.map_err(|error| self.fault(&error))
    }

    async fn opened(&self) -> Result<Opened, Error> {
        let Settings { config, connection, performance, policy, tls, .. } = &*self.settings;
        let (timed, stopwatch) = tls.as_ref().map(Tls::timed).unzip();
        let of_nodes =
            |connector| TlsConfig { connector, hostnames: tls.as_ref().map_or(TlsHostMapping::None, Tls::of_nodes) };
        let mut config = Config { tls: timed.map(of_nodes), ..config.clone() };
        if config.version == RespVersion::RESP3 {
            config.username = config.username.as_deref().map(quoted);
            config.password = config.password.as_deref().map(quoted);
        }
        let client = Client::new(config, Some(performance.clone()), Some(connection.clone()), Some(policy.clone()));
        let mut task = client.connect();
        let router = Router(task.abort_handle());
        let connected = async {
            tokio::select! {
                biased;
                ended = &mut task => match ended {
                    Ok(Err(error)) => Err(error),
                    _ => Err(Error::new(ErrorKind::IO, "the connection closed immediately")),
                },
                connected = client.wait_for_connect() => connected,
            }
        };
        // fred keeps the limits of each step.
        let result = timeout(2 * OPEN_LIMIT, connected)
            .await
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Timeout, "no answer")));
        result?;
        let handshake = stopwatch.and_then(|stopwatch| stopwatch.took());
        Ok(Opened { client, router, handshake })
    }

    fn fault(&self, error: &Error) -> Fault {
        match failure::of_opening(error, self.settings.site.first(), self.user(), self.database(), OPEN_LIMIT) {
            Fault::WrongPassword { user } if self.password().is_none() => Fault::PasswordMissing { user },
            fault => fault,
        }
    }

    /// Classifies an error in reply to a login or to a first command.
    pub(super) fn explain(&self, error: &Error) -> TargetError {
        self.failed(self.fault(error))
    }

    pub(super) fn failed(&self, fault: Fault) -> TargetError {
        self.settings.site.failed(fault)
    }
}

/// A site in fred's terms.
fn addressed(site: &Site, tls: Option<&Tls>) -> ServerConfig {
    let server = |seed: &Endpoint| {
        let (host, port) = match seed {
            Endpoint::Tcp { host, port, .. } => (host.as_str(), *port),
            Endpoint::Unix { path } => return Err(path.clone()),
        };
        let mut server = Server::new(host, port);
        server.tls_server_name = tls.map(|tls| tls.server_name(host).into());
        Ok(server)
    };
    // A socket cannot be in a list.
    let hosts = || site.seeds.iter().filter_map(|seed| server(seed).ok()).collect();
    match &site.topology {
        Topology::Standalone => match server(site.first()) {
            Ok(server) => ServerConfig::Centralized { server },
            Err(path) => ServerConfig::Unix { path },
        },
        Topology::Sentinel { service } => {
            // Their login is known once they have been asked.
            ServerConfig::Sentinel { hosts: hosts(), service_name: service.clone(), username: None, password: None }
        }
        // Several seeds are asked, and the nodes that are known: a seed may be the node that is down.
        Topology::Cluster => ServerConfig::Clustered { hosts: hosts(), policy: ClusterDiscoveryPolicy::UseCache },
    }
}

/// How often fred may write a command: in a cluster once more for each redirection.
fn attempts(site: &Site) -> u32 {
    if site.topology == Topology::Cluster { 1 + REDIRECTIONS } else { 1 }
}

impl Driver for Connector {
    type Connection = Connection;

    fn open(&self) -> impl Future<Output = Result<Connection, TargetError>> {
        Self::open(self)
    }

    fn losses(&self) -> Arc<Losses> {
        Self::losses(self)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { site, client_name, .. } = &*self.settings;
        f.debug_struct("Connector").field("site", site).field("client_name", client_name).finish_non_exhaustive()
    }
}
