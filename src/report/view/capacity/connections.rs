//! Connections: those of the whole fleet against what the server takes, and what each costs in memory.

use crate::{
    analysis::capacity::MANY_CONNECTIONS,
    report::{
        format::{self, THIN},
        subject::CapacityReport,
        view::{Block, Cell, Section, Table, Tone},
    },
};

pub(super) fn section(answers: &CapacityReport) -> Section {
    let mut blocks = Vec::new();
    let fleet = &answers.analysis.fleet;
    if !fleet.services.is_empty() {
        blocks.push(Block::Paragraph(sentence(answers)));
        blocks.push(Block::Table(services(answers)));
        if fleet.connections.len() > 1 {
            blocks.push(Block::Table(arms(answers)));
        }
    }
    blocks.extend(answers.analysis.connection_cost.map(|cost| Block::Paragraph(memory(answers, cost))));
    blocks.extend(levels(answers).block());
    Section::new("connections", "Connections of the whole fleet", blocks)
}

fn sentence(answers: &CapacityReport) -> String {
    let fleet = &answers.analysis.fleet;
    let most = fleet.connections.iter().copied().max().unwrap_or(0);
    let needs = format!("The fleet needs at most {}", format::counted(most, "connection", "connections"));
    match fleet.max_clients.map(|limit| (limit, format::count(limit))) {
        None if answers.capacity.target.private => {
            format!("{needs}; compare it with the maxclients of your server: a private server has no such limit.")
        }
        None => format!("{needs}; maxclients of the server is unknown."),
        Some((limit, takes)) if most > limit => {
            format!("{needs}; the server accepts {takes} (maxclients) and refuses the rest.")
        }
        Some((limit, takes)) if most.saturating_mul(2) > limit => format!(
            "{needs} of the {takes} that the server accepts (maxclients): old and new instances together exceed \
             maxclients in a roll-out of all services."
        ),
        Some((_, takes)) => format!(
            "{needs} of the {takes} that the server accepts (maxclients), and twice as many in a roll-out of all \
             services."
        ),
    }
}

fn services(answers: &CapacityReport) -> Table {
    Table::of("fleet", "Connections of the scenario as written", &answers.analysis.fleet.services)
        .head("Service", |(name, ..)| name)
        .numbers("Instances", 0, |(_, instances, _)| *instances)
        .numbers("Pool of each", 0, |(.., pool)| *pool)
        .numbers("Connections", 0, |(_, instances, pool)| u64::from(*instances) * u64::from(*pool))
        .table()
}

fn arms(answers: &CapacityReport) -> Table {
    let fleet = &answers.analysis.fleet;
    let tone = |connections: u64| match fleet.max_clients {
        Some(limit) if connections > limit => Tone::Bad,
        Some(limit) if connections.saturating_mul(2) > limit => Tone::Fair,
        _ => Tone::Plain,
    };
    let share = |connections: u64| {
        let limit = fleet.max_clients.filter(|limit| *limit > 0)?;
        Some(format!("{}{THIN}%", format::significant(connections as f64 / limit as f64 * 100.0)))
    };
    Table::of("fleet-variants", "Connections by variant", (0..).zip(&fleet.connections))
        .head("Variant", |(arm, _)| answers.name(*arm))
        .numbers("Connections", 0, |(_, connections)| Cell::from(**connections).toned(tone(**connections)))
        .numbers("Of maxclients", 0, |(_, connections)| share(**connections))
        .table()
}

fn memory(answers: &CapacityReport, (each, of_many): (f64, f64)) -> String {
    let most = answers.capacity.connections.iter().map(|level| level.connections).max();
    let beyond = most
        .filter(|most| *most < MANY_CONNECTIONS)
        .map(|most| format!("; measured with up to {}, and extrapolated linearly", format::count(most)));
    format!(
        "Each idle connection costs the server {} of memory; {} would cost {}{}. Under load its buffers grow with its \
         requests and replies.",
        format::bytes(each.max(0.0).round() as u64),
        format::count(MANY_CONNECTIONS),
        format::bytes(of_many.max(0.0).round() as u64),
        beyond.unwrap_or_default(),
    )
}

fn levels(answers: &CapacityReport) -> Table {
    Table::of("connection-memory", "Memory of the server by number of connections", &answers.capacity.connections)
        .head("Connections", |level| level.connections)
        .numbers("Clients' buffers", 0, |level| format::bytes(level.client_memory))
        .numbers("All memory", 0, |level| format::bytes(level.used_memory))
        .table()
}
