//! Table of what lies in the keyspace: `keyspace.csv`.

use super::{csv_table::table, number::ratio};
use crate::analysis::{Analysis, Estimate};

/// `keyspace.csv`: one row per database, type and prefix, with 95 % intervals. Empty where memory was withheld, and where
/// an upper bound is not known.
pub(super) fn keyspace(analysis: &Analysis) -> Vec<u8> {
    let databases = analysis.keyspace.iter().flat_map(|side| &side.databases);
    let groups = databases.flat_map(|database| database.groups.iter().map(move |group| (database, group)));
    let whole = |value: f64| value.round() as u64;
    let high = |estimate: Estimate| Some(estimate.high).filter(|high| high.is_finite()).map(whole);
    table!(groups, |(database, group)| [
        ("database", database.database),
        ("prefix", group.prefix.as_str()),
        ("type", group.data_type.as_str()),
        ("complete", database.complete),
        ("keys", whole(group.keys.value)),
        ("keys_low", whole(group.keys.low)),
        ("keys_high", high(group.keys)),
        ("bytes", group.bytes.map(|bytes| whole(bytes.value))),
        ("bytes_low", group.bytes.map(|bytes| whole(bytes.low))),
        ("bytes_high", group.bytes.and_then(high)),
        ("share", group.share.map(ratio)),
    ])
}
