//! What the server said of itself during a run. Whatever a server or the rights of the user withheld is `None` or
//! absent, and named in [`ServerRecord::withheld`].

use std::ops::Add;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The server's side of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServerRecord {
    /// Levels when the measured period began, after connecting and prefilling.
    pub before: Option<Levels>,
    /// One entry per second of the measured period in which the server answered; the last may be a partial second.
    pub seconds: Vec<ServerSecond>,
    /// Server time of each command in the measured period, most expensive first.
    pub commands: Vec<CommandUse>,
    /// Error replies in the measured period by their first word.
    pub errors: Vec<ErrorUse>,
    /// Connections by the name that they gave themselves, when the measured period began; empty where there were too
    /// many to list.
    pub clients: Vec<NamedClients>,
    /// Keys per database, at the end of the measured period.
    pub databases: Vec<DatabaseKeys>,
    /// Slow commands.
    pub slowlog: Option<SlowLog>,
    /// Duration in milliseconds from which on the server's latency monitor notes an event; 0: it is off.
    pub latency_threshold_ms: Option<u64>,
    /// Events of that monitor, in order.
    pub events: Vec<LatencyEvent>,
    /// Number of restarts of the server during the run.
    pub restarts: u32,
    /// Number of resets of its statistics during the run.
    pub resets: u32,
    /// Facts that are unknown.
    pub withheld: Vec<Withheld>,
}

/// Levels of a server at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Levels {
    /// Bytes that its allocator has given out.
    pub used_memory: Option<u64>,
    /// Bytes of the process in main memory.
    pub rss: Option<u64>,
    /// Highest `used_memory` since it started.
    pub peak_memory: Option<u64>,
    /// Bytes that it may use; `None` also where there is no limit.
    pub max_memory: Option<u64>,
    /// Memory of its machine in bytes.
    pub system_memory: Option<u64>,
    /// RSS over used memory.
    pub fragmentation: Option<f64>,
    /// Client connections.
    pub clients: Option<u64>,
    /// Clients that wait in a blocking command.
    pub blocked: Option<u64>,
    /// Keys in all databases.
    pub keys: Option<u64>,
    /// Replicas that are connected.
    pub replicas: Option<u64>,
    /// Bytes that the replica furthest behind still lacks; `None` without replicas.
    pub replica_lag: Option<u64>,
    /// Bytes of the stream of replication: those that a primary has written, or those that a replica has applied. `None` where
    /// nothing was ever replicated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_offset: Option<u64>,
    /// Whether io-threads were at work (Redis 6.0 and later); they rest while there is little to do.
    pub io_threads_active: Option<bool>,
    /// Work on persistence that was under way.
    pub persistence: Vec<Persistence>,
}

/// Work on persistence; each forks the server, which stalls it and makes every write more expensive for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Persistence {
    /// A snapshot (RDB) is being saved.
    RdbSave,
    /// The append-only file is being rewritten.
    AofRewrite,
    /// A module has forked the server.
    ModuleFork,
    /// The data is being loaded.
    Loading,
}

/// One second of the server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServerSecond {
    /// Seconds since the start of the measured period.
    pub second: u32,
    /// Time that the counts cover, in nanoseconds.
    pub length_ns: u64,
    /// Whether the server was restarted in it.
    pub restarted: bool,
    /// Whether its statistics were reset in it.
    pub reset: bool,
    /// Levels at its end.
    pub levels: Levels,
    /// Counts of this second alone; all are `None` where the server was restarted, or its statistics were reset, in it.
    #[serde(flatten)]
    pub counts: ServerCounts,
}

/// What a server counted over some time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServerCounts {
    /// Commands, those of the observer included.
    pub commands: Option<u64>,
    /// CPU time in user mode, in seconds.
    pub cpu_user: Option<f64>,
    /// CPU time in the kernel, in seconds.
    pub cpu_system: Option<f64>,
    /// CPU time of the main thread, user and kernel, in seconds (Redis 6.2 and later).
    pub main_thread_cpu: Option<f64>,
    /// Time in which the main thread had something to do, in seconds (Valkey 9.1 and later).
    pub main_thread_active: Option<f64>,
    /// Bytes received.
    pub received: Option<u64>,
    /// Bytes sent.
    pub sent: Option<u64>,
    /// Lookups that found their key.
    pub hits: Option<u64>,
    /// Lookups that did not.
    pub misses: Option<u64>,
    /// Keys evicted for lack of memory.
    pub evicted: Option<u64>,
    /// Keys that expired.
    pub expired: Option<u64>,
    /// Connections refused for lack of room.
    pub rejected: Option<u64>,
    /// Error replies (Redis 6.2 and later).
    pub error_replies: Option<u64>,
    /// Forks (Redis 6.2 and later).
    pub forks: Option<u64>,
    /// Writes that waited for the append-only file to reach the disk; `None` also where there is no such file.
    pub delayed_fsyncs: Option<u64>,
    /// Turns of the event loop (Redis 7.2 and later).
    pub event_loops: Option<u64>,
    /// Time in the event loop, in microseconds (Redis 7.2 and later).
    pub event_loop_us: Option<u64>,
    /// The part of that in which commands ran, in microseconds (Redis 7.2 and later).
    pub event_loop_command_us: Option<u64>,
    /// Reads and writes done by io-threads (Redis 6.0 and later).
    pub io_thread_operations: Option<u64>,
}

