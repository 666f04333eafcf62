//! The server that is measured, with the login of each service.

use std::{path::PathBuf, time::Duration};

use tokio::time::timeout;

use super::{
    Connector, Endpoint, Fault, PrivateServer, ServerOptions, TargetError, TargetUrl, WireConnector,
    login::{Access, Login},
    tls::Tls,
};
use crate::scenario::{Scenario, Service, TlsOptions};

/// User of services that name none, on a private server.
const DEFAULT_USER: &str = "plimsoll";

/// Connections to a private server beside those of the services: questions about it, and writing the data.
const SPARE_CLIENTS: u64 = 100;

/// Name of connections for questions about the server, in the place of a service's.
const OBSERVER: &str = "observer";

/// The server that is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A private one, started for the run.
    Embedded {
        /// Its program; `None` looks on `PATH`.
        server_bin: Option<PathBuf>,
        /// Further settings of it, name and value.
        config: Vec<(String, String)>,
    },
    /// A server that is running already.
    Url(TargetUrl),
}

/// The server that is measured, with the login of each service.
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) endpoint: Endpoint,
    /// Whether the harness started it.
    pub(super) private: bool,
    /// In the scenario's order.
    pub(super) connectors: Vec<Connector>,
    /// For questions about the server itself.
    pub(super) observer: Connector,
}

impl Target {
    /// Finds out who logs in as whom, and starts the private server if one is wanted. It stops when it is dropped.
    pub async fn prepare(source: Source, scenario: &Scenario) -> Result<(Self, Option<PrivateServer>), TargetError> {
        match source {
            Source::Embedded { server_bin, config: further } => {
                let users = scenario.services.iter().map(|service| private_user(service).to_owned()).collect();
                // Ten thousand, as in the report that this began with, unless the scenario asks for more.
                let clients = scenario.connections().saturating_add(SPARE_CLIENTS).max(10_000);
                let mut config = vec![("maxclients".to_owned(), clients.to_string())];
                config.extend(further);
                let options = ServerOptions { binary: server_bin, users, config, ..ServerOptions::default() };
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
        };
        let login = server.login(server.admin());
        let observer = Access { service: OBSERVER.to_owned(), login, database: 0 };
        let url = server.url();
        Self::new(url.endpoint, &url.tls, true, scenario.services.iter().map(access), observer)
    }

    /// A server without load: for questions only.
    pub fn without_services(url: &TargetUrl) -> Result<Self, TargetError> {
        let login = Login { username: url.username.clone(), password: url.password.clone() };
        let observer = Access { service: OBSERVER.to_owned(), login, database: url.database.unwrap_or(0) };
        Self::new(url.endpoint.clone(), &url.tls, false, std::iter::empty(), observer)
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
        let observer = Access { service: OBSERVER.to_owned(), login, database: of_url };
        let access = scenario.services.iter().zip(logins).map(|(service, login)| Access {
            service: service.name.clone(),
            login,
            // A scenario cannot decide database 0 from none; who writes a database into the URL means it.
            database: if service.database == 0 { of_url } else { service.database },
        });
        Self::new(url.endpoint.clone(), &url.tls.or(&scenario.tls), false, access, observer)
    }

    fn new(
        endpoint: Endpoint,
        tls: &TlsOptions,
        private: bool,
        services: impl Iterator<Item = Access>,
        observer: Access,
    ) -> Result<Self, TargetError> {
        let tls = Tls::of(&endpoint, tls).map_err(|fault| endpoint.failed(fault))?;
        let connectors = services.map(|access| Connector::new(&endpoint, tls.clone(), access)).collect();
        let observer = Connector::new(&endpoint, tls, observer);
        Ok(Self { endpoint, private, connectors, observer })
    }

    /// Services of this one and then those of another, each at their own server. Questions are for this one's.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Self {
        let connectors = self.connectors.iter().chain(&other.connectors).cloned().collect();
        Self { connectors, ..self.clone() }
    }

    /// Opens connections of one service, by its index in the scenario, and counts their losses.
    ///
    /// # Panics
    /// Where the index is out of range.
    pub fn connector(&self, service: usize) -> Connector {
        self.connectors[service].counting_anew()
    }

    /// Like [`Self::connector`], for connections that speak the protocol themselves.
    ///
    /// # Panics
    /// Where the index is out of range.
    pub fn wire_connector(&self, service: usize) -> WireConnector {
        WireConnector::like(self.connector(service))
    }

    /// Opens connections for questions about the server: as the private server's administrator, else with the login of
    /// the URL.
    pub fn observer(&self) -> Connector {
        self.observer.clone()
    }

    /// Opens a connection within a time, and closes it.
    pub async fn answers(&self, within: Duration) -> Result<(), TargetError> {
        let silent = |_| Err(self.endpoint.failed(Fault::Silent(within)));
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

    /// The address, without any login.
    pub fn address(&self) -> String {
        self.endpoint.to_string()
    }
}

fn private_user(service: &Service) -> &str {
    service.username.as_deref().unwrap_or(DEFAULT_USER)
}
