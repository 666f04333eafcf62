//! Subject of the audit.

use crate::{
    analysis::{Row, ServerSide},
    measure::Recording,
    results::{DependencyRecord, Inspection, NodeRecord, ServerRecord, TargetFacts},
    scenario::Scenario,
};

/// Subject of the audit.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The server.
    pub target: &'a TargetFacts,
    /// Result of an inspection.
    pub inspection: &'a Inspection,
    /// Dependencies of the services.
    pub dependencies: &'a [DependencyRecord],
    /// Users of the database, where known.
    pub scenario: Option<&'a Scenario>,
    /// Measurements, where there was a run.
    pub measured: Option<Measured<'a>>,
}

/// Evidence from a run.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// The server's side as it was recorded.
    pub record: &'a ServerRecord,
    /// The side of each node; none where the server stands alone.
    pub nodes: &'a [NodeRecord],
    /// Verdict.
    pub side: &'a ServerSide,
    /// Recording of the clients.
    pub recording: &'a Recording,
    /// Verdict.
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
