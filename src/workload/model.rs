//! A server in memory, for tests: as much of each command as decides what is there and what is found.

use std::collections::{HashMap, HashSet, VecDeque};

use bytes::Bytes;

use crate::operation::{Args, Kind, Reply, Request};

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) data: HashMap<Bytes, Datum>,
    /// Whether a transaction is open, in which replies carry no result.
    queueing: bool,
}

#[derive(Debug)]
pub(super) enum Datum {
    /// Its length.
    Text(usize),
    Counter(i64),
    Hash(HashMap<Bytes, Bytes>),
    List(VecDeque<Bytes>),
    Set(HashSet<Bytes>),
    Sorted(HashMap<Bytes, f64>),
    /// Number of entries.
    Stream(i64),
}

impl Datum {
    pub(super) fn elements(&self) -> usize {
        match self {
            Self::Text(_) | Self::Counter(_) => 1,
            Self::Hash(fields) => fields.len(),
            Self::List(elements) => elements.len(),
            Self::Set(members) => members.len(),
            Self::Sorted(members) => members.len(),
            Self::Stream(entries) => usize::try_from(*entries).unwrap(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(length) => *length,
            Self::Hash(fields) => fields.iter().map(|(field, value)| field.len() + value.len()).sum(),
            Self::List(elements) => elements.iter().map(Bytes::len).sum(),
            other => other.elements(),
        }
    }
}

/// Finds the datum of one type under a key, or makes it; any other type there is what a server calls `WRONGTYPE`.
macro_rules! datum {
    ($self:ident, $key:expr, $variant:ident) => {
        match $self.data.entry($key.clone()).or_insert_with(|| Datum::$variant(Default::default())) {
            Datum::$variant(datum) => datum,
            other => panic!("WRONGTYPE of {:?}: {other:?}", $key),
        }
    };
}

impl Model {
    pub(super) fn elements(&self) -> usize {
        self.data.values().map(Datum::elements).sum()
    }

    pub(super) fn bytes(&self) -> usize {
        self.data.values().map(Datum::bytes).sum()
    }

    /// Executes a request.
    pub(super) fn execute(&mut self, request: &Request) -> Reply {
        match request.kind {
            Kind::Multi => self.queueing = true,
            Kind::Exec => self.queueing = false,
            _ => {
                let reply = self.apply(request);
                // An empty collection is no key at all.
                if self.data.get(&request.key).is_some_and(|datum| datum.elements() == 0) {
                    self.data.remove(&request.key);
                }
                return if self.queueing { Reply::default() } else { reply };
            }
        }
        Reply::default()
    }

    fn apply(&mut self, request: &Request) -> Reply {
        let Request { kind, key, args, .. } = request;
        match (kind, args) {
            (Kind::Ping, Args::None) | (Kind::Echo | Kind::Publish, Args::Value(_)) => Reply::default(),
            (Kind::Set, Args::Value(value) | Args::Expiring(value, _)) => {
                self.data.insert(key.clone(), Datum::Text(value.len()));
                Reply::default()
            }
            (Kind::GetSet, Args::Value(value)) => {
                found(self.data.insert(key.clone(), Datum::Text(value.len())).is_some())
            }
            (Kind::MSet, Args::Pairs(pairs)) => {
                assert_eq!(pairs[0].0, key, "the first pair is that of the key");
                for (key, value) in pairs {
                    let datum = if value == "0" { Datum::Counter(0) } else { Datum::Text(value.len()) };
                    self.data.insert(key.clone(), datum);
                }
                Reply::default()
            }
            (Kind::Get, Args::None) => match self.data.get(key) {
                None | Some(Datum::Text(_)) => found(self.data.contains_key(key)),
                other => panic!("WRONGTYPE of {key:?}: {other:?}"),
            },
            (Kind::Ttl | Kind::StrLen, Args::None) | (Kind::Expire, Args::Number(_)) => {
                found(self.data.contains_key(key))
            }
            (Kind::MGet | Kind::Exists, Args::Values(others)) => {
                counted([key].into_iter().chain(others).map(|key| self.data.contains_key(key)))
            }
            (Kind::GetDel, Args::None) => found(self.data.remove(key).is_some()),
            (Kind::Del, Args::Values(others)) => {
                counted([key].into_iter().chain(others).map(|key| self.data.remove(key).is_some()))
            }
            (Kind::Incr, Args::None) => length(add(datum!(self, key, Counter), 1)),
            (Kind::IncrBy, Args::Number(by)) => length(add(datum!(self, key, Counter), *by)),
            (Kind::Append, Args::Value(value)) => {
                let text = datum!(self, key, Text);
                *text += value.len();
                length(text.cast_signed() as i64)
            }
            (Kind::HSet | Kind::HGet | Kind::HMGet | Kind::HGetAll | Kind::HIncrBy | Kind::HDel, _) => {
                self.hash(*kind, key, args)
            }
            (Kind::LPush | Kind::RPush | Kind::LPop | Kind::RPop | Kind::LRange | Kind::LLen | Kind::LTrim, _) => {
                self.list(*kind, key, args)
            }
            (Kind::SAdd | Kind::SRem | Kind::SIsMember | Kind::SMembers | Kind::SCard, _) => self.set(*kind, key, args),
            (Kind::XAdd, Args::Entry { max_length, .. }) => {
                let entries = datum!(self, key, Stream);
                *entries = (*entries + 1).min(*max_length);
                Reply::default()
            }
            (Kind::XRange, Args::First(count)) => found((*datum!(self, key, Stream)).min(*count) > 0),
            _ => self.sorted(*kind, key, args),
        }
    }

