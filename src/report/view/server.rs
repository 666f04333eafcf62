//! The server's side: what it used, where each command's time went, and which commands were slow.

use super::{Block, Brief, Cell, Column, RowKind, Section, Table, TableRow, Tone, keyspace};
use crate::{
    analysis::{Analysis, CommandTime, ServerSide, Slow, Totals},
    report::format::{self, NOTHING},
    results::{Levels, Persistence, Run, ServerRecord},
};

/// Name of the table of slow commands.
const SLOW: &str = "slow";

/// Slow commands that are listed; of more the slowest.
const LISTED: usize = 10;

/// Shares of the client's time above and below which one side clearly has most of it.
const MOSTLY: f64 = 0.6;

/// What the section tells; empty where the server told nothing.
pub(super) fn section(run: &Run, analysis: &Analysis) -> Section {
    let (record, side) = (&run.server, &analysis.server);
    let mut blocks = Vec::new();
    if let Some(totals) = &side.totals {
        blocks.extend(where_time_goes(&side.commands).map(Block::Paragraph));
        blocks.push(Block::Facts(resources(record, side, totals)));
    }
    if !side.commands.is_empty() {
        blocks.push(Block::Table(commands(&side.commands)));
    }
    if !side.slow.is_empty() {
        blocks.push(Block::Table(slow(record, &side.slow)));
    }
    if !record.withheld.is_empty() {
        let said = |withheld: &crate::results::Withheld| format!("{} ({})", withheld.what, withheld.reason);
        let refused: Vec<_> = record.withheld.iter().map(said).collect();
        blocks
            .push(Block::Paragraph(format!("Not learned, for want of a right or of support: {}.", refused.join("; "))));
    }
    blocks.extend(keyspace::blocks(run, analysis));
    Section::new("server", "The server's side", blocks).brief(Brief::ParagraphsAnd(SLOW))
}

/// Where the time goes, in one sentence: of the command that took most of the clients' time.
pub(super) fn where_time_goes(commands: &[CommandTime]) -> Option<String> {
    let weight = |command: &&CommandTime| command.client.unwrap_or_default() * command.calls as f64;
    let most = commands.iter().max_by(|a, b| weight(a).total_cmp(&weight(b)))?;
    let (client, rest) = (most.client.filter(|client| *client > 0.0)?, most.rest()?);
    let own = most.server / client;
    let judgement = if own > MOSTLY {
        "so the command itself is what takes time"
    } else if own < 1.0 - MOSTLY {
        "so the way there and back takes the time, not the command"
    } else {
        "so command and way share the time"
    };
    Some(format!(
        "Where the time goes: {} takes clients {} on average once it is sent; the server spends {} of it ({}) in the \
         command, and {} are network, kernel, the server's event loop and the client library, {judgement}.",
        most.name,
        format::duration(client),
        format::duration(most.server),
        format::share(own.min(1.0)),
        format::duration(rest),
    ))
}

fn resources(record: &ServerRecord, side: &ServerSide, totals: &Totals) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: Option<String>| facts.extend(value.map(|value| (name.to_owned(), value)));
    if let (Some(before), Some(after)) = (&record.before, &side.after) {
        add("Memory", memory(before, after));
        add(
            "Fragmentation",
            after.fragmentation.map(|ratio| format!("{} (RSS over used)", format::significant(ratio))),
        );
        add("Clients", clients(after, totals));
        add("Keys", keys(record, after));
        let lag = after.replica_lag;
        add("Replication", lag.map(|lag| format!("the replica furthest behind lacks {}", format::bytes(lag))));
    }
    let per_second = |count: Option<u64>| count.map(|count| format::rate(count as f64 / totals.seconds.max(1e-9)));
    add("Commands", per_second(totals.commands).map(|rate| format!("{rate}, the observer's own included")));
    add("CPU", cpu(totals));
    if let (Some(received), Some(sent)) = (totals.received, totals.sent) {
        let rate = |bytes: u64| format::bytes((bytes as f64 / totals.seconds.max(1e-9)) as u64);
        add("Network", Some(format!("{}/s received, {}/s sent", rate(received), rate(sent))));
    }
    if let (Some(hits), Some(misses)) = (totals.hits, totals.misses) {
        let ratio = totals.hit_ratio().map(|ratio| format!(" ({} hits)", format::share(ratio))).unwrap_or_default();
        add("Lookups", Some(format!("{} hits, {} misses{ratio}", format::count(hits), format::count(misses))));
    }
    if let (Some(evicted), Some(expired)) = (totals.evicted, totals.expired) {
        add("Removed", Some(format!("{} evicted, {} expired", format::count(evicted), format::count(expired))));
    }
    add("Error replies", totals.error_replies.map(|total| errors(record, total)));
    add("Event loop", event_loop(record));
    add("Persistence", Some(persistence(totals)));
    add("Slow log", slowlog(record));
    let events = record.events.iter().map(|event| {
        format!("{} of {}{}ms in second {}", event.kind, format::count(event.latest_ms), format::THIN, event.second)
    });
    let events: Vec<_> = events.collect();
    add("Latency events", (!events.is_empty()).then(|| events.join(", ")));
    facts
}

