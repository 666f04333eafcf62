//! Request and reply: the types that pass between the request stream, the connection and the recorder.

use bytes::Bytes;

use super::{HitRule, Kind};

/// A command, ready to be issued through a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Kind of the command.
    pub kind: Kind,
    /// Its key; the channel for `PUBLISH`, empty where the command has none.
    pub key: Bytes,
    /// Everything after the key.
    pub args: Args,
    /// Where it may be sent.
    pub route: Route,
}

/// Nodes that a request may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Route {
    /// The primary only.
    #[default]
    Primary,
    /// The primary or one of its replicas, as the connection chooses.
    Open,
    /// The replica with this number.
    Replica(u16),
}

/// The arguments of a command behind its key. Which shape belongs to which command:
///
/// | shape | commands |
/// |---|---|
/// | `None` | `PING GET GETDEL INCR STRLEN TTL HGETALL LLEN SMEMBERS SCARD ZCARD MULTI EXEC`; `LPOP RPOP` of one element |
/// | `Value` | `ECHO SET GETSET APPEND HGET SISMEMBER ZSCORE ZRANK PUBLISH` |
/// | `Expiring` | `SET` with an expiry |
/// | `Values` | `MGET DEL EXISTS` (keys behind the first), `HMGET HDEL LPUSH RPUSH SADD SREM ZREM` |
/// | `Pairs` | `MSET`, `HSET` |
/// | `Scored` | `ZADD` |
/// | `Range` | `LRANGE LTRIM ZRANGE ZREVRANGE` (indexes), `ZRANGEBYSCORE` (scores) |
/// | `Number` | `INCRBY`, `EXPIRE` (seconds), `LPOP RPOP` of several elements (`COUNT`) |
/// | `First` | `XRANGE` |
/// | `Increment` | `HINCRBY` |
/// | `ScoreBy` | `ZINCRBY` |
/// | `Entry`, `Script` | `XADD`, `EVAL` |
/// | `Raw`, `Judged` | `RAW` without and with a rule for hits |
#[derive(Debug, Clone, PartialEq)]
pub enum Args {
    /// No argument.
    None,
    /// One value, member, field or message.
    Value(Bytes),
    /// A value that expires after this number of milliseconds (`SET key value PX ms`).
    Expiring(Bytes, i64),
    /// Several values, members or fields; for `MGET`, `DEL` and `EXISTS` the keys behind the first.
    Values(Vec<Bytes>),
    /// Field and value pairs; for `MSET` all key and value pairs, the first key being [`Request::key`] once more.
    Pairs(Vec<(Bytes, Bytes)>),
    /// Score and member pairs.
    Scored(Vec<(f64, Bytes)>),
    /// First and last index or score, both inclusive.
    Range(i64, i64),
    /// Increment, in units of the stored number; seconds for `EXPIRE`; a count of elements for `LPOP` and `RPOP`.
    Number(i64),
    /// Number of entries from the beginning (`XRANGE key - + COUNT number`).
    First(i64),
    /// A field and its increment.
    Increment(Bytes, i64),
    /// The increment of a score, and the member that has it.
    ScoreBy(i64, Bytes),
    /// An entry of a stream with the approximate maximum length that it is trimmed to.
    Entry {
        /// Field and value pairs of the entry.
        fields: Vec<(Bytes, Bytes)>,
        /// `MAXLEN ~`, in entries.
        max_length: i64,
    },
    /// The script of an `EVAL` and its arguments; `key` is its only key.
    Script {
        /// Lua source.
        source: Bytes,
        /// `ARGV`.
        argv: Vec<Bytes>,
    },
    /// A whole command line, its name first; `key` only says where the key lies.
    Raw(Vec<Bytes>),
    /// The same with the rule by which its reply is a hit.
    Judged(Vec<Bytes>, HitRule),
}

/// The part of a reply that the harness keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reply {
    /// Keys, fields or members that were asked for and found.
    pub hits: u32,
    /// Keys, fields or members that were asked for and not found.
    pub misses: u32,
    /// The reply where it is an integer: a length, a count, the new value.
    pub integer: Option<i64>,
    /// Payload of the reply, in bytes.
    pub bytes: u32,
}

impl Request {
    /// A request for a primary.
    pub fn new(kind: Kind, key: Bytes, args: Args) -> Self {
        Self { kind, key, args, route: Route::Primary }
    }

    /// Bytes of the key and the arguments, without the framing of the protocol.
    pub fn payload(&self) -> u32 {
        let pairs = |pairs: &[(Bytes, Bytes)]| pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
        let all = |values: &[Bytes]| values.iter().map(Bytes::len).sum();
        let arguments: usize = match &self.args {
            // The key of these says where they go, and is not sent.
            Args::None if matches!(self.kind, Kind::Multi | Kind::Exec) => return 0,
            Args::None | Args::Range(..) | Args::Number(_) | Args::First(_) => 0,
            Args::Value(value) | Args::Expiring(value, _) | Args::Increment(value, _) | Args::ScoreBy(_, value) => {
                value.len()
            }
            Args::Values(values) => all(values),
            // The key is one of the words.
            Args::Raw(words) | Args::Judged(words, _) => return u32::try_from(all(words)).unwrap_or(u32::MAX),
            Args::Pairs(fields) | Args::Entry { fields, .. } => pairs(fields),
            Args::Scored(members) => members.iter().map(|(_, member)| member.len()).sum(),
            Args::Script { source, argv } => source.len() + all(argv),
        };
        u32::try_from(self.key.len() + arguments).unwrap_or(u32::MAX)
    }
}
