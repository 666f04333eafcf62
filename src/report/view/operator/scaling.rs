//! Whether more connections, more servers or more databases would help, with the measurement that decides it.

use super::super::{Advice, Block, Listing, Note, Section, Table, Tone, method::target_option};
use crate::{
    analysis::{DatabaseUse, PoolNeed, audit::Severity, databases},
    report::{
        format::{self, NOTHING, counted, duration, share},
        subject::RunReport,
    },
};

pub(in super::super) fn section(report: &RunReport) -> Section {
    let scaling = &report.analysis.scaling;
    let pools = scaling.pools.iter().filter_map(|need| pool(report, need));
    let server = scaling.server.map(|(busiest, needed)| cluster(report, busiest, needed));
    let (needed, idle): (Vec<_>, Vec<_>) = pools.chain(server).partition(|advice| advice.note.tone == Tone::Fair);
    let idle: Vec<_> = idle.into_iter().map(|advice| advice.note).collect();
    let databases = "Databases of one server share its memory, its thread and its users. A cluster has database 0 only: \
                     prefixes of keys and key patterns of users separate services.";
    let blocks = [
        Some(headroom(report)),
        (!needed.is_empty()).then_some(Block::Advice(needed)),
        (!idle.is_empty()).then_some(Block::Notes(idle)),
        Some(Block::Table(layout(report))),
        Some(Block::Paragraph(databases.to_owned())),
    ];
    Section::new("scaling", "Scaling and databases", blocks.into_iter().flatten())
}

/// Free memory, connections and time of the main thread.
fn headroom(report: &RunReport) -> Block {
    let limit = report.setting("maxclients").and_then(|limit| limit.parse::<u64>().ok());
    let connections = report.scenario.connections();
    let memory = report.used_memory().zip(report.max_memory()).map(|(used, limit)| {
        let free = 1.0 - (used as f64 / limit as f64).min(1.0);
        format!("{} of the limit of {} are free", share(free), format::bytes(limit))
    });
    let clients = limit.filter(|limit| *limit > 0 && connections > 0).map(|limit| {
        let times = format::factor(limit as f64 / connections as f64);
        format!("maxclients of {} is {times} the {} of all pools", format::count(limit), format::count(connections))
    });
    Block::facts([("Memory", memory), ("Connections", clients)])
}

/// Whether a larger pool is worth a try, and why.
fn pool(report: &RunReport, need: &PoolNeed) -> Option<Advice> {
    let service = report.scenario.services.iter().find(|service| service.name == need.pool.service)?;
    let measured = format!(
        "{} of {} in use on average, {} requests waiting, p99 of the wait {}",
        share(need.pool.utilisation),
        counted(need.pool.places, "place", "places"),
        format::significant(need.pool.waiting),
        need.wait_p99.map_or_else(|| NOTHING.to_owned(), |wait| duration(wait as f64)),
    );
    let (name, size, double) = (&service.name, service.pool.size, service.pool.size.saturating_mul(2));
    let (tone, fact, advice) = if need.needed {
        let advice = format!(
            "Before scaling it from {size} to {double}, measure both: further connections help only if requests wait \
             for a connection, and add no capacity to a server that runs one command at a time."
        );
        (Tone::Fair, format!("The pool of {name} may be too small: {measured}."), advice)
    } else {
        (Tone::Quiet, format!("A larger pool for {name} is not needed: {measured}."), String::new())
    };
    let target = target_option(&report.run.target);
    Some(Advice {
        note: Note { tone, fact, advice },
        severity: Severity::Warning,
        commands: vec![Listing {
            title: "To measure both".to_owned(),
            language: "sh",
            text: format!("plimsoll capacity scenario.toml{target} --sweep service.{name}.pool.size={size},{double}"),
            folded: false,
        }],
        source: "Pool: utilisation and wait of this run.".to_owned(),
    })
}

/// Whether more servers are worth a thought, and why.
fn cluster(report: &RunReport, busiest: f64, needed: bool) -> Advice {
    let rate = report.analysis.rows.last().map_or(0.0, |row| row.rate);
    let measured = format!("{} of its main thread in the busiest second at {}", share(busiest), format::rate(rate));
    let (tone, fact, advice) = if needed {
        let advice = "First reduce the cost of the most expensive commands and try io-threads if cores are free; then \
                      spread the keys over the servers of a cluster. In a cluster the keys of one command must be in \
                      one slot, and only database 0 exists.";
        (Tone::Fair, format!("The server's main thread is nearly saturated: {measured}."), advice.to_owned())
    } else {
        (Tone::Quiet, format!("A cluster is not needed: one server sustains this load ({measured})."), String::new())
    };
    Advice {
        note: Note { tone, fact, advice },
        severity: Severity::Note,
        commands: Vec::new(),
        source: "Main thread busy, second by second (docs/measurement.md).".to_owned(),
    }
}

/// Databases of the services, and a layout that keeps them apart.
fn layout(report: &RunReport) -> Table {
    let layout = databases(&report.scenario, &report.run.inspection);
    let others = |known: &DatabaseUse<'_>| {
        let same = layout.iter().filter(|other| other.now == known.now && other.service != known.service);
        let others: Vec<_> = same.map(|other| other.service).collect();
        (!others.is_empty()).then(|| others.join(", "))
    };
    let keys = |known: &DatabaseUse<'_>| {
        let databases = &report.run.server.databases;
        databases.iter().find(|of| of.database == u64::from(known.now)).map(|of| of.keys)
    };
    Table::of("databases", "Databases now and proposed", report.scenario.services.iter().zip(&layout))
        .head("Service", |(service, _)| &service.name)
        .numbers("Database now", 0, |(_, known)| known.now.to_string())
        .numbers("Proposed", 0, |(_, known)| {
            known.proposed.map_or_else(|| "none is left".to_owned(), |database| database.to_string())
        })
        .words("Shared with", 1, |(_, known)| others(known))
        .words("Keys under", 1, |(service, _)| &service.keys.prefix)
        .numbers("Keys in that database", 2, |(_, known)| keys(known))
        .table()
}
