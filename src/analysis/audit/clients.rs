//! Connections: how many there may be, how long they live, and whether any was turned away.

use std::time::Duration;

use super::{Quantity, Remedy, Rule, Ruling, Severity, Subject, facts::seconds};

/// Share of `maxclients` from which on a deployment that runs twice for a moment (a rolling restart) has no room.
const CROWDED: f64 = 0.5;

/// Redis keeps a number of descriptors for itself (`CONFIG_MIN_RESERVED_FDS`).
const RESERVED: u64 = 32;

/// Seconds between signs of life after which a dead peer stays unnoticed for long; 300 is the server's default.
const SLOW_KEEPALIVE: i64 = 300;

pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    [max_clients(subject), idle_timeout(subject), keepalive(subject), backlog(subject), rejected(subject)]
        .into_iter()
        .flatten()
        .collect()
}

fn max_clients(subject: &Subject<'_>) -> Option<Ruling> {
    let limit = subject.number("maxclients").or_else(|| subject.count("maxclients")).filter(|limit| *limit > 0)?;
    let pools = subject.scenario.map(crate::scenario::Scenario::connections);
    let connected = subject.count("connected_clients");
    let need = pools.or(connected)?;
    let share = need as f64 / limit as f64;
    let severity = match share {
        share if share > 1.0 => Severity::Critical,
        share if share > CROWDED => Severity::Warning,
        _ => Severity::Passed,
    };
    let fleet = subject.scenario.map(|scenario| {
        let pool = |service: &crate::scenario::Service| {
            format!("{} {} x {}", service.name, service.instances, service.pool.size)
        };
        scenario.services.iter().map(pool).collect::<Vec<_>>().join(", ")
    });
    let ruling = Ruling::new(Rule::MaxClients, severity)
        .with("maxclients", Quantity::Count(limit))
        .with_known("connections of all pools", pools.map(Quantity::Count))
        .with_known("instances x pool", fleet)
        .with_known("connected", connected.map(Quantity::Count))
        .with("share", Quantity::Share(share));
    Some(with_room(ruling, need, limit))
}

/// With a limit that has room for four times what is needed, and more than there is now.
fn with_room(ruling: Ruling, need: u64, limit: u64) -> Ruling {
    let mut roomy = need.saturating_mul(4).next_power_of_two().max(1024);
    if roomy <= limit {
        roomy = limit.saturating_mul(2);
    }
    ruling.setting("maxclients", roomy.to_string()).remedy(Remedy::Elsewhere {
        place: "In its service unit, then restart",
        line: format!("LimitNOFILE={}", roomy + RESERVED),
    })
}

fn idle_timeout(subject: &Subject<'_>) -> Option<Ruling> {
    let timeout = subject.number("timeout")?;
    let slowest = subject.scenario.and_then(|scenario| {
        let checks = scenario.services.iter().map(|service| (service.pool.health_check, service.name.clone()));
        // Never is longer than any time.
        checks.max_by_key(|(check, _)| if check.is_zero() { Duration::MAX } else { *check })
    });
    let reaps = timeout > 0;
    let too_slow =
        slowest.as_ref().is_some_and(|(check, _)| reaps && (check.is_zero() || check.as_secs_f64() >= timeout as f64));
    let severity = if too_slow { Severity::Warning } else { Severity::Passed };
    let longer = match slowest.as_ref().map(|(check, _)| *check) {
        Some(check) if check.is_zero() => 0,
        check => check.map_or(0, |check| check.as_secs().saturating_mul(2)).max(300),
    };
    let check = slowest.map(|(check, service)| {
        let interval = if check.is_zero() { "never".to_owned() } else { format!("every {} s", check.as_secs_f64()) };
        format!("{interval} ({service})")
    });
    Some(
        Ruling::new(Rule::IdleTimeout, severity)
            .with(
                "timeout",
                if reaps { seconds(timeout) } else { Quantity::Text("0 (idle connections stay)".to_owned()) },
            )
            .with_known("pools check idle connections", check)
            .setting("timeout", longer.to_string())
            .remedy(Remedy::Scenario(format!(
                "pool.health_check = \"{}\"",
                if timeout >= 2 { format!("{}s", timeout / 2) } else { "500ms".to_owned() }
            ))),
    )
}

fn keepalive(subject: &Subject<'_>) -> Option<Ruling> {
    let interval = subject.number("tcp-keepalive")?;
    let severity = match interval {
        0 => Severity::Warning,
        interval if interval > SLOW_KEEPALIVE => Severity::Note,
        _ => Severity::Passed,
    };
    let value = if interval == 0 { Quantity::Text("0 (off)".to_owned()) } else { seconds(interval) };
    Some(Ruling::new(Rule::TcpKeepalive, severity).with("tcp-keepalive", value).setting("tcp-keepalive", "60"))
}

fn backlog(subject: &Subject<'_>) -> Option<Ruling> {
    let backlog = subject.number("tcp-backlog")?;
    let kernel = subject.inspection.machine.as_ref().and_then(|machine| machine.somaxconn);
    // The kernel cuts what the server asks for.
    let effective = kernel.map_or(backlog, |kernel| kernel.min(backlog));
    let burst = subject.scenario.map(crate::scenario::Scenario::connections);
    let severity = match burst {
        Some(burst) if burst > effective => Severity::Warning,
        _ if effective < backlog => Severity::Warning,
        _ => Severity::Passed,
    };
    let wanted = burst.unwrap_or(0).max(backlog).next_power_of_two();
    let ruling = Ruling::new(Rule::TcpBacklog, severity)
        .with("tcp-backlog", Quantity::Count(backlog))
        .with_known("net.core.somaxconn", kernel.map(Quantity::Count))
        .with_known("simultaneous connections", burst.map(Quantity::Count));
    Some(
        ruling
            .remedy(Remedy::Configuration(vec![format!("tcp-backlog {wanted}")]))
            .remedy(Remedy::Shell(format!("sysctl -w net.core.somaxconn={wanted}"))),
    )
}

fn rejected(subject: &Subject<'_>) -> Option<Ruling> {
    let measured = subject.measured.and_then(|measured| measured.side.totals.as_ref()?.counts.rejected);
    let ever = subject.count("rejected_connections");
    let severity = match (measured, ever) {
        (Some(1..), _) => Severity::Critical,
        (_, Some(1..)) => Severity::Warning,
        (None, None) => return None,
        _ => Severity::Passed,
    };
    let limit = subject.number("maxclients");
    let ruling = Ruling::new(Rule::RejectedConnections, severity)
        .with_known("rejected during the measurement", measured.map(Quantity::Count))
        .with_known("rejected since start", ever.map(Quantity::Count))
        .with_known("maxclients", limit.map(Quantity::Count));
    let need = subject.scenario.map_or(0, crate::scenario::Scenario::connections);
    Some(with_room(ruling, need.max(limit.unwrap_or(0) / 4), limit.unwrap_or(0)))
}
