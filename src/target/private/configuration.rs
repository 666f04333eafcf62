//! The files that a node of a private deployment starts from.

use std::{collections::BTreeMap, fmt::Write as _, io, path::Path};

use super::{
    certificates::Certificates,
    file::write,
    sentinel::{Watched, address},
};
use crate::target::{Endpoint, Secret};

/// File with the settings.
pub(super) const SETTINGS: &str = "server.conf";

/// File with the users.
const USERS: &str = "users.acl";

/// Settings of the workflow engine whose latency report this harness was made for, and none that touches the disk.
const DEFAULTS: [(&str, &str); 8] = [
    ("maxclients", "10000"),
    ("timeout", "300"),
    ("tcp-keepalive", "60"),
    ("maxmemory", "1gb"),
    ("maxmemory-policy", "allkeys-lru"),
    ("save", "\"\""),
    ("appendonly", "no"),
    ("daemonize", "no"),
];

/// Settings of servers that replicate. A primary that waits for further replicas would delay the start by five seconds.
const REPLICATION: [(&str, &str); 1] = [("repl-diskless-sync-delay", "0")];

/// Settings of the nodes of a cluster, beside those of servers that replicate. With the default time-out of 15 seconds, a failover
/// would outlast most runs.
const CLUSTER: [(&str, &str); 3] =
    [("cluster-enabled", "yes"), ("cluster-node-timeout", "2000"), ("cluster-config-file", "nodes.conf")];

/// Settings of nodes that use TLS, also among themselves. Clients show no certificate.
const TLS: [(&str, &str); 2] = [("tls-auth-clients", "no"), ("tls-replication", "yes")];

/// Settings that are the harness's own: with others a private server could not be reached, watched or ended.
pub const RESERVED: [&str; 14] = [
    "aclfile",
    "bind",
    "daemonize",
    "dir",
    "include",
    "logfile",
    "pidfile",
    "port",
    "requirepass",
    "supervised",
    "tls-port",
    "unixsocket",
    "unixsocketperm",
    "user",
];

/// Rights of clients of a Sentinel that do not log in: most clients send it no password, and ask only for the primary.
const DISCOVERY: &str = "&* -@all +ping +info +role +command +subscribe +psubscribe +client|id +client|getname +client|setname \
                         +sentinel|get-master-addr-by-name +sentinel|master +sentinel|masters +sentinel|replicas \
                         +sentinel|sentinels +sentinel|ckquorum +sentinel|myid";

/// What a node does.
pub(super) enum Duty<'a> {
    /// A server on its own.
    Standalone,
    /// A server with replicas, or a replica of the server at an endpoint.
    Replication { of: Option<&'a Endpoint> },
    /// A node of a cluster.
    Cluster,
    /// A Sentinel.
    Sentinel(&'a Watched),
}

/// Contents of the configuration files.
pub(super) struct Configuration<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) duty: &'a Duty<'a>,
    /// Without, the node does not use TLS.
    pub(super) certificates: Option<&'a Certificates>,
    pub(super) passwords: &'a BTreeMap<String, Secret>,
    pub(super) further: &'a [(String, String)],
}

