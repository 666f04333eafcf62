//! Memory limit, eviction policy, and the use of memory.

use super::{Quantity, Remedy, Rule, Ruling, Severity, Subject, facts::mebibytes};
use crate::{
    operation::{Access, DataType},
    scenario::{Operation, Scenario},
};

/// A server that holds less than this says little by its fragmentation: what it is made of is mostly fixed costs.
const TELLING_SIZE: u64 = 64 << 20;

/// Fragmentation from which on it pays to do something, and below which memory was swapped out. Redis' own memory
/// doctor (`MEMORY DOCTOR`) speaks up at 1.4.
const FRAGMENTED: f64 = 1.4;
const SWAPPED: f64 = 0.95;

/// Share of the machine's memory that a server that forks can use: the copy of what is written meanwhile needs the rest.
const WITH_FORKS: f64 = 0.75;

/// A limit this many times the peak can be lowered with room to spare.
const FAR_ABOVE: u64 = 8;

/// What the lowered limit leaves: four times the peak.
const ROOM: u64 = 4;

/// Never propose less than this.
const LEAST_LIMIT: u64 = 64 << 20;

/// Keys above these sizes block the server for noticeable times when they are read whole, expire or are deleted.
const BIG: u64 = 1 << 20;
const HUGE: u64 = 16 << 20;

/// Counter of uses from which on a key is hot: with `lfu-log-factor` 10, about 100 000 hits.
const HOT: u8 = 140;

pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    let mut rulings = Vec::new();
    if let Some(limit) = subject.max_memory() {
        rulings.push(limited(subject, limit));
        rulings.extend(full(subject, limit));
        rulings.extend(headroom(subject, limit));
        rulings.extend(oversized(subject, limit));
    } else {
        rulings.push(Ruling::new(Rule::MemoryLimit, Severity::Unknown));
    }
    rulings.extend(policy(subject));
    rulings.extend(fragmentation(subject));
    rulings.extend(evictions(subject));
    rulings.extend(big_keys(subject));
    rulings.extend(hot_keys(subject));
    rulings
}

/// Highest use of memory that is known.
fn peak(subject: &Subject<'_>) -> Option<u64> {
    subject.count("used_memory_peak").max(subject.count("used_memory"))
}

/// A limit that leaves room above the peak, the next power of two above four times of it, and leaves the machine room to
/// fork; `None` where there is no such limit: the machine is too small for its data.
fn proposed(subject: &Subject<'_>) -> Option<u64> {
    let peak = peak(subject)?;
    let safe = safe(subject).unwrap_or(u64::MAX);
    (safe > peak).then(|| peak.saturating_mul(ROOM).next_power_of_two().max(LEAST_LIMIT).min(safe))
}

/// Kernel settings for a server that forks.
fn safe(subject: &Subject<'_>) -> Option<u64> {
    let system = subject.count("total_system_memory").filter(|system| *system > 0)?;
    Some((system as f64 * WITH_FORKS) as u64)
}

/// The same with a limit that would do, or with where to look for what else takes the memory.
fn with_limit(ruling: Ruling, limit: Option<u64>) -> Ruling {
    match limit {
        Some(limit) => ruling.setting("maxmemory", mebibytes(limit)),
        None => ruling.remedy(Remedy::Shell("ps -eo rss,comm --sort=-rss | head".to_owned())),
    }
}

fn limit_words(limit: u64) -> Quantity {
    if limit == 0 { Quantity::Text("0 (no limit)".to_owned()) } else { Quantity::Bytes(limit) }
}

fn with_memory(ruling: Ruling, subject: &Subject<'_>, limit: u64) -> Ruling {
    let bytes = |name| subject.count(name).map(Quantity::Bytes);
    ruling
        .with("maxmemory", limit_words(limit))
        .with_known("peak since start", bytes("used_memory_peak"))
        .with_known("up for", subject.count("uptime_in_seconds").map(Quantity::Age))
        .with_known("system memory", bytes("total_system_memory"))
}

fn limited(subject: &Subject<'_>, limit: u64) -> Ruling {
    let severity = if limit == 0 { Severity::Warning } else { Severity::Passed };
    with_limit(with_memory(Ruling::new(Rule::MemoryLimit, severity), subject, limit), proposed(subject))
}

/// Share of the limit from which on little is left.
const NEARLY: f64 = 0.9;

