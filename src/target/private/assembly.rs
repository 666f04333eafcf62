//! Starting the nodes of a topology, and joining them.

use std::{collections::BTreeMap, fs::DirBuilder, os::unix::fs::DirBuilderExt, path::Path, sync::Weak};

use super::{
    certificates::Certificates,
    cluster,
    configuration::{Configuration, Duty},
    node::{Parts, PrivateNode},
    options::{Listen, ServerOptions},
    ports::free_ports,
    sentinel::Watched,
    topology::{PrivateRole, PrivateTopology},
};
use crate::target::{Endpoint, Scheme, Secret, TargetError, login::Login};

/// User that the harness itself logs in as.
pub(super) const ADMIN: &str = "plimsoll-admin";

/// User that the nodes of a topology log in as at each other.
const PEER: &str = "plimsoll-peer";

/// What the nodes of a deployment have in common.
pub(super) struct Assembly<'a> {
    pub(super) binary: &'a Path,
    pub(super) options: &'a ServerOptions,
    /// Of TLS, if it is wanted.
    pub(super) certificates: Option<&'a Certificates>,
    pub(super) passwords: &'a BTreeMap<String, Secret>,
    /// Folder that has a folder of each node.
    pub(super) folder: &'a Path,
    /// Dead as soon as nobody wants the deployment any more.
    pub(super) wanted: &'a Weak<()>,
}

/// A new password for each of some users, and for those of the harness's own.
pub(super) fn passwords(options: &ServerOptions) -> Result<BTreeMap<String, Secret>, TargetError> {
    let peer = (options.topology != PrivateTopology::Standalone).then_some(PEER);
    let users = options.users.iter().map(String::as_str).chain([ADMIN]).chain(peer);
    users.map(|user| Ok((user.to_owned(), Secret::random()?))).collect()
}

/// Login of a user, or none if there is no such user.
pub(super) fn login(passwords: &BTreeMap<String, Secret>, user: &str) -> Login {
    match passwords.get(user) {
        Some(password) => Login { username: Some(user.to_owned()), password: Some(password.clone()) },
        None => Login::default(),
    }
}

impl Assembly<'_> {
    /// Starts all nodes, and waits until each of them answers and knows the others.
    pub(super) fn start(&self) -> Result<Vec<PrivateNode>, TargetError> {
        let topology = self.options.topology;
        let roles = topology.roles();
        let endpoints = self.endpoints(roles.len())?;
        let peer = self.passwords.get(PEER).map(|_| login(self.passwords, PEER));
        let mut nodes = Vec::new();
        for (role, endpoint) in roles.iter().zip(&endpoints) {
            let duty = match role {
                // Sentinels would take servers that are not ready yet for down.
                PrivateRole::Sentinel => break,
                _ if topology == PrivateTopology::Standalone => Duty::Standalone,
                _ if topology.is_cluster() => Duty::Cluster,
                PrivateRole::Primary => Duty::Replication { of: None },
                PrivateRole::Replica { of } => Duty::Replication { of: Some(&endpoints[*of]) },
            };
            nodes.push(self.node(nodes.len(), *role, endpoint, &duty, peer.clone())?);
        }
        nodes.iter().try_for_each(PrivateNode::wait_until_ready)?;
        if let PrivateTopology::Cluster { primaries, .. } = topology {
            cluster::join(&nodes, primaries)?;
        }
        nodes.iter().filter(|node| node.primary().is_some()).try_for_each(PrivateNode::wait_until_in_sync)?;
        nodes.iter().filter(|node| node.primary().is_none()).try_for_each(PrivateNode::wait_until_followed)?;
        let (servers, sentinels) = endpoints.split_at(nodes.len());
        if let Some(peer) = peer.filter(|_| !sentinels.is_empty()) {
            let watched = Watched::new(servers, sentinels, peer)?;
            for endpoint in sentinels {
                let duty = Duty::Sentinel(&watched);
                nodes.push(self.node(nodes.len(), PrivateRole::Sentinel, endpoint, &duty, None)?);
            }
            let sentinels = &nodes[servers.len()..];
            sentinels.iter().try_for_each(PrivateNode::wait_until_ready)?;
            sentinels.iter().try_for_each(|node| node.until(|client| watched.check(client)))?;
        }
        Ok(nodes)
    }

    fn endpoints(&self, count: usize) -> Result<Vec<Endpoint>, TargetError> {
        if self.options.listen == Listen::Socket {
            return Ok(vec![Endpoint::Unix { path: self.folder.join("server.sock") }]);
        }
        let ports = free_ports(count, self.options.topology.is_cluster()).map_err(TargetError::ServerPlace)?;
        let scheme = if self.options.tls { Scheme::REDISS } else { Scheme::REDIS };
        let loopback = |port| Endpoint::Tcp { host: "127.0.0.1".to_owned(), port, scheme };
        Ok(ports.into_iter().map(loopback).collect())
    }

    fn node(
        &self,
        number: usize,
        role: PrivateRole,
        endpoint: &Endpoint,
        duty: &Duty<'_>,
        peer: Option<Login>,
    ) -> Result<PrivateNode, TargetError> {
        let folder = self.folder.join((number + 1).to_string());
        let (certificates, passwords, further) = (self.certificates, self.passwords, &self.options.config);
        let configuration = Configuration { endpoint, duty, certificates, passwords, further };
        let written = DirBuilder::new().mode(0o700).create(&folder).and_then(|()| configuration.write(&folder));
        written.map_err(TargetError::ServerPlace)?;
        PrivateNode::start(Parts {
            binary: self.binary.to_owned(),
            folder,
            endpoint: endpoint.clone(),
            role,
            tls: certificates.map(Certificates::options).unwrap_or_default(),
            admin: login(self.passwords, ADMIN),
            peer,
            wanted: self.wanted.clone(),
        })
    }
}
