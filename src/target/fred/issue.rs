//! Commands in terms of fred: one line each.
//!
//! fred's typed commands share a write with others that wait behind them; a custom command always flushes, so it is
//! used only where fred has no typed one, or none that heeds the client's options (`EVAL`, which always flushes anyway).

use bytes::Bytes;
use fred::{
    bytes_utils::Str,
    error::{Error, ErrorKind},
    interfaces::{
        ClientLike, HashesInterface, KeysInterface, ListInterface, PubsubInterface, SetsInterface, SortedSetsInterface,
        StreamsInterface,
    },
    types::{
        ClusterHash, CustomCommand, Expiration, Key, Value,
        streams::{XCapKind, XCapTrim},
    },
};

use crate::{
    operation::{Args, Kind, Request},
    target::slots::SlotTable,
};

/// The content of arguments that have to be of one shape.
macro_rules! taken {
    ($args:ident, $shape:ident) => {
        taken!($args, $shape(content))
    };
    ($args:ident, $shape:ident($($part:ident),+)) => {
        match $args {
            Args::$shape($($part),+) => ($($part),+),
            _ => return Err(misshapen()),
        }
    };
}

/// Sends a request and waits for its reply; a pipeline only takes it in.
pub(in crate::target) async fn issue<C>(client: &C, request: Request) -> Result<Value, Error>
where
    C: ClientLike
        + HashesInterface
        + KeysInterface
        + ListInterface
        + PubsubInterface
        + SetsInterface
        + SortedSetsInterface
        + StreamsInterface,
{
    let Request { kind, key, args, .. } = request;
    match kind {
        Kind::Ping => client.ping(None).await,
        Kind::Echo => client.custom(command("ECHO"), vec![taken!(args, Value)]).await,
        Kind::Set => match args {
            Args::Expiring(value, ms) => client.set(key, value, Some(Expiration::PX(ms)), None, false).await,
            args => client.set(key, taken!(args, Value), None, None, false).await,
        },
        Kind::Get => client.get(key).await,
        Kind::GetSet => client.getset(key, taken!(args, Value)).await,
        Kind::GetDel => client.getdel(key).await,
        Kind::MGet => client.mget(keys(key, args)?).await,
        Kind::MSet => client.mset(taken!(args, Pairs)).await.map(|()| Value::Null),
        Kind::Incr => client.incr(key).await,
        Kind::IncrBy => client.incr_by(key, taken!(args, Number)).await,
        Kind::Append => client.append(key, taken!(args, Value)).await,
        Kind::StrLen => client.strlen(key).await,
        Kind::Del => client.del(keys(key, args)?).await,
        Kind::Exists => client.exists(keys(key, args)?).await,
        Kind::Expire => client.expire(key, taken!(args, Number), None).await,
        Kind::Ttl => client.ttl(key).await,
        Kind::HSet => client.hset(key, taken!(args, Pairs)).await,
        Kind::HGet => client.hget(key, taken!(args, Value)).await,
        Kind::HMGet => client.hmget(key, taken!(args, Values)).await,
        Kind::HGetAll => client.hgetall(key).await,
        Kind::HIncrBy => {
            let (field, by) = taken!(args, Increment(field, by));
            client.hincrby(key, field, by).await
        }
        Kind::HDel => client.hdel(key, taken!(args, Values)).await,
        Kind::LPush => client.lpush(key, taken!(args, Values)).await,
        Kind::RPush => client.rpush(key, taken!(args, Values)).await,
        Kind::LPop => client.lpop(key, count(&args)?).await,
        Kind::RPop => client.rpop(key, count(&args)?).await,
        Kind::LRange => {
            let (first, last) = taken!(args, Range(first, last));
            client.lrange(key, first, last).await
        }
        Kind::LLen => client.llen(key).await,
        Kind::LTrim => {
            let (first, last) = taken!(args, Range(first, last));
            client.ltrim(key, first, last).await
        }
        Kind::SAdd => client.sadd(key, taken!(args, Values)).await,
        Kind::SRem => client.srem(key, taken!(args, Values)).await,
        Kind::SIsMember => client.sismember(key, taken!(args, Value)).await,
        Kind::SMembers => client.smembers(key).await,
        Kind::SCard => client.scard(key).await,
        Kind::ZAdd => client.zadd(key, None, None, false, false, taken!(args, Scored)).await,
        Kind::ZIncrBy => {
            let (by, member) = taken!(args, ScoreBy(by, member));
            client.zincrby(key, by as f64, member).await
        }
        Kind::ZScore => client.zscore(key, taken!(args, Value)).await,
        Kind::ZRank => client.zrank(key, taken!(args, Value), false).await,
        Kind::ZRange => {
            let (first, last) = taken!(args, Range(first, last));
            client.zrange(key, first, last, None, false, None, false).await
        }
        Kind::ZRevRange => {
            let (first, last) = taken!(args, Range(first, last));
            client.zrevrange(key, first, last, false).await
        }
        Kind::ZRangeByScore => {
            let (lowest, highest) = taken!(args, Range(lowest, highest));
            client.zrangebyscore(key, lowest as f64, highest as f64, false, None).await
        }
        Kind::ZRem => client.zrem(key, taken!(args, Values)).await,
        Kind::ZCard => client.zcard(key).await,
        Kind::XAdd => {
            let Args::Entry { fields, max_length } = args else { return Err(misshapen()) };
            let cap = (XCapKind::MaxLen, XCapTrim::AlmostExact, max_length);
            client.xadd(key, false, cap, "*", fields).await
        }
        Kind::XRange => {
            let count = u64::try_from(taken!(args, First)).map_err(|_| misshapen())?;
            client.xrange(key, "-", "+", Some(count)).await
        }
        Kind::Publish => client.publish(text(key)?, taken!(args, Value)).await,
        Kind::Eval => {
            let Args::Script { source, argv } = args else { return Err(misshapen()) };
            let eval = at("EVAL", &key);
            let words = [source, Bytes::from_static(b"1"), key].into_iter().chain(argv).collect();
            client.custom(eval, words).await
        }
        Kind::Raw => {
            let (Args::Raw(words) | Args::Judged(words, _)) = args else { return Err(misshapen()) };
            let mut words = words.into_iter();
            let name = text(words.next().ok_or_else(misshapen)?)?;
            client.custom(CustomCommand::new(name, hash(&key), false), words.collect()).await
        }
        Kind::Multi => client.custom(at("MULTI", &key), NOTHING).await,
        Kind::Exec => client.custom(at("EXEC", &key), NOTHING).await,
    }
}

