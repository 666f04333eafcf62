//! The audit: rules that a server, its users and its machine are compared with. A rule reads what an inspection found
//! and, where there was a run, what was measured; it gives a ruling with its evidence, and never a word of prose.
//!
//! Each file holds the rules of one subject. A new rule is a variant of [`Rule`], a function here, and its words in the
//! report.

mod access;
mod clients;
mod cluster;
mod diagnosis;
mod facts;
mod limit;
mod memory;
mod nodes;
mod persistence;
mod replicas;
mod ruling;
mod sentinels;
mod subject;
mod usage;
mod version;

use strum::VariantArray as _;

pub use limit::AuditOutcome;
pub use ruling::{Evidence, Quantity, Remedy, RemedyName, Rule, Ruling, Scope, Severity};
pub use subject::{Measured, Subject};
pub use version::SECURITY_DATA;

/// Every ruling that applies, in the order of the rules. Of several nodes each is judged by itself, then all together.
pub fn audit(subject: &Subject<'_>) -> Vec<Ruling> {
    let mut rulings = of_server(subject);
    if !subject.inspection.nodes.is_empty() {
        rulings = nodes::of_nodes(subject, rulings, of_server);
        let of_all = [nodes::rulings, replicas::rulings, cluster::rulings, sentinels::rulings];
        rulings.extend(of_all.into_iter().flat_map(|rulings| rulings(subject)));
        add_unknown(&mut rulings, subject);
    }
    rulings.sort_by_key(|ruling| ruling.rule);
    rulings
}

/// Rulings on one server.
fn of_server(subject: &Subject<'_>) -> Vec<Ruling> {
    let mut rulings: Vec<_> = [
        access::rulings,
        memory::rulings,
        clients::rulings,
        persistence::rulings,
        diagnosis::rulings,
        usage::rulings,
        version::rulings,
    ]
    .into_iter()
    .flat_map(|rulings| rulings(subject))
    .collect();
    add_unknown(&mut rulings, subject);
    rulings
}

/// Adds that a rule could not be checked; silence would look like a good answer.
fn add_unknown(rulings: &mut Vec<Ruling>, subject: &Subject<'_>) {
    for &rule in Rule::VARIANTS {
        if concerns(rule, subject) && !rulings.iter().any(|ruling| ruling.rule == rule) {
            rulings.push(Ruling::new(rule, Severity::Unknown));
        }
    }
}

/// Whether a rule has anything to say of what is audited.
fn concerns(rule: Rule, subject: &Subject<'_>) -> bool {
    let persistence = subject.persistence();
    let has_nodes = !subject.inspection.nodes.is_empty();
    match rule {
        Rule::LeastPrivilege | Rule::DangerousCommands | Rule::SharedDatabase => subject.scenario.is_some(),
        Rule::ExpensiveCommands => subject.measured.is_some_and(|measured| measured.side.totals.is_some()),
        Rule::PasswordStrength => subject.inspection.logins.iter().any(|login| login.password.is_some()),
        Rule::Dependencies => !subject.dependencies.is_empty(),
        Rule::HugePages | Rule::Overcommit => subject.inspection.machine.is_some(),
        Rule::Persistence => !subject.target.private,
        Rule::Replication => has_nodes || !subject.target.private,
        Rule::RdbCompression | Rule::RdbChecksum => persistence.is_none_or(|(snapshots, _)| snapshots),
        Rule::AofPolicy => persistence.is_none_or(|(_, log)| log),
        Rule::LastSave => persistence.is_none_or(|(snapshots, log)| snapshots || log),
        Rule::NodesAnswer | Rule::ReplicaHost | Rule::ReplicaLink | Rule::MinReplicas => has_nodes,
        Rule::SlotCoverage | Rule::SlotBalance | Rule::FullCoverage => has_nodes && subject.is_cluster(),
        Rule::SentinelCount | Rule::SentinelQuorum | Rule::SentinelAgreement | Rule::SentinelDownAfter => {
            !subject.inspection.sentinels.is_empty()
        }
        // Without a limit there is none to be too high.
        Rule::MemoryHeadroom | Rule::MemoryOversized => subject.max_memory() != Some(0),
        // Nothing may have been looked up.
        Rule::HitRate => false,
        _ => true,
    }
}

#[cfg(test)]
mod nodes_tests;
#[cfg(test)]
mod tests;
