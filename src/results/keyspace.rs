//! Content of the keyspace, by a bounded sample of its keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A sample of the keys of a server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct KeyspaceSample {
    /// Databases that hold keys.
    pub databases: Vec<DatabaseSample>,
    /// Duration in nanoseconds.
    pub elapsed_ns: u64,
    /// How long the server was kept busy at most, in nanoseconds: the time from each question to its answer.
    pub busy_ns: u64,
    /// Share of the server's time that it was allowed to take, 0..=1.
    pub allowed: f64,
}

/// A sample of one database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseSample {
    /// Its number.
    pub database: u64,
    /// Keys that it holds.
    pub keys: u64,
    /// Keys that were looked at.
    pub sampled: u64,
    /// Whether every key was looked at.
    pub complete: bool,
    /// Keys of one type and prefix each, the ones that take most memory first.
    pub groups: Vec<KeyGroup>,
    /// The largest keys of the sample, the largest first.
    pub largest: Vec<LargeKey>,
    /// The keys of the sample that are used most, the hottest first; empty where the server does not count uses.
    pub hottest: Vec<HotKey>,
}

/// Keys of one type and prefix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyGroup {
    /// Prefix: the key without its last part, parts with digits written as `*`. Empty for keys of one part, and for the
    /// rest where there are too many prefixes.
    pub prefix: String,
    /// Type, as `TYPE` names it: `string`, `hash`, `list` ...; `unknown` where it was withheld.
    pub data_type: String,
    /// Keys in the sample.
    pub sampled: u64,
    /// Their memory in bytes, by `MEMORY USAGE`; `None` where that was withheld for any of them.
    pub bytes: Option<u64>,
    /// Sum of the squares of their memory, where that is known.
    pub squares: f64,
}

/// A key that takes much memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LargeKey {
    /// The key, cut short.
    pub key: String,
    /// Its type.
    pub data_type: String,
    /// Its memory in bytes, by `MEMORY USAGE`.
    pub bytes: u64,
}

/// A key that is used much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HotKey {
    /// The key, cut short.
    pub key: String,
    /// Its logarithmic counter of uses (`OBJECT FREQ`), 0..=255.
    pub frequency: u8,
}
