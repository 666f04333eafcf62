//! How the server is used: what is found and what is missed, who shares a database, which commands are dear, whether the
//! machine suits, and whether what the services need besides is there.

use std::collections::BTreeMap;

use super::{Measured, Quantity, Remedy, Rule, Ruling, Severity, Subject};
use crate::{measure::SeriesRole, results::DependencyRecord, scenario::Scenario};

/// A cache that misses more often than this does half its work for nothing.
const GOOD_HITS: f64 = 0.9;
const POOR_HITS: f64 = 0.5;

/// Time in the server, in nanoseconds, from which on one command keeps everybody waiting.
const EXPENSIVE: f64 = 1e6;

/// Share of the server's time from which on it matters that one command takes it.
const DOMINANT: f64 = 0.25;

/// Share of one core from which on a main thread is the limit.
const SATURATED: f64 = 0.95;

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
            Some(
                Ruling::new(Rule::HitRate, of_hits(ratio))
                    .about(format!("{service} {operation}"))
                    .with("hits", Quantity::Count(row.counts.hits))
                    .with("misses", Quantity::Count(row.counts.misses))
                    .with("hit rate", Quantity::Share(ratio)),
            )
        })
        .collect()
}

/// Of the server since it started.
fn hit_rate_ever(subject: &Subject<'_>) -> Option<Ruling> {
    let (hits, misses) = (subject.count("keyspace_hits")?, subject.count("keyspace_misses")?);
    if hits + misses == 0 {
        return None;
    }
    let ratio = hits as f64 / (hits + misses) as f64;
    Some(
        Ruling::new(Rule::HitRate, of_hits(ratio))
            .with("hits since start", Quantity::Count(hits))
            .with("misses since start", Quantity::Count(misses))
            .with("hit rate", Quantity::Share(ratio)),
    )
}

fn shared_databases(subject: &Subject<'_>, scenario: &Scenario) -> Ruling {
    let mut databases: BTreeMap<u8, Vec<&str>> = BTreeMap::new();
    for service in &scenario.services {
        // What was really selected: a target may name a database of its own.
        let logins = subject.inspection.logins.iter().flat_map(|login| &login.services);
        let selected = logins.into_iter().find(|(name, _)| *name == service.name).map(|(_, database)| *database);
        databases.entry(selected.unwrap_or(service.database)).or_default().push(&service.name);
    }
    let shared = databases.values().any(|services| services.len() > 1);
    let cluster = subject.target.mode == "cluster";
    // A cluster has but one database; prefixes keep services apart there.
    let severity = if shared && !cluster { Severity::Note } else { Severity::Passed };
    let layout: Vec<_> =
        databases.iter().map(|(database, services)| format!("db{database}: {}", services.join(", "))).collect();
    let mut ruling = Ruling::new(Rule::SharedDatabase, severity)
        .with("databases", layout.join("; "))
        .with_known("databases of the server", subject.setting("databases"))
        .with("mode", subject.target.mode.as_str());
    if shared {
        for (number, service) in scenario.services.iter().enumerate() {
            ruling = ruling.remedy(Remedy::Scenario(format!("service.{}.database = {number}", service.name)));
        }
    }
    ruling
}

/// One for each command that is dear by its measured time in the server.
fn expensive_commands(measured: &Measured<'_>) -> Vec<Ruling> {
    let (dear, cheap): (Vec<_>, Vec<_>) = measured.side.commands.iter().partition(|command| {
        command.server >= EXPENSIVE || (command.busy >= DOMINANT && measured.side.commands.len() > 1)
    });
    let told = |command: &crate::analysis::CommandTime, severity| {
        let slowest = measured.side.slow.iter().filter(|slow| slow.entry.command == command.name);
        let slowest = slowest.map(|slow| slow.entry.micros).max();
        Ruling::new(Rule::ExpensiveCommands, severity)
            .about(command.name.clone())
            .with("mean in the server", Quantity::Nanos(command.server))
            .with("calls", Quantity::Count(command.calls))
            .with("of the server's time", Quantity::Share(command.busy))
            .with_known("slowest in the slow log", slowest.map(|micros| Quantity::Nanos(micros as f64 * 1e3)))
    };
    let mut rulings: Vec<_> = dear
        .into_iter()
        .map(|command| {
            told(command, if command.server >= EXPENSIVE { Severity::Warning } else { Severity::Note })
                .remedy(Remedy::Command("SLOWLOG GET 10".to_owned()))
        })
        .collect();
    // Of the others the dearest stands for all.
    if let Some(dearest) = cheap.into_iter().max_by(|a, b| a.server.total_cmp(&b.server))
        && rulings.is_empty()
    {
        rulings.push(told(dearest, Severity::Passed));
    }
    rulings
}

fn io_threads(subject: &Subject<'_>) -> Option<Ruling> {
    let threads = subject.number("io-threads").and_then(|threads| u32::try_from(threads).ok())?;
    let cores = subject.inspection.machine.as_ref().and_then(|machine| machine.cores);
    let busiest = subject.measured.and_then(|measured| measured.side.totals.as_ref()?.busiest);
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
            .with_known("busiest second, of one core", busiest.map(Quantity::Share))
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
            .with("forks for persistence", if forks { "yes" } else { "no" })
            .remedy(Remedy::Shell("sysctl -w vm.overcommit_memory=1".to_owned())),
    )
}

fn dependency(record: &DependencyRecord) -> Ruling {
    let failed: Vec<_> = record.probes.iter().filter(|probe| probe.failure.is_some()).collect();
    let severity = match failed.len() {
        0 if record.probes.is_empty() => Severity::Unknown,
        0 => Severity::Passed,
        all if all == record.probes.len() => Severity::Critical,
        _ => Severity::Warning,
    };
    let answered: Vec<_> = record.probes.iter().filter(|probe| probe.failure.is_none()).collect();
    let mean = (!answered.is_empty())
        .then(|| answered.iter().map(|probe| probe.elapsed_ns as f64).sum::<f64>() / answered.len() as f64);
    Ruling::new(Rule::Dependencies, severity)
        .about(record.name.clone())
        .with("address", record.address.as_str())
        .with("probes", Quantity::Count(record.probes.len() as u64))
        .with("failed", Quantity::Count(failed.len() as u64))
        .with_known("mean time to answer", mean.map(Quantity::Nanos))
        .with_known("last failure", failed.last().and_then(|probe| probe.failure.clone()))
}
