//! The server's side of the sample: a snapshot saved in second 7, which is the slow one, and one slow command.

use super::SECONDS;
use crate::results::{
    CallsBelow, CommandUse, DatabaseKeys, ErrorUse, LatencyEvent, Levels, NamedClients, Persistence, ServerCounts,
    ServerRecord, ServerSecond, SlowCommand, SlowLog, Withheld,
};

const MEBIBYTE: u64 = 1 << 20;

pub(super) fn server() -> ServerRecord {
    let clients =
        |name: &str, database, count| NamedClients { name: name.into(), user: "plimsoll".into(), database, count };
    let slow = SlowCommand {
        second: 7,
        micros: 18_250,
        command: "ZADD".into(),
        key: "chat:zset:4".into(),
        words: 5,
        client: "plimsoll:chat".into(),
    };
    ServerRecord {
        before: Some(levels(0)),
        seconds: (0..SECONDS).map(second).collect(),
        commands: vec![
            command("ZADD", 1_800, 41_400, &[(8, 1_200), (16, 1_750), (33_554, 1_800)]),
            command("GET", 7_190, 14_380, &[(1, 2_000), (4, 7_100), (16, 7_190)]),
            command("SET", 3_600, 12_960, &[(4, 3_000), (16, 3_600)]),
            command("INFO", 12, 960, &[]),
        ],
        errors: vec![ErrorUse { word: "OOM".into(), count: 1 }],
        clients: vec![
            clients("plimsoll:api", 0, 50),
            clients("plimsoll:chat", 5, 8),
            clients("plimsoll:ml", 2, 4),
            clients("plimsoll:observer", 0, 1),
        ],
        databases: [(0, 10_000), (2, 500), (5, 1_200)]
            .map(|(database, keys)| DatabaseKeys { database, keys, expires: 0 })
            .into(),
        slowlog: Some(SlowLog {
            threshold_us: Some(10_000),
            capacity: Some(128),
            count: 1,
            lost: 0,
            entries: vec![slow],
        }),
        latency_threshold_ms: Some(2),
        events: vec![
            LatencyEvent { kind: "fork".into(), second: 7, ms: 4 },
            LatencyEvent { kind: "command".into(), second: 7, ms: 18 },
        ],
        restarts: 0,
        resets: 0,
        withheld: vec![
            Withheld {
                what: "MEMORY USAGE".into(),
                reason: "needs +memory|usage: NOPERM this user has no permissions to run the 'memory|usage' command"
                    .into(),
            },
            Withheld {
                what: "figures of the event loop".into(),
                reason: "INFO of redis 7.0.15 has none; Redis has them since 7.2".into(),
            },
        ],
    }
}

fn command(name: &str, calls: u64, micros: u64, histogram: &[(u64, u64)]) -> CommandUse {
    CommandUse {
        name: name.into(),
        calls,
        micros,
        rejected: Some(0),
        failed: Some(u64::from(name == "SET")),
        histogram: histogram.iter().map(|&(bound_us, calls)| CallsBelow { bound_us, calls }).collect(),
    }
}

fn levels(second: u32) -> Levels {
    let grown = u64::from(second) * MEBIBYTE / 8;
    Levels {
        used_memory: Some(24 * MEBIBYTE + grown),
        rss: Some(31 * MEBIBYTE + grown),
        peak_memory: Some(26 * MEBIBYTE + grown),
        max_memory: Some(1 << 30),
        system_memory: Some(8_323_596_288),
        fragmentation: Some(1.28),
        clients: Some(63),
        blocked: Some(0),
        keys: Some(11_700),
        replicas: Some(0),
        replica_lag: None,
        replication_offset: None,
        io_threads_active: Some(false),
        persistence: if second == 7 { vec![Persistence::RdbSave] } else { Vec::new() },
    }
}

fn second(second: u32) -> ServerSecond {
    let commands = 1_300 + 10 * u64::from(second % 3);
    ServerSecond {
        second,
        length_ns: 1_000_000_000,
        restarted: false,
        reset: false,
        levels: levels(second),
        counts: ServerCounts {
            commands: Some(commands),
            cpu_user: Some(0.031),
            cpu_system: Some(0.044),
            main_thread_cpu: Some(0.07),
            main_thread_active: None,
            received: Some(commands * 60),
            sent: Some(commands * 150),
            hits: Some(598),
            misses: Some(2),
            evicted: Some(0),
            expired: Some(u64::from(second % 2)),
            rejected: Some(0),
            error_replies: Some(u64::from(second == 5)),
            forks: Some(u64::from(second == 7)),
            delayed_fsyncs: None,
            event_loops: None,
            event_loop_us: None,
            event_loop_command_us: None,
            io_thread_operations: Some(0),
        },
    }
}
