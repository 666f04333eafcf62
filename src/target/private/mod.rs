//! Servers of the harness's own: found, configured, started, joined, watched and removed again.
//!
//! Nothing of them outlives the harness. Dropping a [`PrivateServer`] stops all its nodes, also while a panic unwinds: `cli::lease`
//! drops it when the work is done, `cli::cleanup` on a second Ctrl-C. Should the harness be killed, a watchdog shell notices that
//! its standard input has ended, kills the nodes and removes their folder. Each of them runs in a process group of its own, so that
//! Ctrl-C in a terminal reaches the harness alone.

mod assembly;
mod certificates;
mod client;
mod cluster;
mod configuration;
mod file;
mod node;
mod options;
mod ports;
mod process;
mod program;
mod reshard;
mod sentinel;
mod shell;
mod timetable;
mod topology;

use std::{
    collections::BTreeMap,
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Weak},
};

use tempfile::TempDir;

use super::{Endpoint, Secret, Site, TargetError, TargetUrl, Topology, limits, login::Login};
use crate::scenario::{Scenario, TlsOptions};
use assembly::{ADMIN, Assembly};
use certificates::Certificates;
pub use configuration::RESERVED;
pub use node::PrivateNode;
pub use options::{Listen, ServerOptions};
use process::Watchdog;
pub use timetable::{Execution, Timetable};
pub use topology::{PrivateRole, PrivateTopology};

/// Starts that are tried before the search for free ports is given up.
const STARTS: usize = 5;

/// Running servers that stop, and leave nothing behind, when they are dropped.
#[derive(Debug)]
pub struct PrivateServer {
    // Dropped in this order: nodes cannot be started again, they end, their folder goes, the watchdog is dismissed.
    _wanted: Option<Arc<()>>,
    nodes: Nodes,
    folder: TempDir,
    _watchdog: Watchdog,
    topology: PrivateTopology,
    tls: TlsOptions,
    passwords: BTreeMap<String, Secret>,
}

/// Nodes that end when this is dropped, even where clones of them are left.
#[derive(Debug)]
struct Nodes(Vec<PrivateNode>);

impl Drop for Nodes {
    fn drop(&mut self) {
        self.0.iter().for_each(PrivateNode::kill);
    }
}

impl PrivateServer {
    /// Starts all nodes of a topology, and waits until each answers and knows the others.
    ///
    /// # Panics
    /// Outside a tokio runtime, and where nodes of another topology than standalone, or with TLS, are to listen on a socket.
    pub async fn start(options: ServerOptions) -> Result<Self, TargetError> {
        let may_be_socket = options.topology == PrivateTopology::Standalone && !options.tls;
        assert!(
            options.listen == Listen::Loopback || may_be_socket,
            "nodes of a topology, or with TLS, listen on ports"
        );
        // Dropping the returned future does not orphan the nodes: the thread stops them as soon as it sees it.
        let wanted = Arc::new(());
        let watch = Arc::downgrade(&wanted);
        let server = tokio::task::spawn_blocking(move || Self::launch(&options, &watch))
            .await
            .expect("starting a server does not panic and is never cancelled")?;
        Ok(Self { _wanted: Some(wanted), ..server })
    }

    fn launch(options: &ServerOptions, wanted: &Weak<()>) -> Result<Self, TargetError> {
        let binary = program::find(options.binary.as_deref())?;
        // A server keeps a few dozen descriptors for itself and lowers maxclients where they do not suffice.
        limits::raise_file_descriptors();
        let passwords = assembly::passwords(options)?;
        let mut start = 1;
        loop {
            match Self::launch_once(&binary, options, &passwords, wanted) {
                // Another program took a port between the search and the start.
                Err(TargetError::ServerFailed { log, .. }) if start < STARTS && log.contains("already in use") => {
                    start += 1;
                }
                Err(TargetError::ServerFailed { binary, log, .. }) if options.tls && program::has_no_tls(&log) => {
                    return Err(TargetError::ServerWithoutTls { binary });
                }
                result => return result,
            }
        }
    }

