//! Names of keys, members and fields.

use std::{cell::RefCell, collections::BTreeMap, ops::Range};

use bytes::{Bytes, BytesMut};

use crate::{
    operation::{DataType, Kind},
    scenario::{Command, Service, WriteAuditPlan},
};

/// Names of the keys of one type, or of channels: a stem and the index, which is split where keys share hash tags.
#[derive(Debug, Clone, Default)]
pub(super) struct Stem {
    text: Bytes,
    /// Number of consecutive keys that share a hash tag; 0 without.
    together: u64,
}

impl Stem {
    pub(super) fn of(service: &Service, data: DataType) -> Self {
        Self { text: stem(&service.keys.prefix, data), together: service.keys.hash_tag.unwrap_or(0) }
    }

    /// Name of a key, in memory of its own.
    pub(super) fn name(&self, index: u64) -> Bytes {
        let mut name = BytesMut::with_capacity(self.length(index));
        self.write(&mut name, index);
        name.freeze()
    }

    /// Indexes below a count that share the hash tag of one; all where keys have no hash tags.
    pub(super) fn beside(&self, index: u64, count: u64) -> Range<u64> {
        match index.checked_div(self.together) {
            None => 0..count,
            Some(tag) => tag * self.together..((tag + 1) * self.together).min(count),
        }
    }

    /// Whether keys have hash tags.
    pub(super) fn has_tags(&self) -> bool {
        self.together > 0
    }

    fn length(&self, index: u64) -> usize {
        let number = match index.checked_div(self.together) {
            None => digits(index),
            Some(tag) => digits(tag) + 2 + digits(index % self.together),
        };
        self.text.len() + number
    }

    fn write(&self, name: &mut BytesMut, index: u64) {
        match index.checked_div(self.together) {
            None => write(name, &self.text, index),
            Some(tag) => {
                name.extend_from_slice(&self.text);
                write(name, b"{", tag);
                write(name, b"}", index % self.together);
            }
        }
    }
}

/// The part of a key, or of a channel, before its index.
fn stem(prefix: &str, data: DataType) -> Bytes {
    let tag = match data {
        DataType::None => "channel",
        DataType::String => "str",
        DataType::Counter => "num",
        DataType::Text => "txt",
        DataType::Hash => "hash",
        DataType::List => "list",
        DataType::Set => "set",
        DataType::SortedSet => "zset",
        DataType::Stream => "stream",
    };
    Bytes::from(format!("{prefix}{tag}:"))
}

/// The keys that the data of services consists of: prefix, tag and a number below a count. Others may have keys under the
/// same prefix, which are no business of the harness.
#[derive(Debug, Clone, Default)]
pub struct OwnKeys(BTreeMap<Bytes, KeyRange>);

/// Keys of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyRange {
    /// Number of keys.
    pub count: u64,
    /// Number of consecutive keys that share a hash tag; 0 without.
    pub together: u64,
}

impl OwnKeys {
    /// Adds those of a service.
    pub fn add(&mut self, service: &Service) {
        for operation in &service.operations {
            let used = data_types(operation.commands()).into_iter().map(|(_, used)| used);
            for (data, owner) in used.filter(|(data, _)| *data != DataType::None) {
                let Stem { text, together } = Stem::of(service, data);
                let known = self.0.entry(text).or_default();
                *known = KeyRange { count: count(service, data, owner).max(known.count), together };
            }
        }
    }

    /// Adds the counters of an audit of writes, under the prefix of a service.
    pub fn add_audited(&mut self, service: &Service) {
        let range = KeyRange { count: WriteAuditPlan::COUNTERS, together: 0 };
        self.0.insert(WriteAuditPlan::stem(&service.keys.prefix).into(), range);
    }

    /// Whether a key is in the keyspace.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.stem_of(key).is_some()
    }

    /// The part before the number of a key that is among them.
    pub fn stem_of(&self, key: &[u8]) -> Option<&Bytes> {
        let (rest, last) = before_number(key)?;
        // With a hash tag, the number is in two parts.
        let (end, tag) = match rest.strip_suffix(b"}") {
            None => (rest, None),
            Some(inner) => {
                let (rest, tag) = before_number(inner)?;
                (rest.strip_suffix(b"{")?, Some(tag))
            }
        };
        let (stem, range) = self.0.get_key_value(end)?;
        let index = match tag {
            None => (range.together == 0).then_some(last),
            Some(tag) => (last < range.together).then(|| tag.checked_mul(range.together)?.checked_add(last))?,
        };
        index.is_some_and(|index| index < range.count).then_some(stem)
    }

    /// The part before the number of each type of key, and the keys of it.
    pub fn stems(&self) -> impl Iterator<Item = (&Bytes, KeyRange)> {
        self.0.iter().map(|(stem, range)| (stem, *range))
    }

    /// Number of keys.
    pub fn count(&self) -> u64 {
        self.0.values().map(|range| range.count).sum()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Bytes> {
        self.0.iter().flat_map(|(text, range)| {
            let stem = Stem { text: text.clone(), together: range.together };
            (0..range.count).map(move |index| stem.name(index))
        })
    }
}

/// The number at the end of a name, written as the harness writes it, and what is before it.
fn before_number(name: &[u8]) -> Option<(&[u8], u64)> {
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (before, number) = name.split_at(name.len() - digits);
    let canonical = number.len() == 1 || !number.starts_with(b"0");
    let number = str::from_utf8(number).ok().and_then(|number| number.parse().ok());
    number.filter(|_| canonical).map(|number| (before, number))
}

impl FromIterator<(Bytes, KeyRange)> for OwnKeys {
    fn from_iter<I: IntoIterator<Item = (Bytes, KeyRange)>>(stems: I) -> Self {
        Self(stems.into_iter().collect())
    }
}

