//! Commands, what they do and what they take.

use std::time::Duration;

/// What a command does to the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads.
    Read,
    /// Writes.
    Write,
    /// Touches no data.
    Neither,
}

/// Type of data that a command works on. Each has keys of its own under the service's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// No key at all.
    None,
    /// Strings of the service's value size.
    String,
    /// Strings that hold an integer.
    Counter,
    /// Strings that grow by `APPEND`.
    Text,
    /// Hashes.
    Hash,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Streams.
    Stream,
}

/// Commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table says what each does")]
pub enum Kind {
    Ping,
    Echo,
    Set,
    Get,
    GetSet,
    GetDel,
    MGet,
    MSet,
    Incr,
    IncrBy,
    Append,
    StrLen,
    Del,
    Exists,
    Expire,
    Ttl,
    HSet,
    HGet,
    HMGet,
    HGetAll,
    HIncrBy,
    HDel,
    LPush,
    RPush,
    LPop,
    RPop,
    LRange,
    LLen,
    LTrim,
    SAdd,
    SRem,
    SIsMember,
    SMembers,
    SCard,
    ZAdd,
    ZIncrBy,
    ZScore,
    ZRank,
    ZRange,
    ZRevRange,
    ZRangeByScore,
    ZRem,
    ZCard,
    XAdd,
    XRange,
    Publish,
    Eval,
    /// Any other command, as the scenario writes it.
    Raw,
    /// `MULTI`, only as a step of a transaction.
    Multi,
    /// `EXEC`, only as a step of a transaction.
    Exec,
}

/// What the table says about one command.
#[derive(Debug)]
pub struct Spec {
    /// Which.
    pub kind: Kind,
    /// Its name, as in scenario files and as sent.
    pub name: &'static str,
    /// What it does to the data.
    pub access: Access,
    /// What it works on.
    pub data: DataType,
    /// Parameters that a scenario may give, by name.
    pub parameters: &'static [&'static str],
    /// One sentence for people.
    pub summary: &'static str,
}

/// Parameters of a command, all defaults filled in; those that a command does not take keep their default.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Number of keys of the data type; strings and counters use the service's key count.
    pub keys: u64,
    /// Elements of each collection.
    pub members: u64,
    /// Keys, members, fields or elements per command.
    pub batch: u32,
    /// Elements that a range command returns.
    pub range: u32,
    /// Increment.
    pub by: i64,
    /// Expiry that `SET` and `EXPIRE` give.
    pub expire: Option<Duration>,
    /// Lua source of `EVAL`.
    pub script: Option<String>,
    /// Words of a `RAW` command, or `ARGV` of `EVAL`. `{key}`, `{value}` and `{member}` are filled in.
    pub args: Vec<String>,
}