fn full(subject: &Subject<'_>, limit: u64) -> Option<Ruling> {
    let used = subject.count("used_memory").filter(|_| limit > 0)?;
    let share = used as f64 / limit as f64;
    let refuses = subject.policy()? == "noeviction";
    let severity = match (share, refuses) {
        (share, true) if share >= 1.0 => Severity::Critical,
        (share, true) if share >= NEARLY => Severity::Warning,
        // A server that evicts is full most of the time.
        _ => Severity::Passed,
    };
    let ruling = Ruling::new(Rule::MemoryFull, severity)
        .with("used_memory", Quantity::Bytes(used))
        .with("maxmemory", Quantity::Bytes(limit))
        .with("share", Quantity::Share(share))
        .with_known("maxmemory-policy", subject.policy());
    let more = limit.saturating_mul(2).min(safe(subject).unwrap_or(u64::MAX));
    Some(with_limit(ruling, Some(more).filter(|more| *more > limit)))
}

fn headroom(subject: &Subject<'_>, limit: u64) -> Option<Ruling> {
    let system = subject.count("total_system_memory").filter(|system| *system > 0)?;
    if limit == 0 {
        return None;
    }
    let forks = subject.persistence().is_none_or(|(snapshots, log)| snapshots || log);
    let share = limit as f64 / system as f64;
    let severity = match share {
        share if share > 1.0 => Severity::Critical,
        share if share > WITH_FORKS && forks => Severity::Warning,
        _ => Severity::Passed,
    };
    let ruling = with_memory(Ruling::new(Rule::MemoryHeadroom, severity), subject, limit)
        .with("share", Quantity::Share(share))
        .with("forks for persistence", subject.forks());
    Some(with_limit(ruling, proposed(subject)))
}

fn oversized(subject: &Subject<'_>, limit: u64) -> Option<Ruling> {
    let peak = peak(subject).filter(|peak| *peak > 0)?;
    if limit == 0 {
        return None;
    }
    let better = proposed(subject).filter(|better| limit > peak.saturating_mul(FAR_ABOVE) && *better <= limit / 2);
    let severity = if better.is_some() { Severity::Note } else { Severity::Passed };
    let ruling = with_memory(Ruling::new(Rule::MemoryOversized, severity), subject, limit)
        .with("highest use", Quantity::Share(peak as f64 / limit as f64));
    Some(with_limit(ruling, better))
}

/// Use of a server by a scenario, judged by its commands.
struct Purpose {
    /// Values are written to expire: what is lost can be made again.
    cache: bool,
    /// So is everything that is written.
    cache_only: bool,
    /// Elements are handed on: what is lost is lost.
    queue: bool,
}

fn purpose(scenario: &Scenario) -> Purpose {
    let commands = || scenario.services.iter().flat_map(|service| &service.operations).flat_map(Operation::commands);
    let hands_on = |data: DataType| matches!(data, DataType::List | DataType::Stream);
    let pops = commands().any(|command| matches!(command.kind.spec().name, "LPOP" | "RPOP"));
    let writes =
        commands().any(|command| hands_on(command.kind.spec().data) && command.kind.spec().access == Access::Write);
    let written = |command: &&crate::scenario::Command| command.kind.spec().access == Access::Write;
    let expires = |command: &crate::scenario::Command| command.parameters.expire.is_some();
    Purpose {
        cache: commands().any(expires),
        cache_only: commands().filter(written).all(expires),
        queue: pops && writes,
    }
}

fn policy(subject: &Subject<'_>) -> Option<Ruling> {
    let policy = subject.policy()?;
    let limit = subject.max_memory().unwrap_or(0);
    let purpose = subject.scenario.map(purpose);
    let uses = purpose.as_ref().map(|purpose| match (purpose.cache, purpose.queue) {
        (true, true) => "keys that expire, and a queue",
        (true, false) if purpose.cache_only => "keys that expire only",
        (true, false) => "keys that expire beside others",
        (false, true) => "a queue",
        (false, false) => "keys that do not expire",
    });
    // Only what expires may go where anything else is kept beside it.
    let for_cache = |purpose: &Purpose| if purpose.cache_only { "allkeys-lru" } else { "volatile-lru" };
    let better = match (policy, &purpose) {
        ("noeviction", Some(purpose)) if purpose.cache => Some(for_cache(purpose)),
        (all, Some(Purpose { queue: true, cache, .. })) if all.starts_with("allkeys") => {
            Some(if *cache { "volatile-lru" } else { "noeviction" })
        }
        _ => None,
    };
    let severity = match better {
        None => Severity::Passed,
        // It will matter once there is a limit.
        Some(_) if limit == 0 => Severity::Note,
        Some(_) => Severity::Warning,
    };
    let ruling = Ruling::new(Rule::EvictionPolicy, severity)
        .with("maxmemory-policy", policy)
        .with_known("the scenario writes", uses)
        .with("limit of memory", if limit == 0 { "none, so nothing is evicted" } else { "set" });
    Some(match better {
        Some(better) => ruling.setting("maxmemory-policy", better),
        None => ruling,
    })
}

