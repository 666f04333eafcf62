//! Product, version and settings of a server.

use std::collections::BTreeMap;

use fred::{
    interfaces::{ClientLike, ConfigInterface},
    types::{ClusterHash, CustomCommand, Value},
};

use super::{info::Info, questions::text};

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

/// Fields in which products report their own version, beside the version of Redis that they are compatible with.
const OWN_VERSIONS: &[(&str, &str)] = &[
    ("dragonfly_version", "dragonfly"),
    ("garnet_version", "garnet"),
    ("kvrocks_version", "kvrocks"),
    ("pika_version", "pika"),
    ("redict_version", "redict"),
    ("upstash_version", "upstash"),
    ("valkey_version", "valkey"),
];

/// Services that say what they are in the field `os`. Their releases get fixes under version numbers of their own.
const SERVICES: &[(&str, &str)] = &[("ElastiCache", "elasticache"), ("MemoryDB", "memorydb")];

/// Identity of a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// `redis`, `valkey`, `dragonfly` or another.
    pub product: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// `standalone`, `sentinel` or `cluster`.
    pub mode: Option<String>,
    /// Reason why a node of a cluster does not serve every key.
    pub partial: Option<String>,
    /// Run ID of the server process.
    pub run_id: Option<String>,
    /// Connections that it takes at most.
    pub max_clients: Option<u64>,
    /// Connections that it has.
    pub connected_clients: Option<u64>,
    /// Number of replicas that are connected to it.
    pub replicas: Option<u32>,
    /// Number of its process, on the machine that it runs on.
    pub process: Option<u32>,
    /// Settings, name and value; only those that could be read.
    pub settings: Vec<(String, String)>,
}

impl Facts {
    /// Asks a server.
    pub async fn of(client: &impl ConfigInterface) -> Self {
        let said = match client.info::<Value>(None).await {
            Ok(answer) => Info::parse(&text(&answer).unwrap_or_default()),
            // Every user may say hello.
            Err(_) => hello(client).await,
        };
        let mut settings = BTreeMap::new();
        for name in SETTINGS {
            match client.config_get::<Vec<Value>, _>(name).await {
                Ok(answer) => settings.extend(answer.get(1).and_then(text).map(|value| (name, value))),
                // Refused once is refused always.
                Err(_) => break,
            }
        }
        let mut facts = Self::from(&said, settings);
        if facts.mode.as_deref() == Some("cluster") {
            facts.partial = partial(client).await;
        }
        facts
    }

    pub(super) fn from(said: &Info, mut settings: BTreeMap<&str, String>) -> Self {
        let field = |name: &str| said.text(name).map(str::to_owned);
        for (name, field_name) in [
            ("maxclients", "maxclients"),
            ("maxclients", "max_clients"),
            ("maxmemory", "maxmemory"),
            ("maxmemory-policy", "maxmemory_policy"),
        ] {
            if let (None, Some(value)) = (settings.get(name), field(field_name)) {
                settings.insert(name, value);
            }
        }
        Self {
            product: product(said).map(str::to_owned),
            version: version(said).map(str::to_owned),
            mode: field("redis_mode").or_else(|| field("server_mode")).or_else(|| field("mode")),
            partial: None,
            run_id: field("run_id"),
            max_clients: settings.get("maxclients").and_then(|value| value.parse().ok()),
            connected_clients: field("connected_clients").and_then(|value| value.parse().ok()),
            replicas: field("connected_slaves").and_then(|value| value.parse().ok()),
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

pub(super) fn product(said: &Info) -> Option<&str> {
    let service = SERVICES.iter().find(|(os, _)| said.text("os").is_some_and(|value| value.contains(os)));
    let own = OWN_VERSIONS.iter().find(|(field, _)| said.text(field).is_some());
    if let Some((_, product)) = service.or(own) {
        return Some(product);
    }
    // KeyDB names itself nowhere, but has figures that no other product has.
    if said.text("mvcc_depth").is_some() || said.text("executable").is_some_and(|path| path.ends_with("keydb-server")) {
        return Some("keydb");
    }
    // Before there was another product, none was named.
    let named = said.text("server_name").or_else(|| said.text("server"));
    named.or_else(|| said.text("redis_version").map(|_| "redis"))
}

pub(super) fn version(said: &Info) -> Option<&str> {
    let own = OWN_VERSIONS.iter().map(|(field, _)| *field);
    let version = own.chain(["redis_version", "version"]).find_map(|name| said.text(name))?;
    Some(version.trim_start_matches("df-").trim_start_matches('v'))
}

/// Reason why a node of a cluster does not serve every key; `None` where it does, or where the server does not report it.
async fn partial(client: &impl ClientLike) -> Option<String> {
    let command = CustomCommand::new_static("CLUSTER", ClusterHash::Random, false);
    let answer = client.custom::<Value, _>(command, vec!["INFO"]).await.ok()?;
    let said = Info::parse(&text(&answer)?);
    let field = |name: &str, whole: &str| {
        let value = said.text(name).filter(|value| *value != whole)?;
        Some(format!("{name} is {value}"))
    };
    field("cluster_size", "1").or_else(|| field("cluster_state", "ok"))
}

/// Content of the reply to `HELLO`.
async fn hello(client: &impl ClientLike) -> Info {
    let command = CustomCommand::new_static("HELLO", ClusterHash::Random, false);
    match client.custom::<Value, _>(command, vec!["2"]).await {
        Ok(Value::Array(parts)) => {
            let pairs = parts.chunks_exact(2).filter_map(|pair| Some((text(&pair[0])?, text(&pair[1])?)));
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
    fn products_that_report_a_version_of_redis_are_known_by_their_own_fields() {
        for (own, product, version) in [
            ("dragonfly_version:df-v1.31.0", "dragonfly", "1.31.0"),
            ("garnet_version:1.0.84", "garnet", "1.0.84"),
            ("version:2.12.1\nkvrocks_version:2.12.1", "kvrocks", "2.12.1"),
            ("pika_version:3.5.5", "pika", "3.5.5"),
            ("redict_version:7.3.1", "redict", "7.3.1"),
            ("upstash_version:1.12.2", "upstash", "1.12.2"),
            ("server_name:valkey", "valkey", "7.4.0"),
            ("server_name:another", "another", "7.4.0"),
            ("mvcc_depth:0", "keydb", "7.4.0"),
            ("os:Amazon ElastiCache", "elasticache", "7.4.0"),
            ("os:Amazon ElastiCache\nserver_name:valkey\nvalkey_version:8.0.1", "elasticache", "8.0.1"),
            ("os:Amazon MemoryDB", "memorydb", "7.4.0"),
            ("os:Linux 6.1.0 x86_64", "redis", "7.4.0"),
        ] {
            let facts = facts(&format!("redis_version:7.4.0\n{own}\nmax_clients:64000\n"));
            assert_eq!((facts.product.as_deref(), facts.version.as_deref()), (Some(product), Some(version)), "{own}");
            assert_eq!(facts.max_clients, Some(64_000));
        }
    }

    #[test]
    fn makes_up_nothing() {
        let facts = facts("");
        assert_eq!((facts.product, facts.version, facts.max_clients), (None, None, None));
    }
}