/// Number of keys of that type, or of channels, that a command chooses from.
pub(super) fn count(service: &Service, data: DataType, command: &Command) -> u64 {
    match data {
        // Channels; nothing else without data has a count.
        DataType::None => command.parameters.keys.max(1),
        DataType::String | DataType::Counter | DataType::Text => service.keys.count.max(1),
        DataType::Hash | DataType::List | DataType::Set | DataType::SortedSet | DataType::Stream => {
            command.parameters.keys.max(1)
        }
    }
}

/// Each command of an operation, with the type of data that it works on and the command whose keys of it are used.
///
/// Commands that fit any type, such as `EXPIRE`, use the key of the command before them in a sequence, so that `INCR` and
/// `EXPIRE` in a sequence touch one key.
pub(super) fn data_types(commands: &[Command]) -> Vec<(&Command, (DataType, &Command))> {
    let mut types: Vec<(&Command, (DataType, &Command))> = Vec::with_capacity(commands.len());
    for command in commands {
        let own = match command.kind {
            Kind::Raw if !command.parameters.args.iter().any(|word| word.contains("{key}")) => DataType::None,
            kind => kind.spec().data,
        };
        let before = types.last().map(|(_, owned)| *owned).filter(|(data, _)| *data != DataType::None);
        let owned = match before {
            Some(before) if command.kind.spec().keys.is_any() => before,
            _ => (own, command),
        };
        types.push((command, owned));
    }
    types
}

/// Room that names are made in at a time: one allocation for thousands of them.
const ROOM: usize = 16 << 10;

/// Makes names one behind the other in one buffer, so that a name costs no allocation.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(RefCell<BytesMut>);

impl Names {
    /// A stem with a number.
    pub(super) fn numbered(&self, stem: &[u8], number: u64) -> Bytes {
        self.made(stem.len() + digits(number), |room| write(room, stem, number))
    }

    /// The name of a key.
    pub(super) fn key(&self, stem: &Stem, index: u64) -> Bytes {
        self.made(stem.length(index), |room| stem.write(room, index))
    }

    fn made(&self, length: usize, write: impl FnOnce(&mut BytesMut)) -> Bytes {
        let mut room = self.0.borrow_mut();
        if room.capacity() < length {
            room.reserve(ROOM.max(length));
        }
        write(&mut room);
        room.split().freeze()
    }
}

/// A stem with a number, in memory of its own.
pub(super) fn numbered(stem: &[u8], number: u64) -> Bytes {
    let mut name = BytesMut::with_capacity(stem.len() + digits(number));
    write(&mut name, stem, number);
    name.freeze()
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

fn write(name: &mut BytesMut, stem: &[u8], number: u64) {
    name.extend_from_slice(stem);
    let begin = name.len();
    name.resize(begin + digits(number), b'0');
    let mut rest = number;
    for digit in name[begin..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::{OwnKeys, Stem};
    use crate::{
        operation::Kind,
        workload::sample::{command, scenario, sequence, single},
    };

    #[test]
    fn keys_of_others_are_not_its_own() {
        let plan = scenario([single(command(Kind::Get)), sequence(&[Kind::Incr, Kind::ZAdd], false)]);
        let mut own = OwnKeys::default();
        own.add(&plan.services[0]);
        let count = plan.services[0].keys.count;
        let last = format!("api:str:{}", count - 1);
        for key in ["api:str:0", "api:num:3", "api:zset:0", &last] {
            assert!(own.contains(key.as_bytes()), "{key}");
        }
        let beyond = format!("api:str:{count}");
        for other in
            ["api:user:7", "api:str:", "api:str:7x", "str:7", "api:str:7:meta", "api:str:07", "api:hash:0", &beyond]
        {
            assert!(!own.contains(other.as_bytes()), "{other}");
        }
        assert_eq!(own.iter().count() as u64, own.count());
        assert!(own.iter().all(|key| own.contains(&key)));
    }

    #[test]
    fn keys_that_share_a_hash_tag_are_neighbours() {
        let mut plan = scenario([single(command(Kind::Get))]);
        plan.services[0].keys.hash_tag = Some(10);
        plan.services[0].keys.count = 25;
        let stem = Stem::of(&plan.services[0], crate::operation::DataType::String);
        assert_eq!(
            [0, 9, 10, 24].map(|index| stem.name(index)),
            ["api:str:{0}0", "api:str:{0}9", "api:str:{1}0", "api:str:{2}4"]
        );
        assert_eq!([stem.beside(3, 25), stem.beside(24, 25)], [0..10, 20..25]);
        let mut own = OwnKeys::default();
        own.add(&plan.services[0]);
        assert_eq!(own.iter().filter(|key| own.contains(key)).count(), 25);
        for other in [
            "api:str:7",
            "api:str:{2}5",
            "api:str:{0}10",
            "api:str:{00}1",
            "api:str:{0}",
            "api:str:{x}1",
            "api:str:0}1",
        ] {
            assert!(!own.contains(other.as_bytes()), "{other}");
        }
    }

    use proptest::{prelude::any, proptest};

    use super::{Names, numbered};

    proptest! {
        #![proptest_config(crate::workload::sample::laws())]

        #[test]
        fn numbers_are_written_as_they_are_elsewhere(number in any::<u64>(), shift in 0_u32..64) {
            let number = number >> shift;
            assert_eq!(numbered(b"api:str:", number), format!("api:str:{number}"));
            let names = Names::default();
            let made: Vec<_> = (0..1_000).map(|_| names.numbered(b"api:str:", number)).collect();
            assert!(made.iter().all(|name| *name == format!("api:str:{number}")));
        }
    }
}
