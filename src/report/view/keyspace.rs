//! What lies in the keyspace: memory by type and prefix, the largest keys and the hottest.

use super::{Block, Cell, Table, Tone, names::not_learned};
use crate::{
    analysis::{Analysis, DatabaseSide, Interval, KeyShare, KeyspaceSide},
    report::format,
    results::{DatabaseSample, KeyspaceSample, Run, Withheld},
};

/// Questions about keys, by the names under which they are withheld.
const QUESTIONS: [&str; 5] = ["SCAN", "SELECT", "TYPE", "MEMORY USAGE", "OBJECT FREQ"];

/// What a group is called whose keys have no prefix, or one of too many.
const OTHERS: &str = "(other)";

/// What the server's section says of it; nothing where it was not looked at.
pub(super) fn blocks(run: &Run, analysis: &Analysis) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let (Some(sample), Some(side)) = (&run.inspection.keyspace, &analysis.keyspace)
        && !side.databases.is_empty()
    {
        blocks.push(Block::Heading("Keyspace".to_owned()));
        blocks.push(Block::facts([
            ("Keys sampled", Some(looked_at(sample, side))),
            ("Memory by type", Some(by_type(side))),
        ]));
        blocks.push(Block::Table(groups(side)));
        blocks.extend(largest(sample).block());
        blocks.extend(hottest(sample).block());
    }
    let refused = not_learned(run.inspection.withheld.iter().filter(|withheld| is_about_keys(withheld)));
    blocks.extend(refused.map(|refused| Block::Paragraph(format!("Unknown about the keys: {refused}."))));
    blocks
}

/// Whether what was withheld concerns the sample of the keys.
pub(super) fn is_about_keys(withheld: &Withheld) -> bool {
    QUESTIONS.iter().any(|name| withheld.what.starts_with(name))
}

fn looked_at(sample: &KeyspaceSample, side: &KeyspaceSide) -> String {
    let cost = format!(
        "sampling took {} and at most {} of the server's time, {} of the duration ({} allowed)",
        format::duration(sample.elapsed_ns as f64),
        format::duration(sample.busy_ns as f64),
        format::share(side.busy.min(1.0)),
        format::limit(sample.allowed),
    );
    if side.databases.iter().all(|database| database.complete) {
        format!("all {}; {cost}", format::count(side.keys))
    } else {
        format!("{} of {}; {cost}", format::count(side.sampled), format::count(side.keys))
    }
}

fn by_type(side: &KeyspaceSide) -> String {
    let of_database = |database: &DatabaseSide| {
        let types = database.types.iter().map(|of_type| {
            let memory = of_type.bytes.map_or_else(|| "memory unknown".to_owned(), memory);
            format!("{} {memory}", of_type.data_type)
        });
        format!("db{}: {}", database.database, types.collect::<Vec<_>>().join(", "))
    };
    side.databases.iter().map(of_database).collect::<Vec<_>>().join("; ")
}

/// `1.2 MiB [1.1, 1.3]`; without an interval where every key was looked at.
fn memory(estimate: Interval) -> String {
    let bytes = |value: f64| format::bytes(value.round().max(0.0) as u64);
    interval(estimate, bytes)
}

fn interval(estimate: Interval, write: impl Fn(f64) -> String) -> String {
    let value = write(estimate.point);
    match (estimate.low.unwrap_or_default(), estimate.high) {
        (low, Some(high)) if high - low < 0.5 => value,
        (low, Some(high)) => format!("{value} [{}, {}]", write(low), write(high)),
        (low, None) => format!("{value} [{} or more]", write(low)),
    }
}

fn groups(side: &KeyspaceSide) -> Table {
    let estimated = side.databases.iter().any(|database| !database.complete).then_some(
        "Estimated from a sample, with the 95 % interval of the sampling. A sample may miss a few huge keys among many \
         small keys.",
    );
    let prefix = |group: &KeyShare| match group.prefix.as_str() {
        "" => Cell::new(OTHERS, Tone::Quiet),
        prefix => prefix.into(),
    };
    let keys = |number: f64| format::count(number.round().max(0.0) as u64);
    let groups = side.databases.iter().flat_map(|database| database.groups.iter().map(move |group| (database, group)));
    Table::of("keyspace", "Memory by type and prefix", groups)
        .head("Database", |(database, _)| format!("db{}", database.database))
        .head("Prefix", |(_, group)| prefix(group))
        .words("Type", 0, |(_, group)| &group.data_type)
        .numbers("Keys", 1, |(_, group)| interval(group.keys, keys))
        .numbers("Memory", 0, |(_, group)| group.bytes.map(memory))
        .numbers("Share", 1, |(_, group)| group.share.map(format::share))
        .numbers("Mean per key", 2, |(_, group)| group.mean.map(|mean| format::bytes(mean.round() as u64)))
        .table()
        .explained([
            (
                "Prefix",
                "the key without its last part; parts are separated by colons, at most three, those with a digit as *",
            ),
            ("Memory", "MEMORY USAGE"),
            ("Share", "of the memory of all keys sampled in that database"),
        ])
        .noted(estimated)
}

/// Keys of all databases that are named, the first by `rank` first.
fn named<'a, T, R: Ord>(
    sample: &'a KeyspaceSample,
    of: impl Fn(&'a DatabaseSample) -> &'a [T],
    rank: impl Fn(&T) -> R,
) -> Vec<(u64, &'a T)> {
    let each = sample.databases.iter().flat_map(|database| of(database).iter().map(|key| (database.database, key)));
    let mut all: Vec<_> = each.collect();
    all.sort_by_key(|(_, key)| std::cmp::Reverse(rank(key)));
    all.truncate(10);
    all
}

fn largest(sample: &KeyspaceSample) -> Table {
    let keys = named(sample, |database| &database.largest, |key| key.bytes);
    Table::of("largest-keys", "Largest keys of the sample", keys)
        .head("Database", |(database, _)| format!("db{database}"))
        .head("Key", |(_, key)| &key.key)
        .words("Type", 1, |(_, key)| &key.data_type)
        .numbers("Memory", 0, |(_, key)| format::bytes(key.bytes))
        .table()
}

fn hottest(sample: &KeyspaceSample) -> Table {
    let keys = named(sample, |database| &database.hottest, |key| key.frequency);
    Table::of("hottest-keys", "Most used keys of the sample", keys)
        .head("Database", |(database, _)| format!("db{database}"))
        .head("Key", |(_, key)| &key.key)
        .numbers("Counter of uses", 0, |(_, key)| key.frequency.to_string())
        .table()
        .explained([("Counter of uses", "OBJECT FREQ, logarithmic, 0 to 255; decreases while a key is not used")])
}
