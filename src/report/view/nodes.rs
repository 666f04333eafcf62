//! Nodes of a cluster, or of a primary with its replicas.

use super::{Block, Cell, Section, Shown, Table, Tone, results::Marks};
use crate::{
    analysis::{Analysis, Lag, NodeLoad, NodeRow, ReadRow, Totals, UNEVEN, spread},
    measure::{READS, REDIRECTED},
    report::format::{self, NOTHING, bytes},
    results::{NodeFacts, NodeRole, Run, SlotSample, SlotShare},
    scenario::{Client, Scenario},
};

/// What the section shows; empty where the server stands alone.
pub(super) fn section(run: &Run, scenario: &Scenario, analysis: &Analysis) -> Section {
    let rows = &analysis.nodes;
    let mut blocks: Vec<Block> = sentence(rows).map(Block::Paragraph).into_iter().collect();
    blocks.extend(table(rows).block());
    blocks.extend((!analysis.reads.is_empty()).then(|| reads(&analysis.reads).block()).flatten());
    blocks.extend(run.inspection.slots.as_ref().and_then(slots_of).map(Block::Paragraph));
    blocks.extend(redirections(run, scenario).map(Block::Paragraph));
    if rows.iter().any(|row| row.load.is_some()) {
        blocks.push(Block::Paragraph(method(run, scenario)));
    }
    Section::new("nodes", "Nodes", blocks).detailed(Shown::Everything).brief_line("Nodes", sentence(rows))
}

/// How even the load was, in one sentence.
fn sentence(rows: &[NodeRow]) -> Option<String> {
    let (busiest, factor) = spread(rows)?;
    let judgement = if factor >= UNEVEN { "uneven" } else { "even" };
    let share = busiest.load.as_ref().map_or(0.0, |load| load.share);
    Some(format!(
        "The busiest primary, {}, served {} of the requests, {} times an even share: the load is {judgement}.",
        busiest.name,
        format::share(share),
        format::significant(factor),
    ))
}

fn table(rows: &[NodeRow]) -> Table {
    let load = |row: &NodeRow, of: fn(&NodeLoad) -> Cell| row.load.as_ref().map_or_else(|| NOTHING.into(), of);
    let mut marks = Marks::default();
    let percentiles = |row: &NodeRow, marks: &mut Marks, percentile: f64| match &row.load {
        Some(load) => marks.value(percentile, load.response.percentile(percentile).value),
        None => NOTHING.into(),
    };
    let table = Table::of("nodes", "Requests and resources by node", rows)
        .head("Node", |row| &row.name)
        .words("Role", 0, |row| role(row))
        .also_if(rows.iter().any(|row| slots(row) != NOTHING), |columns| columns.numbers("Slots", 2, |row| slots(row)))
        // Of a primary with replicas, requests are known by node only where a service reads from replicas.
        .also_if(rows.iter().any(|row| row.load.is_some()), |columns| {
            columns
                .numbers("Requests", 0, |row| {
                    load(row, |load| format::count(load.counts.completed + load.counts.failed()).into())
                })
                .numbers("Share", 1, |row| load(row, |load| format::share(load.share).into()))
                .numbers("Failed", 0, |row| {
                    load(row, |load| {
                        let failed = load.counts.failed();
                        Cell::new(format::count(failed), if failed > 0 { Tone::Bad } else { Tone::Plain })
                    })
                })
                .times("p50", 0, |row| percentiles(row, &mut marks, 50.0))
                .times("p99", 0, |row| percentiles(row, &mut marks, 99.0))
        })
        .numbers("CPU", 1, |row| row.server.as_ref().and_then(Totals::cores).map_or(NOTHING.to_owned(), format::share))
        .numbers("Memory", 2, |row| {
            let used = row.levels.as_ref().and_then(|levels| levels.used_memory);
            used.map_or(NOTHING.to_owned(), format::bytes)
        })
        .numbers("Hits", 4, |row| {
            row.server.as_ref().and_then(Totals::hit_ratio).map_or(NOTHING.to_owned(), format::share)
        })
        .numbers("Slow", 4, |row| row.slow.map_or(NOTHING.to_owned(), format::count))
        .also_if(rows.iter().any(|row| row.lag.is_some()), |columns| {
            let lag =
                |row: &NodeRow, of: fn(&Lag) -> u64| row.lag.as_ref().map_or(NOTHING.to_owned(), |lag| bytes(of(lag)));
            columns.numbers("Lag, mean", 2, move |row| lag(row, |lag| lag.mean.round() as u64)).numbers(
                "Lag, max",
                2,
                move |row| lag(row, |lag| lag.max),
            )
        })
        .table();
    let missing = marks.missing().map(|(name, reason)| format!("{name}: {reason}."));
    let about = "CPU: of one core. Hits: lookups that found their key. Slow: commands in the slow log. All three are of the node.";
    let lag = "Lag: what the primary had written and the replica had not applied, second by second.";
    let lag = rows.iter().any(|row| row.lag.is_some()).then(|| lag.to_owned());
    let notes: Vec<_> = marks.legend().chain(missing).chain([about.to_owned()]).chain(lag).collect();
    table.noted(notes)
}

