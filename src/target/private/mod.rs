//! A server of the harness's own: found, configured, started, watched and removed again.
//!
//! Nothing of it outlives the harness. Dropping it stops it, also while a panic unwinds: `cli::lease` drops it when the work is
//! done, `cli::leftovers` on a second Ctrl-C. Should the harness be killed, a watchdog shell notices that its standard input has
//! ended, kills the server and removes its folder. Both run in process groups of their own, so that Ctrl-C in a terminal reaches
//! the harness alone.

mod configuration;
mod process;
mod program;

use std::{collections::BTreeMap, fs::Permissions, net::TcpListener, os::unix::fs::PermissionsExt, path::PathBuf};

use tempfile::TempDir;

use super::{Endpoint, Scheme, Secret, TargetError, TargetUrl, limits, login::Login};
use configuration::Configuration;
pub use configuration::RESERVED;
use process::{Process, Watchdog};

/// User that the harness itself logs in as.
const ADMIN: &str = "plimsoll-admin";

/// Ports that are tried before the search is given up.
const PORTS: usize = 5;

/// Options of a private server.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Program; `None` looks for `redis-server` and `valkey-server` on `PATH`.
    pub binary: Option<PathBuf>,
    /// Users with all rights; each gets a random password.
    pub users: Vec<String>,
    /// Where it listens.
    pub listen: Listen,
    /// Further lines of the configuration, name and value; they override the harness's own.
    pub config: Vec<(String, String)>,
}

/// Where a private server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listen {
    /// A free port of the loopback address.
    #[default]
    Loopback,
    /// A socket in the server's own folder.
    Socket,
}

/// A running server that stops, and leaves nothing behind, when it is dropped.
#[derive(Debug)]
pub struct PrivateServer {
    // Dropped in this order: the server ends, its folder goes, the watchdog is dismissed.
    process: Process,
    folder: TempDir,
    _watchdog: Watchdog,
    binary: PathBuf,
    endpoint: Endpoint,
    passwords: BTreeMap<String, Secret>,
}

impl PrivateServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(options: ServerOptions) -> Result<Self, TargetError> {
        // Dropping the returned future does not orphan the server: the thread's result is dropped, which stops it.
        tokio::task::spawn_blocking(move || Self::launch(&options))
            .await
            .expect("starting a server does not panic and is never cancelled")
    }

    fn launch(options: &ServerOptions) -> Result<Self, TargetError> {
        let binary = program::find(options.binary.as_deref())?;
        // The server keeps a few dozen descriptors for itself and lowers maxclients where they do not suffice.
        limits::raise_file_descriptors();
        let mut passwords = BTreeMap::new();
        for user in options.users.iter().map(String::as_str).chain([ADMIN]) {
            passwords.insert(user.to_owned(), Secret::random()?);
        }
        let mut attempt = 1;
        loop {
            match Self::launch_once(&binary, options, &passwords) {
                // Another program took the port between the search and the start.
                Err(TargetError::ServerFailed { log, .. }) if attempt < PORTS && log.contains("already in use") => {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    fn launch_once(
        binary: &std::path::Path,
        options: &ServerOptions,
        passwords: &BTreeMap<String, Secret>,
    ) -> Result<Self, TargetError> {
        let folder = tempfile::Builder::new()
            .prefix("plimsoll-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(TargetError::ServerPlace)?;
        let endpoint = match options.listen {
            Listen::Loopback => {
                let port = free_port().map_err(TargetError::ServerPlace)?;
                Endpoint::Tcp { host: "127.0.0.1".to_owned(), port, scheme: Scheme::REDIS }
            }
            Listen::Socket => Endpoint::Unix { path: folder.path().join("server.sock") },
        };
        Configuration { endpoint: &endpoint, passwords, further: &options.config }
            .write(folder.path())
            .map_err(TargetError::ServerPlace)?;
        let watchdog = Watchdog::over(folder.path()).map_err(TargetError::ServerPlace)?;
        let process = Process::start(binary, folder.path())?;
        let mut server = Self {
            process,
            folder,
            _watchdog: watchdog,
            binary: binary.to_owned(),
            endpoint,
            passwords: passwords.clone(),
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Kills the server without warning. Its address stays reserved for [`PrivateServer::restart`].
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts the server again at the same address, with the same users and without data; one that runs is killed
    /// first. Blocks until it answers.
    pub fn restart(&mut self) -> Result<(), TargetError> {
        self.kill();
        self.process = Process::start(&self.binary, self.folder.path())?;
        self.wait_until_ready()
    }

    /// Process number of the server.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Its folder, with configuration and log.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Its address, without a login.
    pub fn url(&self) -> TargetUrl {
        TargetUrl::of(self.endpoint.clone())
    }

    /// The password of a user.
    pub fn password(&self, user: &str) -> Option<&Secret> {
        self.passwords.get(user)
    }

    /// Its address with the login of a user, or without one if there is no such user.
    pub fn url_of(&self, user: &str) -> TargetUrl {
        let Login { username, password } = self.login(user);
        TargetUrl { username, password, ..self.url() }
    }

    /// The name of the user that the harness itself logs in as: it may do everything.
    pub fn admin(&self) -> &'static str {
        ADMIN
    }

    pub(super) fn login(&self, user: &str) -> Login {
        match self.password(user) {
            Some(password) => Login { username: Some(user.to_owned()), password: Some(password.clone()) },
            None => Login::default(),
        }
    }

    fn wait_until_ready(&mut self) -> Result<(), TargetError> {
        let admin = self.login(ADMIN);
        let log = process::log_file(self.folder.path());
        self.process.wait_until_ready(&self.endpoint, &admin).map_err(|what| TargetError::ServerFailed {
            binary: self.binary.clone(),
            what,
            log: process::tail(&log),
        })
    }
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
