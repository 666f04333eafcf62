//! What the server used and did over the measured period, fact by fact.

use crate::{
    analysis::{ServerSide, Totals},
    report::format,
    results::{LatencyEvent, Levels, Persistence, ServerRecord},
};

/// Entries of a list within a fact; of more their number is reported.
const LISTED: usize = 10;

/// What the server used and did, name and value.
pub(super) fn resources(record: &ServerRecord, side: &ServerSide, totals: &Totals) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: Option<String>| facts.extend(value.map(|value| (name.to_owned(), value)));
    if let (Some(before), Some(after)) = (&record.before, &side.after) {
        add("Memory", memory(before, after));
        add(
            "Fragmentation",
            after.fragmentation.map(|ratio| format!("{} (RSS over used)", format::significant(ratio))),
        );
        add("Clients", clients(after, totals));
        add("Connections", connections(record));
        add("Keys", keys(record, after));
        add("Replication", replication(after));
    }
    let per_second = |count: Option<u64>| count.map(|count| format::rate(count as f64 / totals.seconds.max(1e-9)));
    add("Commands", per_second(totals.counts.commands).map(|rate| format!("{rate}, including the observer")));
    add("CPU", cpu(totals));
    if let (Some(received), Some(sent)) = (totals.counts.received, totals.counts.sent) {
        let rate = |bytes: u64| format::bytes((bytes as f64 / totals.seconds.max(1e-9)) as u64);
        add("Network", Some(format!("{}/s received, {}/s sent", rate(received), rate(sent))));
    }
    if let (Some(hits), Some(misses)) = (totals.counts.hits, totals.counts.misses) {
        let ratio = totals.hit_ratio().map(|ratio| format!(" ({} hits)", format::share(ratio))).unwrap_or_default();
        add("Lookups", Some(format!("{} hits, {} misses{ratio}", format::count(hits), format::count(misses))));
    }
    if let (Some(evicted), Some(expired)) = (totals.counts.evicted, totals.counts.expired) {
        add("Removed", Some(format!("{} evicted, {} expired", format::count(evicted), format::count(expired))));
    }
    add("Error replies", totals.counts.error_replies.map(|total| errors(record, total)));
    add("Refused and failed calls", refused(record));
    add("Event loop", event_loop(totals));
    add("IO threads", io_threads(side, totals));
    add("Persistence", Some(persistence(totals)));
    add("Slow log", slowlog(record));
    add("Latency monitor", monitor(record));
    add("Statistics", resets(record));
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
    parts.extend(totals.counts.rejected.map(|rejected| format!("{} rejected", format::count(rejected))));
    Some(parts.join(", "))
}

fn keys(record: &ServerRecord, after: &Levels) -> Option<String> {
    let total = format::count(after.keys?);
    let expires = |keys: u64| match keys {
        0 => String::new(),
        keys => format!(" ({} with a time to live)", format::count(keys)),
    };
    let each: Vec<_> = record
        .databases
        .iter()
        .map(|known| format!("db{} {}{}", known.database, format::count(known.keys), expires(known.expires)))
        .collect();
    Some(if each.is_empty() { total } else { format!("{total}: {}", each.join(", ")) })
}

fn cpu(totals: &Totals) -> Option<String> {
    let seconds = totals.seconds.max(1e-9);
    let further = [
        totals.busiest.map(|busiest| format!(", {} in the busiest second", format::share(busiest))),
        totals.main_thread.map(|busy| format!(", main thread busy for at most {} of a second", format::share(busy))),
        totals.cpu_per_command().map(|nanos| format!(", {} per command", format::duration(nanos))),
    ];
    Some(format!(
        "{} of one core ({} user, {} system){}",
        format::share(totals.cores()?),
        format::share(totals.counts.cpu_user? / seconds),
        format::share(totals.counts.cpu_system? / seconds),
        further.into_iter().flatten().collect::<String>(),
    ))
}

fn errors(record: &ServerRecord, total: u64) -> String {
    let kinds: Vec<_> =
        record.errors.iter().map(|error| format!("{} {}", format::count(error.count), error.word)).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) };
    // What a user without rights was refused are questions of the observer for the most part.
    let own = record.withheld.iter().any(|withheld| withheld.reason.starts_with("needs +"));
    let own = if own && total > 0 { ", including refused commands of the observer" } else { "" };
    format!("{}{kinds}{own}", format::count(total))
}

/// Commands that were refused before they began or failed, those of the observer included.
fn refused(record: &ServerRecord) -> Option<String> {
    let known = record.commands.iter().any(|command| command.failed.is_some());
    let some = |count: Option<u64>, word: &str| {
        count.filter(|count| *count > 0).map(|count| format!("{} {word}", format::count(count)))
    };
    let said = record.commands.iter().filter_map(|command| {
        let counts = [some(command.rejected, "refused"), some(command.failed, "failed")];
        let counts: Vec<_> = counts.into_iter().flatten().collect();
        (!counts.is_empty()).then(|| format!("{} {}", command.name, counts.join(" and ")))
    });
    let said: Vec<_> = said.collect();
    known.then(|| if said.is_empty() { "none".to_owned() } else { listed(&said) })
}

/// As many as can be read, and how many more there are.
fn listed(said: &[String]) -> String {
    let shown = said[..said.len().min(LISTED)].join(", ");
    match said.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown}, and {} more in run.json", format::count(more as u64)),
    }
}