/// Reads by the role of the node that served them.
fn reads(rows: &[ReadRow]) -> Table {
    let mut marks = Marks::default();
    let requests = |row: &ReadRow| row.load.counts.completed + row.load.counts.failed();
    let percentile = |row: &ReadRow, marks: &mut Marks, percentile| {
        marks.value(percentile, row.load.response.percentile(percentile).value)
    };
    let table = Table::of("reads", "Reads by role of the node", rows)
        .head("Service", |row| &row.service)
        .words("Role", 0, |row| &row.role)
        .numbers("Requests", 0, |row| format::count(requests(row)))
        .numbers("Share", 1, |row| format::share(row.load.share))
        .numbers("Failed", 0, |row| {
            let failed = row.load.counts.failed();
            Cell::new(format::count(failed), if failed > 0 { Tone::Bad } else { Tone::Plain })
        })
        .times("p50", 0, |row| percentile(row, &mut marks, 50.0))
        .times("p99", 0, |row| percentile(row, &mut marks, 99.0))
        .numbers("Hits", 1, |row| format::count(row.load.counts.hits))
        .numbers("Misses", 1, |row| format::count(row.load.counts.misses))
        .table();
    let missing = marks.missing().map(|(name, reason)| format!("{name}: {reason}."));
    let other = rows
        .iter()
        .any(|row| row.role == READS[2])
        .then(|| format!("{}: reads that a node redirected, that nodes of both roles served, or no node.", READS[2]));
    let notes: Vec<_> = marks.legend().chain(missing).chain(other).collect();
    table.noted(notes)
}

/// Role before the load, and after it where it changed.
fn role(row: &NodeRow) -> Cell {
    let word = |node: &NodeFacts| match node.role {
        NodeRole::Primary => "primary",
        NodeRole::Replica => "replica",
    };
    match (&row.before, &row.after) {
        (None, _) => NOTHING.into(),
        (Some(before), Some(after)) if before.role != after.role => {
            Cell::new(format!("{}, then {}", word(before), word(after)), Tone::Bad)
        }
        (Some(before), _) => word(before).into(),
    }
}

/// Slots before the load, and after it where their number changed.
fn slots(row: &NodeRow) -> String {
    let count = |node: &NodeFacts| format::count(node.slots.into());
    match (&row.before, &row.after) {
        (Some(before), Some(after)) if before.slots != after.slots => {
            format!("{}, then {}", count(before), count(after))
        }
        (Some(before), _) if before.slots > 0 => count(before),
        _ => NOTHING.to_owned(),
    }
}

/// The busiest hash slots.
fn slots_of(sample: &SlotSample) -> Option<String> {
    let of_all = |commands: u64| format::share(commands as f64 / sample.commands.max(1) as f64);
    let slot = |slot: &SlotShare| {
        let node = slot.node.as_ref().map(|node| format!(" at {node}")).unwrap_or_default();
        format!("{}{node} ({})", slot.slot, of_all(slot.commands))
    };
    let slots = sample.busiest.iter().map(slot).collect::<Vec<_>>().join(", ");
    let counted = format!("counted from a sample of {}", format::counted(sample.commands, "command", "commands"));
    if !slots.is_empty() {
        return Some(format!("Busiest hash slots, with their share of the commands: {slots}; {counted}."));
    }
    // Of few commands, no slot can have enough.
    let is_telling = sample.commands >= 20 * sample.least;
    is_telling.then(|| format!("No hash slot got {} of the commands or more, {counted}.", of_all(sample.least)))
}

