//! Table of what lies in the keyspace: `keyspace.csv`.

use serde::Serialize;

use super::{csv::table, summary::rounded};
use crate::analysis::{Analysis, DatabaseSide, Estimate, KeyShare};

/// Columns of `keyspace.csv`.
const KEYSPACE: [&str; 11] = [
    "database",
    "prefix",
    "type",
    "complete",
    "keys",
    "keys_low",
    "keys_high",
    "bytes",
    "bytes_low",
    "bytes_high",
    "share",
];

/// `keyspace.csv`: one row per database, type and prefix, with 95 % intervals. Empty where memory was withheld, and where
/// an upper bound is not known.
pub(super) fn keyspace(analysis: &Analysis) -> Vec<u8> {
    let databases = analysis.keyspace.iter().flat_map(|side| &side.databases);
    let groups = databases.flat_map(|database| database.groups.iter().map(move |group| (database, group)));
    table(&KEYSPACE, groups.map(|(database, group)| GroupRecord::new(database, group)))
}

#[derive(Serialize)]
struct GroupRecord<'a> {
    database: u64,
    prefix: &'a str,
    r#type: &'a str,
    complete: bool,
    keys: u64,
    keys_low: u64,
    keys_high: Option<u64>,
    bytes: Option<u64>,
    bytes_low: Option<u64>,
    bytes_high: Option<u64>,
    share: Option<f64>,
}

impl<'a> GroupRecord<'a> {
    fn new(database: &DatabaseSide, group: &'a KeyShare) -> Self {
        let whole = |value: f64| value.round() as u64;
        let high = |estimate: Estimate| Some(estimate.high).filter(|high| high.is_finite()).map(whole);
        Self {
            database: database.database,
            prefix: &group.prefix,
            r#type: &group.data_type,
            complete: database.complete,
            keys: whole(group.keys.value),
            keys_low: whole(group.keys.low),
            keys_high: high(group.keys),
            bytes: group.bytes.map(|bytes| whole(bytes.value)),
            bytes_low: group.bytes.map(|bytes| whole(bytes.low)),
            bytes_high: group.bytes.and_then(high),
            share: group.share.map(|share| rounded(share, 6)),
        }
    }
}
