//! Where load goes: addresses, logins, fred connections, private servers.
//!
//! The load engine asks a [`Target`] for one [`Connector`] per service and issues requests through the [`Connection`]s
//! that it opens. How requests are paced, and what their latencies mean, is decided elsewhere.

mod address;
mod connection;
mod connector;
mod error;
mod failure;
mod issue;
mod limits;
mod login;
mod private;
mod reply;
mod secret;

use std::path::PathBuf;

pub use address::{Endpoint, TargetUrl};
pub use connection::Connection;
pub use connector::Connector;
pub use error::TargetError;
pub use private::{Listen, PrivateServer, ServerOptions};
pub use secret::Secret;

use crate::scenario::{Scenario, Service};
use login::Login;

/// User of services that name none, on a private server.
const DEFAULT_USER: &str = "plimsoll";

/// Which server is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A private one, started for the run.
    Embedded {
        /// Its program; `None` looks on `PATH`.
        server_bin: Option<PathBuf>,
    },
    /// One that runs already.
    Url(TargetUrl),
}

/// The server that is measured, with the login of each service.
#[derive(Debug)]
pub struct Target {
    endpoint: Endpoint,
    /// In the scenario's order.
    services: Vec<Access>,
    /// For questions about the server itself.
    observer: Access,
}

/// How one service uses the server.
#[derive(Debug, Clone)]
struct Access {
    service: String,
    login: Login,
    database: u8,
}

impl Target {
    /// Finds out who logs in as whom, and starts the private server if one is wanted. It stops when it is dropped.
    pub async fn prepare(source: Source, scenario: &Scenario) -> Result<(Self, Option<PrivateServer>), TargetError> {
        match source {
            Source::Embedded { server_bin } => {
                let users = scenario.services.iter().map(|service| private_user(service).to_owned()).collect();
                let server =
                    PrivateServer::start(ServerOptions { binary: server_bin, users, ..ServerOptions::default() })
                        .await?;
                Ok((Self::private(&server, scenario), Some(server)))
            }
            Source::Url(url) => Ok((Self::at(&url, scenario)?, None)),
        }
    }

    fn private(server: &PrivateServer, scenario: &Scenario) -> Self {
        let access = |service: &Service| Access {
            service: service.name.clone(),
            login: server.login(private_user(service)),
            database: service.database,
        };
        Self {
            endpoint: server.url().endpoint,
            services: scenario.services.iter().map(access).collect(),
            observer: Access { service: "observer".to_owned(), login: server.login(server.admin()), database: 0 },
        }
    }

    fn at(url: &TargetUrl, scenario: &Scenario) -> Result<Self, TargetError> {
        let access = |service: &Service| {
            Ok(Access {
                service: service.name.clone(),
                login: Login::of(service, url, |name| std::env::var(name).ok())?,
                // A scenario cannot tell database 0 from none; who writes a database into the URL means it.
                database: if service.database == 0 { url.database.unwrap_or(0) } else { service.database },
            })
        };
        let services: Vec<Access> = scenario.services.iter().map(access).collect::<Result<_, TargetError>>()?;
        // The URL's own login is the likeliest to have rights; where it has none, the first service's must do.
        let login = match (&url.password, services.first()) {
            (None, Some(first)) => first.login.clone(),
            _ => Login { username: url.username.clone(), password: url.password.clone() },
        };
        let observer = Access { service: "observer".to_owned(), login, database: url.database.unwrap_or(0) };
        Ok(Self { endpoint: url.endpoint.clone(), services, observer })
    }

    /// Opens connections of one service, by its index in the scenario.
    pub fn connector(&self, service: usize) -> Result<Connector, TargetError> {
        Connector::new(&self.endpoint, &self.services[service])
    }

    /// Opens connections for questions about the server: as the private server's administrator, else with the login of
    /// the URL.
    pub fn observer(&self) -> Result<Connector, TargetError> {
        Connector::new(&self.endpoint, &self.observer)
    }

    /// The address, without any login.
    pub fn address(&self) -> String {
        self.endpoint.to_string()
    }
}

fn private_user(service: &Service) -> &str {
    service.username.as_deref().unwrap_or(DEFAULT_USER)
}
