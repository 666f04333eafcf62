//! Addresses of servers: what `--target` may say.

use std::{fmt, path::PathBuf, str::FromStr};

use percent_encoding::percent_decode_str;
use url::Url;

use super::{Secret, TargetError};

const DEFAULT_PORT: u16 = 6379;

// Messages repeat no part of a login, and what lies in the wrong place may be one.
const ENCODING: &str = "special characters of a password are written in percent encoding, such as %2F for a slash";
const PARAMETERS: &str = "only a socket has parameters, and only `db`, `user` and `password`";

/// Address of a server with the login that it carries. Printing it never shows the login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetUrl {
    /// Where the server listens.
    pub endpoint: Endpoint,
    /// User that services without one of their own log in as.
    pub username: Option<String>,
    /// Password of that user.
    pub password: Option<Secret>,
    /// Database of services that name none.
    pub database: Option<u8>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A port of a host.
    Tcp {
        /// Name or address; an IPv6 address in brackets.
        host: String,
        /// Port.
        port: u16,
        /// Whether the connection is encrypted.
        tls: bool,
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
        Self { endpoint, username: None, password: None, database: None }
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
            Self::Tcp { host, port, tls } => {
                let scheme = if *tls { "rediss" } else { "redis" };
                write!(f, "{scheme}://{host}:{port}")
            }
            Self::Unix { path } => write!(f, "unix://{}", path.display()),
        }
    }
}

fn parse(text: &str) -> Result<TargetUrl, String> {
    let (scheme, rest) = text.split_once("://").ok_or("it has no `://`")?;
    // The grammar of URLs has no user in front of an empty host, so a socket's path gets a host for parsing.
    let regular = match scheme {
        "redis" | "rediss" => {
            let path = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            if rest[path..].contains('@') {
                return Err(ENCODING.to_owned());
            }
            text.to_owned()
        }
        "unix" => {
            let slash = rest.find('/').ok_or("it has no absolute path")?;
            let (authority, path) = rest.split_at(slash);
            if !(authority.is_empty() || authority.ends_with('@')) {
                return Err("a socket has no host: write three slashes".to_owned());
            }
            format!("unix://{authority}socket{path}")
        }
        other => return Err(format!("unknown scheme `{other}`")),
    };
    let url = Url::parse(&regular).map_err(|error| error.to_string())?;

    let mut login = Login {
        username: decoded(url.username(), "user")?,
        password: url.password().map(|password| decoded(password, "password")).transpose()?.flatten(),
        database: None,
    };
    let endpoint = if scheme == "unix" {
        let path = decoded(url.path(), "path")?.filter(|path| path != "/").ok_or("it has no path")?;
        for (name, value) in url.query_pairs() {
            login.set(&name, &value)?;
        }
        Endpoint::Unix { path: PathBuf::from(path) }
    } else {
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it has no host")?;
        if url.query().is_some() {
            return Err(PARAMETERS.to_owned());
        }
        match url.path().trim_start_matches('/') {
            "" => {}
            database => login.database = Some(self::database(database)?),
        }
        Endpoint::Tcp { host: host.to_owned(), port: url.port().unwrap_or(DEFAULT_PORT), tls: scheme == "rediss" }
    };
    if url.fragment().is_some() {
        return Err("it has a fragment (`#` is written as %23)".to_owned());
    }
    let Login { username, password, database } = login;
    if username.is_some() && password.is_none() {
        return Err("it names a user but no password".to_owned());
    }
    Ok(TargetUrl { endpoint, username, password: password.map(Secret::new), database })
}

struct Login {
    username: Option<String>,
    password: Option<String>,
    database: Option<u8>,
}

impl Login {
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "db" => self.database = Some(database(value)?),
            "user" => self.username = Some(value.to_owned()),
            "password" => self.password = Some(value.to_owned()),
            _ => return Err(PARAMETERS.to_owned()),
        }
        Ok(())
    }
}

fn database(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| format!("`{text}` is no database number, 0 to 255"))
}

fn decoded(text: &str, what: &str) -> Result<Option<String>, String> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(Some(text.into_owned()).filter(|text| !text.is_empty())),
        Err(_) => Err(format!("its {what} is not UTF-8")),
    }
}

/// The text without anything that could be a login: what lies before an `@`, or in the place of a port, or among
/// parameters.
fn redacted(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit_once('@').map_or_else(|| rest.to_owned(), |(_, address)| format!("***@{address}"));
    let rest = rest.split_once('?').map_or(rest.as_str(), |(address, _)| address);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') && port.parse::<u16>().is_err() => format!("{host}:***"),
        _ => authority.to_owned(),
    };
    if scheme.is_empty() { format!("{authority}{path}") } else { format!("{scheme}://{authority}{path}") }
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::{prelude::any, prop_assert, proptest};

    use super::*;

    fn tcp(host: &str, port: u16, tls: bool) -> Endpoint {
        Endpoint::Tcp { host: host.to_owned(), port, tls }
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
        for (text, host) in [("redis://localhost", "localhost"), ("redis://[::1]/", "[::1]")] {
            assert_eq!(text.parse::<TargetUrl>().unwrap(), TargetUrl::of(tcp(host, 6379, false)));
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
            ("localhost:6379", "no `://`"),
            ("http://localhost", "unknown scheme `http`"),
            ("redis://me:hunter2@localhost/one", "`one` is no database number"),
            ("redis://me:hunter2@localhost:port", "invalid port"),
            ("redis://me:hunter2/@localhost", "percent encoding"),
            ("redis://me:6379/hunter2@localhost", "percent encoding"),
            ("redis://me:hunter2", "invalid port"),
            ("me:hunter2@localhost", "no `://`"),
            ("redis://me:hunter2@localhost/256", "0 to 255"),
            ("redis://me@localhost", "no password"),
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
