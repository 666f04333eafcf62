//! Addresses of servers: what `--target` may say.

use std::{
    ffi::OsString,
    fmt,
    os::unix::{ffi::OsStringExt as _, net::SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use percent_encoding::percent_decode_str;
use url::{ParseError, Url};

use super::{Fault, Secret, TargetError, secret::redacted};
use crate::scenario::TlsOptions;

const DEFAULT_PORT: u16 = 6379;

/// Port of a Sentinel that is named without one.
const SENTINEL_PORT: u16 = 26_379;

/// Words behind the scheme.
const SENTINEL: &str = "sentinel";
const CLUSTER: &str = "cluster";

const SCHEMES: [Scheme; 4] =
    [Scheme::REDIS, Scheme { name: "valkey", tls: false }, Scheme::REDISS, Scheme { name: "valkeys", tls: true }];

// Messages repeat no part of a login, and what lies in the wrong place may be one.
const ENCODING: &str = "encode special characters of a password in percent encoding, such as %2F for a slash";
const NO_PORT: &str = "the port is not a number from 1 to 65535";
const NO_SERVICE: &str = "the name of the primary at the Sentinels is missing: redis+sentinel://host:26379/mymaster";
const PARAMETERS: &str = "only a socket has parameters, and only `db`, `user` and `password`";

/// Address of a server with the login that it carries. Printing it never shows the login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetUrl {
    /// Servers that it names.
    pub site: Site,
    /// User that services without one of their own log in as.
    pub username: Option<String>,
    /// Password of that user; a user without one is tried with an empty one.
    pub password: Option<Secret>,
    /// Database of services that name none.
    pub database: Option<u8>,
    /// Settings of TLS, which come before those of the scenario.
    pub tls: TlsOptions,
}

/// Servers that an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// How they belong together.
    pub topology: Topology,
    /// Where they are asked for, in this order; at least one.
    pub seeds: Vec<Endpoint>,
}

/// How servers belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    Standalone,
    /// A primary with replicas, that Sentinels name.
    Sentinel {
        /// Name of the primary at the Sentinels.
        service: String,
    },
    /// A cluster: each node has some of the hash slots.
    Cluster,
}

/// Scheme of a port. Those of Redis and Valkey mean the same, and are equal.
#[derive(Debug, Clone, Copy)]
pub struct Scheme {
    name: &'static str,
    tls: bool,
}

impl Scheme {
    /// The one without encryption.
    pub const REDIS: Self = Self { name: "redis", tls: false };
    /// The one with encryption.
    pub const REDISS: Self = Self { name: "rediss", tls: true };
}

impl PartialEq for Scheme {
    fn eq(&self, other: &Self) -> bool {
        self.tls == other.tls
    }
}

impl Eq for Scheme {}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A port of a host.
    Tcp {
        /// Name or address; an IPv6 address in brackets.
        host: String,
        /// Port.
        port: u16,
        /// Scheme, as it was written.
        scheme: Scheme,
    },
    /// A socket in the file system.
    Unix {
        /// Its path.
        path: PathBuf,
    },
}

impl TargetUrl {
    /// An address without a login.
    pub fn of(site: impl Into<Site>) -> Self {
        let (username, password, database, tls) = (None, None, None, TlsOptions::default());
        Self { site: site.into(), username, password, database, tls }
    }

    /// Whether connections to it are encrypted.
    pub fn uses_tls(&self) -> bool {
        self.site.first().uses_tls()
    }

    /// Whether it has a user or a password.
    pub fn has_login(&self) -> bool {
        self.username.is_some() || self.password.is_some()
    }
}

impl From<Endpoint> for Site {
    fn from(endpoint: Endpoint) -> Self {
        Self { topology: Topology::Standalone, seeds: vec![endpoint] }
    }
}

impl Site {
    /// The first of its servers.
    pub fn first(&self) -> &Endpoint {
        &self.seeds[0]
    }

    /// The error of a connection to it.
    pub(super) fn failed(&self, fault: Fault) -> TargetError {
        TargetError::Connection { address: self.to_string(), fault }
    }
}

impl Endpoint {
    /// Whether connections to it are encrypted.
    pub(super) fn uses_tls(&self) -> bool {
        matches!(self, Self::Tcp { scheme: Scheme { tls: true, .. }, .. })
    }

    /// A node as this one names it, by a host without brackets. A node that does not know the host of another, or its own, leaves it
    /// out: it is then the host of this one.
    pub(super) fn naming(&self, host: &str, port: u16) -> Option<Self> {
        let own = if let Self::Tcp { host, scheme, .. } = self { Some((host, *scheme)) } else { None };
        let scheme = own.map_or(Scheme::REDIS, |(_, scheme)| scheme);
        let host = match host {
            "" | "?" => own?.0.clone(),
            host if host.contains(':') => format!("[{host}]"),
            host => host.to_owned(),
        };
        Some(Self::Tcp { host, port, scheme })
    }
}

impl FromStr for TargetUrl {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        parse(text).map_err(|reason| TargetError::Address { text: redacted(text), reason })
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.site.fmt(f)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, path) = match &self.topology {
            Topology::Standalone => return self.first().fmt(f),
            Topology::Sentinel { service } => (SENTINEL, format!("/{service}")),
            Topology::Cluster => (CLUSTER, String::new()),
        };
        for (number, seed) in self.seeds.iter().enumerate() {
            // A socket cannot be in a list.
            let Endpoint::Tcp { host, port, scheme } = seed else { continue };
            match number {
                0 => write!(f, "{}+{word}://{host}:{port}", scheme.name)?,
                _ => write!(f, ",{host}:{port}")?,
            }
        }
        f.write_str(&path)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port, scheme } => write!(f, "{}://{host}:{port}", scheme.name),
            Self::Unix { path } => write!(f, "unix://{}", path.display()),
        }
    }
}

