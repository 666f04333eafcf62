//! Sentinels of a private deployment: their settings, and when they are ready.

use std::{fmt::Write, io};

use super::client::{Client, Reply};
use crate::target::{Endpoint, Secret, TargetError, login::Login};

/// Name of the primary at the Sentinels.
pub(super) const SERVICE: &str = "mymaster";

/// Sentinels that have to agree that the primary is down: the majority of three.
const QUORUM: usize = 2;

/// Time without an answer after which a Sentinel takes a server for down, in milliseconds.
const DOWN_AFTER: u32 = 1_000;

/// Time that a failover may take; a failover that failed is tried again after twice this time, in milliseconds.
const FAILOVER_TIMEOUT: u32 = 10_000;

/// Digits of the name of a server.
const DIGITS: usize = 40;

/// What the Sentinels watch, and who they are. A Sentinel that finds the others by itself needs several seconds; these know each
/// other from the start.
#[derive(Debug)]
pub(super) struct Watched {
    /// The primary, then its replicas.
    servers: Vec<Endpoint>,
    /// Each with its name.
    sentinels: Vec<(Endpoint, String)>,
    login: Login,
}

impl Watched {
    /// A primary with its replicas, and the Sentinels, with the login of all of them at each other.
    pub(super) fn new(servers: &[Endpoint], sentinels: &[Endpoint], login: Login) -> Result<Self, TargetError> {
        let named = |endpoint: &Endpoint| Ok((endpoint.clone(), Secret::random()?.expose()[..DIGITS].to_owned()));
        let sentinels = sentinels.iter().map(named).collect::<Result<_, TargetError>>()?;
        Ok(Self { servers: servers.to_vec(), sentinels, login })
    }

    /// Lines of the settings of one Sentinel.
    ///
    /// The password is among them. `SENTINEL SET` would not keep it from the disk: a Sentinel writes its whole state into this file
    /// whenever it changes, and refuses to start without it. Its folder is open to nobody else.
    pub(super) fn settings(&self, own: &Endpoint) -> String {
        let Self { servers, sentinels, login } = self;
        let (user, password) = (login.user(), login.password.as_ref().map_or("", Secret::expose));
        let mut text = String::new();
        let mut line = |words: String| writeln!(text, "sentinel {words}").expect("a string takes every write");
        line(format!("sentinel-user {user}"));
        line(format!("sentinel-pass {password}"));
        for (_, name) in sentinels.iter().filter(|(endpoint, _)| endpoint == own) {
            line(format!("myid {name}"));
        }
        line(format!("monitor {SERVICE} {} {QUORUM}", address(&servers[0])));
        line(format!("auth-user {SERVICE} {user}"));
        line(format!("auth-pass {SERVICE} {password}"));
        line(format!("down-after-milliseconds {SERVICE} {DOWN_AFTER}"));
        line(format!("failover-timeout {SERVICE} {FAILOVER_TIMEOUT}"));
        for replica in &servers[1..] {
            line(format!("known-replica {SERVICE} {}", address(replica)));
        }
        for (endpoint, name) in sentinels.iter().filter(|(endpoint, _)| endpoint != own) {
            line(format!("known-sentinel {SERVICE} {} {name}", address(endpoint)));
        }
        text
    }

    /// Whether a Sentinel sees the other Sentinels and all servers as they should be.
    pub(super) fn check(&self, sentinel: &mut Client) -> io::Result<Result<(), String>> {
        let quorum = sentinel.text(&["SENTINEL", "CKQUORUM", SERVICE])?;
        if !quorum.starts_with(&format!("OK {} usable", self.sentinels.len())) {
            return Ok(Err(quorum));
        }
        let Reply::List(replicas) = sentinel.ask(&["SENTINEL", "REPLICAS", SERVICE])? else {
            return Ok(Err("no list of replicas".to_owned()));
        };
        let in_sync = |replica: &&Reply| {
            field(replica, "flags") == Some("slave") && field(replica, "master-link-status") == Some("ok")
        };
        let (count, wanted) = (replicas.iter().filter(in_sync).count(), self.servers.len() - 1);
        Ok(if count == wanted { Ok(()) } else { Err(format!("{count} of {wanted} replicas are in sync")) })
    }
}

/// Host and port in two words, as settings have them.
pub(super) fn address(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp { host, port, .. } => format!("{host} {port}"),
        Endpoint::Unix { path } => path.display().to_string(),
    }
}

/// A field of a reply that lists names and values in turn.
fn field<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let Reply::List(words) = reply else { return None };
    words.chunks_exact(2).find_map(|pair| match pair {
        [Reply::Text(of), Reply::Text(value)] if of == name => Some(value.as_str()),
        _ => None,
    })
}
