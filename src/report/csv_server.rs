//! Tables of the server's side: `server.csv`, second by second, and `commands.csv`.

use serde::Serialize;

use super::{csv::table, summary::rounded};
use crate::{
    analysis::{Analysis, CommandTime},
    report::view::persistence_slug,
    results::{Run, ServerSecond},
};

/// Columns of `server.csv`. Counts are those of the second; levels are those at its end.
const SERVER: [&str; 33] = [
    "second",
    "length_s",
    "restarted",
    "reset",
    "commands",
    "cpu_user_s",
    "cpu_system_s",
    "main_thread_cpu_s",
    "main_thread_active_s",
    "bytes_received",
    "bytes_sent",
    "hits",
    "misses",
    "evicted",
    "expired",
    "rejected",
    "error_replies",
    "forks",
    "delayed_fsyncs",
    "event_loops",
    "event_loop_us",
    "event_loop_command_us",
    "io_thread_operations",
    "used_memory",
    "rss",
    "peak_memory",
    "fragmentation",
    "clients",
    "blocked",
    "keys",
    "replicas",
    "replica_lag_bytes",
    "persistence",
];

/// Columns of `commands.csv`.
const COMMANDS: [&str; 8] =
    ["command", "calls", "server_mean_us", "server_p99_below_us", "client_mean_us", "busy_share", "rejected", "failed"];

/// `server.csv`: what the server said, second by second. Empty where it said nothing.
pub(super) fn server(run: &Run) -> Vec<u8> {
    table(&SERVER, run.server.seconds.iter().map(SecondRecord::new))
}

/// `commands.csv`: both times of each command, most server time first.
pub(super) fn commands(analysis: &Analysis) -> Vec<u8> {
    table(&COMMANDS, analysis.server.commands.iter().map(CommandRecord::new))
}

#[derive(Serialize)]
struct SecondRecord {
    second: u32,
    length_s: f64,
    restarted: bool,
    reset: bool,
    commands: Option<u64>,
    cpu_user_s: Option<f64>,
    cpu_system_s: Option<f64>,
    main_thread_cpu_s: Option<f64>,
    main_thread_active_s: Option<f64>,
    bytes_received: Option<u64>,
    bytes_sent: Option<u64>,
    hits: Option<u64>,
    misses: Option<u64>,
    evicted: Option<u64>,
    expired: Option<u64>,
    rejected: Option<u64>,
    error_replies: Option<u64>,
    forks: Option<u64>,
    delayed_fsyncs: Option<u64>,
    event_loops: Option<u64>,
    event_loop_us: Option<u64>,
    event_loop_command_us: Option<u64>,
    io_thread_operations: Option<u64>,
    used_memory: Option<u64>,
    rss: Option<u64>,
    peak_memory: Option<u64>,
    fragmentation: Option<f64>,
    clients: Option<u64>,
    blocked: Option<u64>,
    keys: Option<u64>,
    replicas: Option<u64>,
    replica_lag_bytes: Option<u64>,
    persistence: String,
}

impl SecondRecord {
    fn new(at: &ServerSecond) -> Self {
        let levels = &at.levels;
        let seconds = |spent: Option<f64>| spent.map(|seconds| rounded(seconds, 6));
        let works: Vec<_> = levels.persistence.iter().map(|work| persistence_slug(*work)).collect();
        Self {
            second: at.second,
            length_s: rounded(at.length_ns as f64 / 1e9, 6),
            restarted: at.restarted,
            reset: at.reset,
            commands: at.commands,
            cpu_user_s: seconds(at.cpu_user),
            cpu_system_s: seconds(at.cpu_system),
            main_thread_cpu_s: seconds(at.main_thread_cpu),
            main_thread_active_s: seconds(at.main_thread_active),
            bytes_received: at.received,
            bytes_sent: at.sent,
            hits: at.hits,
            misses: at.misses,
            evicted: at.evicted,
            expired: at.expired,
            rejected: at.rejected,
            error_replies: at.error_replies,
            forks: at.forks,
            delayed_fsyncs: at.delayed_fsyncs,
            event_loops: at.event_loops,
            event_loop_us: at.event_loop_us,
            event_loop_command_us: at.event_loop_command_us,
            io_thread_operations: at.io_thread_operations,
            used_memory: levels.used_memory,
            rss: levels.rss,
            peak_memory: levels.peak_memory,
            fragmentation: levels.fragmentation,
            clients: levels.clients,
            blocked: levels.blocked,
            keys: levels.keys,
            replicas: levels.replicas,
            replica_lag_bytes: levels.replica_lag,
            persistence: works.join(" "),
        }
    }
}

#[derive(Serialize)]
struct CommandRecord<'a> {
    command: &'a str,
    calls: u64,
    server_mean_us: f64,
    server_p99_below_us: Option<f64>,
    client_mean_us: Option<f64>,
    busy_share: f64,
    rejected: Option<u64>,
    failed: Option<u64>,
}

impl<'a> CommandRecord<'a> {
    fn new(command: &'a CommandTime) -> Self {
        let micros = |nanos: f64| rounded(nanos / 1e3, 3);
        Self {
            command: &command.name,
            calls: command.calls,
            server_mean_us: micros(command.server),
            server_p99_below_us: command.server_p99.map(micros),
            client_mean_us: command.client.map(micros),
            busy_share: rounded(command.busy, 6),
            rejected: command.rejected,
            failed: command.failed,
        }
    }
}
