//! Stops the load of a trial as soon as it has more errors than its objective allows.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio_util::sync::CancellationToken;

use crate::{
    analysis::Cut,
    load::{OnSecond, Second},
    measure::SeriesRole,
    scenario::Scenario,
};

/// Failures of a closed loop that are no accident.
const SEVERAL: u64 = 10;

/// Watches the seconds of a trial.
#[derive(Debug, Clone, Default)]
pub(super) struct Brake {
    completed: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    /// The stop of this trial alone.
    stop: CancellationToken,
    tripped: CancellationToken,
}

impl Brake {
    /// A brake that stops a trial by `stop`.
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { stop, ..Self::default() }
    }

    /// For the load engine. An open loop is stopped when it has had as many failures as all its requests may have: it
    /// cannot pass any more. The number of requests of a closed loop is unknown, so the share so far decides.
    pub(super) fn on_second(&self, scenario: &Scenario) -> OnSecond {
        let brake = self.clone();
        let limit = scenario.objective.max_error_rate;
        let is_closed = scenario.services.iter().all(|service| service.offered_rate().is_none());
        let seconds = (scenario.run.warmup + scenario.run.duration).as_secs_f64();
        let planned = scenario.offered_rate().unwrap_or(0.0) * seconds;
        Box::new(move |second| {
            let (completed, failed) = brake.add(second);
            let all = if is_closed { (completed + failed) as f64 } else { planned };
            if failed as f64 > limit * all && (failed >= SEVERAL || !is_closed) {
                brake.tripped.cancel();
                brake.stop.cancel();
            }
        })
    }

    fn add(&self, second: &Second<'_>) -> (u64, u64) {
        let (mut completed, mut failed) = (0, 0);
        for (_, key, series) in &second.series {
            if key.role == SeriesRole::Operation {
                completed += series.counts.completed;
                failed += series.counts.failed();
            }
        }
        let before = |count: &AtomicU64, more| count.fetch_add(more, Ordering::Relaxed) + more;
        (before(&self.completed, completed), before(&self.failed, failed))
    }

    /// Errors at the moment at which the load was stopped; `None` if it was not.
    pub(super) fn cut(&self) -> Option<Cut> {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        self.tripped.is_cancelled().then(|| Cut { completed: count(&self.completed), failed: count(&self.failed) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measure::{ErrorClass, Series, SeriesId, SeriesKey},
        scenario::{Overrides, load},
    };

    fn second(of: &mut OnSecond, completed: u64, failed: u64) {
        let mut series = Series::default();
        series.counts.completed = completed;
        series.counts.errors.insert(ErrorClass::Oom, failed);
        let key = |role| SeriesKey { service: "any".into(), operation: "any".into(), role };
        let (whole, step) = (key(SeriesRole::Operation), key(SeriesRole::Step));
        let series = vec![(SeriesId(0), &whole, &series), (SeriesId(1), &step, &series)];
        of(&Second { second: 0, length: 1_000_000_000, series, services: &[] });
    }

    #[test]
    fn an_open_loop_is_stopped_when_it_cannot_pass_any_more() {
        // 10 000/s for 12 s, of which a thousandth may fail: 120.
        let scenario = load("workflow-engine").unwrap();
        let outer = CancellationToken::new();
        let stop = outer.child_token();
        let brake = Brake::new(stop.clone());
        let mut on_second = brake.on_second(&scenario);
        second(&mut on_second, 9_880, 120);
        assert!(!stop.is_cancelled() && brake.cut().is_none());
        second(&mut on_second, 10_000, 1);
        assert!(stop.is_cancelled() && !outer.is_cancelled(), "this trial and no other");
        assert_eq!(brake.cut(), Some(Cut { completed: 19_880, failed: 121 }));
    }

    #[test]
    fn a_closed_loop_is_held_to_its_share() {
        let set = ["chat", "api", "ml"].map(|name| {
            [("load.model", "closed"), ("load.clients", "1")]
                .map(|(field, value)| (format!("service.{name}.{field}"), value.to_owned()))
        });
        let overrides = Overrides { set: set.concat(), ..Overrides::default() };
        let scenario = overrides.apply(&load("workflow-engine").unwrap().source, "x").unwrap();
        let brake = Brake::new(CancellationToken::new());
        let mut on_second = brake.on_second(&scenario);
        second(&mut on_second, 0, 9);
        assert!(brake.cut().is_none(), "an accident");
        second(&mut on_second, 0, 1);
        assert_eq!(brake.cut(), Some(Cut { completed: 0, failed: 10 }));
    }
}