const NOTHING: Vec<Bytes> = Vec::new();

fn command(name: &'static str) -> CustomCommand {
    CustomCommand::new_static(name, ClusterHash::Random, false)
}

/// A command for the node of a cluster that has the slot of a key. fred itself would look at the first argument.
fn at(name: &'static str, key: &[u8]) -> CustomCommand {
    CustomCommand::new_static(name, hash(key), false)
}

fn hash(key: &[u8]) -> ClusterHash {
    SlotTable::slot_of(key).map_or(ClusterHash::Random, ClusterHash::Custom)
}

fn keys(first: Bytes, args: Args) -> Result<Vec<Key>, Error> {
    match args {
        Args::Values(others) => Ok([first].into_iter().chain(others).map(Key::from).collect()),
        Args::None => Ok(vec![first.into()]),
        _ => Err(misshapen()),
    }
}

fn count(args: &Args) -> Result<Option<usize>, Error> {
    match args {
        Args::Number(number) => usize::try_from(*number).map(Some).map_err(|_| misshapen()),
        Args::None => Ok(None),
        _ => Err(misshapen()),
    }
}

fn text(bytes: Bytes) -> Result<Str, Error> {
    Str::from_inner(bytes)
        .map_err(|_| Error::new(ErrorKind::InvalidArgument, "ERR names of commands and channels must be UTF-8"))
}

/// Not sent: the request stream and this table disagree.
fn misshapen() -> Error {
    Error::new(ErrorKind::InvalidArgument, "ERR the request has arguments of another command")
}
