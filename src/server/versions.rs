//! Features of `INFO` by server version.

use super::{facts, info::Info};
use crate::results::Withheld;

/// A figure that the report shows where it can.
struct Figure {
    /// Its name.
    what: &'static str,
    /// A field of `INFO everything` that is there with it; one that ends in `*` stands for all fields that begin so, of
    /// which one will do.
    field: &'static str,
    /// First version of Redis that reports the field; every version of Valkey has the fields of Redis 7.2. `None`: all versions.
    since: Option<&'static str>,
}

const fn figure(what: &'static str, field: &'static str, since: Option<&'static str>) -> Figure {
    Figure { what, field, since }
}

const FIGURES: [Figure; 12] = [
    figure("memory", "used_memory", None),
    figure("resident memory", "used_memory_rss", None),
    figure("clients", "connected_clients", None),
    figure("number of commands", "total_commands_processed", None),
    figure("network traffic", "total_net_input_bytes", None),
    figure("hits and misses", "keyspace_hits", None),
    figure("CPU time", "used_cpu_user", None),
    figure("command statistics", "cmdstat_*", None),
    figure("error statistics", "total_error_replies", Some("6.2")),
    figure("number of forks", "total_forks", Some("6.2")),
    figure("CPU time of the main thread", "used_cpu_user_main_thread", Some("6.2")),
    figure("figures of the event loop", "eventloop_cycles", Some("7.2")),
];

/// Rejected and failed calls stand within the statistics of a command.
const CALLS: (&str, &str) = ("rejected and failed calls", "6.2");

/// Bounds of latency come from a command of their own.
const HISTOGRAMS: (&str, &str) = ("latency histograms", "7.0");

/// Fields that the whole of `INFO` lacks.
pub(super) fn lacking(info: &Info) -> Vec<Withheld> {
    let name = facts::name(info).unwrap_or_else(|| "this server".to_owned());
    let reason = |since: Option<&str>| match since {
        Some(since) => format!("INFO of {name} has none; Redis has them since {since}"),
        None => format!("INFO of {name} has none"),
    };
    let lacks = |what: &str, since| Withheld { what: what.to_owned(), reason: reason(since) };
    let is_known = |field: &str| match field.strip_suffix('*') {
        Some(prefix) => info.compound(prefix).next().is_some(),
        None => info.text(field).is_some(),
    };
    let mut missing: Vec<_> = FIGURES
        .iter()
        .filter(|figure| !is_known(figure.field))
        .map(|figure| lacks(figure.what, figure.since))
        .collect();
    let mut commands = info.compound("cmdstat_").peekable();
    if commands.peek().is_some() && !commands.any(|(_, stat)| stat.number::<u64>("failed_calls").is_some()) {
        missing.push(lacks(CALLS.0, Some(CALLS.1)));
    }
    if !has_histograms(info) {
        let reason = if follows_redis(info) {
            format!("{name} has no LATENCY HISTOGRAM; Redis has it since {}", HISTOGRAMS.1)
        } else {
            format!("not queried: LATENCY HISTOGRAM of {name} is unknown")
        };
        missing.push(Withheld { what: HISTOGRAMS.0.to_owned(), reason });
    }
    missing
}

/// Whether the version of Redis that a server reports is its own: other products report one for compatibility.
fn follows_redis(info: &Info) -> bool {
    facts::product(info).is_none_or(|product| ["redis", "valkey", "keydb", "redict"].contains(&product))
}

