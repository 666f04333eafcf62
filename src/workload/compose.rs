//! From a step and a sequence number to a request.

use bytes::Bytes;
use rand::RngExt;

use super::{access::Place, draw::Purpose, keyspace::Names, step::Step, stream::Plan, template::Filling};
use crate::operation::{Args, Kind, Request};

impl Plan {
    /// The request of a step. Key and first member depend on the sequence number alone, values on the step too.
    pub(super) fn request(&self, names: &Names, step: &Step, sequence: u64, number: usize) -> Request {
        let mut values = self.root.generator(Purpose::Value, sequence, number as u64);
        let mut value = || self.values.draw(&mut values);
        let mut keys = self.keys(names, step, sequence);
        let key = keys.next().unwrap_or_default();
        let args = match step.kind {
            Kind::Ping
            | Kind::Get
            | Kind::GetDel
            | Kind::Incr
            | Kind::StrLen
            | Kind::Ttl
            | Kind::HGetAll
            | Kind::LLen
            | Kind::SMembers
            | Kind::SCard
            | Kind::ZCard
            | Kind::Multi
            | Kind::Exec => Args::None,
            Kind::Echo | Kind::GetSet | Kind::Append | Kind::Publish => Args::Value(value()),
            Kind::Set => match step.expiry {
                Some(milliseconds) => Args::Expiring(value(), milliseconds),
                None => Args::Value(value()),
            },
            Kind::MGet | Kind::Del | Kind::Exists => Args::Values(keys.collect()),
            Kind::MSet => {
                let first = (key.clone(), value());
                Args::Pairs(std::iter::once(first).chain(keys.map(|key| (key, value()))).collect())
            }
            Kind::IncrBy => Args::Number(step.by),
            Kind::Expire => Args::Number(step.expiry_seconds),
            Kind::HGet => Args::Value(names.numbered(b"f", self.member(step, sequence))),
            Kind::SIsMember | Kind::ZScore | Kind::ZRank => {
                Args::Value(names.numbered(b"m", self.member(step, sequence)))
            }
            Kind::HMGet | Kind::HDel => Args::Values(self.names(names, step, sequence, b"f").collect()),
            Kind::SAdd | Kind::SRem | Kind::ZRem => Args::Values(self.names(names, step, sequence, b"m").collect()),
            Kind::HSet => Args::Pairs(self.names(names, step, sequence, b"f").map(|field| (field, value())).collect()),
            Kind::HIncrBy => Args::Increment(names.numbered(b"n", self.member(step, sequence)), step.by),
            Kind::ZIncrBy => {
                // Up or down with equal chance, or scores would drift out of the range that reads ask for.
                let by = if values.random() { step.by } else { step.by.saturating_neg() };
                Args::ScoreBy(by, names.numbered(b"m", self.member(step, sequence)))
            }
            Kind::ZAdd => {
                let score = || values.random_range(0..step.members) as f64;
                Args::Scored(std::iter::repeat_with(score).zip(self.names(names, step, sequence, b"m")).collect())
            }
            Kind::LPush | Kind::RPush => Args::Values((0..step.batch).map(|_| value()).collect()),
            Kind::LPop | Kind::RPop if step.batch == 1 => Args::None,
            Kind::LPop | Kind::RPop => Args::Number(step.batch.cast_signed()),
            Kind::LRange | Kind::ZRange | Kind::ZRevRange => Args::Range(0, step.range - 1),
            Kind::LTrim => Args::Range(0, step.members.cast_signed() - 1),
            Kind::ZRangeByScore => {
                let start = values.random_range(0..=(step.members.cast_signed() - step.range).max(0));
                Args::Range(start, start + step.range - 1)
            }
            Kind::XAdd => Args::Entry {
                fields: (0..step.batch).map(|field| (names.numbered(b"f", field), value())).collect(),
                max_length: step.members.cast_signed(),
            },
            Kind::XRange => Args::First(step.range),
            Kind::Eval => Args::Script {
                source: step.script.clone(),
                argv: self.fill(names, step, sequence, key.clone(), value()),
            },
            Kind::Raw => {
                let words = self.fill(names, step, sequence, key.clone(), value());
                match step.hit {
                    None => Args::Raw(words),
                    Some(rule) => Args::Judged(words, rule),
                }
            }
        };
        let key = self.key_word(names, step, sequence, key);
        Request { kind: step.kind, key, args, route: step.route }
    }

    /// Indexes of the keys that a request touches.
    pub(super) fn indexes(&self, step: &Step, sequence: u64) -> impl Iterator<Item = u64> {
        let mut generator = self.root.generator(Purpose::Key, sequence, 0);
        let turn = self.turn(sequence);
        let batch = if step.kind.spec().keys.is_batch() { step.batch } else { 1 };
        let mut first = None;
        (0..batch).filter_map(move |nth| {
            let keys = step.keys.as_ref()?;
            // The others have the hash tag of the first.
            if let Some(first) = first.filter(|_| step.stem.has_tags()) {
                let beside = step.stem.beside(first, step.count);
                return Some(beside.start + (first - beside.start + nth) % (beside.end - beside.start));
            }
            let index = keys.index(&mut generator, Place { turn, batch, nth });
            first.get_or_insert(index);
            Some(index)
        })
    }

    /// The first member or field that a request touches, below the number of members.
    pub(super) fn member(&self, step: &Step, sequence: u64) -> u64 {
        self.root.generator(Purpose::Member, sequence, 0).random_range(0..step.members)
    }

    fn keys(&self, names: &Names, step: &Step, sequence: u64) -> impl Iterator<Item = Bytes> {
        self.indexes(step, sequence).map(|index| names.key(&step.stem, index))
    }

    /// Names of the members or fields that a request touches: neighbours, so that they differ.
    fn names(&self, names: &Names, step: &Step, sequence: u64, letter: &'static [u8]) -> impl Iterator<Item = Bytes> {
        let first = self.member(step, sequence);
        (first..first + step.batch).map(|member| names.numbered(letter, member % step.members))
    }

    /// The key of a command that has it among its words, given the key that was drawn.
    fn key_word(&self, names: &Names, step: &Step, sequence: u64, key: Bytes) -> Bytes {
        let Some(place) = step.key_word else { return key };
        let member = names.numbered(b"m", self.member(step, sequence));
        step.words[place].fill(&Filling { key, value: Bytes::new(), member })
    }

    fn fill(&self, names: &Names, step: &Step, sequence: u64, key: Bytes, value: Bytes) -> Vec<Bytes> {
        let member = names.numbered(b"m", self.member(step, sequence));
        let filling = Filling { key, value, member };
        step.words.iter().map(|word| word.fill(&filling)).collect()
    }
}
