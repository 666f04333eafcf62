//! Connections: those of the whole fleet against what the server takes, and what each costs in memory.

use crate::{
    analysis::capacity::MANY_CONNECTIONS,
    report::{
        format,
        subject::CapacityReport,
        view::{Block, Cell, Column, RowKind, Section, Table, TableRow, Tone},
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
    if !answers.capacity.connections.is_empty() {
        blocks.push(Block::Table(levels(answers)));
    }
    Section::new("connections", "Connections of the whole fleet", blocks)
}

fn sentence(answers: &CapacityReport) -> String {
    let fleet = &answers.analysis.fleet;
    let most = fleet.connections.iter().copied().max().unwrap_or(0);
    let needs = format!("The fleet needs at most {}", format::counted(most, "connection", "connections"));
    match fleet.max_clients.map(|limit| (limit, format::count(limit))) {
        None if answers.capacity.target.private => {
            format!(
                "{needs}; hold that against the maxclients of your server, since a private one takes what it is asked for."
            )
        }
        None => format!("{needs}; how many the server takes (maxclients) is not known."),
        Some((limit, takes)) if most > limit => {
            format!("{needs}; the server takes {takes} (maxclients) and refuses the rest.")
        }
        Some((limit, takes)) if most.saturating_mul(2) > limit => format!(
            "{needs} of the {takes} that the server takes (maxclients): old and new ones together would be more than that while \
             all services are replaced at once."
        ),
        Some((_, takes)) => format!(
            "{needs} of the {takes} that the server takes (maxclients), and twice that while all services are replaced at once."
        ),
    }
}

fn services(answers: &CapacityReport) -> Table {
    let fleet = &answers.analysis.fleet;
    let rows = fleet.services.iter().map(|(name, instances, pool)| TableRow {
        kind: RowKind::Entry,
        cells: vec![
            name.as_str().into(),
            format::count((*instances).into()).into(),
            format::count((*pool).into()).into(),
            format::count(u64::from(*instances) * u64::from(*pool)).into(),
        ],
    });
    Table::new(
        "fleet",
        "Connections of the scenario as written",
        vec![
            Column::head("Service"),
            Column::numbers("Instances", None, 0),
            Column::numbers("Pool of each", None, 0),
            Column::numbers("Connections", None, 0),
        ],
        rows,
    )
}

fn arms(answers: &CapacityReport) -> Table {
    let fleet = &answers.analysis.fleet;
    let rows = (0..).zip(&fleet.connections).map(|(arm, connections)| {
        let tone = match fleet.max_clients {
            Some(limit) if *connections > limit => Tone::Bad,
            Some(limit) if connections.saturating_mul(2) > limit => Tone::Fair,
            _ => Tone::Plain,
        };
        let share = fleet.max_clients.filter(|limit| *limit > 0).map(|limit| *connections as f64 / limit as f64);
        let share = share.map_or_else(
            || format::NOTHING.to_owned(),
            |share| format!("{}{}%", format::significant(share * 100.0), format::THIN),
        );
        TableRow {
            kind: RowKind::Entry,
            cells: vec![answers.name(arm).into(), Cell::new(format::count(*connections), tone), share.into()],
        }
    });
    Table::new(
        "fleet-variants",
        "Connections by variant",
        vec![
            Column::head("Variant"),
            Column::numbers("Connections", None, 0),
            Column::numbers("Of maxclients", None, 0),
        ],
        rows,
    )
}

fn memory(answers: &CapacityReport, (each, of_many): (f64, f64)) -> String {
    let most = answers.capacity.connections.iter().map(|level| level.connections).max();
    let beyond = most
        .filter(|most| *most < MANY_CONNECTIONS)
        .map(|most| format!("; it was measured with up to {}, and is a straight line from there", format::count(most)));
    format!(
        "Each idle connection costs the server {} of memory; {} would cost {}{}. Under load its buffers grow with what it sends and \
         is sent.",
        format::bytes(each.max(0.0).round() as u64),
        format::count(MANY_CONNECTIONS),
        format::bytes(of_many.max(0.0).round() as u64),
        beyond.unwrap_or_default(),
    )
}

fn levels(answers: &CapacityReport) -> Table {
    let rows = answers.capacity.connections.iter().map(|level| TableRow {
        kind: RowKind::Entry,
        cells: vec![
            format::count(level.connections).into(),
            format::bytes(level.client_memory).into(),
            format::bytes(level.used_memory).into(),
        ],
    });
    Table::new(
        "connection-memory",
        "Memory of the server by number of connections",
        vec![
            Column::head("Connections"),
            Column::numbers("Clients' buffers", None, 0),
            Column::numbers("All memory", None, 0),
        ],
        rows,
    )
}