fn memory(before: &Levels, after: &Levels) -> Option<String> {
    let (first, used) = (before.used_memory?, after.used_memory?);
    let mut parts = vec![if first.abs_diff(used) > first / 20 {
        format!("{} before, {} after", format::bytes(first), format::bytes(used))
    } else {
        format!("{} used", format::bytes(used))
    }];
    let portion = |of: Option<u64>, name: &str| {
        let of = of.filter(|of| *of > 0)?;
        Some(format!("{} of {name} ({})", format::share(used as f64 / of as f64), format::bytes(of)))
    };
    parts.push(portion(after.max_memory, "maxmemory").unwrap_or_else(|| "no maxmemory".to_owned()));
    parts.extend(portion(after.system_memory, "system memory"));
    parts.extend(after.rss.map(|rss| format!("RSS {}", format::bytes(rss))));
    parts.extend(after.peak_memory.map(|peak| format!("peak {}", format::bytes(peak))));
    Some(parts.join(", "))
}

fn clients(after: &Levels, totals: &Totals) -> Option<String> {
    let mut parts = vec![format!("{} connected", format::count(after.clients?))];
    parts.extend(after.blocked.map(|blocked| format!("{} blocked", format::count(blocked))));
    parts.extend(totals.rejected.map(|rejected| format!("{} rejected", format::count(rejected))));
    Some(parts.join(", "))
}

fn keys(record: &ServerRecord, after: &Levels) -> Option<String> {
    let total = format::count(after.keys?);
    let each: Vec<_> =
        record.databases.iter().map(|known| format!("db{} {}", known.database, format::count(known.keys))).collect();
    Some(if each.is_empty() { total } else { format!("{total}: {}", each.join(", ")) })
}

fn cpu(totals: &Totals) -> Option<String> {
    let (user, system) = (totals.cpu_user?, totals.cpu_system?);
    let cores = totals.cores()?;
    let per_command =
        totals.cpu_per_command().map(|nanos| format!(", {} per command", format::duration(nanos))).unwrap_or_default();
    let busiest =
        totals.busiest.map(|busiest| format!(", {} in the busiest second", format::share(busiest))).unwrap_or_default();
    Some(format!(
        "{} of one core ({} user, {} system){busiest}{per_command}",
        format::share(cores),
        format::share(user / totals.seconds.max(1e-9)),
        format::share(system / totals.seconds.max(1e-9)),
    ))
}

fn errors(record: &ServerRecord, total: u64) -> String {
    let kinds: Vec<_> =
        record.errors.iter().map(|error| format!("{} {}", format::count(error.count), error.word)).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) };
    format!("{}{kinds}", format::count(total))
}

fn event_loop(record: &ServerRecord) -> Option<String> {
    let sum = |of: fn(&crate::results::ServerSecond) -> Option<u64>| {
        record.seconds.iter().filter_map(of).reduce(|a, b| a + b)
    };
    let turns = sum(|second| second.event_loops).filter(|turns| *turns > 0)?;
    let micros = sum(|second| second.event_loop_us)?;
    Some(format!("{} turns, {} each", format::count(turns), format::duration(micros as f64 * 1e3 / turns as f64)))
}

fn persistence(totals: &Totals) -> String {
    let said = |(work, when): &(Persistence, Vec<u32>)| {
        let when: Vec<_> = when.iter().map(u32::to_string).collect();
        format!("{} in second {}", persistence_words(*work), when.join(", "))
    };
    match totals.persistence.as_slice() {
        [] => match totals.forks {
            Some(forks) if forks > 0 => format!("{}, none seen under way", format::counted(forks, "fork", "forks")),
            _ => "nothing under way".to_owned(),
        },
        works => works.iter().map(said).collect::<Vec<_>>().join("; "),
    }
}

