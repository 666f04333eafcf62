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

const SCHEMES: [Scheme; 4] = [
    Scheme::REDIS,
    Scheme { name: "valkey", tls: false },
    Scheme { name: "rediss", tls: true },
    Scheme { name: "valkeys", tls: true },
];

// Messages repeat no part of a login, and what lies in the wrong place may be one.
const ENCODING: &str = "encode special characters of a password in percent encoding, such as %2F for a slash";
const NO_PORT: &str = "the port is not a number from 1 to 65535";
const PARAMETERS: &str = "only a socket has parameters, and only `db`, `user` and `password`";

/// Address of a server with the login that it carries. Printing it never shows the login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetUrl {
    /// Where the server listens.
    pub endpoint: Endpoint,
    /// User that services without one of their own log in as.
    pub username: Option<String>,
    /// Password of that user; a user without one is tried with an empty one.
    pub password: Option<Secret>,
    /// Database of services that name none.
    pub database: Option<u8>,
    /// Settings of TLS, which come before those of the scenario.
    pub tls: TlsOptions,
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
    /// The address of an endpoint without a login.
    pub fn of(endpoint: Endpoint) -> Self {
        Self { endpoint, username: None, password: None, database: None, tls: TlsOptions::default() }
    }

    /// Whether connections to it are encrypted.
    pub fn uses_tls(&self) -> bool {
        self.endpoint.uses_tls()
    }

    /// Whether it has a user or a password.
    pub fn has_login(&self) -> bool {
        self.username.is_some() || self.password.is_some()
    }
}

impl Endpoint {
    /// Whether connections to it are encrypted.
    pub(super) fn uses_tls(&self) -> bool {
        matches!(self, Self::Tcp { scheme: Scheme { tls: true, .. }, .. })
    }

    /// The error of a connection to it.
    pub(super) fn failed(&self, fault: Fault) -> TargetError {
        TargetError::Connection { address: self.to_string(), fault }
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
        self.endpoint.fmt(f)
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
    let of_port = SCHEMES.into_iter().find(|known| known.name == scheme);
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // The grammar of URLs has no user in front of an empty host, so a socket's path gets a host for parsing.
    let regular = match (scheme, of_port) {
        (_, Some(_)) if path.contains('@') => return Err(ENCODING.to_owned()),
        (_, Some(_)) => text.to_owned(),
        ("unix", None) => {
            if !path.starts_with('/') {
                return Err("the absolute path is missing".to_owned());
            }
            if !(authority.is_empty() || authority.ends_with('@')) {
                return Err("a socket has no host: write three slashes".to_owned());
            }
            format!("unix://{authority}socket{path}")
        }
        _ => return Err(format!("unknown scheme `{scheme}`")),
    };
    let url = Url::parse(&regular).map_err(|error| match error {
        ParseError::InvalidPort => NO_PORT.to_owned(),
        ParseError::EmptyHost => "the host is missing, or an IPv6 address has no brackets ([::1])".to_owned(),
        error => error.to_string(),
    })?;

    // From the text, since `Url` encodes some characters.
    let mut login = authority.rsplit_once('@').map(|(login, _)| Login::of(login)).unwrap_or_default();
    let endpoint = if let Some(scheme) = of_port {
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("the host is missing")?;
        if url.query().is_some() {
            return Err(PARAMETERS.to_owned());
        }
        match url.path().trim_start_matches('/') {
            "" => {}
            database => login.database = Some(self::database(database)?),
        }
        let port = url.port().unwrap_or(DEFAULT_PORT);
        if port == 0 {
            return Err(NO_PORT.to_owned());
        }
        Endpoint::Tcp { host: host.to_owned(), port, scheme }
    } else {
        let path = PathBuf::from(OsString::from_vec(percent_decode_str(url.path()).collect()));
        if path.as_os_str() == "/" {
            return Err("the path is missing".to_owned());
        }
        if SocketAddr::from_pathname(&path).is_err() {
            return Err(
                "the path of a socket has at most 107 bytes: use a shorter one, such as a symbolic link".to_owned()
            );
        }
        for parameter in url.query().unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            login.set(name, value)?;
        }
        Endpoint::Unix { path }
    };
    if url.fragment().is_some() {
        return Err("a fragment is not permitted (encode `#` as %23)".to_owned());
    }
    let Login { username, password, database } = login;
    let password = password.map(Secret::new);
    Ok(TargetUrl { username, password, database, ..TargetUrl::of(endpoint) })
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
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::{prelude::any, prop_assert, proptest};

    use super::*;

    fn tcp(host: &str, port: u16, tls: bool) -> Endpoint {
        let scheme = SCHEMES.into_iter().find(|known| known.tls == tls).unwrap();
        Endpoint::Tcp { host: host.to_owned(), port, scheme }
    }

    #[test]
    fn reads_every_part() {
        let url: TargetUrl = "rediss://lwe-app:p%40ss%2F@cache.example:6380/5".parse().unwrap();
        assert_eq!(url.endpoint, tcp("cache.example", 6380, true));
        assert_eq!(url.username.as_deref(), Some("lwe-app"));
        assert_eq!(url.password, Some(Secret::new("p@ss/")));
        assert_eq!(url.database, Some(5));
    }

    #[test]
    fn fills_in_the_port() {
        for (text, host) in
            [("redis://localhost", "localhost"), ("valkey://localhost", "localhost"), ("redis://[::1]/", "[::1]")]
        {
            assert_eq!(text.parse::<TargetUrl>().unwrap(), TargetUrl::of(tcp(host, 6379, false)));
        }
        assert_eq!("valkeys://h".parse::<TargetUrl>().unwrap(), "rediss://h".parse().unwrap());
    }

