//! Nodes and Sentinels that were inspected, and settings that differ between nodes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    report::{
        format::{self, NOTHING},
        view::{Block, Cell, Table, Tone},
    },
    results::{Inspection, NodeInspection, NodeRole, SentinelInspection},
};

/// Settings of the place of a node, which differ in any case.
const OF_PLACE: [&str; 4] = ["aclfile", "bind", "port", "tls-port"];

/// Tables of all that were inspected, or were not for a reason; none of a server that stands alone.
pub(in crate::report::view) fn inspected(inspection: &Inspection) -> impl Iterator<Item = Block> {
    let tables = [nodes(&inspection.nodes), sentinels(&inspection.sentinels), differing(&inspection.nodes)];
    tables.into_iter().flatten()
}

/// Settings that are not the same at all nodes that answer.
fn differing(nodes: &[NodeInspection]) -> Option<Block> {
    let reached = || nodes.iter().filter(|node| node.fault.is_none());
    let names: BTreeSet<&String> = reached().flat_map(|node| node.settings.keys()).collect();
    let values = |name: &String| {
        let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in reached() {
            let value = node.settings.get(name).map_or(NOTHING, String::as_str);
            values.entry(value).or_default().push(&node.address);
        }
        values
    };
    let rows = names.into_iter().filter(|name| !OF_PLACE.contains(&name.as_str()));
    let rows = rows.map(|name| (name, values(name))).filter(|(_, values)| values.len() > 1);
    let listed = |values: &BTreeMap<&str, Vec<&str>>| {
        let value = |(value, nodes): (&&str, &Vec<&str>)| format!("{value} at {}", nodes.join(", "));
        values.iter().map(value).collect::<Vec<_>>().join("; ")
    };
    Table::of("differing-settings", "Settings that differ between nodes", rows)
        .head("Setting", |(name, _)| *name)
        .words("Values", 0, |(_, values)| listed(values))
        .table()
        .block()
}

fn nodes(nodes: &[NodeInspection]) -> Option<Block> {
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| NOTHING.to_owned());
    Table::of("inspected-nodes", "Nodes", nodes)
        .head("Node", |node| &node.address)
        .words("Role", 0, |node| match node.role {
            NodeRole::Primary => "primary",
            NodeRole::Replica => "replica",
        })
        .words("Of", 2, |node| known(&node.primary))
        .numbers("Slots", 1, |node| if node.slots > 0 { format::count(node.slots.into()) } else { NOTHING.to_owned() })
        .words("Version", 3, |node| known(&node.version))
        .words("State", 0, |node| state(node.fault.as_deref()))
        .table()
        .block()
}

fn sentinels(sentinels: &[SentinelInspection]) -> Option<Block> {
    let fact = |sentinel: &SentinelInspection, name: &str| {
        sentinel.facts.get(name).cloned().unwrap_or_else(|| NOTHING.to_owned())
    };
    Table::of("inspected-sentinels", "Sentinels", sentinels)
        .head("Sentinel", |sentinel| &sentinel.address)
        .words("Primary", 1, |sentinel| sentinel.primary.clone().unwrap_or_else(|| NOTHING.to_owned()))
        .numbers("Quorum", 2, |sentinel| fact(sentinel, "quorum"))
        .numbers("Others", 2, |sentinel| format::count(sentinel.others.len() as u64))
        .words("State", 0, |sentinel| state(sentinel.fault.as_deref()))
        .table()
        .block()
}

fn state(fault: Option<&str>) -> Cell {
    match fault {
        None => Cell::new("answers", Tone::Good),
        Some(fault) => Cell::new(fault, Tone::Bad),
    }
}
