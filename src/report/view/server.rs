//! The server's side: where each command's time went, and which commands were slow.

use super::{
    Block, Cell, Section, Shown, Table, Tone, checks, client_cost, keyspace,
    names::not_learned,
    server_resources::{forks, resources},
};
use crate::{
    analysis::{Analysis, Check, CheckKind, CommandTime, Level, ServerSide, Slow, Split},
    report::format,
    results::{NodeFacts, NodeRole, Run, ServerRecord},
};

/// Name of the table of slow commands.
const SLOW: &str = "slow";

/// Slow commands that are listed; of more the slowest.
const LISTED: usize = 10;

/// Share of the server's time in commands from which requests wait for its thread.
const SATURATED: f64 = 0.8;

/// Shares of the client's time above and below which one side clearly has most of it.
const MOSTLY: f64 = 0.6;

/// What the section shows; empty where the server reported nothing.
pub(super) fn section(run: &Run, analysis: &Analysis) -> Section {
    let (record, side) = (&run.server, &analysis.server);
    let mut blocks = Vec::new();
    if let Some(totals) = &side.totals {
        blocks.extend(where_time_goes(analysis).map(Block::Paragraph));
        blocks.extend(replaced(analysis).map(Block::Paragraph));
        blocks.push(Block::Facts(resources(record, side, totals)));
    }
    blocks.extend(commands(&side.commands).block());
    blocks.extend(slow(record, &side.slow).block());
    let nodes = of_nodes(analysis);
    let unknown = || not_learned(record.withheld.iter()).map(|refused| format!("Unknown: {refused}."));
    blocks.extend(nodes.clone().or_else(unknown).map(Block::Paragraph));
    blocks.extend(keyspace::blocks(run, analysis));
    Section::new("server", "Server", blocks)
        .detailed(Shown::ParagraphsAnd(SLOW))
        .brief_line("Server", nodes.or_else(|| in_brief(record, side)))
}

/// What all nodes of a cluster did, in one line; nothing where one server has the figures.
fn of_nodes(analysis: &Analysis) -> Option<String> {
    if analysis.server.totals.is_some() {
        return None;
    }
    let known = || analysis.nodes.iter().filter_map(|row| Some((row, row.server.as_ref()?)));
    let commands: f64 =
        known().filter_map(|(_, totals)| Some(totals.counts.commands? as f64 / totals.seconds.max(1e-9))).sum();
    let busiest = known().filter_map(|(row, totals)| Some((row, totals.cores()?)));
    let (row, cores) = busiest.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    Some(format!(
        "{} commands/s on {}; the busiest, {}, used {} of one core.",
        format::significant(commands),
        format::counted(known().count() as u64, "node", "nodes"),
        row.name,
        format::share(cores)
    ))
}

/// Whose figures these are where the only primary lost its role during the load.
fn replaced(analysis: &Analysis) -> Option<String> {
    let is = |node: &Option<NodeFacts>, role| node.as_ref().is_some_and(|node| node.role == role);
    let row = analysis.nodes.iter().find(|row| is(&row.before, NodeRole::Primary))?;
    is(&row.after, NodeRole::Replica).then(|| {
        format!(
            "The figures are those of {}, the primary when the load began; another node took over during the load.",
            row.name
        )
    })
}

/// What the server did, in one line.
fn in_brief(record: &ServerRecord, side: &ServerSide) -> Option<String> {
    let Some(totals) = &side.totals else {
        return not_learned(record.withheld.iter()).map(|refused| format!("unknown: {refused}."));
    };
    let commands = totals.counts.commands.map(|commands| commands as f64 / totals.seconds.max(1e-9));
    let memory = side.after.as_ref().and_then(|after| after.used_memory);
    let some = |count: Option<u64>, one: &str, many: &str| {
        count.filter(|count| *count > 0).map(|count| format::counted(count, one, many))
    };
    let known = [
        commands.map(|commands| format!("{} commands/s", format::significant(commands))),
        totals.cores().map(|cores| format!("{} of one core", format::share(cores))),
        memory.map(|memory| format!("{} in memory", format::bytes(memory))),
        some(totals.counts.evicted, "key evicted", "keys evicted"),
        some(totals.counts.error_replies, "error reply", "error replies"),
        some(record.slowlog.as_ref().map(|log| log.count), "slow command", "slow commands"),
        (!totals.persistence.is_empty()).then(|| forks(totals)),
    ];
    let known: Vec<_> = known.into_iter().flatten().collect();
    (!known.is_empty()).then(|| format!("{}.", known.join(", ")))
}

