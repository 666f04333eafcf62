//! Table of what lies in the keyspace: `keyspace.csv`.

use super::{csv_table::table, number::ratio};
use crate::analysis::Analysis;

/// `keyspace.csv`: one row per database, type and prefix, with 95 % intervals. Empty where memory was withheld, and where
/// an upper bound is not known.
pub(super) fn keyspace(analysis: &Analysis) -> Vec<u8> {
    let databases = analysis.keyspace.iter().flat_map(|side| &side.databases);
    let groups = databases.flat_map(|database| database.groups.iter().map(move |group| (database, group)));
    let whole = |value: f64| value.round() as u64;
    table!(groups, |(database, group)| [
        ("database", database.database),
        ("prefix", group.prefix),
        ("type", group.data_type),
        ("complete", database.complete),
        ("keys", whole(group.keys.point)),
        ("keys_low", group.keys.low.map(whole)),
        ("keys_high", group.keys.high.map(whole)),
        ("bytes", group.bytes.map(|bytes| whole(bytes.point))),
        ("bytes_low", group.bytes.and_then(|bytes| bytes.low).map(whole)),
        ("bytes_high", group.bytes.and_then(|bytes| bytes.high).map(whole)),
        ("share", group.share.map(ratio)),
    ])
}