fn parse(text: &str) -> Result<TargetUrl, String> {
    let (scheme, rest) = text.split_once("://").ok_or("`://` is missing")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // From the text, since `Url` encodes some characters.
    let (login, hosts) = authority.rsplit_once('@').map_or((None, authority), |(login, hosts)| (Some(login), hosts));
    let mut login = login.map(Login::of).unwrap_or_default();
    let (base, topology) = scheme.split_once('+').map_or((scheme, None), |(base, topology)| (base, Some(topology)));
    let site = match (SCHEMES.into_iter().find(|known| known.name == base), topology) {
        (None, None) if scheme == "unix" => socket(authority, path, &mut login)?.into(),
        (Some(scheme), None | Some(SENTINEL | CLUSTER)) => ports(scheme, topology, hosts, path, &mut login)?,
        _ => return Err(format!("unknown scheme `{scheme}`")),
    };
    let Login { username, password, database } = login;
    let password = password.map(Secret::new);
    Ok(TargetUrl { username, password, database, ..TargetUrl::of(site) })
}

/// Ports of hosts, and what follows them.
fn ports(scheme: Scheme, topology: Option<&str>, hosts: &str, path: &str, login: &mut Login) -> Result<Site, String> {
    if path.contains('@') {
        return Err(ENCODING.to_owned());
    }
    let default = if topology == Some(SENTINEL) { SENTINEL_PORT } else { DEFAULT_PORT };
    let port = |host: &str| {
        let url = regular(&format!("redis://{host}{path}"))?;
        if url.query().is_some() {
            return Err(PARAMETERS.to_owned());
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("the host is missing")?;
        match url.port().unwrap_or(default) {
            0 => Err(NO_PORT.to_owned()),
            port => Ok(Endpoint::Tcp { host: host.to_owned(), port, scheme }),
        }
    };
    let hosts: Vec<_> = hosts.split(',').collect();
    if topology.is_none() && hosts.len() > 1 {
        let Scheme { name, .. } = scheme;
        return Err(format!("several hosts are for {name}+{CLUSTER}:// and {name}+{SENTINEL}:// only"));
    }
    let seeds = hosts.into_iter().map(port).collect::<Result<_, String>>()?;
    let mut parts = path.trim_matches('/').splitn(2, '/');
    let topology = match topology {
        Some(SENTINEL) => {
            let service = parts.next().and_then(decoded).ok_or(NO_SERVICE)?;
            Topology::Sentinel { service }
        }
        Some(_) => Topology::Cluster,
        None => Topology::Standalone,
    };
    match parts.next().unwrap_or_default() {
        "" => {}
        database => login.database = Some(self::database(database)?),
    }
    if topology == Topology::Cluster && login.database.is_some_and(|database| database != 0) {
        return Err("a cluster has database 0 only: omit the database".to_owned());
    }
    Ok(Site { topology, seeds })
}

/// A socket in the file system, and its parameters.
fn socket(authority: &str, path: &str, login: &mut Login) -> Result<Endpoint, String> {
    if !path.starts_with('/') {
        return Err("the absolute path is missing".to_owned());
    }
    if !(authority.is_empty() || authority.ends_with('@')) {
        return Err("a socket has no host: write three slashes".to_owned());
    }
    // The grammar of URLs has no user in front of an empty host, so the path gets a host for parsing.
    let url = regular(&format!("unix://{authority}socket{path}"))?;
    let path = PathBuf::from(OsString::from_vec(percent_decode_str(url.path()).collect()));
    if path.as_os_str() == "/" {
        return Err("the path is missing".to_owned());
    }
    if SocketAddr::from_pathname(&path).is_err() {
        return Err("the path of a socket has at most 107 bytes: use a shorter one, such as a symbolic link".to_owned());
    }
    for parameter in url.query().unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        login.set(name, value)?;
    }
    Ok(Endpoint::Unix { path })
}

/// A URL without a fragment.
fn regular(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| match error {
        ParseError::InvalidPort => NO_PORT.to_owned(),
        ParseError::EmptyHost => "the host is missing, or an IPv6 address has no brackets ([::1])".to_owned(),
        error => error.to_string(),
    })?;
    if url.fragment().is_some() {
        return Err("a fragment is not permitted (encode `#` as %23)".to_owned());
    }
    Ok(url)
}

#[derive(Default)]
struct Login {
    username: Option<String>,
    password: Option<String>,
    database: Option<u8>,
}

impl Login {
    /// From the text before the host.
    fn of(text: &str) -> Self {
        let (username, password) = text.split_once(':').unwrap_or((text, ""));
        Self { username: decoded(username), password: decoded(password), database: None }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "db" => self.database = Some(database(value)?),
            "user" => self.username = decoded(value),
            "password" => self.password = decoded(value),
            _ => return Err(PARAMETERS.to_owned()),
        }
        Ok(())
    }
}

fn database(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| format!("`{text}` is not a database number from 0 to 255"))
}

/// A part of a login without its percent encoding, or as it is written where its `%` encode no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Into::into);
    (!decoded.is_empty()).then_some(decoded)
}

#[cfg(test)]
mod tests;
