//! Options of a private deployment.

use std::path::PathBuf;

use super::topology::PrivateTopology;

/// Options of a private deployment.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Program; `None` looks for `redis-server` and `valkey-server` on `PATH`.
    pub binary: Option<PathBuf>,
    /// Number of servers, and how they belong together.
    pub topology: PrivateTopology,
    /// Whether the servers listen with TLS only, with a certificate made for them.
    pub tls: bool,
    /// Users with all rights; each gets a random password.
    pub users: Vec<String>,
    /// Where a server listens.
    pub listen: Listen,
    /// Further lines of the configuration of each server, name and value; they override the harness's own.
    pub config: Vec<(String, String)>,
}

/// Where a private server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listen {
    /// A free port of the loopback address.
    #[default]
    Loopback,
    /// A socket in the folder of a standalone server.
    Socket,
}
