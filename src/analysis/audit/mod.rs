//! The audit: rules that a server, its users and its machine are compared with. A rule reads what an inspection found
//! and, where there was a run, what was measured; it gives a ruling with its evidence, and never a word of prose.
//!
//! Each file holds the rules of one subject. A new rule is a variant of [`Rule`], a function here, and its words in the
//! report.

mod access;
mod clients;
mod diagnosis;
mod facts;
mod limit;
mod memory;
mod persistence;
mod ruling;
mod subject;
mod usage;
mod version;

use strum::VariantArray as _;

pub use limit::AuditOutcome;
pub use ruling::{Evidence, Quantity, Remedy, RemedyName, Rule, Ruling, Severity};
pub use subject::{Measured, Subject};
pub use version::SECURITY_DATA;

/// Every ruling that applies, in the order of the rules.
pub fn audit(subject: &Subject<'_>) -> Vec<Ruling> {
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
    // A rule that could not be asked says so; silence would look like a good answer.
    for &rule in Rule::VARIANTS {
        if concerns(rule, subject) && !rulings.iter().any(|ruling| ruling.rule == rule) {
            rulings.push(Ruling::new(rule, Severity::Unknown));
        }
    }
    rulings.sort_by_key(|ruling| ruling.rule);
    rulings
}

/// Whether a rule has anything to say of what is audited.
fn concerns(rule: Rule, subject: &Subject<'_>) -> bool {
    let persistence = subject.persistence();
    match rule {
        Rule::LeastPrivilege | Rule::DangerousCommands | Rule::SharedDatabase => subject.scenario.is_some(),
        Rule::ExpensiveCommands => subject.measured.is_some_and(|measured| measured.side.totals.is_some()),
        Rule::PasswordStrength => subject.inspection.logins.iter().any(|login| login.password.is_some()),
        Rule::Dependencies => !subject.dependencies.is_empty(),
        Rule::HugePages | Rule::Overcommit => subject.inspection.machine.is_some(),
        Rule::Persistence | Rule::Replication => !subject.target.private,
        Rule::RdbCompression | Rule::RdbChecksum => persistence.is_none_or(|(snapshots, _)| snapshots),
        Rule::AofPolicy => persistence.is_none_or(|(_, log)| log),
        Rule::LastSave => persistence.is_none_or(|(snapshots, log)| snapshots || log),
        // Without a limit there is none to be too high.
        Rule::MemoryHeadroom | Rule::MemoryOversized => subject.max_memory() != Some(0),
        // Nothing may have been looked up.
        Rule::HitRate => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests;