impl ServerCounts {
    /// Both together; what only one of them has is taken from that.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            commands: sum(self.commands, other.commands),
            cpu_user: sum(self.cpu_user, other.cpu_user),
            cpu_system: sum(self.cpu_system, other.cpu_system),
            main_thread_cpu: sum(self.main_thread_cpu, other.main_thread_cpu),
            main_thread_active: sum(self.main_thread_active, other.main_thread_active),
            received: sum(self.received, other.received),
            sent: sum(self.sent, other.sent),
            hits: sum(self.hits, other.hits),
            misses: sum(self.misses, other.misses),
            evicted: sum(self.evicted, other.evicted),
            expired: sum(self.expired, other.expired),
            rejected: sum(self.rejected, other.rejected),
            error_replies: sum(self.error_replies, other.error_replies),
            forks: sum(self.forks, other.forks),
            delayed_fsyncs: sum(self.delayed_fsyncs, other.delayed_fsyncs),
            event_loops: sum(self.event_loops, other.event_loops),
            event_loop_us: sum(self.event_loop_us, other.event_loop_us),
            event_loop_command_us: sum(self.event_loop_command_us, other.event_loop_command_us),
            io_thread_operations: sum(self.io_thread_operations, other.io_thread_operations),
        }
    }
}

fn sum<T: Add<Output = T>>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    }
}

/// Server time of one command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandUse {
    /// Name, in capitals, with its subcommand: `GET`, `CLIENT|LIST`.
    pub name: String,
    /// Calls.
    pub calls: u64,
    /// Time in the command itself, in microseconds, all calls together.
    pub micros: u64,
    /// Calls refused before they began (Redis 6.2 and later).
    pub rejected: Option<u64>,
    /// Calls that failed (Redis 6.2 and later).
    pub failed: Option<u64>,
    /// Calls by duration, cumulative; empty where the server keeps no histograms.
    pub histogram: Vec<CallsBelow>,
}

/// Calls of a command that took no longer than a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallsBelow {
    /// Bound, in microseconds.
    pub bound_us: u64,
    /// Number of calls.
    pub calls: u64,
}

/// Error replies of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorUse {
    /// First word of the reply.
    pub word: String,
    /// Number.
    pub count: u64,
}

/// Connections of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedClients {
    /// Name that they gave themselves; empty for none.
    pub name: String,
    /// User that they are logged in as.
    pub user: String,
    /// Selected database.
    pub database: u64,
    /// Number.
    pub count: u64,
}

/// Keys of one database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseKeys {
    /// Number of the database.
    pub database: u64,
    /// Keys.
    pub keys: u64,
    /// Keys with a time to live.
    pub expires: u64,
}

/// The slow log over the measured period.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SlowLog {
    /// Duration in microseconds from which on a command is logged; negative: the log is off.
    pub threshold_us: Option<i64>,
    /// Entries that the log holds.
    pub capacity: Option<u64>,
    /// Slow commands of the period, also those that could not be read any more.
    pub count: u64,
    /// Slow commands that had been pushed out of the log before they could be read.
    pub lost: u64,
    /// Entries that were read and kept, in order; of very many the slowest.
    pub entries: Vec<SlowCommand>,
}

/// A slow command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlowCommand {
    /// Second of the measured period at the end of which it was found in the log.
    pub second: u32,
    /// Time in the command itself, in microseconds.
    pub micros: u64,
    /// Command, in capitals.
    pub command: String,
    /// Its first argument, cut short: the key of most commands.
    pub key: String,
    /// Number of its words.
    pub words: u64,
    /// Name of the connection.
    pub client: String,
}

/// An event that the server's latency monitor noted in the measured period: of several of one kind in a second, the
/// longest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyEvent {
    /// Kind: `command`, `fork`, `aof-fsync-always`, ...
    pub kind: String,
    /// Second of the measured period.
    pub second: u32,
    /// Duration in milliseconds.
    pub ms: u64,
}

/// Something that could not be learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Withheld {
    /// The command that was refused, or the subject that is missing.
    pub what: String,
    /// Reason: the missing right and the server's reply, or the first version that has the feature.
    pub reason: String,
}