fn fragmentation(subject: &Subject<'_>) -> Option<Ruling> {
    let ratio: f64 = subject.info("mem_fragmentation_ratio")?.parse().ok()?;
    let used = subject.count("used_memory")?;
    let severity = match ratio {
        _ if used < TELLING_SIZE => Severity::Passed,
        ratio if ratio < SWAPPED => Severity::Warning,
        ratio if ratio > FRAGMENTED => Severity::Warning,
        _ => Severity::Passed,
    };
    let ruling = Ruling::new(Rule::Fragmentation, severity)
        .with("mem_fragmentation_ratio", Quantity::Ratio(ratio))
        .with("used_memory", Quantity::Bytes(used))
        .with_known("used_memory_rss", subject.count("used_memory_rss").map(Quantity::Bytes))
        .with_known("activedefrag", subject.setting("activedefrag"))
        .with_known("smallest used_memory to judge", (used < TELLING_SIZE).then_some(Quantity::Bytes(TELLING_SIZE)));
    // Only the allocator that comes with the server can move what it has given out.
    let can_move = subject.info("mem_allocator").is_some_and(|allocator| allocator.starts_with("jemalloc"));
    Some(match (ratio < SWAPPED, can_move) {
        (true, _) => ruling.remedy(Remedy::Shell("grep VmSwap /proc/$(pidof redis-server)/status".to_owned())),
        (false, true) => ruling.setting("activedefrag", "yes"),
        (false, false) => ruling.remedy(Remedy::Command("MEMORY DOCTOR".to_owned())),
    })
}

fn evictions(subject: &Subject<'_>) -> Option<Ruling> {
    let measured = subject.measured.and_then(|measured| measured.side.totals.as_ref()?.counts.evicted);
    let ever = subject.count("evicted_keys");
    let worst = measured.or(ever)?;
    // A cache that may evict anything does its work; a user who meant to keep keys loses them.
    let is_cache = subject.policy().is_some_and(|policy| policy.starts_with("allkeys"));
    let severity = match worst {
        0 => Severity::Passed,
        _ if is_cache => Severity::Note,
        _ => Severity::Warning,
    };
    let ruling = Ruling::new(Rule::Evictions, severity)
        .with_known("evicted during the measurement", measured.map(Quantity::Count))
        .with_known("evicted since start", ever.map(Quantity::Count))
        .with_known("maxmemory", subject.max_memory().map(limit_words))
        .with_known("maxmemory-policy", subject.policy());
    // What fits is above the limit, by how much nobody knows before trying.
    let limit = subject.max_memory().filter(|limit| *limit > 0);
    let more = limit.map(|limit| limit.saturating_mul(2).min(safe(subject).unwrap_or(u64::MAX)));
    Some(with_limit(ruling, more.filter(|more| Some(*more) > limit)))
}

fn big_keys(subject: &Subject<'_>) -> Option<Ruling> {
    let sample = subject.inspection.keyspace.as_ref()?;
    let largest =
        sample.databases.iter().flat_map(|database| database.largest.iter().map(move |key| (database.database, key)));
    let (database, key) = largest.max_by_key(|(_, key)| key.bytes)?;
    let sampled = sample.databases.iter().map(|database| database.sampled).sum();
    let severity = match key.bytes {
        HUGE.. => Severity::Critical,
        BIG.. => Severity::Warning,
        _ => Severity::Passed,
    };
    Some(
        Ruling::new(Rule::BigKeys, severity)
            .with("largest key", format!("{} (db{database}, {})", key.key, key.data_type))
            .with("its memory", Quantity::Bytes(key.bytes))
            .with("keys sampled", Quantity::Count(sampled))
            .remedy(Remedy::Shell("redis-cli --bigkeys".to_owned())),
    )
}

fn hot_keys(subject: &Subject<'_>) -> Option<Ruling> {
    let sample = subject.inspection.keyspace.as_ref()?;
    let hottest = sample.databases.iter().flat_map(|database| &database.hottest).max_by_key(|key| key.frequency);
    let Some(key) = hottest else {
        let policy = subject.policy()?;
        // Not a fault: the server does not count uses under this policy.
        return (!policy.ends_with("lfu"))
            .then(|| Ruling::new(Rule::HotKeys, Severity::Unknown).with("maxmemory-policy", policy));
    };
    let severity = if key.frequency >= HOT { Severity::Note } else { Severity::Passed };
    Some(
        Ruling::new(Rule::HotKeys, severity)
            .with("most used key of the sample", key.key.as_str())
            .with("counter of uses", Quantity::Count(u64::from(key.frequency)))
            .remedy(Remedy::Shell("redis-cli --hotkeys".to_owned())),
    )
}