    fn hash(&mut self, kind: Kind, key: &Bytes, args: &Args) -> Reply {
        let hash = datum!(self, key, Hash);
        match (kind, args) {
            (Kind::HSet, Args::Pairs(pairs)) => {
                hash.extend(pairs.iter().cloned());
                Reply::default()
            }
            (Kind::HGet, Args::Value(field)) => found(hash.contains_key(field)),
            (Kind::HMGet, Args::Values(fields)) => counted(fields.iter().map(|field| hash.contains_key(field))),
            (Kind::HGetAll, Args::None) => found(!hash.is_empty()),
            (Kind::HIncrBy, Args::Increment(field, by)) => {
                let number = hash.entry(field.clone()).or_insert(Bytes::from_static(b"0"));
                let text = str::from_utf8(number).unwrap();
                let sum = text.parse::<i64>().expect("a hash value that is an integer") + by;
                *number = sum.to_string().into();
                length(sum)
            }
            (Kind::HDel, Args::Values(fields)) => counted(fields.iter().map(|field| hash.remove(field).is_some())),
            other => panic!("misshapen: {other:?}"),
        }
    }

    fn list(&mut self, kind: Kind, key: &Bytes, args: &Args) -> Reply {
        let elements = datum!(self, key, List);
        match (kind, args) {
            (Kind::LPush | Kind::RPush, Args::Values(values)) => {
                for value in values {
                    if kind == Kind::LPush {
                        elements.push_front(value.clone());
                    } else {
                        elements.push_back(value.clone());
                    }
                }
                length(elements.len().cast_signed() as i64)
            }
            (Kind::LPop, Args::None) => found(elements.pop_front().is_some()),
            (Kind::RPop, Args::None) => found(elements.pop_back().is_some()),
            (Kind::LLen, Args::None) => found(!elements.is_empty()),
            (Kind::LRange, Args::Range(0, last)) => found(*last >= 0 && !elements.is_empty()),
            (Kind::LTrim, Args::Range(0, last)) => {
                elements.truncate(usize::try_from(last + 1).unwrap());
                Reply::default()
            }
            (Kind::LTrim, Args::Range(first, -1)) => {
                let keep = usize::try_from(-first).unwrap().min(elements.len());
                elements.drain(..elements.len() - keep);
                Reply::default()
            }
            other => panic!("misshapen: {other:?}"),
        }
    }

    fn set(&mut self, kind: Kind, key: &Bytes, args: &Args) -> Reply {
        let set = datum!(self, key, Set);
        match (kind, args) {
            (Kind::SAdd, Args::Values(members)) => {
                set.extend(members.iter().cloned());
                Reply::default()
            }
            (Kind::SRem, Args::Values(members)) => counted(members.iter().map(|member| set.remove(member))),
            (Kind::SIsMember, Args::Value(member)) => found(set.contains(member)),
            (Kind::SMembers | Kind::SCard, Args::None) => found(!set.is_empty()),
            other => panic!("misshapen: {other:?}"),
        }
    }

    fn sorted(&mut self, kind: Kind, key: &Bytes, args: &Args) -> Reply {
        let sorted = datum!(self, key, Sorted);
        match (kind, args) {
            (Kind::ZAdd, Args::Scored(members)) => {
                sorted.extend(members.iter().map(|(score, member)| (member.clone(), *score)));
                Reply::default()
            }
            (Kind::ZIncrBy, Args::ScoreBy(by, member)) => {
                *sorted.entry(member.clone()).or_default() += *by as f64;
                Reply::default()
            }
            (Kind::ZScore | Kind::ZRank, Args::Value(member)) => found(sorted.contains_key(member)),
            (Kind::ZCard, Args::None) => found(!sorted.is_empty()),
            (Kind::ZRange | Kind::ZRevRange, Args::Range(0, last)) => found(*last >= 0 && !sorted.is_empty()),
            (Kind::ZRangeByScore, Args::Range(low, high)) => {
                found(sorted.values().any(|score| (*low as f64..=*high as f64).contains(score)))
            }
            (Kind::ZRem, Args::Values(members)) => {
                counted(members.iter().map(|member| sorted.remove(member).is_some()))
            }
            other => panic!("misshapen: {other:?}"),
        }
    }
}

fn add(number: &mut i64, by: i64) -> i64 {
    *number += by;
    *number
}

fn length(integer: i64) -> Reply {
    Reply { integer: Some(integer), ..Reply::default() }
}

fn found(found: bool) -> Reply {
    counted([found])
}

fn counted(found: impl IntoIterator<Item = bool>) -> Reply {
    let mut reply = Reply::default();
    for found in found {
        if found { reply.hits += 1 } else { reply.misses += 1 }
    }
    reply
}
