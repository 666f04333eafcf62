//! Rows over time.

use super::{row::Scope, tally::Tick};
use crate::measure::{Nanos, Recording, ServiceRecord};

/// One row over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timeline {
    /// Seconds from the start of the measured period, without gaps.
    pub seconds: Vec<Moment>,
}

/// One second of a timeline.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moment {
    /// Seconds since the start of the measured period.
    pub second: u32,
    /// Requests that completed in it.
    pub completed: u64,
    /// The same with those that the warm-up left over.
    pub answered: u64,
    /// Requests that failed in it.
    pub failed: u64,
    /// Of those the ones that the server refused with an error reply.
    pub refused: u64,
    /// Requests that completed in it, but later than the objective allows.
    pub late: u64,
    /// Response time at p50, p99 and the maximum, in nanoseconds; `None` where nothing completed.
    pub response: Option<(Nanos, Nanos, Nanos)>,
    /// Mean number in the system; only for services and the whole.
    pub in_system: Option<f64>,
    /// Requests waiting for a connection at its end; only for services and the whole.
    pub backlog: Option<u64>,
}

impl Timeline {
    /// The course of one row.
    pub(super) fn new(recording: &Recording, scope: &Scope, ticks: &[Tick]) -> Self {
        let services: Vec<&ServiceRecord> = match (&scope.service, &scope.operation) {
            (_, Some(_)) => Vec::new(),
            (Some(name), None) => recording.services.iter().filter(|service| service.name == *name).collect(),
            (None, None) => recording.services.iter().collect(),
        };
        let mut seconds: Vec<Moment> = ticks
            .iter()
            .zip(0..)
            .map(|(tick, second)| Moment {
                second,
                completed: tick.completed,
                answered: tick.answered,
                failed: tick.failed,
                refused: tick.refused,
                late: tick.late,
                response: tick.response,
                in_system: (!services.is_empty()).then_some(0.0),
                backlog: (!services.is_empty()).then_some(0),
            })
            .collect();
        for second in services.iter().flat_map(|service| &service.seconds) {
            let moment = &mut seconds[second.second as usize];
            moment.in_system = moment.in_system.map(|sum| sum + second.in_system);
            moment.backlog = moment.backlog.map(|sum| sum + second.backlog);
        }
        Self { seconds }
    }

    /// A second of the row, found by its place; `None` after the last.
    pub fn at(&self, second: u32) -> Option<&Moment> {
        let moment = self.seconds.get(second as usize)?;
        debug_assert_eq!(moment.second, second, "a timeline has no gaps");
        Some(moment)
    }
}

#[cfg(test)]
mod tests {
    use crate::{analysis::analyse, results::sample};

    #[test]
    fn is_without_gaps_and_as_long_as_the_run() {
        let analysis = analyse(&sample::run(), &sample::scenario());
        for timeline in &analysis.timelines {
            assert!(timeline.seconds.iter().zip(0..).all(|(moment, second)| moment.second == second));
            assert_eq!(timeline.seconds.len(), 13, "twelve seconds and the drain");
        }
    }

    #[test]
    fn counts_add_up_to_the_row() {
        let analysis = analyse(&sample::run(), &sample::scenario());
        for (row, timeline) in analysis.rows.iter().zip(&analysis.timelines) {
            assert_eq!(timeline.seconds.iter().map(|moment| moment.completed).sum::<u64>(), row.counts.completed);
            assert_eq!(timeline.seconds.iter().map(|moment| moment.failed).sum::<u64>(), row.counts.failed());
            let biggest = timeline.seconds.iter().filter_map(|moment| moment.response).map(|(.., max)| max).max();
            assert_eq!(biggest, Some(row.response.histogram.max()));
        }
    }

    #[test]
    fn only_sums_know_levels() {
        let analysis = analyse(&sample::run(), &sample::scenario());
        for (row, timeline) in analysis.rows.iter().zip(&analysis.timelines) {
            let sum = row.scope.operation.is_none();
            assert!(timeline.seconds.iter().all(|moment| moment.in_system.is_some() == sum));
        }
        let levels = |index: usize| analysis.timelines[index].seconds[3].in_system.unwrap();
        let whole = analysis.rows.len() - 1;
        assert!((levels(whole) - (levels(whole - 3) + levels(whole - 2) + levels(whole - 1))).abs() < 1e-12);
    }
}
