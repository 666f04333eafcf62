//! Durability: snapshots, the append-only file, replicas.

use super::{Quantity, Remedy, Rule, Ruling, Severity, Subject};

pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    let mut rulings = Vec::new();
    if let Some((snapshots, log)) = subject.persistence() {
        // A private server lives for one run: nobody would miss it.
        if !subject.target.private {
            rulings.push(persistence(subject, snapshots, log));
        }
        if snapshots || log {
            rulings.extend(last_save(subject));
        }
        if snapshots {
            rulings.extend(yes_or_no(subject, Rule::RdbCompression, "rdbcompression", Severity::Note));
            rulings.extend(yes_or_no(subject, Rule::RdbChecksum, "rdbchecksum", Severity::Warning));
        }
        if log {
            rulings.extend(aof_policy(subject));
        }
    }
    if !subject.target.private {
        rulings.extend(replication(subject));
    }
    rulings
}

fn persistence(subject: &Subject<'_>, snapshots: bool, log: bool) -> Ruling {
    let severity = if snapshots || log { Severity::Passed } else { Severity::Note };
    let save = subject.setting("save").filter(|save| !save.is_empty()).unwrap_or("\"\" (none)");
    Ruling::new(Rule::Persistence, severity)
        .with("save", save)
        .with_known("appendonly", subject.setting("appendonly"))
        .with_known("changes since the last save", subject.count("rdb_changes_since_last_save").map(Quantity::Count))
        .setting("appendonly", "yes")
}

fn yes_or_no(subject: &Subject<'_>, rule: Rule, name: &'static str, severity: Severity) -> Option<Ruling> {
    let severity = if subject.is_on(name)? { Severity::Passed } else { severity };
    let ruling = Ruling::new(rule, severity).with_known(name, subject.setting(name));
    Some(match name {
        // Fixed when the server starts.
        "rdbchecksum" => ruling.remedy(Remedy::Configuration(vec!["rdbchecksum yes".to_owned()])),
        _ => ruling.setting(name, "yes"),
    })
}

fn aof_policy(subject: &Subject<'_>) -> Option<Ruling> {
    let policy = subject.setting("appendfsync")?;
    let severity = match policy {
        "everysec" => Severity::Passed,
        "always" => Severity::Note,
        _ => Severity::Warning,
    };
    Some(Ruling::new(Rule::AofPolicy, severity).with("appendfsync", policy).setting("appendfsync", "everysec"))
}

fn last_save(subject: &Subject<'_>) -> Option<Ruling> {
    let (saved, written) = (subject.info("rdb_last_bgsave_status"), subject.info("aof_last_write_status"));
    if saved.is_none() && written.is_none() {
        return None;
    }
    let rewritten = subject.info("aof_last_bgrewrite_status");
    let failed = [saved, written, rewritten].into_iter().flatten().any(|status| status != "ok");
    let severity = if failed { Severity::Critical } else { Severity::Passed };
    Some(
        Ruling::new(Rule::LastSave, severity)
            .with_known("rdb_last_bgsave_status", saved)
            .with_known("aof_last_write_status", written)
            .with_known("aof_last_bgrewrite_status", rewritten)
            .with_known("stop-writes-on-bgsave-error", subject.setting("stop-writes-on-bgsave-error"))
            .with_known(
                "last fork",
                subject.count("latest_fork_usec").map(|micros| Quantity::Nanos(micros as f64 * 1e3)),
            )
            .remedy(Remedy::Command("BGSAVE".to_owned())),
    )
}

fn replication(subject: &Subject<'_>) -> Option<Ruling> {
    let replicas = subject.count("connected_slaves")?;
    let role = subject.info("role")?;
    let alone = role == "master" && replicas == 0;
    let severity = if alone { Severity::Note } else { Severity::Passed };
    let remedy = if subject.target.mode == "cluster" {
        // A server of a cluster refuses REPLICAOF.
        Remedy::Shell("redis-cli --cluster add-node NEW-HOST:PORT THIS-HOST:THIS-PORT --cluster-slave".to_owned())
    } else {
        // At the new one: typed at this server it would throw its data away.
        Remedy::Elsewhere {
            place: "In the configuration of a new server",
            line: "replicaof THIS-HOST THIS-PORT".to_owned(),
        }
    };
    Some(
        Ruling::new(Rule::Replication, severity)
            .with("role", role)
            .with("replicas", Quantity::Count(replicas))
            .with("mode", subject.target.mode.as_str())
            .remedy(remedy),
    )
}