/// What kind of work on persistence it is.
pub(super) fn persistence_words(work: Persistence) -> &'static str {
    match work {
        Persistence::RdbSave => "RDB save",
        Persistence::AofRewrite => "AOF rewrite",
        Persistence::ModuleFork => "fork of a module",
        Persistence::Loading => "loading",
    }
}

/// The word for a kind of work on persistence in machine-readable outputs, as in the saved run.
pub(in crate::report) fn persistence_slug(work: Persistence) -> &'static str {
    match work {
        Persistence::RdbSave => "rdb-save",
        Persistence::AofRewrite => "aof-rewrite",
        Persistence::ModuleFork => "module-fork",
        Persistence::Loading => "loading",
    }
}

fn slowlog(record: &ServerRecord) -> Option<String> {
    let log = record.slowlog.as_ref()?;
    let threshold = match log.threshold_us {
        None => "threshold unknown".to_owned(),
        Some(off) if off < 0 => return Some("off (slowlog-log-slower-than is negative)".to_owned()),
        Some(micros) => format!("from {} on", format::duration(micros as f64 * 1e3)),
    };
    let lost = match log.lost {
        0 => String::new(),
        lost => format!(", {} of them pushed out before they could be read", format::count(lost)),
    };
    Some(format!("{} ({threshold}){lost}", format::counted(log.count, "entry", "entries")))
}

fn commands(commands: &[CommandTime]) -> Table {
    let ms = Some("ms");
    let columns = vec![
        Column::head("Command"),
        Column::numbers("Calls", None, 2),
        Column::numbers("Server mean", ms, 0),
        Column::numbers("Server p99 below", ms, 3),
        Column::numbers("Client mean", ms, 0),
        Column::numbers("Difference", ms, 1),
        Column::numbers("Server's share", None, 1),
        Column::numbers("Of the server's time", None, 2),
    ];
    let time = |nanos: Option<f64>| nanos.map_or_else(|| NOTHING.to_owned(), format::milliseconds);
    let rows = commands.iter().map(|command| TableRow {
        kind: RowKind::Entry,
        cells: vec![
            command.name.as_str().into(),
            format::count(command.calls).into(),
            time(Some(command.server)).into(),
            time(command.server_p99).into(),
            time(command.client).into(),
            time(command.rest()).into(),
            command
                .client
                .map_or_else(|| NOTHING.to_owned(), |client| format::share((command.server / client).min(1.0)))
                .into(),
            Cell::new(format::share(command.busy), if command.busy > MOSTLY { Tone::Fair } else { Tone::Plain }),
        ],
    });
    Table {
        id: "commands",
        caption: "Time in the server against time as the clients see it".to_owned(),
        rows: rows.collect(),
        columns,
        legend: vec![
            "Server: time in the command itself, as INFO commandstats counts it over the measured period. Client: service \
             time, from sending to the reply. The difference is network, kernel, waiting in the server's event loop and \
             the client library."
                .to_owned(),
        ],
    }
}

fn slow(record: &ServerRecord, slow: &[Slow]) -> Table {
    let columns = vec![
        Column::head("Second"),
        Column::words("Service", 1),
        Column::words("Command", 0),
        Column::numbers("Words", None, 3),
        Column::words("Key", 2),
        Column::numbers("Server", Some("ms"), 0),
        Column::numbers("Slowest response", Some("ms"), 1),
    ];
    let rows = slow.iter().take(LISTED).map(|slow| {
        let stranger = if slow.entry.client.is_empty() { NOTHING } else { slow.entry.client.as_str() };
        TableRow {
            kind: RowKind::Entry,
            cells: vec![
                slow.entry.second.to_string().into(),
                slow.service.as_deref().unwrap_or(stranger).into(),
                slow.entry.command.as_str().into(),
                format::count(slow.entry.words).into(),
                format::plain(&slow.entry.key).into(),
                format::milliseconds(slow.entry.micros as f64 * 1e3).into(),
                slow.response_max.map_or_else(|| NOTHING.to_owned(), |max| format::milliseconds(max as f64)).into(),
            ],
        }
    });
    let count = record.slowlog.as_ref().map_or(0, |log| log.count);
    let mut legend = vec![
        "Server: time in the command as the slow log has it. Slowest response: longest response time of the operation that \
         sends it, in that second or next to it, as its clients saw it."
            .to_owned(),
    ];
    if count > slow.len().min(LISTED) as u64 {
        legend.push(format!("The slowest of {} entries; all that were kept lie in run.json.", format::count(count)));
    }
    Table { id: SLOW, caption: "Slow commands".to_owned(), columns, rows: rows.collect(), legend }
}
