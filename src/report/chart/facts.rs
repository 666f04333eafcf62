//! What the charts take from an analysis: which rows, under which names, and how far their percentiles can be trusted.

use crate::{
    analysis::{Analysis, Distribution, PERCENTILES, PercentileValue, Row, Timeline},
    measure::SeriesRole,
    results::Run,
    scenario::{Scenario, Service},
};

use super::{
    scale::Tail,
    units::{duration, percentile},
};

/// Samples that must lie beyond a percentile before it is shown.
const SAMPLES_BEYOND: f64 = 10.0;

/// One run with everything that is known of it.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) run: &'a Run,
    pub(super) scenario: &'a Scenario,
    pub(super) analysis: &'a Analysis,
}

impl<'a> Facts<'a> {
    /// The target, in nanoseconds.
    pub(super) fn target(&self) -> f64 {
        self.scenario.objective.latency.as_nanos() as f64
    }

    /// The judged percentile, in percent.
    pub(super) fn judged(&self) -> f64 {
        self.scenario.objective.percentile
    }

    /// `target p99 < 100 ms`.
    pub(super) fn objective(&self) -> String {
        format!("target {} < {}", percentile(self.judged()), duration(self.target()))
    }

    /// Length of the measured period, in seconds.
    pub(super) fn measured(&self) -> f64 {
        self.run.recording.period.measured_ns as f64 / 1e9
    }

    /// Operations in the scenario's order, without their steps and upkeep.
    pub(super) fn operations(&self) -> Vec<&'a Row> {
        let rows = self.analysis.rows.iter();
        rows.filter(|row| row.scope.operation.is_some() && row.scope.role == SeriesRole::Operation).collect()
    }

    /// Services with their timelines.
    pub(super) fn services(&self) -> Vec<(&'a Row, &'a Timeline)> {
        self.timed().filter(|(row, _)| row.scope.operation.is_none() && row.scope.service.is_some()).collect()
    }

    /// The whole run with its timeline.
    pub(super) fn whole(&self) -> Option<(&'a Row, &'a Timeline)> {
        self.timed().find(|(row, _)| row.scope.operation.is_none() && row.scope.service.is_none())
    }

    fn timed(&self) -> impl Iterator<Item = (&'a Row, &'a Timeline)> {
        self.analysis.rows.iter().zip(&self.analysis.timelines)
    }

    /// Name of a row: its operation, behind its service where there are several.
    pub(super) fn name(&self, row: &Row) -> String {
        match (&row.scope.service, &row.scope.operation) {
            (Some(service), Some(operation)) if self.scenario.services.len() > 1 => format!("{service} {operation}"),
            (_, Some(operation)) => operation.clone(),
            (Some(service), None) => service.clone(),
            (None, None) => "all operations".to_owned(),
        }
    }

    /// Rate that a service is offered, or that all services are where every one of them has a rate.
    pub(super) fn offered_rate(&self, service: Option<&str>) -> Option<f64> {
        let services = self.scenario.services.iter();
        services.filter(|candidate| service.is_none_or(|name| candidate.name == name)).map(Service::offered_rate).sum()
    }

    /// The judged percentile or, where too few requests lie beyond it, the highest one below it that is known: in
    /// percent, and its value in nanoseconds.
    pub(super) fn tail(&self, distribution: &Distribution) -> Option<(f64, f64)> {
        let judged = self.judged();
        let below = PERCENTILES.into_iter().rev().filter(|percent| *percent < judged);
        [judged].into_iter().chain(below).find_map(|percent| Some((percent, value_at(distribution, percent)?)))
    }

    /// How slow a row is, to sort by.
    pub(super) fn slowness(&self, row: &Row) -> f64 {
        self.tail(&row.response).map(|(_, nanos)| nanos).or(row.response.mean).unwrap_or(0.0)
    }

    /// Value at the judged percentile, in nanoseconds; `None` where too few samples lie beyond it.
    pub(super) fn judged_value(&self, distribution: &Distribution) -> Option<f64> {
        value_at(distribution, self.judged())
    }
}

/// Value at a percentile, in nanoseconds; `None` where too few samples lie beyond it.
pub(super) fn value_at(distribution: &Distribution, percent: f64) -> Option<f64> {
    distribution.percentile(percent).nanos().map(|nanos| nanos as f64)
}

/// How far into the tail a distribution may be shown; `None` where it has nothing to show.
pub(super) fn trusted_tail(distribution: &Distribution) -> Option<Tail> {
    let beyond = SAMPLES_BEYOND / distribution.histogram.len() as f64;
    let mut end = (beyond < 1.0).then(|| Tail::from_nines(-beyond.log10()))?;
    // The analysis has the last word at each percentile that it judged.
    for known in &distribution.percentiles {
        let tail = Tail::of_percent(known.percentile);
        match known.value {
            PercentileValue::Known { .. } if end < tail => end = tail,
            PercentileValue::TooFew { .. } if end >= tail => end = Tail::from_nines(tail.nines() - 0.02),
            _ => {}
        }
    }
    (end.nines() > 0.0).then_some(end)
}
