//! The kept part of a reply: hits, misses, the integer, the size.

use fred::types::Value;

use crate::operation::{Args, Kind, Reply, Request};

/// Expectation of a reply; taken from the request before the request is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expectation {
    /// Says nothing of hits.
    Nothing,
    /// One element or nil.
    Element,
    /// As many elements as were asked for, each of them possibly nil.
    Elements,
    /// Elements, none of them if there is no such key.
    Range,
    /// Number of keys found, and number requested.
    Found(u32),
    /// A length, 0 without a key.
    Length,
    /// Seconds, -2 without a key.
    Remaining,
}

impl Expectation {
    pub(super) fn of(request: &Request) -> Self {
        match request.kind {
            Kind::Get | Kind::GetSet | Kind::GetDel | Kind::HGet | Kind::ZScore | Kind::ZRank => Self::Element,
            Kind::LPop | Kind::RPop => match request.args {
                Args::None => Self::Element,
                _ => Self::Range,
            },
            Kind::MGet | Kind::HMGet => Self::Elements,
            Kind::HGetAll
            | Kind::LRange
            | Kind::SMembers
            | Kind::ZRange
            | Kind::ZRevRange
            | Kind::ZRangeByScore
            | Kind::XRange => Self::Range,
            Kind::Del | Kind::Exists => Self::Found(1 + listed(&request.args)),
            Kind::HDel | Kind::SRem | Kind::ZRem => Self::Found(listed(&request.args)),
            Kind::SIsMember | Kind::Expire => Self::Found(1),
            Kind::StrLen | Kind::LLen | Kind::SCard | Kind::ZCard => Self::Length,
            Kind::Ttl => Self::Remaining,
            Kind::Ping
            | Kind::Echo
            | Kind::Set
            | Kind::MSet
            | Kind::Incr
            | Kind::IncrBy
            | Kind::Append
            | Kind::HSet
            | Kind::HIncrBy
            | Kind::LPush
            | Kind::RPush
            | Kind::LTrim
            | Kind::SAdd
            | Kind::ZAdd
            | Kind::ZIncrBy
            | Kind::XAdd
            | Kind::Publish
            | Kind::Eval
            | Kind::Raw
            | Kind::Multi
            | Kind::Exec => Self::Nothing,
        }
    }

    pub(super) fn reply(self, value: &Value) -> Reply {
        let integer = match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        };
        let (hits, misses) = match value {
            // Within a transaction there is nothing to tell yet.
            Value::Queued => (0, 0),
            _ => self.found(value, integer),
        };
        Reply { hits, misses, integer, bytes: u32::try_from(size(value)).unwrap_or(u32::MAX) }
    }

    fn found(self, value: &Value, integer: Option<i64>) -> (u32, u32) {
        let one = |found: bool| (u32::from(found), u32::from(!found));
        match self {
            Self::Nothing => (0, 0),
            Self::Element => one(!value.is_null()),
            Self::Elements => match value {
                Value::Array(elements) => {
                    let misses = elements.iter().filter(|element| element.is_null()).count();
                    ((elements.len() - misses) as u32, misses as u32)
                }
                other => one(!other.is_null()),
            },
            Self::Range => one(match value {
                Value::Array(elements) => !elements.is_empty(),
                Value::Map(pairs) => !pairs.is_empty(),
                other => !other.is_null(),
            }),
            Self::Found(asked) => {
                let found = integer.and_then(|number| u32::try_from(number).ok()).unwrap_or(0).min(asked);
                (found, asked - found)
            }
            Self::Length => one(integer.is_some_and(|length| length > 0)),
            Self::Remaining => one(integer.is_some_and(|seconds| seconds != -2)),
        }
    }
}

fn listed(args: &Args) -> u32 {
    match args {
        Args::Values(values) => values.len() as u32,
        _ => 0,
    }
}

/// Payload in bytes: strings as they are, numbers as their digits.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Integer(number) => {
            number.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1 + usize::from(*number < 0)
        }
        Value::Double(_) => size_of::<f64>(),
        Value::Boolean(_) => 1,
        Value::Null | Value::Queued => 0,
        Value::Array(elements) => elements.iter().map(size).sum(),
        Value::Map(pairs) => pairs.iter().map(|(key, value)| key.as_bytes().len() + size(value)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn expectation(kind: Kind, args: Args) -> Expectation {
        Expectation::of(&Request { kind, key: Bytes::from_static(b"key"), args })
    }

    fn found(kind: Kind, args: Args, value: &Value) -> (u32, u32) {
        let Reply { hits, misses, .. } = expectation(kind, args).reply(value);
        (hits, misses)
    }

    fn list(count: usize) -> Args {
        Args::Values(vec![Bytes::from_static(b"x"); count])
    }

    #[test]
    fn counts_what_was_found() {
        let text = Value::from("value");
        let two_of_three = Value::Array(vec![text.clone(), Value::Null, text.clone()]);
        let none = Value::Array(Vec::new());
        for (kind, args, value, expected) in [
            (Kind::Get, Args::None, &text, (1, 0)),
            (Kind::Get, Args::None, &Value::Null, (0, 1)),
            (Kind::Get, Args::None, &Value::Queued, (0, 0)),
            (Kind::MGet, list(2), &two_of_three, (2, 1)),
            (Kind::Del, list(2), &Value::Integer(2), (2, 1)),
            (Kind::Del, Args::None, &Value::Integer(0), (0, 1)),
            (Kind::HDel, list(2), &Value::Integer(2), (2, 0)),
            (Kind::SIsMember, list(1), &Value::Integer(0), (0, 1)),
            (Kind::LRange, Args::Range(0, 9), &none, (0, 1)),
            (Kind::LRange, Args::Range(0, 9), &two_of_three, (1, 0)),
            (Kind::LPop, Args::Number(3), &Value::Null, (0, 1)),
            (Kind::Ttl, Args::None, &Value::Integer(-2), (0, 1)),
            (Kind::Ttl, Args::None, &Value::Integer(-1), (1, 0)),
            (Kind::StrLen, Args::None, &Value::Integer(0), (0, 1)),
            (Kind::Set, list(1), &text, (0, 0)),
            (Kind::Raw, Args::Raw(Vec::new()), &Value::Null, (0, 0)),
        ] {
            assert_eq!(found(kind, args, value), expected, "{kind:?} {value:?}");
        }
    }

    #[test]
    fn keeps_integers_and_sizes() {
        let reply = expectation(Kind::LLen, Args::None).reply(&Value::Integer(1_000));
        assert_eq!((reply.integer, reply.bytes), (Some(1_000), 4));
        let reply = expectation(Kind::Incr, Args::None).reply(&Value::Integer(-10));
        assert_eq!((reply.integer, reply.bytes), (Some(-10), 3));
        let nested = Value::Array(vec![Value::from("four"), Value::Null, Value::Array(vec![Value::Integer(0)])]);
        assert_eq!(expectation(Kind::XRange, Args::None).reply(&nested).bytes, 5);
    }
}
