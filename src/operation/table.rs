//! Commands, what they do and what they take.

use std::time::Duration;

/// Effect of a command on the data.
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

/// Entry of the table for one command.
#[derive(Debug)]
pub struct Spec {
    /// Which.
    pub kind: Kind,
    /// Its name, as in scenario files and as sent.
    pub name: &'static str,
    /// Effect on the data.
    pub access: Access,
    /// Type of the keys.
    pub data: DataType,
    /// Parameters that a scenario may give, by name.
    pub parameters: &'static [&'static str],
    /// Description, one sentence.
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

/// Every command, in the order of [`Kind`].
#[rustfmt::skip]
pub const TABLE: &[Spec] = {
    use Access::{Neither, Read, Write};
    use DataType::{Counter, Hash, List, None as Keyless, Set, SortedSet, Stream, String, Text};

    const NOTHING: &[&str] = &[];
    const SHAPE: &[&str] = &["keys", "members"];
    const BATCHED: &[&str] = &["keys", "members", "batch"];
    const COUNTED: &[&str] = &["keys", "members", "by"];
    const RANGED: &[&str] = &["keys", "members", "range"];

    &[
        row(Kind::Ping,          "PING",          Neither, Keyless,   NOTHING,             "Answers at once: round trip and nothing else."),
        row(Kind::Echo,          "ECHO",          Neither, Keyless,   NOTHING,             "Sends a value back."),
        row(Kind::Set,           "SET",           Write,   String,    &["expire"],         "Writes a value, with an expiry if `expire` is given."),
        row(Kind::Get,           "GET",           Read,    String,    NOTHING,             "Reads a value."),
        row(Kind::GetSet,        "GETSET",        Write,   String,    NOTHING,             "Writes a value and returns the old one."),
        row(Kind::GetDel,        "GETDEL",        Write,   String,    NOTHING,             "Reads a value and removes it; it is written again afterwards."),
        row(Kind::MGet,          "MGET",          Read,    String,    &["batch"],          "Reads `batch` values."),
        row(Kind::MSet,          "MSET",          Write,   String,    &["batch"],          "Writes `batch` values."),
        row(Kind::Incr,          "INCR",          Write,   Counter,   NOTHING,             "Adds one to a counter."),
        row(Kind::IncrBy,        "INCRBY",        Write,   Counter,   &["by"],             "Adds `by` to a counter."),
        row(Kind::Append,        "APPEND",        Write,   Text,      NOTHING,             "Lengthens a text by a value; long texts are written anew."),
        row(Kind::StrLen,        "STRLEN",        Read,    Text,      NOTHING,             "Length of a text."),
        row(Kind::Del,           "DEL",           Write,   String,    &["batch"],          "Removes `batch` keys, which are written again afterwards."),
        row(Kind::Exists,        "EXISTS",        Read,    String,    &["batch"],          "Counts which of `batch` keys exist."),
        row(Kind::Expire,        "EXPIRE",        Write,   String,    &["expire"],         "Gives a key an expiry of `expire`."),
        row(Kind::Ttl,           "TTL",           Read,    String,    NOTHING,             "Time that a key has left."),
        row(Kind::HSet,          "HSET",          Write,   Hash,      BATCHED,             "Writes `batch` fields of a hash."),
        row(Kind::HGet,          "HGET",          Read,    Hash,      SHAPE,               "Reads a field of a hash."),
        row(Kind::HMGet,         "HMGET",         Read,    Hash,      BATCHED,             "Reads `batch` fields of a hash."),
        row(Kind::HGetAll,       "HGETALL",       Read,    Hash,      SHAPE,               "Reads a whole hash."),
        row(Kind::HIncrBy,       "HINCRBY",       Write,   Hash,      COUNTED,             "Adds `by` to a counter that is a field of a hash."),
        row(Kind::HDel,          "HDEL",          Write,   Hash,      BATCHED,             "Removes `batch` fields, which are written again afterwards."),
        row(Kind::LPush,         "LPUSH",         Write,   List,      BATCHED,             "Puts `batch` elements at the head; long lists are trimmed."),
        row(Kind::RPush,         "RPUSH",         Write,   List,      BATCHED,             "Puts `batch` elements at the tail; long lists are trimmed."),
        row(Kind::LPop,          "LPOP",          Write,   List,      SHAPE,               "Takes the element at the head; short lists are refilled."),
        row(Kind::RPop,          "RPOP",          Write,   List,      SHAPE,               "Takes the element at the tail; short lists are refilled."),
        row(Kind::LRange,        "LRANGE",        Read,    List,      RANGED,              "Reads `range` elements from the head of a list."),
        row(Kind::LLen,          "LLEN",          Read,    List,      SHAPE,               "Length of a list."),
        row(Kind::LTrim,         "LTRIM",         Write,   List,      SHAPE,               "Cuts a list to `members` elements."),
        row(Kind::SAdd,          "SADD",          Write,   Set,       BATCHED,             "Adds `batch` members to a set."),
        row(Kind::SRem,          "SREM",          Write,   Set,       BATCHED,             "Removes `batch` members, which are added again afterwards."),
        row(Kind::SIsMember,     "SISMEMBER",     Read,    Set,       SHAPE,               "Asks whether a set has a member."),
        row(Kind::SMembers,      "SMEMBERS",      Read,    Set,       SHAPE,               "Reads a whole set."),
        row(Kind::SCard,         "SCARD",         Read,    Set,       SHAPE,               "Size of a set."),
        row(Kind::ZAdd,          "ZADD",          Write,   SortedSet, BATCHED,             "Gives `batch` members of a sorted set new scores."),
        row(Kind::ZIncrBy,       "ZINCRBY",       Write,   SortedSet, COUNTED,             "Adds `by` to the score of a member."),
        row(Kind::ZScore,        "ZSCORE",        Read,    SortedSet, SHAPE,               "Score of a member."),
        row(Kind::ZRank,         "ZRANK",         Read,    SortedSet, SHAPE,               "Rank of a member."),
        row(Kind::ZRange,        "ZRANGE",        Read,    SortedSet, RANGED,              "Reads `range` members from the lowest score upwards."),
        row(Kind::ZRevRange,     "ZREVRANGE",     Read,    SortedSet, RANGED,              "Reads `range` members from the highest score downwards."),
        row(Kind::ZRangeByScore, "ZRANGEBYSCORE", Read,    SortedSet, RANGED,              "Reads a band of scores that holds about `range` members."),
        row(Kind::ZRem,          "ZREM",          Write,   SortedSet, BATCHED,             "Removes `batch` members, which are added again afterwards."),
        row(Kind::ZCard,         "ZCARD",         Read,    SortedSet, SHAPE,               "Size of a sorted set."),
        row(Kind::XAdd,          "XADD",          Write,   Stream,    SHAPE,               "Adds an entry; the stream is held at about `members` entries."),
        row(Kind::XRange,        "XRANGE",        Read,    Stream,    RANGED,              "Reads `range` entries of a stream."),
        row(Kind::Publish,       "PUBLISH",       Neither, Keyless,   &["keys"],           "Sends a message to one of `keys` channels."),
        row(Kind::Eval,          "EVAL",          Write,   String,    &["script", "args"], "Runs a Lua script on one key."),
        row(Kind::Raw,           "RAW",           Write,   String,    &["args"],           "Any other command, as `args` writes it."),
        row(Kind::Multi,         "MULTI",         Neither, Keyless,   NOTHING,             "Begins a transaction; only the harness sends it."),
        row(Kind::Exec,          "EXEC",          Neither, Keyless,   NOTHING,             "Ends a transaction; only the harness sends it."),
    ]
};

