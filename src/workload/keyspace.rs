//! Names of keys, members and fields.

use bytes::Bytes;

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

/// Whether a key can be one that a scenario with that prefix writes: prefix, tag and a decimal number. Others may have
/// keys under the same prefix, which are no business of the harness.
pub fn is_own(prefix: &str, key: &[u8]) -> bool {
    const TYPES: [DataType; 8] = [
        DataType::String,
        DataType::Counter,
        DataType::Text,
        DataType::Hash,
        DataType::List,
        DataType::Set,
        DataType::SortedSet,
        DataType::Stream,
    ];
    TYPES.into_iter().any(|data| {
        let number = key.strip_prefix(stem(prefix, data).as_ref());
        number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
    })
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
/// `EXISTS`, `EXPIRE` and `TTL` fit any type; behind another command of a sequence they use that one's key, so that
/// `INCR` and `EXPIRE` in a sequence touch one key.
pub(super) fn data_types(commands: &[Command]) -> Vec<(&Command, (DataType, &Command))> {
    let mut types: Vec<(&Command, (DataType, &Command))> = Vec::with_capacity(commands.len());
    for command in commands {
        let own = match command.kind {
            Kind::Raw if !command.parameters.args.iter().any(|word| word.contains("{key}")) => DataType::None,
            kind => kind.spec().data,
        };
        let before = types.last().map(|(_, owned)| *owned).filter(|(data, _)| *data != DataType::None);
        let owned = match before {
            Some(before) if matches!(command.kind, Kind::Exists | Kind::Expire | Kind::Ttl) => before,
            _ => (own, command),
        };
        types.push((command, owned));
    }
    types
}

/// A stem and a decimal number, in one allocation.
#[inline]
pub(super) fn numbered(stem: &[u8], number: u64) -> Bytes {
    let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
    let mut name = Vec::with_capacity(stem.len() + digits);
    name.extend_from_slice(stem);
    name.resize(stem.len() + digits, b'0');
    let mut rest = number;
    for digit in name[stem.len()..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    name.into()
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn keys_of_others_are_not_its_own() {
        assert!(is_own("api:", b"api:str:17"));
        assert!(is_own("api:", b"api:zset:0"));
        for other in ["api:user:7", "api:str:", "api:str:7x", "str:7", "api:str:7:meta", "api:channel:1"] {
            assert!(!is_own("api:", other.as_bytes()), "{other}");
        }
    }

    use proptest::{prelude::any, proptest};

    use super::numbered;

    proptest! {
        #![proptest_config(crate::workload::sample::laws())]

        #[test]
        fn numbers_are_written_as_they_are_elsewhere(number in any::<u64>(), shift in 0_u32..64) {
            let number = number >> shift;
            assert_eq!(numbered(b"api:str:", number), format!("api:str:{number}"));
        }
    }
}
