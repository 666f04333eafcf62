//! What the server is and how it is set: process, connections, memory, persistence, pools.

use super::blocks::{facts as known, plain_table};
use crate::{
    report::{
        format,
        subject::RunReport,
        view::{Block, Column, Section},
    },
    scenario::Checkout,
};

pub(super) fn section(facts: &RunReport) -> Section {
    let blocks = vec![
        Block::Heading("Server configuration".to_owned()),
        server(facts),
        Block::Heading("Performance configuration".to_owned()),
        memory(facts),
        pools(facts),
    ];
    Section::new("architecture", "Architecture analysis", blocks)
}

fn seconds(setting: Option<&str>, off: &str) -> Option<String> {
    Some(match setting? {
        "0" => off.to_owned(),
        seconds => format!("{seconds} s"),
    })
}

fn server(facts: &RunReport) -> Block {
    let target = &facts.run.target;
    let uptime = facts.bytes("uptime_in_seconds").map(format::age);
    let save = facts.setting("save").map(|save| if save.trim().is_empty() { "no snapshots" } else { "snapshots" });
    let log =
        facts.setting("appendonly").map(|on| if on == "yes" { "append-only file on" } else { "append-only file off" });
    let persistence = save.zip(log).map(|(save, log)| format!("{save}, {log}"));
    let role = facts.info("role").map(|role| {
        let replicas = facts.bytes("connected_slaves").unwrap_or(0);
        format!("{role}, {}", format::counted(replicas, "replica", "replicas"))
    });
    known(vec![
        ("Server", Some(format!("{} {}, {}", target.product, target.version, target.mode))),
        (
            "Address",
            Some(format!(
                "{}{}",
                target.address,
                if target.same_machine { ", on the machine of the harness" } else { "" }
            )),
        ),
        ("Status", uptime.map(|uptime| format!("up for {uptime}"))),
        ("Role", role),
        ("Operating system", facts.info("os").map(str::to_owned)),
        (
            "Maximum clients",
            facts.setting("maxclients").map(|limit| match limit.parse() {
                Ok(limit) => format::counted(limit, "connection", "connections"),
                Err(_) => limit.to_owned(),
            }),
        ),
        ("Idle timeout", seconds(facts.setting("timeout"), "off: idle connections stay")),
        ("TCP keep-alive", seconds(facts.setting("tcp-keepalive"), "off")),
        ("TCP backlog", facts.setting("tcp-backlog").map(str::to_owned)),
        ("Threads for input and output", facts.setting("io-threads").map(str::to_owned)),
        ("Persistence", persistence),
        (
            "Slow log",
            facts.setting("slowlog-log-slower-than").map(|micros| {
                let length = facts.setting("slowlog-max-len").unwrap_or("?");
                match micros.parse::<i64>() {
                    Ok(..0) => "off".to_owned(),
                    Ok(micros) => format!("from {} on, {length} entries", format::duration(micros as f64 * 1e3)),
                    Err(_) => micros.to_owned(),
                }
            }),
        ),
    ])
}

fn memory(facts: &RunReport) -> Block {
    let on = |name| facts.setting(name).map(|on| if on == "yes" { "enabled" } else { "disabled" }.to_owned());
    known(vec![
        (
            "Maximum memory",
            facts.setting("maxmemory").map(|_| facts.max_memory().map_or_else(|| "no limit".to_owned(), format::bytes)),
        ),
        ("Eviction policy", facts.setting("maxmemory-policy").map(str::to_owned)),
        ("Compression of snapshots", on("rdbcompression")),
        ("Checksum of snapshots", on("rdbchecksum")),
        ("Fragmentation", facts.info("mem_fragmentation_ratio").map(|ratio| format!("{ratio} (RSS over used memory)"))),
    ])
}

fn pools(facts: &RunReport) -> Block {
    let columns = vec![
        Column::head("Service"),
        Column::numbers("Pool size", None, 0),
        Column::numbers("Instances", None, 2),
        Column::words("Checkout", 2),
        Column::words("Checkout timeout", 3),
        Column::words("Command timeout", 3),
        Column::words("Health check", 0),
    ];
    let rows = facts.scenario.services.iter().map(|service| {
        let pool = &service.pool;
        vec![
            service.name.as_str().into(),
            format::count(u64::from(pool.size)).into(),
            format::count(u64::from(service.instances)).into(),
            match pool.checkout {
                Checkout::Exclusive => "exclusive".to_owned(),
                Checkout::Shared { in_flight } => format!("shared, {in_flight} in flight"),
            }
            .into(),
            format::setting(pool.checkout_timeout).into(),
            format::setting(pool.command_timeout).into(),
            if pool.health_check.is_zero() {
                "never".to_owned()
            } else {
                format!("every {}", format::setting(pool.health_check))
            }
            .into(),
        ]
    });
    plain_table("pooling", "Connection pooling", columns, rows.collect())
}
