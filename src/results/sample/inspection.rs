//! What the sample's server was found to be like: a default user without a password, rights broader than needed, and a
//! keyspace with one large key.

use std::collections::BTreeMap;

use crate::results::{
    DatabaseSample, DependencyRecord, HotKey, Inspection, KeyGroup, KeyspaceSample, LargeKey, Machine, NodeInspection,
    NodeRole, PasswordStrength, Probe, ProbePhase, Proof, SeenSentinel, SentinelInspection, ServiceDatabase,
    ServiceLogin, SlotUse, UserRights, Withheld,
};

const SETTINGS: [(&str, &str); 21] = [
    ("activedefrag", "no"),
    ("appendfsync", "everysec"),
    ("appendonly", "no"),
    ("io-threads", "1"),
    ("latency-monitor-threshold", "0"),
    ("lazyfree-lazy-user-del", "no"),
    ("maxclients", "10000"),
    ("maxmemory", "1073741824"),
    ("maxmemory-policy", "allkeys-lru"),
    ("protected-mode", "no"),
    ("rdbchecksum", "yes"),
    ("rdbcompression", "yes"),
    ("repl-diskless-sync", "yes"),
    ("save", "3600 1 300 100 60 10000"),
    ("slowlog-log-slower-than", "10000"),
    ("slowlog-max-len", "128"),
    ("stop-writes-on-bgsave-error", "yes"),
    ("tcp-backlog", "511"),
    ("tcp-keepalive", "60"),
    ("timeout", "300"),
    ("tls-port", "0"),
];

const INFO: [(&str, &str); 13] = [
    ("aof_enabled", "0"),
    ("aof_last_write_status", "ok"),
    ("connected_clients", "63"),
    ("evicted_keys", "0"),
    ("mem_fragmentation_ratio", "1.28"),
    ("rdb_changes_since_last_save", "812"),
    ("rdb_last_bgsave_status", "ok"),
    ("rejected_connections", "0"),
    ("role", "master"),
    ("total_system_memory", "8323596288"),
    ("uptime_in_seconds", "32412"),
    ("used_memory", "26607616"),
    ("used_memory_peak", "28704768"),
];

pub(super) fn inspection() -> Inspection {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let user = |name: &str, no_password, commands: &str| UserRights {
        name: name.into(),
        enabled: true,
        no_password,
        passwords: u32::from(!no_password),
        common_password: false,
        commands: commands.into(),
        keys: vec!["~*".into()],
        channels: vec!["&*".into()],
        selectors: 0,
    };
    Inspection {
        settings: map(&SETTINGS),
        info: map(&INFO),
        pings: (0..200).map(|number| 41_000 + 170 * (number % 40) + if number == 77 { 900_000 } else { 0 }).collect(),
        users: vec![user("default", true, "+@all"), user("plimsoll", false, "+@all")],
        logins: vec![ServiceLogin {
            user: "plimsoll".into(),
            services: [("api", 0), ("chat", 5), ("ml", 2)]
                .map(|(service, database)| ServiceDatabase { service: service.into(), database })
                .into(),
            refused: None,
            password: Some(PasswordStrength { length: 64, bits: 256.0, common: false }),
            needs: ["~api:*", "~chat:*", "~ml:*", "&chat:*", "+get", "+hset", "+publish", "+select", "+set"]
                .map(str::to_owned)
                .into(),
            harness: ["+mset", "+scan", "+unlink"].map(str::to_owned).into(),
            proof: Proof::Proven { commands: 11 },
            excess: Some(vec!["FLUSHALL".into(), "CONFIG SET".into()]),
        }],
        machine: Some(Machine {
            cores: Some(2),
            huge_pages: Some("always".into()),
            overcommit: Some(0),
            somaxconn: Some(4096),
        }),
        keyspace: Some(keyspace()),
        withheld: vec![Withheld { what: "DEBUG".into(), reason: "ERR DEBUG command not allowed".into() }],
        nodes: Vec::new(),
        sentinels: Vec::new(),
        slots: None,
    }
}

