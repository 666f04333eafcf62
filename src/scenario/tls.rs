//! TLS of the target: files, names and checks.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{
    field::{Format, Presence, Shape, Table, field, flag},
    reader::Section,
};

/// The table in a file.
pub(super) const TABLE: Table = Table {
    name: "tls",
    about: "How the target is encrypted. Files are PEM; a private server needs none.",
    fields: &[
        field(
            "ca",
            "File of CA certificates that the server's certificate is checked with.",
            Shape::Text(Format::Filled),
            Presence::Otherwise("`SSL_CERT_FILE`, or the certificates of the system."),
        ),
        field(
            "cert",
            "File of the client certificate, for servers that require one; needs `key`.",
            Shape::Text(Format::Filled),
            Presence::Otherwise("None."),
        ),
        field(
            "key",
            "File of the private key of the client certificate.",
            Shape::Text(Format::Filled),
            Presence::Otherwise("None."),
        ),
        field(
            "server_name",
            "Name that the server's certificate is checked for, on every node.",
            Shape::Text(Format::Token),
            Presence::Otherwise("The host of the target."),
        ),
        field("insecure", "Whether the server's certificate is not checked.", Shape::Flag, flag(false)),
    ],
    variants: None,
};

/// Settings of TLS. Those that are missing are the system's: its CA certificates, the name of the host, no client certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsOptions {
    /// CA certificates (PEM) that the server's certificate is checked with.
    pub ca: Option<PathBuf>,
    /// Client certificate (PEM), and the certificates between it and its CA.
    pub cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM).
    pub key: Option<PathBuf>,
    /// Name that the server's certificate is checked for, on every node.
    pub server_name: Option<String>,
    /// Whether the server's certificate is not checked.
    pub insecure: bool,
}

impl TlsOptions {
    /// These settings, completed by others.
    #[must_use]
    pub fn or(&self, others: &Self) -> Self {
        Self {
            ca: self.ca.clone().or_else(|| others.ca.clone()),
            cert: self.cert.clone().or_else(|| others.cert.clone()),
            key: self.key.clone().or_else(|| others.key.clone()),
            server_name: self.server_name.clone().or_else(|| others.server_name.clone()),
            // CA certificates are named for a check.
            insecure: self.insecure || (self.ca.is_none() && others.insecure),
        }
    }
}

/// The settings of a scenario.
pub(super) fn read(root: &Section<'_>) -> Option<TlsOptions> {
    let section = root.section("tls")?;
    let text = |name| if section.gives(name) { section.text(name).map(Some) } else { Some(None) };
    let [ca, cert, key, server_name] = ["ca", "cert", "key", "server_name"].map(text);
    let insecure = section.flag("insecure");
    Some(TlsOptions {
        ca: ca?.map(PathBuf::from),
        cert: cert?.map(PathBuf::from),
        key: key?.map(PathBuf::from),
        server_name: server_name?,
        insecure: insecure?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn read(lines: &str) -> TlsOptions {
        let service = "[[service]]\nname = \"s\"\nload.rate = 1\noperation = [{ command = \"GET\" }]";
        parse(&format!("name = \"x\"\n{lines}\n{service}"), "x.toml").unwrap().tls
    }

    #[test]
    fn settings_are_optional() {
        assert_eq!(read(""), TlsOptions::default());
        let all =
            "[tls]\nca = \"ca.pem\"\ncert = \"me.pem\"\nkey = \"me.key\"\nserver_name = \"cache\"\ninsecure = true";
        let path = |name: &str| Some(PathBuf::from(name));
        let expected = TlsOptions {
            ca: path("ca.pem"),
            cert: path("me.pem"),
            key: path("me.key"),
            server_name: Some("cache".to_owned()),
            insecure: true,
        };
        assert_eq!(read(all), expected);
        assert_eq!(TlsOptions::default().or(&expected), expected);
    }

    #[test]
    fn the_first_settings_win() {
        let scenario = read("[tls]\nca = \"theirs.pem\"\nserver_name = \"cache\"\ninsecure = true");
        let named = TlsOptions { ca: Some("mine.pem".into()), ..TlsOptions::default() }.or(&scenario);
        assert_eq!((named.ca, named.server_name.as_deref()), (Some("mine.pem".into()), Some("cache")));
        assert!(!named.insecure, "the CA certificates are used");
        assert!(TlsOptions { insecure: true, ..TlsOptions::default() }.or(&read("[tls]\nca = \"x\"")).insecure);
    }
}