    fn launch_once(
        binary: &Path,
        options: &ServerOptions,
        passwords: &BTreeMap<String, Secret>,
        wanted: &Weak<()>,
    ) -> Result<Self, TargetError> {
        let folder = tempfile::Builder::new()
            .prefix("plimsoll-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(TargetError::ServerPlace)?;
        let watchdog = Watchdog::over(folder.path()).map_err(TargetError::ServerPlace)?;
        let certificates = options.tls.then(|| Certificates::create(folder.path())).transpose()?;
        let tls = certificates.as_ref().map(Certificates::options).unwrap_or_default();
        let certificates = certificates.as_ref();
        let nodes = Assembly { binary, options, certificates, passwords, folder: folder.path(), wanted }.start()?;
        let (topology, passwords) = (options.topology, passwords.clone());
        Ok(Self { _wanted: None, nodes: Nodes(nodes), folder, _watchdog: watchdog, topology, tls, passwords })
    }

    /// The topology.
    pub fn topology(&self) -> PrivateTopology {
        self.topology
    }

    /// All nodes: primaries first, then replicas, then Sentinels.
    pub fn nodes(&self) -> &[PrivateNode] {
        &self.nodes.0
    }

    /// Events of a scenario for these nodes.
    ///
    /// # Errors
    ///
    /// Description of the first event that the nodes cannot have.
    pub fn timetable(&self, scenario: &Scenario) -> Result<Timetable, String> {
        Timetable::new(self.topology, self.nodes(), scenario)
    }

    /// Kills the first server without warning. Its address stays reserved for [`Self::restart`].
    pub fn kill(&self) {
        self.first().kill();
    }

    /// Starts the first server again, as [`PrivateNode::restart`] does.
    pub fn restart(&self) -> Result<(), TargetError> {
        self.first().restart()
    }

    /// Process number of the first server.
    pub fn pid(&self) -> u32 {
        self.first().pid()
    }

    /// The folder of all nodes, with their configuration and logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the first server listens.
    pub fn endpoint(&self) -> &Endpoint {
        self.first().endpoint()
    }

    /// Servers that a target's address would name: the Sentinels, all nodes of a cluster, or the primary.
    fn site(&self) -> Site {
        let (topology, role) = match self.topology {
            PrivateTopology::Cluster { .. } => (Topology::Cluster, None),
            PrivateTopology::Sentinel => {
                (Topology::Sentinel { service: sentinel::SERVICE.to_owned() }, Some(PrivateRole::Sentinel))
            }
            PrivateTopology::Standalone | PrivateTopology::Replica => {
                (Topology::Standalone, Some(PrivateRole::Primary))
            }
        };
        let is_seed = |node: &&PrivateNode| role.is_none_or(|role| node.role() == role);
        Site { topology, seeds: self.nodes().iter().filter(is_seed).map(|node| node.endpoint().clone()).collect() }
    }

    /// The address, without a login, and with the CA of its certificate.
    pub fn url(&self) -> TargetUrl {
        TargetUrl { tls: self.tls.clone(), ..TargetUrl::of(self.site()) }
    }

    /// The password of a user.
    pub fn password(&self, user: &str) -> Option<&Secret> {
        self.passwords.get(user)
    }

    /// The address with the login of a user, or without one if there is no such user.
    pub fn url_of(&self, user: &str) -> TargetUrl {
        let Login { username, password } = self.login(user);
        TargetUrl { username, password, ..self.url() }
    }

    /// The name of the user that the harness itself logs in as: it may do everything.
    pub fn admin(&self) -> &'static str {
        ADMIN
    }

    pub(super) fn login(&self, user: &str) -> Login {
        assembly::login(&self.passwords, user)
    }

    fn first(&self) -> &PrivateNode {
        &self.nodes.0[0]
    }
}