impl Configuration<'_> {
    /// Writes settings and users into the node's folder. Of passwords only their hashes are written, but for the one of the nodes
    /// in the file of a Sentinel.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        write(&folder.join(USERS), &self.users())?;
        write(&folder.join(SETTINGS), &self.settings(folder))
    }

    fn settings(&self, folder: &Path) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| writeln!(text, "{name} {value}").expect("a string takes every write");
        match self.endpoint {
            Endpoint::Tcp { host, port, .. } => {
                line("bind", host);
                if let Some(certificates) = self.certificates {
                    line("port", "0");
                    line("tls-port", &port.to_string());
                    for (name, path) in certificates.settings() {
                        line(name, &quoted(path));
                    }
                    for (name, value) in TLS {
                        line(name, value);
                    }
                } else {
                    line("port", &port.to_string());
                }
            }
            Endpoint::Unix { path } => {
                line("port", "0");
                line("unixsocket", &quoted(path));
                line("unixsocketperm", "700");
            }
        }
        line("dir", &quoted(folder));
        line("aclfile", &quoted(&folder.join(USERS)));
        let replication: &[_] = match self.duty {
            Duty::Standalone => &[],
            Duty::Replication { of } => {
                if let Some(primary) = of {
                    line("replicaof", &address(primary));
                }
                &REPLICATION
            }
            Duty::Cluster => {
                for (name, value) in CLUSTER {
                    line(name, value);
                }
                if self.certificates.is_some() {
                    line("tls-cluster", "yes");
                }
                // Else a node knows no address of its own until another one has met it.
                if let Endpoint::Tcp { host, .. } = self.endpoint {
                    line("cluster-announce-ip", host);
                }
                &REPLICATION
            }
            Duty::Sentinel(watched) => {
                text += &watched.settings(self.endpoint);
                return text;
            }
        };
        for (name, value) in DEFAULTS.iter().chain(replication) {
            line(name, value);
        }
        // The last of several lines counts.
        for (name, value) in self.further {
            line(name, value);
        }
        text
    }

    fn users(&self) -> String {
        let mut text = match self.duty {
            Duty::Sentinel(_) => format!("user default on nopass {DISCOVERY}\n"),
            _ => "user default off resetpass -@all\n".to_owned(),
        };
        for (name, password) in self.passwords {
            writeln!(text, "user {name} on #{} ~* &* +@all", password.hash()).expect("a string takes every write");
        }
        text
    }
}

fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::target::Scheme;

    fn endpoint(port: u16) -> Endpoint {
        Endpoint::Tcp { host: "127.0.0.1".to_owned(), port, scheme: Scheme::REDIS }
    }

    #[test]
    fn writes_hashes_only() {
        let passwords = BTreeMap::from([("lwe-app".to_owned(), Secret::new("abc"))]);
        let further = [("maxmemory".to_owned(), "1mb".to_owned())];
        let (endpoint, duty) = (&endpoint(7000), &Duty::Standalone);
        let configuration =
            Configuration { endpoint, duty, certificates: None, passwords: &passwords, further: &further };
        let folder = tempfile::tempdir().unwrap();
        configuration.write(folder.path()).unwrap();
        let users = fs::read_to_string(folder.path().join(USERS)).unwrap();
        assert_eq!(
            users,
            "user default off resetpass -@all\nuser lwe-app on \
             #ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad ~* &* +@all\n"
        );
        let settings = fs::read_to_string(folder.path().join(SETTINGS)).unwrap();
        assert!(settings.starts_with("bind 127.0.0.1\nport 7000\n"), "{settings}");
        assert!(settings.find("maxmemory 1gb").unwrap() < settings.find("maxmemory 1mb").unwrap(), "{settings}");
        assert!(!settings.contains("cluster") && !settings.contains("repl"), "{settings}");
    }

    #[test]
    fn has_the_settings_of_the_duty() {
        let settings = |duty: &Duty<'_>| {
            let passwords = BTreeMap::new();
            let (endpoint, certificates) = (&endpoint(7001), None);
            let configuration = Configuration { endpoint, duty, certificates, passwords: &passwords, further: &[] };
            configuration.settings(Path::new("/tmp/node"))
        };
        let replica = settings(&Duty::Replication { of: Some(&endpoint(7000)) });
        assert!(replica.contains("\nreplicaof 127.0.0.1 7000\n") && replica.contains("\nmaxmemory 1gb\n"), "{replica}");
        assert!(!settings(&Duty::Replication { of: None }).contains("replicaof"));
        let node = settings(&Duty::Cluster);
        assert!(
            node.contains("\ncluster-enabled yes\n") && node.contains("\ncluster-announce-ip 127.0.0.1\n"),
            "{node}"
        );
    }
}