/// Redirections that were followed.
fn redirections(run: &Run, scenario: &Scenario) -> Option<String> {
    // Those of fred's connections to a cluster are its own affair; what a replica redirects is followed alike with both clients.
    let by = if scenario.reads_replicas() { "plimsoll" } else { "the wire client" };
    let seconds = || run.recording.services.iter().flat_map(|service| &service.seconds);
    let (moved, asked): (u64, u64) =
        (seconds().map(|second| second.moved).sum(), seconds().map(|second| second.asked).sum());
    (moved + asked > 0).then(|| {
        format!(
            "{} (MOVED) and {} (ASK) were followed by {by}.",
            format::counted(moved, "redirection", "redirections"),
            format::count(asked)
        )
    })
}

/// How the node of a request is known.
fn method(run: &Run, scenario: &Scenario) -> String {
    let is_cluster = run.target.nodes.iter().any(|node| node.slots > 0);
    let fred = is_cluster && scenario.uses(Client::Fred);
    let wire = is_cluster && scenario.uses(Client::Wire);
    let of_fred = "With fred, a request is counted for the node that has the slot of its key, as plimsoll reads it from the \
                   cluster once a second, since fred does not report the node. One task of fred serves all nodes, so a node that does \
                   not answer delays requests to the others, in their rows as well.";
    let of_wire = "With the wire client, a request is counted for the node that answered it.";
    let of_primary = "A request to the primary is counted for the node that was the primary when it was sent, as plimsoll reads it \
                      once a second, and after a failure at once.";
    let of_reads = "A read from a replica is counted for the replica that it was sent to.";
    let moved = if is_cluster { "slot moved" } else { "primary changed" };
    let redirected = format!(
        "The row \"{REDIRECTED}\" has requests that a node redirected, or whose {moved} while they were under way."
    );
    let parts = [
        fred.then_some(of_fred),
        wire.then_some(of_wire),
        (!is_cluster).then_some(of_primary),
        scenario.reads_replicas().then_some(of_reads),
        Some(redirected.as_str()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busiest_slots_have_their_share_and_say_how_they_were_counted() {
        let of = |commands: u64, busiest: &[(u16, u64, Option<&str>)]| {
            let share = |&(slot, commands, node): &(u16, u64, Option<&str>)| SlotShare {
                slot,
                commands,
                node: node.map(str::to_owned),
            };
            let sample = SlotSample { commands, least: 50, busiest: busiest.iter().map(share).collect() };
            slots_of(&sample).map(|sentence| sentence.replace(format::THIN, " "))
        };
        assert_eq!(
            of(20_000, &[(866, 2_000, Some("redis://a:1")), (7, 50, None)]).unwrap(),
            "Busiest hash slots, with their share of the commands: 866 at redis://a:1 (10.0 %), 7 (0.25 %); counted from a sample \
             of 20 000 commands."
        );
        assert_eq!(
            of(20_000, &[]).unwrap(),
            "No hash slot got 0.25 % of the commands or more, counted from a sample of 20 000 commands."
        );
        assert_eq!(of(999, &[]), None);
    }

    #[test]
    fn columns_of_requests_are_left_out_where_requests_are_not_known_by_node() {
        let facts =
            Some(NodeFacts { address: "redis://a:1".to_owned(), role: NodeRole::Replica, slots: 0, primary: None });
        let row = NodeRow {
            name: "redis://a:1".to_owned(),
            before: facts.clone(),
            after: facts,
            load: None,
            server: None,
            levels: None,
            slow: None,
            lag: None,
        };
        let table = format!("{:?}", table(&[row]));
        assert!(table.contains("CPU") && !table.contains("Share") && !table.contains("Slots"), "{table}");
    }
}