/// Where the time goes, in one sentence: of the command that took most of the clients' time.
///
/// The median of the service time decides, so that a stall is not taken for the round trip. Where the harness was short of
/// time, its share is unknown, and the sentence names the harness.
pub(super) fn where_time_goes(analysis: &Analysis) -> Option<String> {
    let side = &analysis.server;
    let commands = &side.commands;
    let weight = |command: &&CommandTime| command.usual().unwrap_or_default() * command.calls as f64;
    let most = commands.iter().max_by(|a, b| weight(a).total_cmp(&weight(b)))?;
    // Where both clients were measured, their turns have all parts.
    let split = analysis.client.iter().flat_map(|side| &side.commands).find(|(name, _)| *name == most.name);
    let split = split.map(|(_, split)| split).filter(|split| split.server.is_some());
    let client = split.map(|split| split.fred).or_else(|| most.usual()).filter(|client| *client > 0.0)?;
    let rest = split.and_then(Split::network).unwrap_or(client - most.server).max(0.0);
    let own = most.server / client;
    let library = split.map_or(0.0, |split| split.library_share().point);
    let behind = side.queue.as_ref().filter(|queue| ((1.0 - MOSTLY) * rest..=rest).contains(&queue.wait));
    let waiting = behind.map_or_else(String::new, |queue| {
        format!(
            "; of that, about {} is the wait behind other commands, mostly {}",
            format::duration(queue.wait),
            queue.command
        )
    });
    let used: f64 = commands.iter().map(|command| command.busy).sum();
    let short_of_time = short_of_time(analysis).map(|check| {
        let (subject, quantity) = (checks::subject(check), checks::quantity(check));
        format!("but the harness was late ({subject}: {quantity}), so a part may be its own")
    });
    let judgement = short_of_time.unwrap_or_else(|| match behind {
        None if own < MOSTLY && used > SATURATED => format!(
            "but commands used {} of the server's thread, so most of that is the wait for the server",
            format::share(used.min(1.0))
        ),
        Some(queue) => format!("so the other commands wait for {}", queue.command),
        None if own > MOSTLY => "so the command takes most of the time".to_owned(),
        None if library > MOSTLY => "so the client library takes most of the time".to_owned(),
        None if split.is_some() && rest / client > MOSTLY => {
            "so network, kernel and event loop take most of the time".to_owned()
        }
        None if split.is_some() => "so the parts share the time".to_owned(),
        None if own < 1.0 - MOSTLY => "so the round trip takes most of the time, not the command".to_owned(),
        None => "so command and round trip share the time".to_owned(),
    });
    let others = match split {
        Some(split) => format!(
            "{} ({}) are network, kernel and the server's event loop{waiting}, and {}",
            format::duration(rest),
            format::portion(rest / client),
            client_cost::clause(split),
        ),
        None => format!(
            "and {} are network, kernel, the server's event loop and the client library{waiting}",
            format::duration(rest)
        ),
    };
    Some(format!(
        "Where the time goes: {} has a median service time of {}{}; the server spends {} ({}) in the command, {others}, \
         {judgement}.",
        most.name,
        format::duration(client),
        if split.is_some() { " with fred" } else { "" },
        format::duration(most.server),
        format::share(own.min(1.0)),
    ))
}

/// A check that says that the harness had too little time to see replies at once.
fn short_of_time(analysis: &Analysis) -> Option<&Check> {
    const OF_TIME: [CheckKind; 6] = [
        CheckKind::Throttling,
        CheckKind::Pauses,
        CheckKind::Steal,
        CheckKind::WorkerCpu,
        CheckKind::ScheduleLag,
        CheckKind::GeneratorLag,
    ];
    let refused =
        |kind: &CheckKind| analysis.checks.iter().find(|check| check.kind == *kind && check.level == Level::Refuse);
    OF_TIME.iter().find_map(refused)
}

