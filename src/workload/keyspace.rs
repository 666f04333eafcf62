//! Names of keys, members and fields.

use std::{cell::RefCell, collections::BTreeMap};

use bytes::{Bytes, BytesMut};

use crate::{
    operation::{DataType, Kind},
    scenario::{Command, Service},
};

/// The part of a key, or of a channel, before its index.
pub(super) fn stem(prefix: &str, data: DataType) -> Bytes {
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
pub struct OwnKeys(BTreeMap<Bytes, u64>);

impl OwnKeys {
    /// Adds those of a service.
    pub fn add(&mut self, service: &Service) {
        for operation in &service.operations {
            let used = data_types(operation.commands()).into_iter().map(|(_, used)| used);
            for (data, owner) in used.filter(|(data, _)| *data != DataType::None) {
                let known = self.0.entry(stem(&service.keys.prefix, data)).or_default();
                *known = count(service, data, owner).max(*known);
            }
        }
    }

    /// Whether a key is in the keyspace.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.stem_of(key).is_some()
    }

    /// The part before the number of a key that is among them.
    pub fn stem_of(&self, key: &[u8]) -> Option<&Bytes> {
        let digits = key.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (stem, number) = key.split_at(key.len() - digits);
        let index = str::from_utf8(number).ok().and_then(|number| number.parse::<u64>().ok());
        let canonical = number.len() == 1 || !number.starts_with(b"0");
        let (stem, count) = self.0.get_key_value(stem)?;
        index.is_some_and(|index| canonical && index < *count).then_some(stem)
    }

    /// The part before the number of each type of key, and the count of its keys.
    pub fn stems(&self) -> impl Iterator<Item = (&Bytes, u64)> {
        self.0.iter().map(|(stem, count)| (stem, *count))
    }

    /// Number of keys.
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Bytes> {
        self.0.iter().flat_map(|(stem, count)| (0..*count).map(|index| numbered(stem, index)))
    }
}

impl FromIterator<(Bytes, u64)> for OwnKeys {
    fn from_iter<I: IntoIterator<Item = (Bytes, u64)>>(stems: I) -> Self {
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
        let mut room = self.0.borrow_mut();
        let length = stem.len() + digits(number);
        if room.capacity() < length {
            room.reserve(ROOM.max(length));
        }
        write(&mut room, stem, number);
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
    let length = stem.len() + digits(number);
    name.extend_from_slice(stem);
    name.resize(length, b'0');
    let mut rest = number;
    for digit in name[stem.len()..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::OwnKeys;
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
