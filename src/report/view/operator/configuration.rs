//! Settings of the server that decide about its connections, memory, persistence and diagnosis; of several nodes those of the first
//! primary, with the nodes and what differs between them.

use super::super::{Block, Section, audit::inspected};
use crate::report::{format, subject::RunReport};

pub(in super::super) fn section(report: &RunReport) -> Section {
    let set = |name| report.setting(name).map(str::to_owned);
    let enabled = |name| report.setting(name).map(|on| if on == "yes" { "enabled" } else { "disabled" }.to_owned());
    let seconds = |name, off: &str| match report.setting(name)? {
        "0" => Some(off.to_owned()),
        seconds => Some(format!("{seconds} s")),
    };
    let memory =
        report.setting("maxmemory").map(|_| report.max_memory().map_or_else(|| "no limit".to_owned(), format::bytes));
    let role = report.info("role").map(|role| {
        let replicas = report.bytes("connected_slaves").unwrap_or(0);
        format!("{role}, {}", format::counted(replicas, "replica", "replicas"))
    });
    let known = Block::facts([
        ("Status", report.bytes("uptime_in_seconds").map(|seconds| format!("up for {}", format::age(seconds)))),
        ("Role", role),
        ("Operating system", report.info("os").map(str::to_owned)),
        ("Maximum clients", set("maxclients")),
        ("Idle timeout", seconds("timeout", "off: idle connections stay open")),
        ("TCP keep-alive", seconds("tcp-keepalive", "off")),
        ("TCP backlog", set("tcp-backlog")),
        ("I/O threads", set("io-threads")),
        ("Maximum memory", memory),
        ("Eviction policy", set("maxmemory-policy")),
        ("Persistence", persistence(report)),
        ("Compression of snapshots", enabled("rdbcompression")),
        ("Checksum of snapshots", enabled("rdbchecksum")),
        ("Slow log", slow_log(report)),
    ]);
    let blocks = [known].into_iter().chain(inspected(&report.run.inspection));
    Section::new("configuration", "Server configuration", blocks)
}

fn persistence(report: &RunReport) -> Option<String> {
    let snapshots = if report.setting("save")?.trim().is_empty() { "no snapshots" } else { "snapshots" };
    let log = if report.setting("appendonly")? == "yes" { "on" } else { "off" };
    Some(format!("{snapshots}, append-only file {log}"))
}

fn slow_log(report: &RunReport) -> Option<String> {
    let threshold = report.setting("slowlog-log-slower-than")?;
    let length = report.setting("slowlog-max-len").unwrap_or("?");
    Some(match threshold.parse::<i64>() {
        Ok(..0) => "off".to_owned(),
        Ok(micros) => format!("from {} on, {length} entries", format::duration(micros as f64 * 1e3)),
        Err(_) => threshold.to_owned(),
    })
}