const fn row(
    kind: Kind,
    name: &'static str,
    access: Access,
    data: DataType,
    parameters: &'static [&'static str],
    summary: &'static str,
) -> Spec {
    Spec { kind, name, access, data, parameters, summary }
}

impl Kind {
    /// Entry of the table for this command.
    pub fn spec(self) -> &'static Spec {
        &TABLE[self as usize]
    }

    /// The command that keeps the data as it was after this one: trims what grew, refills what shrank.
    pub fn upkeep(self) -> Option<Self> {
        match self {
            Self::LPush | Self::RPush => Some(Self::LTrim),
            Self::LPop | Self::RPop => Some(Self::RPush),
            Self::Del | Self::GetDel => Some(Self::MSet),
            Self::HDel => Some(Self::HSet),
            Self::SRem => Some(Self::SAdd),
            Self::ZRem => Some(Self::ZAdd),
            Self::Append => Some(Self::Set),
            _ => None,
        }
    }
}

impl Spec {
    /// The command of this name, as scenario files may use it: all but those that only the harness sends.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::in_scenarios().find(|spec| spec.name == name)
    }

    /// Commands that scenario files may use.
    pub fn in_scenarios() -> impl Iterator<Item = &'static Self> {
        TABLE.iter().filter(|spec| !matches!(spec.kind, Kind::Multi | Kind::Exec))
    }

    /// Whether the command has a parameter of this name.
    pub fn takes(&self, parameter: &str) -> bool {
        self.parameters.contains(&parameter)
    }

    /// Whether it reads keys that the prefill wrote, so that a miss is a surprise.
    pub fn expects_hits(&self) -> bool {
        self.access == Access::Read
    }
}

impl DataType {
    /// Whether its keys hold elements, so that `keys` and `members` give its shape.
    pub fn is_collection(self) -> bool {
        matches!(self, Self::Hash | Self::List | Self::Set | Self::SortedSet | Self::Stream)
    }

    /// Its name in the plural, for messages.
    pub fn plural(self) -> &'static str {
        match self {
            Self::None => "channels",
            Self::String => "strings",
            Self::Counter => "counters",
            Self::Text => "texts",
            Self::Hash => "hashes",
            Self::List => "lists",
            Self::Set => "sets",
            Self::SortedSet => "sorted sets",
            Self::Stream => "streams",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_kinds() {
        for (index, spec) in TABLE.iter().enumerate() {
            assert_eq!(spec.kind as usize, index, "{}", spec.name);
            assert_eq!(spec.kind.spec().name, spec.name);
        }
        assert_eq!(Kind::Exec as usize + 1, TABLE.len(), "every kind has a row");
    }

    #[test]
    fn names_are_unique_and_as_sent() {
        let mut names: Vec<_> = TABLE.iter().map(|spec| spec.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_uppercase())));
    }

    #[test]
    fn collections_and_only_they_have_a_shape() {
        for spec in TABLE {
            assert_eq!(spec.data.is_collection(), spec.takes("members"), "{}", spec.name);
            assert!(!spec.data.is_collection() || spec.takes("keys"), "{}", spec.name);
        }
    }

    #[test]
    fn upkeep_writes_the_type_that_it_keeps_in_shape() {
        for spec in TABLE {
            if let Some(upkeep) = spec.kind.upkeep() {
                assert_eq!(spec.access, Access::Write, "{}", spec.name);
                assert_eq!(upkeep.spec().access, Access::Write, "{}", spec.name);
                assert!(upkeep == Kind::Set || upkeep.spec().data == spec.data, "{}", spec.name);
            }
        }
    }

    #[test]
    fn only_the_harness_sends_multi_and_exec() {
        assert!(Spec::named("GET").is_some());
        assert!(Spec::named("MULTI").is_none());
        assert!(Spec::named("EXEC").is_none());
    }
}