    #[test]
    fn the_scheme_is_written_as_it_was_read() {
        for Scheme { name, tls } in SCHEMES {
            let text = format!("{name}://h:1");
            let url: TargetUrl = text.parse().unwrap();
            assert_eq!((url.to_string(), url.endpoint.uses_tls()), (text, tls));
        }
    }

    #[test]
    fn takes_a_user_without_a_password() {
        for text in ["redis://worker@localhost", "redis://worker:@localhost", "unix:///run/redis.sock?user=worker"] {
            let url: TargetUrl = text.parse().unwrap();
            assert_eq!((url.username.as_deref(), &url.password), (Some("worker"), &None), "{text}");
            assert!(url.has_login());
        }
    }

    #[test]
    fn a_percent_sign_that_encodes_nothing_is_taken_as_it_is() {
        for (written, password) in [
            ("abc%de", "abc%de"),
            ("abc%de^", "abc%de^"),
            ("100%", "100%"),
            ("%zz", "%zz"),
            ("p%40ss", "p@ss"),
            ("p@ss", "p@ss"),
            ("a+b", "a+b"),
            ("%C3%A9", "é"),
            ("é", "é"),
        ] {
            for text in
                [format!("redis://me:{written}@localhost"), format!("unix:///run/r.sock?user=me&password={written}")]
            {
                let url: TargetUrl = text.parse().unwrap();
                assert_eq!(url.password, Some(Secret::new(password)), "{text}");
            }
        }
    }

    #[test]
    fn reads_the_path_of_a_socket_byte_by_byte() {
        let url: TargetUrl = "unix:///run/caf%E9/100%25.sock".parse().unwrap();
        let path = PathBuf::from(OsString::from_vec(b"/run/caf\xe9/100%.sock".to_vec()));
        assert_eq!(url.endpoint, Endpoint::Unix { path });
        let long = format!("unix:///{}", "x".repeat(200));
        assert!(long.parse::<TargetUrl>().unwrap_err().to_string().contains("at most 107 bytes"));
    }

    #[test]
    fn what_is_shown_of_a_wrong_address_has_host_and_port() {
        for (text, shown) in [
            ("redis://127.0.0.1:99999", "redis://127.0.0.1:99999"),
            ("redis://me:hunter2@127.0.0.1:6379x/0", "redis://***@127.0.0.1:6379x/0"),
            ("redis://127.0.0.1:port", "redis://127.0.0.1:port"),
            ("redis://[::1]:0", "redis://[::1]:0"),
            ("redis://cache.example:63790000", "redis://cache.example:63790000"),
            ("redis://me:hunter2", "redis://me:***"),
            ("unix://me:hunter2@", "unix://***@"),
        ] {
            let message = text.parse::<TargetUrl>().unwrap_err().to_string();
            assert!(message.starts_with(&format!("`{shown}` is not a target: ")), "{message}");
        }
    }

    #[test]
    fn takes_a_password_without_a_user() {
        let url: TargetUrl = "redis://:secret@localhost".parse().unwrap();
        assert_eq!((url.username, url.password), (None, Some(Secret::new("secret"))));
    }

    #[test]
    fn reads_sockets_with_logins_in_both_places() {
        let plain: TargetUrl = "unix:///run/redis.sock?db=3".parse().unwrap();
        assert_eq!(plain.endpoint, Endpoint::Unix { path: "/run/redis.sock".into() });
        assert_eq!(plain.database, Some(3));
        for text in ["unix://me:pw@/run/redis.sock", "unix:///run/redis.sock?user=me&password=pw"] {
            let url: TargetUrl = text.parse().unwrap();
            assert_eq!(url.username.as_deref(), Some("me"), "{text}");
            assert_eq!(url.password, Some(Secret::new("pw")), "{text}");
            assert_eq!(url.to_string(), "unix:///run/redis.sock");
        }
    }

    #[test]
    fn says_what_is_wrong_without_the_password() {
        for (text, expected) in [
            ("localhost:6379", "`://` is missing"),
            ("redis://::1:6379", "an IPv6 address has no brackets"),
            ("http://localhost", "unknown scheme `http`"),
            ("redis://me:hunter2@localhost/one", "`one` is not a database number"),
            ("redis://me:hunter2@localhost:port", "not a number from 1 to 65535"),
            ("redis://me:hunter2/@localhost", "percent encoding"),
            ("redis://me:6379/hunter2@localhost", "percent encoding"),
            ("redis://me:hunter2", "not a number from 1 to 65535"),
            ("me:hunter2@localhost", "`://` is missing"),
            ("redis://me:hunter2@localhost/256", "0 to 255"),
            ("redis://localhost?password=hunter2", "only a socket has parameters"),
            ("unix://host/run/redis.sock", "three slashes"),
            ("unix:///run/redis.sock?password=x&hunter2", "only `db`"),
        ] {
            let message = text.parse::<TargetUrl>().unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
            assert!(message.contains("redis://user:password@host:port/db"), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    proptest! {
        #[test]
        fn never_shows_the_password(password in "[A-Z0-9:@/?#%&]{8,20}", host in "[a-z]{1,7}", good in any::<bool>()) {
            let written =
                if good { utf8_percent_encode(&password, NON_ALPHANUMERIC).to_string() } else { password.clone() };
            let shown = match format!("redis://user:{written}@{host}").parse::<TargetUrl>() {
                Ok(url) => {
                    let read = url.password.as_ref().map(Secret::expose);
                    prop_assert!(!good || read == Some(password.as_str()));
                    format!("{url} {url:?}")
                }
                Err(error) => {
                    prop_assert!(!good);
                    format!("{error} {error:?}")
                }
            };
            for part in password.split(|letter: char| !letter.is_alphanumeric()).filter(|part| part.len() > 4) {
                prop_assert!(!shown.contains(part), "{}", shown);
            }
        }
    }
}
