//! Product, version and settings of a server.

use std::collections::BTreeMap;

use fred::{
    interfaces::{ClientLike, ConfigInterface},
    types::{ClusterHash, CustomCommand, Value},
};

use super::info::Info;

/// Settings that decide how fast a server is and how much it holds.
const SETTINGS: [&str; 9] = [
    "maxclients",
    "maxmemory",
    "maxmemory-policy",
    "io-threads",
    "appendonly",
    "appendfsync",
    "save",
    "timeout",
    "tcp-keepalive",
];

/// What a server is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// `redis`, `valkey` or `keydb`.
    pub product: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// `standalone`, `sentinel` or `cluster`.
    pub mode: Option<String>,
    /// What it calls this life of its process.
    pub run_id: Option<String>,
    /// Connections that it takes at most.
    pub max_clients: Option<u64>,
    /// Connections that it has.
    pub connected_clients: Option<u64>,
    /// Number of its process, on the machine that it runs on.
    pub process: Option<u32>,
    /// Settings, name and value; only those that could be read.
    pub settings: Vec<(String, String)>,
}

impl Facts {
    /// Asks a server.
    pub async fn of(client: &impl ConfigInterface) -> Self {
        let said = match client.info::<String>(None).await {
            Ok(text) => Info::parse(&text),
            // Every user may say hello.
            Err(_) => hello(client).await,
        };
        let mut settings = BTreeMap::new();
        for name in SETTINGS {
            match client.config_get::<Vec<String>, _>(name).await {
                Ok(answer) => settings.extend(answer.get(1).map(|value| (name, value.clone()))),
                // Refused once is refused always.
                Err(_) => break,
            }
        }
        Self::from(&said, settings)
    }

    pub(super) fn from(said: &Info, mut settings: BTreeMap<&str, String>) -> Self {
        let field = |name: &str| said.text(name).map(str::to_owned);
        for (name, told) in
            [("maxclients", "maxclients"), ("maxmemory", "maxmemory"), ("maxmemory-policy", "maxmemory_policy")]
        {
            if let (None, Some(value)) = (settings.get(name), field(told)) {
                settings.insert(name, value);
            }
        }
        Self {
            product: product(said).map(str::to_owned),
            version: version(said).map(str::to_owned),
            mode: field("redis_mode").or_else(|| field("server_mode")).or_else(|| field("mode")),
            run_id: field("run_id"),
            max_clients: settings.get("maxclients").and_then(|value| value.parse().ok()),
            connected_clients: field("connected_clients").and_then(|value| value.parse().ok()),
            process: field("process_id").and_then(|value| value.parse().ok()),
            settings: SETTINGS
                .iter()
                .filter_map(|name| settings.remove(name).map(|value| ((*name).to_owned(), value)))
                .collect(),
        }
    }
}

/// Product and version as people write them: `redis 7.0.15`.
pub(super) fn name(said: &Info) -> Option<String> {
    Some(format!("{} {}", product(said)?, version(said)?))
}

fn product(said: &Info) -> Option<&str> {
    if said.text("valkey_version").is_some() {
        return Some("valkey");
    }
    // It names itself nowhere, but has figures that nobody else has.
    if said.text("mvcc_depth").is_some() || said.text("executable").is_some_and(|path| path.ends_with("keydb-server")) {
        return Some("keydb");
    }
    // Before there was another product, none was named.
    let named = said.text("server_name").or_else(|| said.text("server"));
    named.or_else(|| said.text("redis_version").map(|_| "redis"))
}

fn version(said: &Info) -> Option<&str> {
    ["valkey_version", "redis_version", "version"].into_iter().find_map(|name| said.text(name))
}

/// What the reply to `HELLO` says.
async fn hello(client: &impl ClientLike) -> Info {
    let command = CustomCommand::new_static("HELLO", ClusterHash::Random, false);
    match client.custom::<Value, _>(command, vec!["2"]).await {
        Ok(Value::Array(parts)) => {
            let pairs = parts.chunks_exact(2).filter_map(|pair| Some((pair[0].as_string()?, pair[1].as_string()?)));
            pairs.collect()
        }
        _ => Info::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(info: &str) -> Facts {
        Facts::from(&Info::parse(info), BTreeMap::from([("timeout", "300".to_owned())]))
    }

    #[test]
    fn reads_redis() {
        let facts = facts(
            "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n\r\n# Clients\r\nconnected_clients:2\r\n\
             maxclients:10000\r\n# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n",
        );
        assert_eq!(facts.product.as_deref(), Some("redis"));
        assert_eq!(facts.version.as_deref(), Some("7.0.15"));
        assert_eq!(facts.mode.as_deref(), Some("standalone"));
        assert_eq!((facts.max_clients, facts.connected_clients), (Some(10_000), Some(2)));
        let settings: Vec<_> = facts.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            settings,
            [("maxclients", "10000"), ("maxmemory", "0"), ("maxmemory-policy", "noeviction"), ("timeout", "300")]
        );
    }

    #[test]
    fn tells_valkey_by_its_own_version() {
        let facts = facts("redis_version:7.2.4\nserver_name:valkey\nvalkey_version:8.1.0\nserver_mode:standalone\n");
        assert_eq!(facts.product.as_deref(), Some("valkey"));
        assert_eq!(facts.version.as_deref(), Some("8.1.0"));
        assert_eq!(facts.mode.as_deref(), Some("standalone"));
    }

    #[test]
    fn makes_up_nothing() {
        let facts = facts("");
        assert_eq!((facts.product, facts.version, facts.max_clients), (None, None, None));
    }
}
