//! What is audited.

use crate::{
    analysis::{Row, ServerSide},
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
    pub(super) fn commands_of(&self, row: &Row) -> Option<&'a [String]> {
        let mut series = self.recording.series.iter();
        let own = series.find(|series| {
            row.scope.service.as_ref() == Some(&series.key.service)
                && row.scope.operation.as_ref() == Some(&series.key.operation)
        })?;
        Some(&own.commands)
    }
}