fn commands(commands: &[CommandTime]) -> Table {
    let share = |command: &CommandTime| command.client.map(|client| format::share((command.server / client).min(1.0)));
    let tone = |command: &CommandTime| if command.busy > MOSTLY { Tone::Fair } else { Tone::Plain };
    Table::of("commands", "Time in the server and at the client", commands)
        .head("Command", |command| &command.name)
        .numbers("Calls", 2, |command| command.calls)
        .times("Server mean", 0, |command| Cell::time(command.server))
        .times("Server p99 below", 3, |command| Cell::time(command.server_p99))
        .times("Client mean", 0, |command| Cell::time(command.client))
        .times("Difference", 1, |command| Cell::time(command.rest()))
        .numbers("Server's share", 1, |command| share(command))
        .numbers("Of the server's time", 2, |command| Cell::new(format::share(command.busy), tone(command)))
        .table()
        .explained([
            ("Server mean", "time in the command by INFO commandstats, over the measured period"),
            ("Client mean", "service time, from sending to the reply"),
            ("Difference", "network, kernel, waiting in the server's event loop and the client library"),
        ])
}

fn slow(record: &ServerRecord, slow: &[Slow]) -> Table {
    let stranger = |slow: &Slow| Some(slow.entry.client.clone()).filter(|client| !client.is_empty());
    let count = record.slowlog.as_ref().map_or(0, |log| log.count);
    let more = (count > slow.len().min(LISTED) as u64)
        .then(|| format!("The slowest of {} entries; run.json has all of them.", format::count(count)));
    Table::of(SLOW, "Slow commands", slow.iter().take(LISTED))
        .head("Second", |slow| slow.entry.second.to_string())
        .words("Service", 1, |slow| slow.service.clone().or_else(|| stranger(slow)))
        .words("Command", 0, |slow| &slow.entry.command)
        .numbers("Words", 3, |slow| slow.entry.words)
        .words("Key", 2, |slow| format::plain(&slow.entry.key))
        .times("Server", 0, |slow| Cell::time(slow.entry.micros as f64 * 1e3))
        .times("Slowest response", 1, |slow| Cell::time(slow.response_max.map(|max| max as f64)))
        .table()
        .explained([
            ("Server", "time in the command by the slow log"),
            (
                "Slowest response",
                "longest response time of the operation that sends the command, in that second or an adjacent one",
            ),
        ])
        .noted(more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::{NodeRow, analyse},
        measure::Latencies,
        results::sample,
    };

    #[test]
    fn a_late_generator_had_too_little_time_and_one_that_began_late_had_enough() {
        let mut run = sample::scaled(2, |_| 1_000_000);
        let found = |run: &Run| short_of_time(&analyse(run, &sample::scenario())).map(|check| check.kind);
        run.generators[0].shard.late_ns = 300_000_000;
        assert_eq!(found(&run), None);
        let mut late = Latencies::default();
        (0..1_000).for_each(|_| late.record(40_000_000));
        run.generators[1].lag = late.pack();
        assert_eq!(found(&run), Some(CheckKind::GeneratorLag));
    }

    #[test]
    fn figures_of_a_primary_that_was_replaced_are_named_as_such() {
        let mut analysis = analyse(&sample::run(), &sample::scenario());
        let facts = |role| Some(NodeFacts { address: "redis://a:1".to_owned(), role, slots: 0, primary: None });
        let row = |after| NodeRow {
            name: "redis://a:1".to_owned(),
            before: facts(NodeRole::Primary),
            after: facts(after),
            load: None,
            server: None,
            levels: None,
            slow: None,
            lag: None,
        };
        analysis.nodes = vec![row(NodeRole::Primary)];
        assert_eq!(replaced(&analysis), None);
        analysis.nodes = vec![row(NodeRole::Replica)];
        assert!(
            replaced(&analysis).is_some_and(|words| words.contains("redis://a:1, the primary when the load began"))
        );
    }
}