/// Connections of each name, with user and database, when the measured period began.
fn connections(record: &ServerRecord) -> Option<String> {
    let said: Vec<_> = record
        .clients
        .iter()
        .map(|clients| {
            let name = if clients.name.is_empty() { "without a name".to_owned() } else { format::plain(&clients.name) };
            let user =
                if clients.user.is_empty() { String::new() } else { format!(" as {}", format::plain(&clients.user)) };
            format!("{} {name}{user} in db{}", format::count(clients.count), clients.database)
        })
        .collect();
    (!said.is_empty()).then(|| listed(&said))
}

fn replication(after: &Levels) -> Option<String> {
    let replicas = after.replicas?;
    let lag = after.replica_lag.map(|lag| format!(", the slowest {} behind", format::bytes(lag)));
    match replicas {
        0 => Some("no replicas".to_owned()),
        count => Some(format!("{}{}", format::counted(count, "replica", "replicas"), lag.unwrap_or_default())),
    }
}

fn event_loop(totals: &Totals) -> Option<String> {
    let turns = totals.counts.event_loops.filter(|turns| *turns > 0)?;
    let micros = totals.counts.event_loop_us?;
    let share = |micros: u64, of: f64| format::share((micros as f64 / of.max(1e-9)).min(1.0));
    let commands = totals
        .counts
        .event_loop_command_us
        .filter(|_| micros > 0)
        .map(|commands| format!(", {} of that in commands", share(commands, micros as f64)));
    Some(format!(
        "{} turns of {} each; busy for {} of the time{}",
        format::count(turns),
        format::duration(micros as f64 * 1e3 / turns as f64),
        share(micros, totals.seconds * 1e6),
        commands.unwrap_or_default(),
    ))
}

fn io_threads(side: &ServerSide, totals: &Totals) -> Option<String> {
    let operations = totals.counts.io_thread_operations?;
    let active = side.after.as_ref().and_then(|after| after.io_threads_active);
    Some(match (operations, active) {
        (0, Some(true)) => "active, but idle".to_owned(),
        (0, _) => "none active".to_owned(),
        (operations, _) => format!("{} reads and writes", format::count(operations)),
    })
}

/// What the latency monitor noted: of each kind how often, and its longest with the second.
fn monitor(record: &ServerRecord) -> Option<String> {
    let from = match record.latency_threshold_ms {
        Some(0) if record.events.is_empty() => return Some("off (latency-monitor-threshold is 0)".to_owned()),
        Some(threshold) if threshold > 0 => format!(" (from {}{}ms on)", format::count(threshold), format::THIN),
        None if record.events.is_empty() => return None,
        _ => String::new(),
    };
    let mut kinds: Vec<(&str, Vec<&LatencyEvent>)> = Vec::new();
    for event in &record.events {
        match kinds.iter_mut().find(|(kind, _)| *kind == event.kind) {
            Some((_, events)) => events.push(event),
            None => kinds.push((&event.kind, vec![event])),
        }
    }
    let said = kinds.iter().filter_map(|(kind, events)| {
        let longest = events.iter().max_by_key(|event| (event.ms, std::cmp::Reverse(event.second)))?;
        let length = format!("{}{}ms in second {}", format::count(longest.ms), format::THIN, longest.second);
        Some(match events.len() {
            1 => format!("{kind} of {length}"),
            count => format!("{kind} in {} seconds, the longest of {length}", format::count(count as u64)),
        })
    });
    let said: Vec<_> = said.collect();
    let events = if said.is_empty() { "no event".to_owned() } else { said.join(", ") };
    Some(format!("{events}{from}"))
}

fn resets(record: &ServerRecord) -> Option<String> {
    let times = format::counted(record.resets.into(), "time", "times");
    (record.resets > 0).then(|| format!("reset {times}; statistics of commands count from the last reset"))
}

fn persistence(totals: &Totals) -> String {
    let waited = totals.counts.delayed_fsyncs.filter(|waited| *waited > 0).map(|waited| {
        format!("; {} for the append-only file", format::counted(waited, "write waited", "writes waited"))
    });
    format!("{}{}", forks(totals), waited.unwrap_or_default())
}

pub(super) fn forks(totals: &Totals) -> String {
    let said = |(work, when): &(Persistence, Vec<u32>)| {
        let when: Vec<_> = when.iter().map(u32::to_string).collect();
        format!("{} in second {}", persistence_words(*work), when.join(", "))
    };
    match totals.persistence.as_slice() {
        [] => match totals.counts.forks {
            Some(forks) if forks > 0 => format!("{}, none observed under way", format::counted(forks, "fork", "forks")),
            _ => "none under way".to_owned(),
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

fn slowlog(record: &ServerRecord) -> Option<String> {
    let log = record.slowlog.as_ref()?;
    let threshold = match log.threshold_us {
        None => "threshold unknown".to_owned(),
        Some(off) if off < 0 => return Some("off (slowlog-log-slower-than is negative)".to_owned()),
        Some(micros) => format!("from {} on", format::duration(micros as f64 * 1e3)),
    };
    let lost = match log.lost {
        0 => String::new(),
        lost => format!(", {} of them lost before they were read", format::count(lost)),
    };
    Some(format!("{} ({threshold}){lost}", format::counted(log.count, "entry", "entries")))
}
