//! The stream of requests: which operation, on which key, with which value, and when it is due.
//!
//! Everything here is a pure function of the scenario's seed, the service and a sequence number. Requests can be asked
//! for in any order and as often as one likes; two runs of one scenario send the same requests at the same due
//! instants. Sending them, and timing them, is the load engine's business.
//!
//! # Data
//! Each type of data has keys of its own, `{prefix}{tag}:{index}`, with the tags `str` (strings), `num` (integers),
//! `txt` (strings that grow), `hash`, `list`, `set`, `zset` and `stream`. Members of sets and sorted sets are `m0`, `m1`
//! and so on; fields of hashes `f0`, `f1` ..., and `n0`, `n1` ... where they hold integers for `HINCRBY`. A sorted set
//! starts with the index of each member as its score, and every score that is added later lies within the same range.
//! Channels are `{prefix}channel:{index}`.
//!
//! # Bounds
//! Data does not grow with the length of a run. Strings, hashes, sets and sorted sets are drawn from a fixed keyspace;
//! `XADD` trims its stream itself. For the other commands [`RequestStream::upkeep`] answers what puts things right:
//!
//! | after | upkeep | bound |
//! |---|---|---|
//! | `LPUSH`, `RPUSH` that leaves more than 2 x members | `LTRIM` to members | 2 x members and one batch |
//! | `LPOP`, `RPOP` that found nothing | `RPUSH` of half the members, at most 1 000 | as many for each request in flight |
//! | `DEL`, `GETDEL`, `HDEL`, `SREM`, `ZREM` that missed | `MSET`, `HSET`, `SADD`, `ZADD` of up to 100 neighbours | the prefill |
//! | `APPEND` that leaves more than [`text_limit`] | `SET` to one value | the limit and one value |
//!
//! Inside a transaction the replies of the steps are not known when they would be needed. There the same upkeep follows
//! by chance, about as often as replies would ask for it; the bounds then hold for the average key.

mod access;
mod arrivals;
mod compose;
mod draw;
mod keyspace;
mod prefill;
mod schedule;
mod step;
mod stream;
mod template;
mod upkeep;
mod value;

#[cfg(test)]
mod model;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod simulation;

pub use arrivals::Arrivals;
pub use keyspace::{KeyRange, OwnKeys};
pub use prefill::Prefill;
pub use schedule::scheduled;
pub use stream::RequestStream;
pub use value::text_limit;
