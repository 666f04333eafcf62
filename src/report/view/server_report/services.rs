//! Each service on its own: whether it is served as it should be, how it logs in, how it uses the server.

use super::blocks::facts as known;
use crate::{
    analysis::{Distribution, Outcome, PercentileValue, databases},
    report::{
        format::{self, NOTHING},
        subject::RunReport,
        view::{Block, Section, names::known_percentile},
    },
    scenario::{Load, Service},
};

/// Operations of a mix that are named.
const NAMED: usize = 6;

pub(super) fn section(facts: &RunReport) -> Section {
    let blocks = facts
        .scenario
        .services
        .iter()
        .flat_map(|service| [Block::Heading(service.name.clone()), of_service(facts, service)])
        .collect();
    Section::new("services", "Service integration analysis", blocks)
}

fn of_service(facts: &RunReport, service: &Service) -> Block {
    let row = facts.row_of(service);
    let objective = &facts.scenario.objective;
    let login = facts.run.inspection.login_of(&service.name);
    let layout = databases(&facts.scenario, &facts.run.inspection);
    let database =
        layout.iter().find(|known| known.service == service.name).map_or(service.database, |known| known.now);
    let others = layout.iter().filter(|known| known.now == database && known.service != service.name);
    let others: Vec<_> = others.map(|known| known.service).collect();
    let pool = facts.analysis.pools.iter().find(|pool| pool.service == service.name);
    known(vec![
        (
            "Status",
            row.map(|row| {
                let words = match row.outcome {
                    Outcome::Pass => "objective met",
                    Outcome::Fail => "objective missed",
                    Outcome::Inconclusive => "too few requests to tell for this service alone",
                    Outcome::Invalid => "not to be told: the measurement is invalid",
                };
                format!(
                    "{words}: {} of {} within {}",
                    if row.bad.of == 0 { NOTHING.to_owned() } else { format::share(1.0 - row.bad.share) },
                    format::counted(row.bad.of, "request", "requests"),
                    format::setting(objective.latency)
                )
            }),
        ),
        (
            "Database",
            Some(if others.is_empty() {
                format!("{database} (its own)")
            } else {
                format!("{database} (shared with {})", others.join(", "))
            }),
        ),
        (
            "Authentication",
            login.map(|(login, _)| {
                let password = if login.password.is_some() { "by password" } else { "without a password" };
                format!("user {}, {password}", login.user)
            }),
        ),
        (
            "Latency",
            row.map(|row| {
                let mean = row.response.mean.map_or_else(|| NOTHING.to_owned(), format::duration);
                format!(
                    "mean {mean}, p50 {}, p99 {}, max {}",
                    with_unit(&row.response, 50.0),
                    with_unit(&row.response, 99.0),
                    if row.counts.completed > 0 {
                        format::duration(row.response.histogram.max() as f64)
                    } else {
                        NOTHING.to_owned()
                    },
                )
            }),
        ),
        ("Usage pattern", Some(usage(service))),
        (
            "Throughput",
            row.map(|row| {
                format!("{} completed, {} failed", format::rate(row.rate), format::count(row.counts.failed()))
            }),
        ),
        ("Hit rate", row.and_then(|row| row.hit_ratio).map(format::share)),
        (
            "Pool",
            pool.map(|pool| {
                format!(
                    "{} of {} in use on average ({}), {} lost, {} came back",
                    format::significant(pool.in_use),
                    format::counted(pool.places, "place", "places"),
                    format::share(pool.utilisation),
                    format::count(pool.lost),
                    format::count(pool.recovered),
                )
            }),
        ),
    ])
}

fn with_unit(distribution: &Distribution, at: f64) -> String {
    match known_percentile(distribution, at) {
        Some(PercentileValue::Known { nanos, .. }) => format::duration(nanos as f64),
        _ => "not printed (too few samples)".to_owned(),
    }
}

fn usage(service: &Service) -> String {
    let total: f64 = service.operations.iter().map(|operation| operation.weight).sum();
    let mut mix: Vec<_> = service.operations.iter().collect();
    mix.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let named: Vec<_> = mix
        .iter()
        .take(NAMED)
        .map(|operation| {
            format!("{} {}", operation.name, format::share(operation.weight / total.max(f64::MIN_POSITIVE)))
        })
        .collect();
    let rest = mix.len().saturating_sub(NAMED);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let load = match service.load {
        Load::Open { rate, .. } => format!("{} offered", format::rate(rate)),
        Load::Closed { clients, .. } => {
            format!("{} in a closed loop", format::counted(u64::from(clients), "client", "clients"))
        }
    };
    format!("{load}: {}{rest}", named.join(", "))
}
