//! Opening connections: one fred client each.
//!
//! RESP2 is spoken: it is what the peers (`redis-benchmark`, memtier) and most applications speak, its frames are
//! decoded with less work, and no command of the table replies differently enough to need RESP3.

use std::{fmt, sync::Arc, time::Duration};

use fred::{
    clients::Client,
    error::{Error, ErrorKind},
    interfaces::{ClientInterface, ClientLike},
    types::{
        RespVersion,
        config::{Config, ConnectionConfig, PerformanceConfig, ReconnectPolicy, Server, ServerConfig, TcpConfig},
    },
};
use tokio::time::timeout;

use super::{
    Connection, Endpoint, Fault, TargetError,
    driver::{Driver, Losses},
    failure,
    fred::{Opened, Router},
    login::{Access, Login},
    tls::{self, Tls},
};

/// Time that a connection has to come about, and again to log in.
pub(super) const OPEN_LIMIT: Duration = Duration::from_secs(5);

/// Pauses between attempts to reconnect, in milliseconds: doubled each time, with a random part so that a thousand
/// connections do not come at once.
pub(super) const SHORTEST_PAUSE: u32 = 50;
pub(super) const LONGEST_PAUSE: u32 = 1_000;

/// Events that fred keeps for a slow listener, in eight queues per client. A listener that misses one still learns that there
/// was one, which is enough; the 32 that fred keeps otherwise would cost each client 20 KB.
const KEPT_EVENTS: usize = 1;

/// Opens connections of one service. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    settings: Arc<Settings>,
    losses: Arc<Losses>,
}

struct Settings {
    endpoint: Endpoint,
    access: Access,
    tls: Option<Tls>,
    client_name: String,
    config: Config,
    connection: ConnectionConfig,
    performance: PerformanceConfig,
    policy: ReconnectPolicy,
}

impl Connector {
    pub(super) fn new(endpoint: &Endpoint, tls: Option<Tls>, access: Access) -> Self {
        let server = match endpoint {
            Endpoint::Tcp { host, port, .. } => {
                let mut server = Server::new(host.as_str(), *port);
                server.tls_server_name = tls.as_ref().map(|tls| tls.server_name(host).into());
                ServerConfig::Centralized { server }
            }
            Endpoint::Unix { path } => ServerConfig::Unix { path: path.clone() },
        };
        let Login { username, password } = &access.login;
        let password = password.as_ref().map(|password| password.expose().to_owned());
        let config = Config {
            // The first attempt decides: a wrong password must not be tried for ever.
            fail_fast: true,
            username: username.clone(),
            // fred sends no AUTH without a password; a user with `nopass` is accepted with any.
            password: password.or_else(|| username.as_ref().map(|_| String::new())),
            server,
            version: RespVersion::RESP2,
            database: (access.database != 0).then_some(access.database),
            ..Config::default()
        };
        let connection = ConnectionConfig {
            connection_timeout: OPEN_LIMIT,
            internal_command_timeout: OPEN_LIMIT,
            // A command is sent once. Else one that was under way when the connection broke would be sent again: an
            // outage would look like latency, and a command that is not idempotent could run twice.
            max_command_attempts: 1,
            tcp: TcpConfig { nodelay: Some(true), ..TcpConfig::default() },
            ..ConnectionConfig::default()
        };
        let settings = Settings {
            endpoint: endpoint.clone(),
            client_name: format!("plimsoll:{}", access.service),
            access,
            tls,
            config,
            connection,
            performance: PerformanceConfig { broadcast_channel_capacity: KEPT_EVENTS, ..PerformanceConfig::default() },
            policy: ReconnectPolicy::new_exponential(0, SHORTEST_PAUSE, LONGEST_PAUSE, 2),
        };
        Self { settings: Arc::new(settings), losses: Arc::default() }
    }

    /// A connector with its own count of losses.
    pub(super) fn counting_anew(&self) -> Self {
        Self { settings: Arc::clone(&self.settings), losses: Arc::default() }
    }

    /// Number of lost connections that the connector (or a clone) has opened.
    pub fn losses(&self) -> Arc<Losses> {
        Arc::clone(&self.losses)
    }

    /// Opens a connection: connects, logs in, selects the database and says its name. One attempt, of at most ten
    /// seconds. Its tasks run on the current runtime.
    pub async fn open(&self) -> Result<Connection, TargetError> {
        let opened = self.attempt().await.map_err(|fault| self.failed(fault))?;
        Ok(Connection::new(opened, &self.settings.client_name, self.losses()).await)
    }

    /// The service that it opens connections for.
    pub(super) fn service(&self) -> &str {
        &self.settings.access.service
    }

    /// Address of the server.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.settings.endpoint
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
        let endpoint = &self.settings.endpoint;
        let connected = tokio::select! {
            biased;
            opened = self.attempt() => match opened {
                Err(Fault::HungUp | Fault::NotAServer) if tls::uses_tls(endpoint).await => Err(Fault::WantsTls),
                opened => opened.map(|Opened { client, router, .. }| (client, router)),
            },
            () = tls::answered_plainly(endpoint) => Err(Fault::NoTls),
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
        let Settings { config, connection, performance, policy, tls, .. } = &*self.settings;
        let (timed, stopwatch) = tls.as_ref().map(Tls::timed).unzip();
        let config = Config { tls: timed.map(Into::into), ..config.clone() };
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
        match result {
            Ok(()) => {
                let handshake = stopwatch.and_then(|stopwatch| stopwatch.took());
                Ok(Opened { client, router, handshake })
            }
            Err(error) => Err(self.fault(&error)),
        }
    }

    fn fault(&self, error: &Error) -> Fault {
        match failure::of_opening(error, &self.settings.endpoint, self.user(), self.database(), OPEN_LIMIT) {
            Fault::WrongPassword { user } if self.password().is_none() => Fault::PasswordMissing { user },
            fault => fault,
        }
    }

    /// Classifies an error in reply to a login or to a first command.
    pub(super) fn explain(&self, error: &Error) -> TargetError {
        self.failed(self.fault(error))
    }

    pub(super) fn failed(&self, fault: Fault) -> TargetError {
        self.settings.endpoint.failed(fault)
    }
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
        let Settings { endpoint, client_name, .. } = &*self.settings;
        f.debug_struct("Connector")
            .field("endpoint", endpoint)
            .field("client_name", client_name)
            .finish_non_exhaustive()
    }
}
