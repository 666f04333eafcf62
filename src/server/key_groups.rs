//! Keys that were looked at, put together by type and prefix; the largest and the hottest of them by name.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::results::{DatabaseSample, HotKey, KeyGroup, LargeKey};

/// Type of keys whose type the server does not report.
const UNKNOWN: &str = "unknown";

/// Groups of a database that are kept; the rest is put together by type.
const GROUPS: usize = 20;

/// Parts of a key that make its prefix.
const PARTS: usize = 3;

/// Keys that are kept by name.
const NAMED: usize = 10;

/// Characters of a key or prefix that are kept.
const KEY_LENGTH: usize = 80;

/// A key, and what the server says of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Looked {
    pub(super) key: Vec<u8>,
    pub(super) data_type: Option<String>,
    pub(super) bytes: Option<u64>,
    pub(super) frequency: Option<u8>,
}

/// The keys of one database so far.
#[derive(Debug, Default)]
pub(super) struct KeyGroups {
    groups: BTreeMap<(String, String), Tally>,
    largest: Vec<LargeKey>,
    hottest: Vec<HotKey>,
    sampled: u64,
}

/// Keys of one group.
#[derive(Debug, Clone, Copy)]
struct Tally {
    sampled: u64,
    /// `None` as soon as one is not known.
    bytes: Option<u64>,
    squares: f64,
}

impl KeyGroups {
    /// Adds a key that was not added before.
    pub(super) fn add(&mut self, looked: Looked) {
        self.sampled += 1;
        let data_type = looked.data_type.unwrap_or_else(|| UNKNOWN.to_owned());
        let tally = Tally {
            sampled: 1,
            bytes: looked.bytes,
            squares: looked.bytes.map_or(0.0, |bytes| (bytes as f64).powi(2)),
        };
        if let Some(bytes) = looked.bytes {
            let key = || LargeKey { key: shown(&looked.key), data_type: data_type.clone(), bytes };
            keep(&mut self.largest, |known| known.bytes, bytes, key);
        }
        if let Some(frequency) = looked.frequency {
            let key = || HotKey { key: shown(&looked.key), frequency };
            keep(&mut self.hottest, |known| known.frequency, frequency, key);
        }
        let group = self.groups.entry((prefix(&looked.key), data_type));
        group.and_modify(|known| known.add(tally)).or_insert(tally);
    }

    /// Keys that were added.
    pub(super) fn sampled(&self) -> u64 {
        self.sampled
    }

    /// Sample of a database with this number of keys.
    pub(super) fn into_sample(self, database: u64, keys: u64, complete: bool) -> DatabaseSample {
        let mut groups: Vec<_> = self.groups.into_iter().collect();
        // The most memory first; where that is not known, the most keys.
        groups.sort_by_key(|(_, tally)| Reverse((tally.bytes, tally.sampled)));
        let rest = groups.split_off(groups.len().min(GROUPS));
        for ((_, data_type), tally) in rest {
            match groups.iter_mut().find(|((prefix, known), _)| prefix.is_empty() && *known == data_type) {
                Some((_, known)) => known.add(tally),
                None => groups.push(((String::new(), data_type), tally)),
            }
        }
        let group = |((prefix, data_type), tally): ((String, String), Tally)| KeyGroup {
            prefix,
            data_type,
            sampled: tally.sampled,
            bytes: tally.bytes,
            squares: tally.squares,
        };
        DatabaseSample {
            database,
            // What was looked at exists, whatever was counted before.
            keys: if complete { self.sampled } else { keys.max(self.sampled) },
            sampled: self.sampled,
            complete,
            groups: groups.into_iter().map(group).collect(),
            largest: self.largest,
            hottest: self.hottest,
        }
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.sampled += other.sampled;
        self.bytes = self.bytes.zip(other.bytes).map(|(a, b)| a + b);
        self.squares += other.squares;
    }
}

/// Keeps the greatest few, the greatest first; of equals those that came first.
fn keep<T, M: Ord + Copy>(kept: &mut Vec<T>, measure: impl Fn(&T) -> M, new: M, make: impl FnOnce() -> T) {
    let place = kept.iter().position(|known| measure(known) < new).unwrap_or(kept.len());
    if place < NAMED {
        kept.insert(place, make());
        kept.truncate(NAMED);
    }
}

/// What comes before the last part of a key, its parts being separated by colons: the first parts of it at most, those
/// with a digit as `*`. Empty for a key of one part.
fn prefix(key: &[u8]) -> String {
    let mut parts: Vec<_> = key.split(|byte| *byte == b':').collect();
    parts.pop();
    parts.truncate(PARTS);
    let named = parts.iter().map(|part| if part.iter().any(u8::is_ascii_digit) { &b"*"[..] } else { part });
    shown(&named.collect::<Vec<_>>().join(&b':'))
}

