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
    pub(super) turns: Turns,
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

/// What the names of services in the second half end with while parts of a recording are added up, which goes by their names.
const SECOND: &str = " (second half)";

/// Gives the services of the second half of a recording names of their own.
pub(super) fn mark(recording: &mut Recording) {
    let half = recording.services.len() / 2;
    let operations = recording.series.len() / 2;
    recording.services[half..].iter_mut().for_each(|service| service.name.push_str(SECOND));
    recording.series[operations..].iter_mut().for_each(|series| series.key.service.push_str(SECOND));
}

/// Gives them the names back that they have in the scenario.
pub(super) fn unmark(recording: &mut Recording) {
    let services = recording.services.iter_mut().map(|service| &mut service.name);
    for name in services.chain(recording.series.iter_mut().map(|series| &mut series.key.service)) {
        if let Some(length) = name.strip_suffix(SECOND).map(str::len) {
            name.truncate(length);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    #[test]
    fn halves_that_are_called_alike_are_added_up_apart() {
        let run = sample::run();
        let mut whole = run.recording.clone();
        whole.series.extend(run.recording.series.clone());
        whole.services.extend(run.recording.services.clone());
        let expected = whole.clone();
        mark(&mut whole);
        let mut sum = Recording::sum(vec![whole.clone(), whole]);
        unmark(&mut sum);
        let names = |recording: &Recording| -> Vec<_> {
            recording.services.iter().map(|service| (service.name.clone(), 2 * service.scheduled)).collect()
        };
        let sums: Vec<_> = sum.services.iter().map(|service| (service.name.clone(), service.scheduled)).collect();
        assert_eq!(sums, names(&expected));
        assert!(sum.series.iter().zip(&expected.series).all(|(own, other)| own.key == other.key));
        assert_eq!(sum.series.len(), expected.series.len());
    }
}
