//! Dependencies of the services besides the server: a name and an address that is probed.

use std::fmt;

use super::reader::{Section, refusals::refuse_same_names};

/// Something that services depend on besides the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Unique within the scenario.
    pub name: String,
    /// Where it is asked for.
    pub address: Address,
    /// HTTP status that it must answer with; `None` for any below 400, and where HTTP is not spoken.
    pub status: Option<u16>,
}

/// Where a dependency is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// The dependency accepts TCP connections.
    Tcp {
        /// Name or address; IPv6 without brackets.
        host: String,
        /// Port.
        port: u16,
    },
    /// The dependency answers a GET request.
    Http {
        /// The whole address.
        url: String,
    },
}

impl Address {
    /// Reads `tcp://host:port` or `http://host[:port][/path]`.
    ///
    /// # Errors
    ///
    /// Description of the error.
    fn parse(text: &str) -> Result<Self, String> {
        let url = url::Url::parse(text).map_err(|error| error.to_string())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("no login is permitted, since reports show the address".to_owned());
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("the host is missing")?;
        match (url.scheme(), url.port()) {
            ("http", _) => Ok(Self::Http { url: text.to_owned() }),
            ("tcp", Some(port)) if matches!(url.path(), "" | "/") && url.query().is_none() => {
                Ok(Self::Tcp { host: host.trim_matches(['[', ']']).to_owned(), port })
            }
            ("tcp", Some(_)) => Err("a tcp address has no path".to_owned()),
            ("tcp", None) => Err("a tcp address needs a port, as in tcp://localhost:6432".to_owned()),
            (scheme, _) => Err(format!("unknown scheme {scheme}: expected tcp or http")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Http { url } => f.write_str(url),
        }
    }
}

/// The dependencies of a scenario; none where it names none.
pub(super) fn read(root: &Section<'_>) -> Option<Vec<Dependency>> {
    if !root.gives("dependency") {
        return Some(Vec::new());
    }
    let sections = root.sections("dependency")?;
    refuse_same_names(&sections);
    let dependencies: Vec<_> = sections.iter().map(dependency).collect();
    dependencies.into_iter().collect()
}

fn dependency(section: &Section<'_>) -> Option<Dependency> {
    let name = section.text("name");
    let address = section.text("address").and_then(|text| match Address::parse(&text) {
        Ok(address) => Some(address),
        Err(reason) => {
            section.reject("address", format!(r#""{text}" cannot be probed: {reason}"#));
            None
        }
    });
    let status = section.gives("status").then(|| section.integer("status"));
    if let (Some(Address::Tcp { .. }), Some(_)) = (&address, status) {
        section.reject("status", "a status applies to http only");
    }
    Some(Dependency {
        name: name?,
        address: address?,
        status: match status {
            Some(given) => Some(given?),
            None => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn addresses_read_as_they_are_written() {
        for text in ["tcp://localhost:6432", "tcp://[::1]:5432", "http://localhost/health", "http://h:8080/a?b=c"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn wrong_addresses_are_reported_with_their_place() {
        let of = |lines: &str| {
            let text = format!(
                "name = \"x\"\n[[dependency]]\nname = \"a\"\n{lines}\n[[service]]\nname = \"s\"\nload.rate = 1\n\
                 operation = [{{ command = \"GET\" }}]\n"
            );
            parse(&text, "x.toml").unwrap_err().to_string()
        };
        assert_eq!(
            of("address = \"tcp://localhost\""),
            "x.toml:4:11: dependency \"a\": address: \"tcp://localhost\" cannot be probed: a tcp address needs a port, \
             as in tcp://localhost:6432"
        );
        assert!(of("address = \"ftp://h\"").contains("is not an address"), "{}", of("address = \"ftp://h\""));
        assert!(of("address = \"http://me:secret@h/\"").contains("no login is permitted"));
        assert!(of("address = \"tcp://h:1\"\nstatus = 200").contains("a status applies to http only"));
        let twice = "address = \"tcp://h:1\"\n[[dependency]]\nname = \"a\"\naddress = \"tcp://h:2\"";
        assert!(of(twice).contains("duplicate name \"a\", first used in line 3"), "{}", of(twice));
    }
}