/// A key as it may be shown: lossily, control characters escaped, cut short.
fn shown(key: &[u8]) -> String {
    let mut text = String::new();
    let mut length = 0;
    for letter in String::from_utf8_lossy(key).chars() {
        let escaped: String = if letter.is_control() { letter.escape_default().collect() } else { letter.to_string() };
        length += escaped.chars().count();
        if length > KEY_LENGTH {
            text.push('…');
            break;
        }
        text.push_str(&escaped);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(key: &str, data_type: &str, bytes: u64) -> Looked {
        Looked {
            key: key.as_bytes().to_vec(),
            data_type: Some(data_type.to_owned()),
            bytes: Some(bytes),
            frequency: None,
        }
    }

    fn sample(keys: impl IntoIterator<Item = Looked>) -> DatabaseSample {
        let mut groups = KeyGroups::default();
        keys.into_iter().for_each(|looked| groups.add(looked));
        groups.into_sample(0, 1_000, false)
    }

    #[test]
    fn prefixes_leave_out_the_last_part_and_numbers() {
        assert_eq!(prefix(b"api:string:17"), "api:string");
        assert_eq!(prefix(b"user:1234:session:abcd:x"), "user:*:session");
        assert_eq!(prefix(b"user17:cart"), "*");
        assert_eq!(prefix(b"counter"), "");
        assert_eq!(prefix(b""), "");
        assert_eq!(prefix(b"a\xff\n:b"), "a\u{fffd}\\n");
    }

    #[test]
    fn keys_are_shown_safely_and_briefly() {
        assert_eq!(shown(b"\x1b[2J\xc3\xa9"), "\\u{1b}[2J\u{e9}");
        let long = shown("\u{e9}".repeat(100).as_bytes());
        assert_eq!((long.chars().count(), long.ends_with('…')), (KEY_LENGTH + 1, true));
        assert_eq!(shown("x".repeat(80).as_bytes()), "x".repeat(80));
    }

    #[test]
    fn groups_are_of_one_type_and_prefix_the_largest_first() {
        let sample = sample([
            looked("a:1", "string", 100),
            looked("a:2", "string", 50),
            looked("a:3", "hash", 1_000),
            looked("b:1", "string", 10),
        ]);
        let groups: Vec<_> = sample
            .groups
            .iter()
            .map(|group| (group.prefix.as_str(), group.data_type.as_str(), group.sampled, group.bytes))
            .collect();
        let expected = [("a", "hash", 1, Some(1_000)), ("a", "string", 2, Some(150)), ("b", "string", 1, Some(10))];
        assert_eq!(groups, expected);
        assert!((sample.groups[1].squares - 12_500.0).abs() < 1e-9);
        assert_eq!((sample.keys, sample.sampled), (1_000, 4));
        assert_eq!(sample.largest[0].key, "a:3");
    }

    #[test]
    fn too_many_prefixes_are_put_together_by_type() {
        let name = |number: u8| format!("{}:1", char::from(b'a' + number));
        let strings = (0..25).map(|number| looked(&name(number), "string", 1_000 + u64::from(number)));
        let sample = sample(strings.chain([looked("z:1", "list", 1), looked("alone", "string", 5_000)]));
        assert_eq!(sample.groups.len(), GROUPS + 1);
        let of = |prefix: &str, data_type: &str| {
            sample.groups.iter().find(|group| group.prefix == prefix && group.data_type == data_type).unwrap()
        };
        assert_eq!(of("", "string").sampled, 7, "the key without a prefix, and the six smallest");
        assert_eq!(of("", "list").bytes, Some(1));
        assert_eq!(sample.groups.iter().map(|group| group.sampled).sum::<u64>(), 27);
    }

    #[test]
    fn a_group_with_an_unknown_size_has_none() {
        let sample = sample([looked("a:1", "string", 100), Looked { bytes: None, ..looked("a:2", "string", 0) }]);
        assert_eq!(sample.groups[0].bytes, None);
        assert_eq!((sample.groups[0].sampled, sample.largest.len()), (2, 1));
    }

    #[test]
    fn the_largest_and_the_hottest_are_named() {
        let keys = (0..100).map(|number: u8| Looked {
            frequency: Some(number.wrapping_mul(7)),
            ..looked(&format!("k:{number}"), "string", u64::from(number))
        });
        let sample = sample(keys);
        let sizes: Vec<_> = sample.largest.iter().map(|key| key.bytes).collect();
        assert_eq!(sizes, (90..100).rev().collect::<Vec<_>>());
        assert_eq!(sample.hottest.len(), NAMED);
        assert!(sample.hottest.is_sorted_by_key(|key| Reverse(key.frequency)));
        assert_eq!(sample.hottest[0].frequency, 255);
    }
}
