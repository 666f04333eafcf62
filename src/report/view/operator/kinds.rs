//! Response time by kind of command over all services, compared with the target.

use super::{
    super::{Block, Cell, Column, Section, Tone, names::known_percentile},
    parts::{against_target, table},
};
use crate::{
    analysis::{Family, FamilyKind, PercentileValue},
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

pub(in super::super) fn section(report: &RunReport) -> Section {
    let mut columns = vec![
        Column::head("Metric"),
        Column::words("Commands", 3),
        Column::numbers("Requests", None, 4),
        Column::times("Mean", 0),
        Column::words("Target", 3),
        Column::words("Performance", 0),
        Column::times("Min", 2),
    ];
    columns.extend(PERCENTILES.map(|(percent, dispensable)| Column::times(format::percentile(percent), dispensable)));
    columns.push(Column::times("Max", 0));
    let families = SHOWN.iter().filter_map(|(kind, name)| Some(of_family(report, name, report.family(*kind)?)));
    let rows: Vec<_> = ping(report).into_iter().chain(families).collect();
    let table = table("kinds", "Response time by kind of command", columns, rows).noted([
        "Ping is a round trip on an idle connection after the load; all else is measured under the load of all services \
         together. Percentiles with too few samples are not printed.",
    ]);
    Section::new("kinds", "Latency by kind of command", vec![Block::Table(table)])
}

fn of_family(report: &RunReport, name: &str, family: &Family) -> Vec<Cell> {
    let response = &family.response;
    let sent = |value: u64| (family.completed > 0).then_some(value as f64);
    let percentiles = PERCENTILES.map(|(percent, _)| match known_percentile(response, percent) {
        Some(PercentileValue::Known { nanos, .. }) => Some(nanos as f64),
        _ => None,
    });
    let ends = (sent(response.histogram.min()), sent(response.histogram.max()));
    row(report, (name, &family.commands.join(", "), family.completed), response.mean, ends, percentiles)
}

/// Round trips without load, one after another: the least that any command can take.
fn ping(report: &RunReport) -> Option<Vec<Cell>> {
    let pings = report.pings();
    let ends = (Some(*pings.first()? as f64), pings.last().map(|most| *most as f64));
    let count = pings.len() as f64;
    let mean = pings.iter().sum::<u64>() as f64 / count;
    // As of requests, ten samples lie beyond a percentile.
    let percentiles = PERCENTILES.map(|(percent, _)| {
        let rank = ((count * percent / 100.0).ceil() as usize).clamp(1, pings.len());
        (count * (1.0 - percent / 100.0) >= 10.0).then(|| pings[rank - 1] as f64)
    });
    Some(row(report, ("Ping latency", "PING, without load", pings.len() as u64), Some(mean), ends, percentiles))
}

fn row(
    report: &RunReport,
    (name, commands, requests): (&str, &str, u64),
    mean: Option<f64>,
    (least, most): (Option<f64>, Option<f64>),
    percentiles: [Option<f64>; PERCENTILES.len()],
) -> Vec<Cell> {
    let times = mean.filter(|mean| *mean > 0.0).map(|mean| report.target() / mean);
    let performance = times.map_or_else(
        || Cell::from(format::NOTHING),
        |times| Cell::new(against_target(times), if times >= 1.0 { Tone::Good } else { Tone::Bad }),
    );
    let mut cells = vec![
        name.into(),
        commands.into(),
        format::count(requests).into(),
        Cell::time(mean),
        format!("< {}", format::setting(report.scenario.objective.latency)).into(),
        performance,
        Cell::time(least),
    ];
    cells.extend(percentiles.map(Cell::time));
    cells.push(Cell::time(most));
    cells
}
