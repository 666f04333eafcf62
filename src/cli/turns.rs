//! Two arms that take turns within one load.

use std::time::Duration;

use super::exit::Failure;
use crate::{
    load::{LoadError, Settings, Turns},
    measure::Recording,
    scenario::Scenario,
    target::Target,
};

/// Length of a turn, unless the user chooses another.
pub(super) const TURN: Duration = Duration::from_millis(25);

/// The services of one arm and then those of the other, over the connections of both. Only the load engine sees it; it is never
/// saved.
pub(super) struct InTurns {
    pub(super) scenario: Scenario,
    pub(super) target: Target,
    turns: Turns,
}

impl InTurns {
    /// Two arms, each with its target, that take turns of a length; the first one has the first turn.
    pub(super) fn new([(one, at_one), (other, at_other)]: [(&Scenario, &Target); 2], turn: Duration) -> Self {
        let services = one.services.iter().chain(&other.services).cloned().collect();
        Self {
            scenario: Scenario { services, ..one.clone() },
            target: at_one.beside(at_other),
            turns: Turns { window: turn, half: one.services.len() },
        }
    }

    /// The settings of such a load.
    pub(super) fn settings(&self, others: Settings) -> Settings {
        Settings { turns: Some(self.turns), ..others }
    }
}

/// Recording of a load; `None` where the user ended it.
pub(super) fn loaded(made: Result<Recording, LoadError>) -> Result<Option<Recording>, Failure> {
    match made {
        Ok(recording) if recording.period.interrupted => Ok(None),
        Ok(recording) => Ok(Some(recording)),
        Err(LoadError::Interrupted) => Ok(None),
        Err(error) => Err(Failure::unusable(error)),
    }
}
