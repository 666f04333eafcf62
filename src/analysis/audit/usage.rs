//! How the server is used: what is found and what is missed, who shares a database, which commands are expensive, whether the
//! machine suits, and whether what the services need besides is there.

use std::collections::BTreeMap;

use super::{Measured, Quantity, Remedy, Rule, Ruling, Severity, Subject};
use crate::{
    analysis::{DependencyOutage, databases::databases, dependencies, server_findings::SATURATED},
    measure::SeriesRole,
    results::DependencyRecord,
    scenario::Scenario,
};

/// A cache that misses more often than this does half its work for nothing.
const GOOD_HITS: f64 = 0.9;
const POOR_HITS: f64 = 0.5;

/// Time in the server, in nanoseconds, from which on one command keeps all users waiting.
const EXPENSIVE: f64 = 1e6;

/// Look-ups from which on their rate says something.
const TELLING: u64 = 100;

/// Commands whose misses a cache would rather not have; those of queues and of questions are no failure.
const CACHE_READS: [&str; 5] = ["GET", "MGET", "HGET", "HMGET", "HGETALL"];

/// Cores below which threads for input and output have none of their own; the server's own advice.
const CORES_FOR_THREADS: u32 = 4;

pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    let mut rulings = Vec::new();
    match subject.measured {
        Some(measured) => rulings.extend(hit_rates(&measured)),
        None => rulings.extend(hit_rate_ever(subject)),
    }
    rulings.extend(subject.scenario.map(|scenario| shared_databases(subject, scenario)));
    rulings.extend(subject.measured.map(|measured| expensive_commands(&measured)).unwrap_or_default());
    rulings.extend(io_threads(subject));
    rulings.extend(huge_pages(subject));
    rulings.extend(overcommit(subject));
    rulings.extend(subject.dependencies.iter().map(dependency));
    rulings
}

fn of_hits(ratio: f64) -> Severity {
    match ratio {
        ratio if ratio < POOR_HITS => Severity::Warning,
        ratio if ratio < GOOD_HITS => Severity::Note,
        _ => Severity::Passed,
    }
}

/// One for each operation that looks something up.
fn hit_rates(measured: &Measured<'_>) -> Vec<Ruling> {
    let operations = measured.rows.iter().filter(|row| row.scope.role == SeriesRole::Operation);
    operations
        .filter_map(|row| {
            let (service, operation) = (row.scope.service.as_ref()?, row.scope.operation.as_ref()?);
            let ratio = row.hit_ratio?;
            let commands = measured.commands_of(row)?;
            let is_read = commands.iter().all(|command| CACHE_READS.contains(&command.as_str()));
            (is_read && row.counts.hits + row.counts.misses >= TELLING).then(|| {
                Ruling::new(Rule::HitRate, of_hits(ratio))
                    .about(format!("{service} {operation}"))
                    .with("hits", Quantity::Count(row.counts.hits))
                    .with("misses", Quantity::Count(row.counts.misses))
                    .with("hit rate", Quantity::Share(ratio))
            })
        })
        .collect()
}

/// Of the server since it started.
fn hit_rate_ever(subject: &Subject<'_>) -> Option<Ruling> {
    let (hits, misses) = (subject.count("keyspace_hits")?, subject.count("keyspace_misses")?);
    if hits + misses < TELLING {
        return None;
    }
    let ratio = hits as f64 / (hits + misses) as f64;
    Some(
        // Unknown who looked for which keys: a warning would be too much.
        Ruling::new(Rule::HitRate, of_hits(ratio).min(Severity::Note))
            .with("hits since start", Quantity::Count(hits))
            .with("misses since start", Quantity::Count(misses))
            .with("hit rate", Quantity::Share(ratio)),
    )
}

fn shared_databases(subject: &Subject<'_>, scenario: &Scenario) -> Ruling {
    let layout = databases(scenario, subject.inspection);
    let mut by_database: BTreeMap<u8, Vec<&str>> = BTreeMap::new();
    for of_service in &layout {
        by_database.entry(of_service.now).or_default().push(of_service.service);
    }
    let shared = by_database.values().any(|services| services.len() > 1);
    // A cluster has but one database; prefixes keep services apart there.
    let severity = if shared && subject.target.mode != "cluster" { Severity::Note } else { Severity::Passed };
    let databases: Vec<_> =
        by_database.iter().map(|(database, services)| format!("db{database}: {}", services.join(", "))).collect();
    let ruling = Ruling::new(Rule::SharedDatabase, severity)
        .with("databases", databases.join("; "))
        .with_known("databases of the server", subject.setting("databases"))
        .with("mode", subject.target.mode.as_str());
    let moves = layout.iter().filter_map(|of_service| {
        let proposed = of_service.proposed.filter(|proposed| *proposed != of_service.now)?;
        Some(Remedy::Scenario(format!("service.{}.database = {proposed}", of_service.service)))
    });
    moves.fold(ruling, Ruling::remedy)
}

