//! The kept part of a reply: hits, misses, the integer, the size.

use crate::operation::{Args, HitRule, Hits, Kind, Reply, Request};

/// Payload of the status `OK`, in bytes.
const OK: u32 = 2;

/// Form of a reply, as far as it shows what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A string, or a number that is not an integer.
    Text,
    /// An integer; of a boolean 0 or 1, as in RESP2.
    Integer(i64),
    /// Nil.
    Null,
    /// An array, a set or a map.
    Array {
        /// Number of elements; of a map its keys and values, as in RESP2.
        elements: u64,
        /// Those that are nil.
        nulls: u64,
        /// Whether one of them is an integer above 0; of a map one of its values.
        positive: bool,
    },
    /// A command of a transaction is kept until its `EXEC`.
    Queued,
}

/// Expectation of a reply; taken from the request before the request is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expectation {
    hits: Hits,
    /// Number of keys, fields or members asked for, at least 1.
    asked: u32,
    /// Payload, where the reply does not decide it.
    bytes: Option<u32>,
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
            (_, Args::Judged(_, rule)) => Hits::ByRule(*rule),
            (hits, _) => hits,
        };
        // fred reveals of this reply only that it is no error: `OK`, or `QUEUED` in a transaction.
        let bytes = (request.kind == Kind::MSet).then_some(OK);
        Self { hits, asked: (u32::from(spec.keys.is_batch()) + listed).max(1), bytes }
    }

    /// The kept part of a reply whose payload has `bytes` bytes.
    pub(super) fn reply(self, shape: Shape, bytes: usize) -> Reply {
        let (hits, misses) = self.found(shape, bytes);
        let integer = match shape {
            Shape::Integer(number) => Some(number),
            _ => None,
        };
        let bytes = self.bytes.unwrap_or_else(|| u32::try_from(bytes).unwrap_or(u32::MAX));
        Reply { hits, misses, integer, bytes }
    }

    fn found(self, shape: Shape, bytes: usize) -> (u32, u32) {
        let one = |found: bool| (u32::from(found), u32::from(!found));
        let is_there = shape != Shape::Null;
        match (self.hits, shape) {
            // Within a transaction there is nothing to show yet.
            (Hits::Untold, _) | (_, Shape::Queued) => (0, 0),
            (Hits::Elements, Shape::Array { elements, nulls, .. }) => ((elements - nulls) as u32, nulls as u32),
            (Hits::Popped | Hits::Range, Shape::Array { elements, .. }) => one(elements > 0),
            (Hits::Element | Hits::Elements | Hits::Popped | Hits::Range, _) => one(is_there),
            (Hits::Found, Shape::Integer(number)) => {
                let found = u32::try_from(number).unwrap_or(0).min(self.asked);
                (found, self.asked - found)
            }
            (Hits::Found, _) => (0, self.asked),
            (Hits::Length, Shape::Integer(length)) => one(length > 0),
            (Hits::Remaining, Shape::Integer(seconds)) => one(seconds != -2),
            (Hits::Length | Hits::Remaining, _) => one(false),
            (Hits::ByRule(rule), shape) => one(is_hit(rule, shape, bytes)),
        }
    }
}

/// Whether a reply is a hit by a rule of the scenario.
fn is_hit(rule: HitRule, shape: Shape, bytes: usize) -> bool {
    match (rule, shape) {
        (_, Shape::Null) | (HitRule::Count, Shape::Text | Shape::Queued) => false,
        (HitRule::NonNull, _) | (HitRule::NonEmpty, Shape::Integer(_) | Shape::Queued) => true,
        (HitRule::NonEmpty, Shape::Text) => bytes > 0,
        (HitRule::NonEmpty, Shape::Array { elements, .. }) => elements > 0,
        (HitRule::Count, Shape::Integer(number)) => number > 0,
        (HitRule::Count, Shape::Array { positive, .. }) => positive,
    }
}

