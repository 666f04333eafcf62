//! Response time by kind of command over all services, compared with the target.

use super::super::{Block, Cell, Section, Table, Tone, names::printed};
use crate::{
    analysis::{Family, FamilyKind},
    report::{format, subject::RunReport},
};

/// Rows of the table, with their names.
const SHOWN: [(FamilyKind, &str); 10] = [
    (FamilyKind::Set, "SET"),
    (FamilyKind::Get, "GET"),
    (FamilyKind::HSet, "HSET"),
    (FamilyKind::HGet, "HGET"),
    (FamilyKind::ZAdd, "ZADD"),
    (FamilyKind::Reads, "Read operations"),
    (FamilyKind::Writes, "Write operations"),
    (FamilyKind::Hashes, "Hash operations"),
    (FamilyKind::Lists, "List operations"),
    (FamilyKind::SortedSets, "Sorted set operations"),
];

/// Percentiles of the table, with how early each is left out.
const PERCENTILES: [(f64, u8); 4] = [(50.0, 1), (95.0, 4), (99.0, 1), (99.9, 5)];

/// Response times of one kind of command.
struct Kind<'a> {
    name: &'a str,
    commands: String,
    requests: u64,
    mean: Option<f64>,
    least: Option<f64>,
    most: Option<f64>,
    percentiles: [Option<f64>; PERCENTILES.len()],
}

pub(in super::super) fn section(report: &RunReport) -> Section {
    let families = SHOWN.iter().filter_map(|(kind, name)| Some(of_family(name, report.family(*kind)?)));
    let performance = |kind: &Kind<'_>| {
        let times = report.target() / kind.mean.filter(|mean| *mean > 0.0)?;
        Some(Cell::new(against_target(times), if times >= 1.0 { Tone::Good } else { Tone::Bad }))
    };
    let target = format!("< {}", format::setting(report.scenario.objective.latency));
    let kinds = ping(report).into_iter().chain(families);
    let mut table = Table::of("kinds", "Response time by kind of command", kinds)
        .head("Metric", |kind| kind.name)
        .words("Commands", 3, |kind| kind.commands.clone())
        .numbers("Requests", 4, |kind| kind.requests)
        .times("Mean", 0, |kind| Cell::time(kind.mean))
        .words("Target", 3, |_| target.clone())
        .words("Performance", 0, |kind| performance(kind))
        .times("Min", 2, |kind| Cell::time(kind.least));
    for (place, (percent, dispensable)) in PERCENTILES.into_iter().enumerate() {
        table = table.times(&format::percentile(percent), dispensable, |kind| Cell::time(kind.percentiles[place]));
    }
    let table = table.times("Max", 0, |kind| Cell::time(kind.most)).table().noted([
        "Ping is a round trip on an idle connection after the load; all other rows are measured under the load of all \
         services. Percentiles with too few samples are not printed.",
    ]);
    Section::new("kinds", "Latency by kind of command", [Block::Table(table)])
}

fn of_family<'a>(name: &'a str, family: &Family) -> Kind<'a> {
    let response = &family.response;
    let sent = |value: u64| (family.completed > 0).then_some(value as f64);
    Kind {
        name,
        commands: family.commands.join(", "),
        requests: family.completed,
        mean: response.mean,
        least: sent(response.histogram.min()),
        most: sent(response.histogram.max()),
        percentiles: PERCENTILES.map(|(percent, _)| printed(response, percent)),
    }
}

/// Round trips without load, one after another: the least that any command can take.
fn ping(report: &RunReport) -> Option<Kind<'static>> {
    let pings = report.pings();
    let count = pings.len() as f64;
    Some(Kind {
        name: "Ping latency",
        commands: "PING, without load".to_owned(),
        requests: pings.len() as u64,
        mean: Some(pings.iter().sum::<u64>() as f64 / count),
        least: Some(*pings.first()? as f64),
        most: Some(*pings.last()? as f64),
        // As of requests, ten samples lie beyond a percentile.
        percentiles: PERCENTILES.map(|(percent, _)| {
            let rank = ((count * percent / 100.0).ceil() as usize).clamp(1, pings.len());
            (count * (1.0 - percent / 100.0) >= 10.0).then(|| pings[rank - 1] as f64)
        }),
    })
}

/// A ratio of target to measured mean: `12× faster`.
pub(super) fn against_target(times: f64) -> String {
    let (times, word) = if times >= 1.0 { (times, "faster") } else { (1.0 / times, "slower") };
    format!("{} {word}", format::factor(times))
}
