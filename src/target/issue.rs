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

use crate::operation::{Args, Kind, Request};

/// Sends a request and waits for its reply; a pipeline only takes it in.
pub(super) async fn issue<C>(client: &C, request: Request) -> Result<Value, Error>
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
    let Request { kind, key, args } = request;
    match kind {
        Kind::Ping => client.ping(None).await,
        Kind::Echo => client.custom(command("ECHO"), vec![value(args)?]).await,
        Kind::Set => match args {
            Args::Expiring(value, ms) => client.set(key, value, Some(Expiration::PX(ms)), None, false).await,
            args => client.set(key, value(args)?, None, None, false).await,
        },
        Kind::Get => client.get(key).await,
        Kind::GetSet => client.getset(key, value(args)?).await,
        Kind::GetDel => client.getdel(key).await,
        Kind::MGet => client.mget(keys(key, args)?).await,
        Kind::MSet => client.mset(pairs(args)?).await.map(|()| Value::Null),
        Kind::Incr => client.incr(key).await,
        Kind::IncrBy => client.incr_by(key, number(&args)?).await,
        Kind::Append => client.append(key, value(args)?).await,
        Kind::StrLen => client.strlen(key).await,
        Kind::Del => client.del(keys(key, args)?).await,
        Kind::Exists => client.exists(keys(key, args)?).await,
        Kind::Expire => client.expire(key, number(&args)?, None).await,
        Kind::Ttl => client.ttl(key).await,
        Kind::HSet => client.hset(key, pairs(args)?).await,
        Kind::HGet => client.hget(key, value(args)?).await,
        Kind::HMGet => client.hmget(key, values(args)?).await,
        Kind::HGetAll => client.hgetall(key).await,
        Kind::HIncrBy => {
            let (field, by) = increment(args)?;
            client.hincrby(key, field, by).await
        }
        Kind::HDel => client.hdel(key, values(args)?).await,
        Kind::LPush => client.lpush(key, values(args)?).await,
        Kind::RPush => client.rpush(key, values(args)?).await,
        Kind::LPop => client.lpop(key, count(&args)?).await,
        Kind::RPop => client.rpop(key, count(&args)?).await,
        Kind::LRange => {
            let (first, last) = range(&args)?;
            client.lrange(key, first, last).await
        }
        Kind::LLen => client.llen(key).await,
        Kind::LTrim => {
            let (first, last) = range(&args)?;
            client.ltrim(key, first, last).await
        }
        Kind::SAdd => client.sadd(key, values(args)?).await,
        Kind::SRem => client.srem(key, values(args)?).await,
        Kind::SIsMember => client.sismember(key, value(args)?).await,
        Kind::SMembers => client.smembers(key).await,
        Kind::SCard => client.scard(key).await,
        Kind::ZAdd => client.zadd(key, None, None, false, false, scored(args)?).await,
        Kind::ZIncrBy => {
            let (by, member) = score_by(args)?;
            client.zincrby(key, by as f64, member).await
        }
        Kind::ZScore => client.zscore(key, value(args)?).await,
        Kind::ZRank => client.zrank(key, value(args)?, false).await,
        Kind::ZRange => {
            let (first, last) = range(&args)?;
            client.zrange(key, first, last, None, false, None, false).await
        }
        Kind::ZRevRange => {
            let (first, last) = range(&args)?;
            client.zrevrange(key, first, last, false).await
        }
        Kind::ZRangeByScore => {
            let (lowest, highest) = range(&args)?;
            client.zrangebyscore(key, lowest as f64, highest as f64, false, None).await
        }
        Kind::ZRem => client.zrem(key, values(args)?).await,
        Kind::ZCard => client.zcard(key).await,
        Kind::XAdd => match args {
            Args::Entry { fields, max_length } => {
                let cap = (XCapKind::MaxLen, XCapTrim::AlmostExact, max_length);
                client.xadd(key, false, cap, "*", fields).await
            }
            _ => Err(misshapen()),
        },
        Kind::XRange => client.xrange(key, "-", "+", Some(first(&args)?)).await,
        Kind::Publish => client.publish(text(key)?, value(args)?).await,
        Kind::Eval => match args {
            Args::Script { source, argv } => {
                let words = [source, Bytes::from_static(b"1"), key].into_iter().chain(argv).collect();
                client.custom(command("EVAL"), words).await
            }
            _ => Err(misshapen()),
        },
        Kind::Raw => match args {
            Args::Raw(words) => {
                let mut words = words.into_iter();
                let name = text(words.next().ok_or_else(misshapen)?)?;
                client.custom(CustomCommand::new(name, ClusterHash::Random, false), words.collect()).await
            }
            _ => Err(misshapen()),
        },
        Kind::Multi => client.custom(command("MULTI"), NOTHING).await,
        Kind::Exec => client.custom(command("EXEC"), NOTHING).await,
    }
}

const NOTHING: Vec<Bytes> = Vec::new();

fn command(name: &'static str) -> CustomCommand {
    CustomCommand::new_static(name, ClusterHash::Random, false)
}

fn value(args: Args) -> Result<Bytes, Error> {
    match args {
        Args::Value(value) => Ok(value),
        _ => Err(misshapen()),
    }
}

fn values(args: Args) -> Result<Vec<Bytes>, Error> {
    match args {
        Args::Values(values) => Ok(values),
        _ => Err(misshapen()),
    }
}

fn keys(first: Bytes, args: Args) -> Result<Vec<Key>, Error> {
    match args {
        Args::Values(others) => Ok([first].into_iter().chain(others).map(Key::from).collect()),
        Args::None => Ok(vec![first.into()]),
        _ => Err(misshapen()),
    }
}

fn pairs(args: Args) -> Result<Vec<(Bytes, Bytes)>, Error> {
    match args {
        Args::Pairs(pairs) => Ok(pairs),
        _ => Err(misshapen()),
    }
}

fn scored(args: Args) -> Result<Vec<(f64, Bytes)>, Error> {
    match args {
        Args::Scored(members) => Ok(members),
        _ => Err(misshapen()),
    }
}

fn range(args: &Args) -> Result<(i64, i64), Error> {
    match args {
        Args::Range(first, last) => Ok((*first, *last)),
        _ => Err(misshapen()),
    }
}

fn number(args: &Args) -> Result<i64, Error> {
    match args {
        Args::Number(number) => Ok(*number),
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

fn increment(args: Args) -> Result<(Bytes, i64), Error> {
    match args {
        Args::Increment(of, by) => Ok((of, by)),
        _ => Err(misshapen()),
    }
}

fn score_by(args: Args) -> Result<(i64, Bytes), Error> {
    match args {
        Args::ScoreBy(by, of) => Ok((by, of)),
        _ => Err(misshapen()),
    }
}

fn first(args: &Args) -> Result<u64, Error> {
    match args {
        Args::First(number) => u64::try_from(*number).map_err(|_| misshapen()),
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
