//! Latency of each kind of command, and what the server used meanwhile.

use super::blocks::{facts as known, listed, percentile, plain_table};
use crate::{
    analysis::FamilyKind,
    report::{
        format::{self, NOTHING},
        subject::RunReport,
        view::{Block, Cell, Column, Section, server},
    },
};

/// Rows of the latency table, with what each is called.
const SHOWN: [(FamilyKind, &str); 6] = [
    (FamilyKind::Set, "SET"),
    (FamilyKind::Get, "GET"),
    (FamilyKind::HSet, "HSET"),
    (FamilyKind::HGet, "HGET"),
    (FamilyKind::Lists, "List operations"),
    (FamilyKind::ZAdd, "ZADD"),
];

pub(super) fn section(facts: &RunReport) -> Section {
    let mut blocks =
        vec![Block::Heading("Latency analysis".to_owned()), latency(facts), Block::Paragraph(meaning(facts))];
    blocks.push(Block::Heading("Resource utilisation".to_owned()));
    blocks.push(resources(facts));
    Section::new("performance", "Performance metrics", blocks)
}

fn latency(facts: &RunReport) -> Block {
    let columns = vec![
        Column::head("Operation"),
        Column::words("Commands", 3),
        Column::numbers("Requests", None, 4),
        Column::times("Mean", 0),
        Column::times("Min", 2),
        Column::times("p50", 1),
        Column::times("p95", 4),
        Column::times("p99", 1),
        Column::times("p99.9", 5),
        Column::times("Max", 0),
    ];
    let mut rows = vec![pings(facts)];
    for (kind, name) in SHOWN {
        rows.push(match facts.family(kind) {
            Some(family) => {
                let (response, sent) = (&family.response, family.completed > 0);
                let at = |value: u64| Cell::time(sent.then_some(value as f64));
                vec![
                    name.into(),
                    listed(&family.commands).into(),
                    format::count(family.completed).into(),
                    Cell::time(response.mean),
                    at(response.histogram.min()),
                    percentile(response, 50.0),
                    percentile(response, 95.0),
                    percentile(response, 99.0),
                    percentile(response, 99.9),
                    at(response.histogram.max()),
                ]
            }
            None => empty(name, "none sent as an operation of its own"),
        });
    }
    plain_table("latency", "Response time by kind of command", columns, rows)
}

fn empty(name: &str, why: &str) -> Vec<Cell> {
    let mut cells: Vec<Cell> = vec![name.into(), why.into(), "0".into()];
    cells.extend((0..7).map(|_| Cell::from(NOTHING)));
    cells
}

/// Without load, one after another: a floor under everything else.
fn pings(facts: &RunReport) -> Vec<Cell> {
    let pings = facts.pings();
    let (Some(least), Some(most)) = (pings.first(), pings.last()) else {
        return empty("Ping", "not answered to the inspection");
    };
    let mean = pings.iter().sum::<u64>() as f64 / pings.len() as f64;
    // By the rule for percentiles of requests, ten samples lie beyond: these are few.
    let at = |quantile: f64| {
        let beyond = pings.len() as f64 * (1.0 - quantile);
        let rank = ((pings.len() as f64 * quantile).ceil() as usize).clamp(1, pings.len());
        Cell::time((beyond >= 10.0).then(|| pings[rank - 1] as f64))
    };
    vec![
        "Ping".into(),
        "PING, without load".into(),
        format::count(pings.len() as u64).into(),
        Cell::time(mean),
        Cell::time(*least as f64),
        at(0.5),
        at(0.95),
        at(0.99),
        at(0.999),
        Cell::time(*most as f64),
    ]
}

fn meaning(facts: &RunReport) -> String {
    let loop_words = if facts.scenario.services.iter().any(|service| service.offered_rate().is_some()) {
        "Response time counts from the instant at which a request was due, under the load of all services together"
    } else {
        "Response time counts from asking the pool for a connection, under the load of all services together"
    };
    format!(
        "{loop_words}; percentiles with too few samples are not printed. Ping is a round trip on an idle connection after \
         the load. {}",
        server::where_time_goes(&facts.analysis).unwrap_or_default()
    )
}

fn resources(facts: &RunReport) -> Block {
    let side = &facts.analysis.server;
    let (after, totals) = (side.after.as_ref(), side.totals.as_ref());
    let used = after.and_then(|after| after.used_memory).or_else(|| facts.bytes("used_memory"));
    let system = after.and_then(|after| after.system_memory).or_else(|| facts.bytes("total_system_memory"));
    let policy = facts.setting("maxmemory-policy").or_else(|| facts.info("maxmemory_policy"));
    let limit =
        facts.max_memory().map_or_else(|| "no limit".to_owned(), |limit| format!("limit {}", format::bytes(limit)));
    let per_second = |count: Option<u64>| {
        let totals = totals.filter(|totals| totals.seconds > 0.0)?;
        Some(count? as f64 / totals.seconds)
    };
    known(vec![
        (
            "Memory usage",
            used.map(|used| {
                let share = system.filter(|system| *system > 0).map(|system| {
                    format!(
                        " ({} of {} system memory)",
                        format::share(used as f64 / system as f64),
                        format::bytes(system)
                    )
                });
                format::bytes(used) + &share.unwrap_or_default()
            }),
        ),
        (
            "Connected clients",
            after.and_then(|after| after.clients).map(|clients| {
                let named = facts.run.server.clients.iter().filter(|named| !named.name.is_empty());
                let named: Vec<_> = named
                    .map(|named| {
                        format!("{} {}", named.name.trim_start_matches("plimsoll:"), format::count(named.count))
                    })
                    .collect();
                let of = if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) };
                format!("{}{of}", format::counted(clients, "connection", "connections"))
            }),
        ),
        ("Memory policy", policy.map(|policy| format!("{policy}, {limit}"))),
        (
            "Hit rate",
            totals.and_then(|totals| Some((totals.hits?, totals.misses?, totals.hit_ratio()?))).map(
                |(hits, misses, ratio)| {
                    format!("{} ({} hits, {} misses)", format::share(ratio), format::count(hits), format::count(misses))
                },
            ),
        ),
        (
            "Operations",
            per_second(totals.and_then(|totals| totals.commands))
                .map(|rate| format!("{} by the server's count", format::rate(rate))),
        ),
        (
            "CPU",
            totals.and_then(|totals| {
                let per = totals.cpu_per_command().map(|nanos| format!(", {} per command", format::duration(nanos)));
                let busiest =
                    totals.busiest.map(|busiest| format!(", {} in the busiest second", format::share(busiest)));
                let cores = totals.cores()?;
                Some(format!(
                    "{} of one core{}{}",
                    format::share(cores),
                    busiest.unwrap_or_default(),
                    per.unwrap_or_default()
                ))
            }),
        ),
        (
            "Network",
            totals.and_then(|totals| {
                let rate =
                    |bytes: u64| format!("{}/s", format::bytes((bytes as f64 / totals.seconds.max(1e-9)) as u64));
                Some(format!("{} in, {} out", rate(totals.received?), rate(totals.sent?)))
            }),
        ),
        (
            "Evicted and expired keys",
            totals.and_then(|totals| {
                Some(format!("{} evicted, {} expired", format::count(totals.evicted?), format::count(totals.expired?)))
            }),
        ),
    ])
}
