//! The audit: rules that a server, its users and its machine are held against. A rule reads what an inspection found
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
mod usage;
mod version;

pub use limit::AuditOutcome;
pub use ruling::{Evidence, Quantity, Remedy, Rule, Ruling, Severity};
pub use version::SECURITY_DATA;

use super::{Row, ServerSide};
use crate::{
    measure::Recording,
    results::{DependencyRecord, Inspection, ServerRecord, TargetFacts},
    scenario::Scenario,
};

/// What is audited.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The server.
    pub target: &'a TargetFacts,
    /// What an inspection found.
    pub inspection: &'a Inspection,
    /// What the services depend on besides.
    pub dependencies: &'a [DependencyRecord],
    /// Who uses it and how, where that is known.
    pub scenario: Option<&'a Scenario>,
    /// What was measured, where there was a run.
    pub measured: Option<Measured<'a>>,
}

/// What a run adds to the evidence.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// The server's side as it was recorded.
    pub record: &'a ServerRecord,
    /// What follows from it.
    pub side: &'a ServerSide,
    /// What the clients recorded.
    pub recording: &'a Recording,
    /// What follows from it.
    pub rows: &'a [Row],
}

impl<'a> Measured<'a> {
    /// The commands that an operation's row sends.
    fn commands_of(&self, row: &Row) -> Option<&'a [String]> {
        let mut series = self.recording.series.iter();
        let own = series.find(|series| {
            row.scope.service.as_ref() == Some(&series.key.service)
                && row.scope.operation.as_ref() == Some(&series.key.operation)
        })?;
        Some(&own.commands)
    }
}

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
    for rule in Rule::ALL {
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