/// A primary of a cluster with a replica that it takes for failed.
pub(crate) fn node() -> NodeInspection {
    let inspection = inspection();
    NodeInspection {
        address: "redis://10.0.0.1:7000".into(),
        role: NodeRole::Primary,
        primary: None,
        slots: 5_461,
        fault: None,
        same_machine: false,
        product: Some("redis".into()),
        version: Some("7.0.15".into()),
        settings: inspection.settings,
        info: inspection.info,
        users: inspection.users,
        suspects: vec!["redis://10.0.0.2:7003".into()],
        busiest: vec![SlotUse { slot: 866, keys: 12, cpu_us: Some(3_400) }],
        withheld: inspection.withheld,
    }
}

/// One of two Sentinels that see each other.
pub(crate) fn sentinel() -> SentinelInspection {
    let facts =
        [("name", "mymaster"), ("quorum", "2"), ("down-after-milliseconds", "5000"), ("failover-timeout", "60000")];
    SentinelInspection {
        address: "redis://10.0.0.1:26379".into(),
        fault: None,
        facts: facts.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        primary: Some("redis://10.0.0.1:6379".into()),
        others: vec![SeenSentinel { address: "redis://10.0.0.2:26379".into(), answers: true }],
        check: Some("OK 2 usable Sentinels. Quorum and failover authorization can be reached".into()),
    }
}

fn keyspace() -> KeyspaceSample {
    let group = |prefix: &str, data_type: &str, sampled: u64, each: u64| KeyGroup {
        prefix: prefix.into(),
        data_type: data_type.into(),
        sampled,
        bytes: Some(sampled * each),
        squares: sampled as f64 * (each as f64 * 1.1).powi(2),
    };
    KeyspaceSample {
        databases: vec![
            DatabaseSample {
                database: 0,
                keys: 10_000,
                sampled: 2_000,
                complete: false,
                groups: vec![group("api:hash:*", "hash", 400, 1_900), group("api:string:*", "string", 1_600, 344)],
                largest: vec![LargeKey { key: "api:hash:17".into(), data_type: "hash".into(), bytes: 4_480 }],
                hottest: vec![HotKey { key: "api:string:0".into(), frequency: 201 }],
            },
            DatabaseSample {
                database: 5,
                keys: 1_200,
                sampled: 1_200,
                complete: true,
                groups: vec![
                    group("chat:zset:*", "zset", 200, 40_000),
                    group("chat:list:*", "list", 900, 2_400),
                    group("", "string", 100, 96),
                ],
                largest: vec![LargeKey { key: "chat:zset:4".into(), data_type: "zset".into(), bytes: 1_900_544 }],
                hottest: Vec::new(),
            },
        ],
        elapsed_ns: 1_200_000_000,
        busy_ns: 55_000_000,
        allowed: 0.05,
    }
}

/// A database that answers, and a chat service that is not healthy.
pub(super) fn dependencies() -> Vec<DependencyRecord> {
    let probe = |phase, second, elapsed_ns, failure: Option<&str>| Probe {
        phase,
        second,
        elapsed_ns,
        failure: failure.map(str::to_owned),
    };
    let probes = |elapsed, failure: Option<&str>| {
        vec![
            probe(ProbePhase::Before, None, elapsed, failure),
            probe(ProbePhase::During, Some(4), elapsed + 90_000, failure),
            probe(ProbePhase::After, None, elapsed - 20_000, failure),
        ]
    };
    vec![
        DependencyRecord {
            name: "pgbouncer".into(),
            address: "tcp://127.0.0.1:6432".into(),
            status: None,
            probes: probes(310_000, None),
        },
        DependencyRecord {
            name: "chat-health".into(),
            address: "http://127.0.0.1:8080/health".into(),
            status: Some(200),
            probes: probes(1_450_000, Some("answered with status 503, not 200")),
        },
    ]
}
