//! Commands, what they do and what they take.
//!
//! A new command also needs its arguments in `workload/compose.rs`, its call in `target/fred/issue.rs` and its effect in
//! `workload/model.rs`.

use std::time::Duration;

use super::{Access, DataType, HitRule, Hits, Keys, Removal, Upkeep};

/// Commands; those that only the harness sends are the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the table describes each")]
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
    /// The command.
    pub kind: Kind,
    /// Its name, as in scenario files and as sent.
    pub name: &'static str,
    /// Effect on the data.
    pub access: Access,
    /// Type of the keys.
    pub data: DataType,
    /// Keys that one request names.
    pub keys: Keys,
    /// Whether it takes away what reads expect to find.
    pub removal: Removal,
    /// Second command that keeps the data as it was.
    pub upkeep: Upkeep,
    /// Part of its reply that shows what was found.
    pub hits: Hits,
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
    /// Words of a `RAW` command, or `ARGV` of `EVAL`. `{key}`, `{value}` and `{member}` are filled in for each request.
    pub args: Vec<String>,
    /// Rule for the hits of a `RAW` command.
    pub hit: Option<HitRule>,
}

/// Every command, in the order of [`Kind`].
#[rustfmt::skip]
pub const TABLE: &[Spec] = {
    use Access::{Neither, Read, Write};
    use DataType::{Counter, Hash, List, None as Keyless, Set, SortedSet, Stream, String, Text};
    use Hits::{Element, Elements, Found, Length, Popped, Range, Remaining, Untold};
    use Keys::{AnyBatch, AnyOne, Batch, Channel, NoKey, One};
    use Removal::{ByExpiry, Never, Possibly};
    use Upkeep::{
        NoUpkeep, Refill, Replace, RestoreFields, RestoreKeys, RestoreMembers, RestoreScores, TrimHead, TrimTail,
    };

    const NOTHING: &[&str] = &[];
    const SHAPE: &[&str] = &["keys", "members"];
    const BATCHED: &[&str] = &["keys", "members", "batch"];
    const COUNTED: &[&str] = &["keys", "members", "by"];
    const RANGED: &[&str] = &["keys", "members", "range"];

    &[
        row(Kind::Ping,          "PING",          Neither, Keyless,   NoKey,    Never,    NoUpkeep,       Untold,    NOTHING,             "Replies at once: the round trip only."),
        row(Kind::Echo,          "ECHO",          Neither, Keyless,   NoKey,    Never,    NoUpkeep,       Untold,    NOTHING,             "Returns a value."),
        row(Kind::Set,           "SET",           Write,   String,    One,      ByExpiry, NoUpkeep,       Untold,    &["expire"],         "Writes a value, with an expiry if `expire` is given."),
        row(Kind::Get,           "GET",           Read,    String,    One,      Never,    NoUpkeep,       Element,   NOTHING,             "Reads a value."),
        row(Kind::GetSet,        "GETSET",        Write,   String,    One,      Never,    NoUpkeep,       Element,   NOTHING,             "Writes a value and returns the old one."),
        row(Kind::GetDel,        "GETDEL",        Write,   String,    One,      Possibly, RestoreKeys,    Element,   NOTHING,             "Reads and removes a value, which is written again afterwards."),
        row(Kind::MGet,          "MGET",          Read,    String,    Batch,    Never,    NoUpkeep,       Elements,  &["batch"],          "Reads `batch` values."),
        row(Kind::MSet,          "MSET",          Write,   String,    Batch,    Never,    NoUpkeep,       Untold,    &["batch"],          "Writes `batch` values."),
        row(Kind::Incr,          "INCR",          Write,   Counter,   One,      Never,    NoUpkeep,       Untold,    NOTHING,             "Increments a counter."),
        row(Kind::IncrBy,        "INCRBY",        Write,   Counter,   One,      Never,    NoUpkeep,       Untold,    &["by"],             "Adds `by` to a counter."),
        row(Kind::Append,        "APPEND",        Write,   Text,      One,      Never,    Replace,        Untold,    NOTHING,             "Appends a value to a text; long texts are rewritten."),
        row(Kind::StrLen,        "STRLEN",        Read,    Text,      One,      Never,    NoUpkeep,       Length,    NOTHING,             "Length of a text."),
        row(Kind::Del,           "DEL",           Write,   String,    Batch,    Possibly, RestoreKeys,    Found,     &["batch"],          "Removes `batch` keys, which are written again afterwards."),
        row(Kind::Exists,        "EXISTS",        Read,    String,    AnyBatch, Never,    NoUpkeep,       Found,     &["batch"],          "Counts which of `batch` keys exist."),
        row(Kind::Expire,        "EXPIRE",        Write,   String,    AnyOne,   ByExpiry, NoUpkeep,       Found,     &["expire"],         "Sets the expiry of a key to `expire`."),
        row(Kind::Ttl,           "TTL",           Read,    String,    AnyOne,   Never,    NoUpkeep,       Remaining, NOTHING,             "Remaining time of a key."),
        row(Kind::HSet,          "HSET",          Write,   Hash,      One,      Never,    NoUpkeep,       Untold,    BATCHED,             "Writes `batch` fields of a hash."),
        row(Kind::HGet,          "HGET",          Read,    Hash,      One,      Never,    NoUpkeep,       Element,   SHAPE,               "Reads a field of a hash."),
        row(Kind::HMGet,         "HMGET",         Read,    Hash,      One,      Never,    NoUpkeep,       Elements,  BATCHED,             "Reads `batch` fields of a hash."),
        row(Kind::HGetAll,       "HGETALL",       Read,    Hash,      One,      Never,    NoUpkeep,       Range,     SHAPE,               "Reads a whole hash."),
        row(Kind::HIncrBy,       "HINCRBY",       Write,   Hash,      One,      Never,    NoUpkeep,       Untold,    COUNTED,             "Adds `by` to a counter that is a field of a hash."),
        row(Kind::HDel,          "HDEL",          Write,   Hash,      One,      Possibly, RestoreFields,  Found,     BATCHED,             "Removes `batch` fields, which are written again afterwards."),
        row(Kind::LPush,         "LPUSH",         Write,   List,      One,      Never,    TrimTail,       Untold,    BATCHED,             "Pushes `batch` elements to the head; long lists are trimmed."),
        row(Kind::RPush,         "RPUSH",         Write,   List,      One,      Never,    TrimHead,       Untold,    BATCHED,             "Pushes `batch` elements to the tail; long lists are trimmed."),
        row(Kind::LPop,          "LPOP",          Write,   List,      One,      Possibly, Refill,         Popped,    SHAPE,               "Pops the element at the head; short lists are refilled."),
        row(Kind::RPop,          "RPOP",          Write,   List,      One,      Possibly, Refill,         Popped,    SHAPE,               "Pops the element at the tail; short lists are refilled."),
        row(Kind::LRange,        "LRANGE",        Read,    List,      One,      Never,    NoUpkeep,       Range,     RANGED,              "Reads `range` elements from the head of a list."),
        row(Kind::LLen,          "LLEN",          Read,    List,      One,      Never,    NoUpkeep,       Length,    SHAPE,               "Length of a list."),
        row(Kind::LTrim,         "LTRIM",         Write,   List,      One,      Possibly, NoUpkeep,       Untold,    SHAPE,               "Trims a list to `members` elements."),
        row(Kind::SAdd,          "SADD",          Write,   Set,       One,      Never,    NoUpkeep,       Untold,    BATCHED,             "Adds `batch` members to a set."),
        row(Kind::SRem,          "SREM",          Write,   Set,       One,      Possibly, RestoreMembers, Found,     BATCHED,             "Removes `batch` members, which are added again afterwards."),
        row(Kind::SIsMember,     "SISMEMBER",     Read,    Set,       One,      Never,    NoUpkeep,       Found,     SHAPE,               "Tests whether a set has a member."),
        row(Kind::SMembers,      "SMEMBERS",      Read,    Set,       One,      Never,    NoUpkeep,       Range,     SHAPE,               "Reads a whole set."),
        row(Kind::SCard,         "SCARD",         Read,    Set,       One,      Never,    NoUpkeep,       Length,    SHAPE,               "Size of a set."),
        row(Kind::ZAdd,          "ZADD",          Write,   SortedSet, One,      Never,    NoUpkeep,       Untold,    BATCHED,             "Sets new scores of `batch` members of a sorted set."),
        row(Kind::ZIncrBy,       "ZINCRBY",       Write,   SortedSet, One,      Never,    NoUpkeep,       Untold,    COUNTED,             "Adds `by` to the score of a member."),
        row(Kind::ZScore,        "ZSCORE",        Read,    SortedSet, One,      Never,    NoUpkeep,       Element,   SHAPE,               "Score of a member."),
        row(Kind::ZRank,         "ZRANK",         Read,    SortedSet, One,      Never,    NoUpkeep,       Element,   SHAPE,               "Rank of a member."),
        row(Kind::ZRange,        "ZRANGE",        Read,    SortedSet, One,      Never,    NoUpkeep,       Range,     RANGED,              "Reads `range` members from the lowest score upwards."),
        row(Kind::ZRevRange,     "ZREVRANGE",     Read,    SortedSet, One,      Never,    NoUpkeep,       Range,     RANGED,              "Reads `range` members from the highest score downwards."),
        row(Kind::ZRangeByScore, "ZRANGEBYSCORE", Read,    SortedSet, One,      Never,    NoUpkeep,       Range,     RANGED,              "Reads a range of scores with about `range` members."),
        row(Kind::ZRem,          "ZREM",          Write,   SortedSet, One,      Possibly, RestoreScores,  Found,     BATCHED,             "Removes `batch` members, which are added again afterwards."),
        row(Kind::ZCard,         "ZCARD",         Read,    SortedSet, One,      Never,    NoUpkeep,       Length,    SHAPE,               "Size of a sorted set."),
        row(Kind::XAdd,          "XADD",          Write,   Stream,    One,      Never,    NoUpkeep,       Untold,    SHAPE,               "Adds an entry; the stream is trimmed to about `members` entries."),
        row(Kind::XRange,        "XRANGE",        Read,    Stream,    One,      Never,    NoUpkeep,       Range,     RANGED,              "Reads `range` entries of a stream."),
        row(Kind::Publish,       "PUBLISH",       Neither, Keyless,   Channel,  Never,    NoUpkeep,       Untold,    &["keys"],           "Sends a message to one of `keys` channels."),
        row(Kind::Eval,          "EVAL",          Write,   String,    One,      Possibly, NoUpkeep,       Untold,    &["script", "args"], "Runs a Lua script on one key."),
        row(Kind::Raw,           "RAW",           Write,   String,    One,      Possibly, NoUpkeep,       Untold,    &["args", "hit"],    "Any other command, given by `args`."),
        row(Kind::Multi,         "MULTI",         Neither, Keyless,   NoKey,    Never,    NoUpkeep,       Untold,    NOTHING,             "Begins a transaction; sent by the harness only."),
        row(Kind::Exec,          "EXEC",          Neither, Keyless,   NoKey,    Never,    NoUpkeep,       Untold,    NOTHING,             "Ends a transaction; sent by the harness only."),
    ]
};

