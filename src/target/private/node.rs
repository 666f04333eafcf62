//! One node of a private deployment.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    client::{Client, Reply},
    process::{Process, last_log_lines},
    topology::PrivateRole,
};
use crate::{
    scenario::TlsOptions,
    target::{Endpoint, Secret, TargetError, login::Login},
};

/// Time in which a node has to become ready.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Pause between attempts.
const PAUSE: Duration = Duration::from_millis(10);

/// Time in which a node that runs answers.
const SOON: Duration = Duration::from_millis(250);

/// A server or a Sentinel of a private deployment. Clones are the same node; all of them do nothing once the deployment is gone.
#[derive(Debug, Clone)]
pub struct PrivateNode(Arc<Inner>);

/// What a node is started with.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) binary: PathBuf,
    /// The node's own, with its settings.
    pub(super) folder: PathBuf,
    pub(super) endpoint: Endpoint,
    pub(super) role: PrivateRole,
    pub(super) tls: TlsOptions,
    pub(super) admin: Login,
    /// Login of replicas at their primary.
    pub(super) peer: Option<Login>,
    /// Dead as soon as nobody wants the deployment any more.
    pub(super) wanted: Weak<()>,
}

#[derive(Debug)]
struct Inner {
    parts: Parts,
    process: Mutex<Process>,
}

impl PrivateNode {
    /// Starts a node.
    pub(super) fn start(parts: Parts) -> Result<Self, TargetError> {
        let process = Mutex::new(parts.process()?);
        Ok(Self(Arc::new(Inner { parts, process })))
    }

    /// Where the node listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.parts.endpoint
    }

    /// Role that the node started in.
    pub fn role(&self) -> PrivateRole {
        self.0.parts.role
    }

    /// Process number, also of a process that has ended.
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// Kills the node without warning. Its address stays reserved for [`Self::restart`].
    pub fn kill(&self) {
        self.process().kill();
    }

    /// Suspends the node: connections to it stay open, and nothing is answered.
    pub fn stop(&self) {
        self.process().signal(Signal::STOP);
    }

    /// Continues a node that is suspended.
    pub fn resume(&self) {
        self.process().signal(Signal::CONT);
    }

    /// Starts the node again at the same address, with the same users and without data; one that runs is killed first. Blocks
    /// until it answers. It is then a primary or a replica as its own files say, and the others may have it change.
    pub fn restart(&self) -> Result<(), TargetError> {
        {
            let mut process = self.process();
            process.kill();
            if self.0.parts.wanted.strong_count() == 0 {
                return Err(self.failed("is gone".to_owned()));
            }
            *process = self.0.parts.process()?;
        }
        self.wait_until_ready()
    }

    /// Index of the primary of a replica.
    pub(super) fn primary(&self) -> Option<usize> {
        match self.role() {
            PrivateRole::Replica { of } => Some(of),
            PrivateRole::Primary | PrivateRole::Sentinel => None,
        }
    }

    /// Waits until the node answers, and gives it the login that it has to use at its primary.
    pub(super) fn wait_until_ready(&self) -> Result<(), TargetError> {
        // One that still loads its data, or is another program's, is not ready.
        self.until(|client| client.ask(&["PING"]).map(|_| Ok(())))?;
        let Some(peer) = &self.0.parts.peer else { return Ok(()) };
        self.talk(|client| {
            // Not among the settings, so that the password is in no file. Two commands, since Redis 6 takes one setting at a time.
            client.ask(&["CONFIG", "SET", "masteruser", peer.user()])?;
            client.ask(&["CONFIG", "SET", "masterauth", peer.password.as_ref().map_or("", Secret::expose)])?;
            Ok(())
        })
    }

    /// Waits until the node has the data of its primary.
    pub(super) fn wait_until_in_sync(&self) -> Result<(), TargetError> {
        self.until(|client| {
            let info = client.text(&["INFO", "replication"])?;
            let status = info.lines().find_map(|line| line.strip_prefix("master_link_status:"));
            Ok(match status {
                Some("up") => Ok(()),
                Some(status) => Err(format!("its link to its primary is {status}")),
                None => Err("it has no primary".to_owned()),
            })
        })
    }

    /// Waits until all its replicas are in sync as it sees them, which is later than they do.
    pub(super) fn wait_until_followed(&self) -> Result<(), TargetError> {
        self.until(|client| {
            let info = client.text(&["INFO", "replication"])?;
            let mut replicas = info.lines().filter(|line| line.starts_with("slave") && line.contains(":ip="));
            Ok(match replicas.find(|replica| !replica.contains(",state=online,")) {
                Some(replica) => Err(format!("a replica is not in sync ({replica})")),
                None => Ok(()),
            })
        })
    }

    /// Waits until a check succeeds. One that fails gives the reason.
    pub(super) fn until(
        &self,
        mut check: impl FnMut(&mut Client) -> io::Result<Result<(), String>>,
    ) -> Result<(), TargetError> {
        let started = Instant::now();
        let mut open = None;
        loop {
            if let Some(status) = self.process().ended() {
                return Err(self.failed(format!("ended at once ({status})")));
            }
            let checked = match &mut open {
                Some(client) => check(client),
                None => self.client().and_then(|client| check(open.insert(client))),
            };
            let reason = match checked {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(reason)) => reason,
                Err(error) => {
                    open = None;
                    error.to_string()
                }
            };
            if started.elapsed() > START_LIMIT || self.0.parts.wanted.strong_count() == 0 {
                return Err(self.failed(format!("was not ready within {:.0?}: {reason}", started.elapsed())));
            }
            thread::sleep(PAUSE);
        }
    }

    /// The result of commands that have to succeed at once.
    pub(super) fn talk<T>(&self, words: impl FnOnce(&mut Client) -> io::Result<T>) -> Result<T, TargetError> {
        let said = self.client().and_then(|mut client| words(&mut client));
        said.map_err(|error| self.failed(format!("did not become a {}: {error}", self.role())))
    }

    /// The login of the harness.
    pub(super) fn login(&self) -> &Login {
        &self.0.parts.admin
    }

    /// The reply to a command that has to come soon.
    pub(super) fn asked(&self, words: &[&str]) -> io::Result<Reply> {
        let Parts { endpoint, tls, admin, .. } = &self.0.parts;
        Client::open_within(endpoint, tls, admin, SOON)?.ask(words)
    }

    /// A connection with the harness's own login.
    pub(super) fn client(&self) -> io::Result<Client> {
        Client::open(self.endpoint(), &self.0.parts.tls, &self.0.parts.admin)
    }

    fn failed(&self, what: String) -> TargetError {
        let Parts { binary, folder, .. } = &self.0.parts;
        TargetError::ServerFailed { binary: binary.clone(), what, log: last_log_lines(folder) }
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.0.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parts {
    fn process(&self) -> Result<Process, TargetError> {
        Process::start(&self.binary, &self.folder, self.role == PrivateRole::Sentinel)
    }
}
