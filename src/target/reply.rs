//! The kept part of a reply: hits, misses, the integer, the size.

use fred::types::Value;

use crate::operation::{Args, Hits, Reply, Request};

/// Expectation of a reply; taken from the request before the request is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expectation {
    hits: Hits,
    /// Number of keys, fields or members asked for, at least 1.
    asked: u32,
}

impl Expectation {
    pub(super) fn of(request: &Request) -> Self {
        let spec = request.kind.spec();
        let listed = match &request.args {
            Args::Values(values) => values.len() as u32,
            _ => 0,
        };
        let hits = match (spec.hits, &request.args) {
            (Hits::Popped, Args::None) => Hits::Element,
            (Hits::Popped, _) => Hits::Range,
            (hits, _) => hits,
        };
        Self { hits, asked: (u32::from(spec.keys.is_batch()) + listed).max(1) }
    }

    pub(super) fn reply(self, value: &Value) -> Reply {
        let integer = match value {
            Value::Integer(number) => Some(*number),
            _ => None,
        };
        let (hits, misses) = match value {
            // Within a transaction there is nothing to show yet.
            Value::Queued => (0, 0),
            _ => self.found(value, integer),
        };
        Reply { hits, misses, integer, bytes: u32::try_from(size(value)).unwrap_or(u32::MAX) }
    }

    fn found(self, value: &Value, integer: Option<i64>) -> (u32, u32) {
        let one = |found: bool| (u32::from(found), u32::from(!found));
        match self.hits {
            Hits::Untold => (0, 0),
            Hits::Element => one(!value.is_null()),
            Hits::Elements => match value {
                Value::Array(elements) => {
                    let misses = elements.iter().filter(|element| element.is_null()).count();
                    ((elements.len() - misses) as u32, misses as u32)
                }
                other => one(!other.is_null()),
            },
            Hits::Popped | Hits::Range => one(match value {
                Value::Array(elements) => !elements.is_empty(),
                Value::Map(pairs) => !pairs.is_empty(),
                other => !other.is_null(),
            }),
            Hits::Found => {
                let found = integer.and_then(|number| u32::try_from(number).ok()).unwrap_or(0).min(self.asked);
                (found, self.asked - found)
            }
            Hits::Length => one(integer.is_some_and(|length| length > 0)),
            Hits::Remaining => one(integer.is_some_and(|seconds| seconds != -2)),
        }
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
    use crate::operation::Kind;

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
