//! The audit: rules that a server, its users and its machine are held against. A rule reads what an inspection found
//! and, where there was a run, what was measured; it gives a ruling with its evidence, and never a word of prose.
//!
//! Each file holds the rules of one subject. A new rule is a variant of [`Rule`], a function here, and its words in the
//! report.

mod access;
mod clients;
mod diagnosis;
mod facts;
mod memory;
mod persistence;
mod ruling;
mod usage;
mod version;

pub use ruling::{Evidence, Quantity, Remedy, Rule, Ruling, Severity};
pub use version::SECURITY_DATA;

use super::{Row, ServerSide};
use crate::{
    results::{DependencyRecord, Environment, Inspection, ServerRecord, TargetFacts},
    scenario::Scenario,
};

/// What is audited.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The server.
    pub target: &'a TargetFacts,
    /// The machine of the harness.
    pub environment: &'a Environment,
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
    /// The clients' side.
    pub rows: &'a [Row],
}

/// Every ruling that applies, in the order of the rules.
pub fn audit(subject: &Subject<'_>) -> Vec<Ruling> {
    [
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
    .collect()
}

#[cfg(test)]
mod tests;