/// Length of a number in digits, with its sign.
pub(super) fn digits(number: i64) -> usize {
    number.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1 + usize::from(number < 0)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::operation::Kind;

    fn expectation(kind: Kind, args: Args) -> Expectation {
        Expectation::of(&Request::new(kind, Bytes::from_static(b"key"), args))
    }

    fn found(kind: Kind, args: Args, shape: Shape) -> (u32, u32) {
        let Reply { hits, misses, .. } = expectation(kind, args).reply(shape, 0);
        (hits, misses)
    }

    fn list(count: usize) -> Args {
        Args::Values(vec![Bytes::from_static(b"x"); count])
    }

    #[test]
    fn counts_what_was_found() {
        let two_of_three = Shape::Array { elements: 3, nulls: 1, positive: false };
        let none = Shape::Array { elements: 0, nulls: 0, positive: false };
        for (kind, args, shape, expected) in [
            (Kind::Get, Args::None, Shape::Text, (1, 0)),
            (Kind::Get, Args::None, Shape::Null, (0, 1)),
            (Kind::Get, Args::None, Shape::Queued, (0, 0)),
            (Kind::MGet, list(2), two_of_three, (2, 1)),
            (Kind::Del, list(2), Shape::Integer(2), (2, 1)),
            (Kind::Del, Args::None, Shape::Integer(0), (0, 1)),
            (Kind::HDel, list(2), Shape::Integer(2), (2, 0)),
            (Kind::SIsMember, list(1), Shape::Integer(0), (0, 1)),
            (Kind::LRange, Args::Range(0, 9), none, (0, 1)),
            (Kind::LRange, Args::Range(0, 9), two_of_three, (1, 0)),
            (Kind::LPop, Args::Number(3), Shape::Null, (0, 1)),
            (Kind::Ttl, Args::None, Shape::Integer(-2), (0, 1)),
            (Kind::Ttl, Args::None, Shape::Integer(-1), (1, 0)),
            (Kind::StrLen, Args::None, Shape::Integer(0), (0, 1)),
            (Kind::Set, list(1), Shape::Text, (0, 0)),
            (Kind::Raw, Args::Raw(Vec::new()), Shape::Null, (0, 0)),
        ] {
            assert_eq!(found(kind, args, shape), expected, "{kind:?} {shape:?}");
        }
    }

    #[test]
    fn rules_of_a_scenario_decide_what_is_a_hit() {
        let array = |elements, positive| Shape::Array { elements, nulls: 0, positive };
        let rules = [HitRule::NonNull, HitRule::NonEmpty, HitRule::Count];
        for (shape, bytes, hits) in [
            (Shape::Null, 0, [0, 0, 0]),
            (Shape::Text, 0, [1, 0, 0]),
            (Shape::Text, 1, [1, 1, 0]),
            (Shape::Integer(-2), 2, [1, 1, 0]),
            (Shape::Integer(0), 1, [1, 1, 0]),
            (Shape::Integer(1), 1, [1, 1, 1]),
            (array(0, false), 0, [1, 0, 0]),
            (array(1, false), 1, [1, 1, 0]),
            (array(1, true), 1, [1, 1, 1]),
        ] {
            for (rule, hits) in rules.into_iter().zip(hits) {
                let reply = expectation(Kind::Raw, Args::Judged(Vec::new(), rule)).reply(shape, bytes);
                assert_eq!((reply.hits, reply.misses), (hits, 1 - hits), "{rule:?} {shape:?} of {bytes}");
            }
        }
        assert_eq!(found(Kind::Raw, Args::Judged(Vec::new(), HitRule::NonNull), Shape::Queued), (0, 0));
    }

    #[test]
    fn keeps_integers_and_sizes() {
        let reply = expectation(Kind::LLen, Args::None).reply(Shape::Integer(1_000), 4);
        assert_eq!((reply.integer, reply.bytes), (Some(1_000), 4));
        let written = expectation(Kind::MSet, Args::Pairs(Vec::new()));
        let sizes = [(Shape::Text, 2), (Shape::Null, 0), (Shape::Queued, 0)]
            .map(|(shape, size)| written.reply(shape, size).bytes);
        assert_eq!(sizes, [2; 3], "either client, and in a transaction");
        assert_eq!([0, 9, 10, -10, i64::MIN].map(digits), [1, 1, 2, 3, 20]);
    }
}
