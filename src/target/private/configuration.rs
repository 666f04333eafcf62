//! The files that a private server starts from.

use std::{collections::BTreeMap, fmt::Write, fs, io, path::Path};

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

/// Contents of the configuration files.
pub(super) struct Configuration<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) passwords: &'a BTreeMap<String, Secret>,
    pub(super) further: &'a [(String, String)],
}

impl Configuration<'_> {
    /// Writes settings and users into the server's folder. Of passwords only their hashes are written.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        fs::write(folder.join(USERS), self.users())?;
        fs::write(folder.join(SETTINGS), self.settings(folder))
    }

    fn settings(&self, folder: &Path) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| writeln!(text, "{name} {value}").expect("a string takes every write");
        match self.endpoint {
            Endpoint::Tcp { host, port, .. } => {
                line("bind", host);
                line("port", &port.to_string());
            }
            Endpoint::Unix { path } => {
                line("port", "0");
                line("unixsocket", &quoted(path));
                line("unixsocketperm", "700");
            }
        }
        line("dir", &quoted(folder));
        line("aclfile", &quoted(&folder.join(USERS)));
        for (name, value) in DEFAULTS {
            line(name, value);
        }
        // The last of several lines counts.
        for (name, value) in self.further {
            line(name, value);
        }
        text
    }

    fn users(&self) -> String {
        let mut text = "user default off resetpass -@all\n".to_owned();
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
    use super::*;
    use crate::target::Scheme;

    #[test]
    fn writes_hashes_only() {
        let endpoint = Endpoint::Tcp { host: "127.0.0.1".to_owned(), port: 7000, scheme: Scheme::REDIS };
        let passwords = BTreeMap::from([("lwe-app".to_owned(), Secret::new("abc"))]);
        let further = [("maxmemory".to_owned(), "1mb".to_owned())];
        let configuration = Configuration { endpoint: &endpoint, passwords: &passwords, further: &further };
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
    }
}