/// One for each command that is expensive by its measured time in the server.
fn expensive_commands(measured: &Measured<'_>) -> Vec<Ruling> {
    let (expensive, cheap): (Vec<_>, Vec<_>) =
        measured.side.commands.iter().partition(|command| command.server >= EXPENSIVE);
    let ruling = |command: &crate::analysis::CommandTime, severity| {
        let slowest = measured.side.slow.iter().filter(|slow| slow.entry.command == command.name);
        let slowest = slowest.map(|slow| slow.entry.micros).max();
        Ruling::new(Rule::ExpensiveCommands, severity)
            .about(command.name.clone())
            .with("mean in the server", Quantity::Nanos(command.server))
            .with("calls", Quantity::Count(command.calls))
            .with("of the server's time", Quantity::Share(command.busy))
            .with_known("slowest in the slow log", slowest.map(|micros| Quantity::Nanos(micros as f64 * 1e3)))
    };
    let mut rulings: Vec<_> = expensive
        .into_iter()
        .map(|command| ruling(command, Severity::Warning).remedy(Remedy::Command("SLOWLOG GET 10".to_owned())))
        .collect();
    // Of the others the most expensive stands for all.
    if let Some(most_expensive) = cheap.into_iter().max_by(|a, b| a.server.total_cmp(&b.server))
        && rulings.is_empty()
    {
        rulings.push(ruling(most_expensive, Severity::Passed));
    }
    rulings
}

fn io_threads(subject: &Subject<'_>) -> Option<Ruling> {
    let threads: u32 = subject.number("io-threads")?;
    let cores = subject.inspection.machine.as_ref().and_then(|machine| machine.cores);
    let busiest = subject.measured.and_then(|measured| measured.side.totals.as_ref()?.main_thread);
    let saturated = busiest.is_some_and(|busiest| busiest >= SATURATED);
    let severity = match cores {
        Some(cores) if threads > 1 && threads >= cores => Severity::Warning,
        Some(cores) if threads <= 1 && saturated && cores >= CORES_FOR_THREADS => Severity::Note,
        _ => Severity::Passed,
    };
    let better = match cores {
        Some(cores) if cores >= CORES_FOR_THREADS => (cores / 2).clamp(2, 8),
        _ => 1,
    };
    Some(
        Ruling::new(Rule::IoThreads, severity)
            .with("io-threads", Quantity::Count(u64::from(threads)))
            .with_known("cores", cores.map(|cores| Quantity::Count(u64::from(cores))))
            .with_known("main thread in the busiest second", busiest.map(Quantity::Share))
            .remedy(Remedy::Configuration(vec![format!("io-threads {better}")])),
    )
}

fn huge_pages(subject: &Subject<'_>) -> Option<Ruling> {
    let state = subject.inspection.machine.as_ref()?.huge_pages.as_deref()?;
    // Since version 6.2 the server can turn them off for itself, and does by default.
    let own = subject.is_on("disable-thp");
    let severity = match (state, own) {
        ("always", Some(true)) => Severity::Passed,
        ("always", _) => Severity::Warning,
        _ => Severity::Passed,
    };
    Some(
        Ruling::new(Rule::HugePages, severity)
            .with("transparent_hugepage/enabled", state)
            .with_known("disable-thp", subject.setting("disable-thp"))
            .remedy(Remedy::Shell("echo madvise > /sys/kernel/mm/transparent_hugepage/enabled".to_owned())),
    )
}

fn overcommit(subject: &Subject<'_>) -> Option<Ruling> {
    let mode = subject.inspection.machine.as_ref()?.overcommit?;
    let forks = subject.persistence().is_none_or(|(snapshots, log)| snapshots || log);
    let severity = match mode {
        1 => Severity::Passed,
        _ if forks => Severity::Warning,
        _ => Severity::Passed,
    };
    Some(
        Ruling::new(Rule::Overcommit, severity)
            .with("vm.overcommit_memory", Quantity::Count(u64::from(mode)))
            .with("forks for persistence", subject.forks())
            .remedy(Remedy::Shell("sysctl -w vm.overcommit_memory=1".to_owned())),
    )
}

fn dependency(record: &DependencyRecord) -> Ruling {
    let side = dependencies::side(record);
    let all = side.all();
    let severity = match side.outage {
        _ if all.probes == 0 => Severity::Unknown,
        None => Severity::Passed,
        Some(DependencyOutage::Always) => Severity::Critical,
        Some(DependencyOutage::Within { .. }) => Severity::Warning,
    };
    Ruling::new(Rule::Dependencies, severity)
        .about(record.name.clone())
        .with("address", record.address.as_str())
        .with("probes", Quantity::Count(u64::from(all.probes)))
        .with("failed", Quantity::Count(u64::from(all.failed())))
        .with_known("mean time to answer", side.latency.map(|latency| Quantity::Nanos(latency.mean)))
        .with_known("last failure", side.last_failure)
}