#[expect(clippy::too_many_arguments, reason = "they are the columns of the table")]
const fn row(
    kind: Kind,
    name: &'static str,
    access: Access,
    data: DataType,
    keys: Keys,
    removal: Removal,
    upkeep: Upkeep,
    hits: Hits,
    parameters: &'static [&'static str],
    summary: &'static str,
) -> Spec {
    Spec { kind, name, access, data, keys, removal, upkeep, hits, parameters, summary }
}

// [`Kind::spec`] finds a row by its place.
const _: () = {
    assert!(TABLE.len() == Kind::Exec as usize + 1, "every command has a row");
    let mut place = 0;
    while place < TABLE.len() {
        assert!(TABLE[place].kind as usize == place, "rows stand in the order of `Kind`");
        place += 1;
    }
};

impl Kind {
    /// Entry of the table for this command.
    pub fn spec(self) -> &'static Spec {
        &TABLE[self as usize]
    }

    /// The command that keeps the data as it was after this one: trims what grew, refills what shrank.
    pub fn upkeep(self) -> Option<Self> {
        match self.spec().upkeep {
            Upkeep::NoUpkeep => None,
            Upkeep::TrimTail | Upkeep::TrimHead => Some(Self::LTrim),
            Upkeep::Refill => Some(Self::RPush),
            Upkeep::Replace => Some(Self::Set),
            Upkeep::RestoreKeys => Some(Self::MSet),
            Upkeep::RestoreFields => Some(Self::HSet),
            Upkeep::RestoreMembers => Some(Self::SAdd),
            Upkeep::RestoreScores => Some(Self::ZAdd),
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn columns_agree_with_each_other() {
        for spec in TABLE.iter().filter(|spec| !matches!(spec.kind, Kind::Raw | Kind::Eval)) {
            let name = spec.name;
            let keyed = !matches!(spec.keys, Keys::NoKey | Keys::Channel);
            assert_eq!(keyed, spec.data != DataType::None, "{name}: data has keys");
            assert_eq!(keyed, spec.access != Access::Neither, "{name}: data is read or written");
            assert!(!spec.keys.is_batch() || spec.takes("batch"), "{name}: the batch says how many keys");
            assert_eq!(spec.removal == Removal::ByExpiry, spec.takes("expire"), "{name}: an expiry takes keys away");
            assert!(spec.removal == Removal::Never || spec.access == Access::Write, "{name}: reads take nothing away");
            assert!(spec.access != Access::Read || spec.hits != Hits::Untold, "{name}: a read reports its hits");
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