/// Whether the server has `LATENCY HISTOGRAM`, judged by its version: a refused command would count as an error.
pub(super) fn has_histograms(info: &Info) -> bool {
    if !follows_redis(info) {
        return false;
    }
    // Valkey and others name the version of Redis that they are compatible with, too.
    let version = info.text("redis_version").and_then(|version| version.split('.').next());
    version.and_then(|major| major.parse::<u32>().ok()).is_none_or(|major| major >= 7)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;
    use crate::{
        results::ServerSecond,
        server::{facts::Facts, sample::Sample},
    };

    /// Figures read from `INFO everything` of one server.
    struct Read {
        facts: Facts,
        sample: Sample,
        /// As if everything had happened within one second.
        second: ServerSecond,
    }

    fn read(stem: &str) -> Read {
        let path = format!("{}/tests/fixtures/info/{stem}.txt", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let sample = Sample { at: 2_000_000_000, info: Info::parse(&text) };
        // The same server with every counter at 0; what it is stays.
        let kept = ["run_id", "redis_version", "uptime_in_seconds", "valkey_version"];
        let zero = |line: &str| match line.split_once(':') {
            Some((name, value)) if !kept.contains(&name) && value.parse::<f64>().is_ok() => format!("{name}:0"),
            _ => line.to_owned(),
        };
        let start = text.lines().map(zero).collect::<Vec<_>>().join("\n").replace("uptime_in_seconds:0", "");
        let second = sample.since(&Sample { at: 1_000_000_000, info: Info::parse(&start) }, 0);
        Read { facts: Facts::from(&sample.info, BTreeMap::new()), sample, second }
    }

    const ALL: [(&str, &str, &str); 11] = [
        ("redis-6.0", "redis", "6.0.16"),
        ("redis-6.2", "redis", "6.2.14"),
        ("redis-7.0", "redis", "7.0.15"),
        ("redis-7.2", "redis", "7.2.4"),
        ("redis-7.4", "redis", "7.4.1"),
        ("redis-8.2", "redis", "8.2.3"),
        ("valkey-7.2", "valkey", "7.2.8"),
        ("valkey-8.0", "valkey", "8.0.2"),
        ("valkey-8.1", "valkey", "8.1.8"),
        ("valkey-9.1", "valkey", "9.1.2"),
        ("keydb-6.3", "keydb", "6.3.4"),
    ];

    #[test]
    fn every_server_is_reported_by_its_name() {
        for (stem, product, version) in ALL {
            let facts = read(stem).facts;
            assert_eq!((facts.product.as_deref(), facts.version.as_deref()), (Some(product), Some(version)), "{stem}");
            assert_eq!((facts.mode.as_deref(), facts.connected_clients), (Some("standalone"), Some(1)), "{stem}");
            let limit = (stem != "redis-6.0").then_some(10_000);
            assert_eq!(facts.max_clients, limit, "{stem}");
        }
    }

    #[test]
    fn every_server_tells_what_it_holds() {
        for (stem, ..) in ALL {
            let Read { sample, .. } = read(stem);
            let levels = sample.levels();
            assert!(levels.used_memory > Some(500_000) && levels.rss > levels.used_memory, "{stem}: {levels:?}");
            assert!(levels.peak_memory >= levels.used_memory && levels.fragmentation > Some(1.0), "{stem}");
            assert_eq!((levels.system_memory, levels.max_memory), (Some(8 << 30), None), "{stem}");
            assert_eq!((levels.clients, levels.blocked, levels.replicas), (Some(1), Some(0), Some(0)), "{stem}");
            assert_eq!((levels.replica_lag, levels.keys), (None, Some(1_004)), "{stem}");
            assert_eq!(levels.io_threads_active.is_none(), stem == "keydb-6.3", "{stem}");
            assert!(levels.persistence.is_empty(), "{stem}");
            let databases: Vec<_> =
                sample.databases().iter().map(|known| (known.database, known.keys, known.expires)).collect();
            assert_eq!(databases, [(0, 1_003, 0), (5, 1, 1)], "{stem}");
        }
    }

    #[test]
    fn what_a_version_lacks_is_unknown_and_nothing_else_is() {
        for (stem, ..) in ALL {
            let second = read(stem).second;
            assert!(!second.restarted && !second.reset, "{stem}");
            let at = second.counts;
            let always = [at.commands, at.received, at.sent, at.hits, at.misses, at.evicted, at.expired, at.rejected];
            assert!(always.iter().all(Option::is_some), "{stem}: {at:?}");
            assert!(at.hits >= Some(40_000) && at.expired == Some(1), "{stem}: {at:?}");
            assert!(at.cpu_user > Some(0.1) && at.cpu_system > Some(0.1), "{stem}");
            assert_eq!(at.delayed_fsyncs, None, "{stem}: there is no append-only file");
            let old = stem == "redis-6.0";
            let since_6_2 = [at.error_replies.is_none(), at.forks.is_none(), at.main_thread_cpu.is_none()];
            assert_eq!(since_6_2, [old; 3], "{stem}");
            let before_7_2 = ["redis-6.0", "redis-6.2", "redis-7.0", "keydb-6.3"].contains(&stem);
            let loops = [at.event_loops, at.event_loop_us, at.event_loop_command_us];
            assert_eq!(loops.map(|figure| figure.is_none()), [before_7_2; 3], "{stem}");
            assert_eq!(at.io_thread_operations.is_none(), stem == "keydb-6.3", "{stem}");
            assert_eq!(at.main_thread_active.is_some(), stem == "valkey-9.1", "{stem}");
        }
    }

    #[test]
    fn every_server_tells_of_its_commands_and_errors() {
        for (stem, ..) in ALL {
            let sample = read(stem).sample;
            let commands = sample.commands_since(None);
            let get = commands.iter().find(|command| command.name == "GET").unwrap_or_else(|| panic!("{stem}"));
            let known = (stem != "redis-6.0").then_some(());
            let expected = (40_000, known.map(|()| 1), known.map(|()| 0));
            assert_eq!((get.calls, get.rejected, get.failed), expected, "{stem}");
            let push = commands.iter().find(|command| command.name == "LPUSH").unwrap();
            assert_eq!((push.failed, push.calls), (known.map(|()| 1), 20_001), "{stem}");
            let words: Vec<_> = sample.errors_since(None).into_iter().map(|error| error.word).collect();
            let expected: &[&str] = if stem == "redis-6.0" { &[] } else { &["ERR", "NOPERM", "WRONGTYPE"] };
            assert_eq!(words, expected, "{stem}");
        }
    }

    #[test]
    fn what_a_version_lacks_is_named_with_the_version_that_has_it() {
        let whats = |stem: &str| -> Vec<String> {
            lacking(&read(stem).sample.info).into_iter().map(|withheld| withheld.what).collect()
        };
        let of_6_0 = [
            "error statistics",
            "number of forks",
            "CPU time of the main thread",
            "figures of the event loop",
            "rejected and failed calls",
            "latency histograms",
        ];
        assert_eq!(whats("redis-6.0"), of_6_0);
        for stem in ["redis-6.2", "keydb-6.3"] {
            assert_eq!(whats(stem), ["figures of the event loop", "latency histograms"], "{stem}");
        }
        assert_eq!(whats("redis-7.0"), ["figures of the event loop"]);
        for stem in ["redis-7.2", "redis-7.4", "redis-8.2", "valkey-7.2", "valkey-8.0", "valkey-8.1", "valkey-9.1"] {
            assert_eq!(whats(stem), [] as [&str; 0], "{stem}");
        }
        let reason = &lacking(&read("redis-6.0").sample.info)[0].reason;
        assert_eq!(reason, "INFO of redis 6.0.16 has none; Redis has them since 6.2");
        let dragonfly = lacking(&Info::parse("redis_version:7.4.0\ndragonfly_version:df-v1.31.0\n"));
        let histograms = dragonfly.last().unwrap();
        assert_eq!(histograms.reason, "not queried: LATENCY HISTOGRAM of dragonfly 1.31.0 is unknown");
        // A service that hides most of it.
        let hidden = lacking(&Info::parse("redis_version:7.2.4\nconnected_clients:3\n"));
        assert!(hidden.iter().any(|withheld| withheld.what == "memory" && !withheld.reason.contains("since")));
    }
}
