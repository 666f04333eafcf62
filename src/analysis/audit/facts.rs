//! Reading what an inspection found: settings and fields as the types that they stand for.

use std::str::FromStr;

use super::{Quantity, Subject};

impl<'a> Subject<'a> {
    /// A setting as it stands.
    pub(super) fn setting(&self, name: &str) -> Option<&'a str> {
        self.inspection.settings.get(name).map(String::as_str)
    }

    /// A setting that is a number.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.setting(name)?.parse().ok()
    }

    /// A setting that is yes or no.
    pub(super) fn is_on(&self, name: &str) -> Option<bool> {
        match self.setting(name)? {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    /// A field of `INFO` as it stands.
    pub(super) fn info(&self, name: &str) -> Option<&'a str> {
        self.inspection.info.get(name).map(String::as_str)
    }

    /// A field of `INFO` that is a whole number.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.info(name)?.parse().ok()
    }

    /// Bytes that the server may use; 0 for no limit.
    pub(super) fn max_memory(&self) -> Option<u64> {
        self.number("maxmemory").or_else(|| self.count("maxmemory"))
    }

    /// The policy for a server that is full.
    pub(super) fn policy(&self) -> Option<&'a str> {
        self.setting("maxmemory-policy").or_else(|| self.info("maxmemory_policy"))
    }

    /// Whether the data is written to disk: snapshots, and the append-only file.
    pub(super) fn persistence(&self) -> Option<(bool, bool)> {
        let snapshots = !self.setting("save")?.trim().is_empty();
        Some((snapshots, self.is_on("appendonly")?))
    }

    /// Whether it forks to save its data, in a word.
    pub(super) fn forks(&self) -> &'static str {
        match self.persistence() {
            Some((false, false)) => "no",
            Some(_) => "yes",
            None => "not known",
        }
    }

    /// Whether only programs of the server's own machine can reach it, as far as this machine shows.
    pub(super) fn is_local(&self) -> bool {
        // A socket for this harness says nothing of the port for others.
        self.setting("port") == Some("0") && self.setting("tls-port").is_none_or(|port| port == "0")
            || self.setting("bind").is_some_and(|bind| {
                let mut addresses = bind.split_whitespace().map(|address| address.trim_start_matches('-')).peekable();
                addresses.peek().is_some()
                    && addresses
                        .all(|address| address.starts_with("127.") || address == "::1" || address == "localhost")
            })
    }
}

impl Subject<'_> {
    /// Whether the target is a cluster.
    pub(super) fn is_cluster(&self) -> bool {
        self.target.scheme().ends_with("+cluster")
    }

    /// Major and minor number of the server's version where it counts as those of Redis do; other products have numbers of
    /// their own.
    pub(super) fn version(&self) -> Option<(u32, u32)> {
        if !["redis", "valkey", "keydb", "redict"].contains(&self.target.product.as_str()) {
            return None;
        }
        let mut numbers = self.target.version.split('.').map_while(|part| part.parse().ok());
        Some((numbers.next()?, numbers.next()?))
    }
}

/// Bytes as a configuration file writes them, in whole mebibytes.
pub(super) fn mebibytes(bytes: u64) -> String {
    format!("{}mb", bytes >> 20)
}

/// Seconds as a quantity.
pub(super) fn seconds(seconds: i64) -> Quantity {
    Quantity::Nanos(seconds as f64 * 1e9)
}
