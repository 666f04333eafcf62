//! A run and what is concluded from it.

use super::ComparisonReport;
use crate::{
    analysis::{
        Analysis, Family, FamilyKind, Row, Timeline, analyse,
        audit::{Rule, Ruling, Severity},
    },
    measure::SeriesRole,
    results::Run,
    scenario::{self, Scenario, ScenarioErrors, Service},
};

/// A run and what is concluded from it.
#[derive(Debug, Clone)]
pub struct RunReport {
    pub(crate) run: Run,
    pub(crate) scenario: Scenario,
    pub(crate) analysis: Analysis,
    /// Comparison with a baseline, where one was asked for.
    pub(crate) against: Option<ComparisonReport>,
}

impl RunReport {
    /// Draws the conclusions. Fails where the scenario of the run is none that this version reads.
    pub fn new(run: Run) -> Result<Self, ScenarioErrors> {
        let scenario = scenario::parse(&run.scenario, "scenario of the saved run")?;
        let analysis = analyse(&run, &scenario);
        Ok(Self { run, scenario, analysis, against: None })
    }

    /// Latency of the objective, in nanoseconds.
    pub(crate) fn target(&self) -> f64 {
        self.scenario.objective.latency.as_nanos() as f64
    }

    /// Judged percentile, in percent.
    pub(crate) fn judged(&self) -> f64 {
        self.scenario.objective.percentile
    }

    /// Length of the measured period, in seconds.
    pub(crate) fn measured(&self) -> f64 {
        self.run.recording.period.measured_ns as f64 / 1e9
    }

    /// Operations in the scenario's order, without their steps and upkeep.
    pub(crate) fn operations(&self) -> Vec<&Row> {
        let rows = self.analysis.rows.iter();
        rows.filter(|row| row.scope.operation.is_some() && row.scope.role == SeriesRole::Operation).collect()
    }

    /// Services with their timelines.
    pub(crate) fn services(&self) -> Vec<(&Row, &Timeline)> {
        self.timed().filter(|(row, _)| row.scope.operation.is_none() && row.scope.service.is_some()).collect()
    }

    /// All requests with their timeline.
    pub(crate) fn whole(&self) -> Option<(&Row, &Timeline)> {
        self.timed().find(|(row, _)| row.scope.operation.is_none() && row.scope.service.is_none())
    }

    fn timed(&self) -> impl Iterator<Item = (&Row, &Timeline)> {
        self.analysis.rows.iter().zip(&self.analysis.timelines)
    }

    /// Row of a service as a whole.
    pub(crate) fn row_of(&self, service: &Service) -> Option<&Row> {
        let is_it = |row: &&Row| row.scope.operation.is_none() && row.scope.service.as_ref() == Some(&service.name);
        self.analysis.rows.iter().find(is_it)
    }

    /// Name of a row: its operation, behind its service where there are several.
    pub(crate) fn name(&self, row: &Row) -> String {
        match (&row.scope.service, &row.scope.operation) {
            (Some(service), Some(operation)) if self.scenario.services.len() > 1 => format!("{service} {operation}"),
            (_, Some(operation)) => operation.clone(),
            (Some(service), None) => service.clone(),
            (None, None) => "all operations".to_owned(),
        }
    }

    /// Rate that a service is offered, or that all services are where every one of them has a rate.
    pub(crate) fn offered_rate(&self, service: Option<&str>) -> Option<f64> {
        let services = self.scenario.services.iter();
        services.filter(|candidate| service.is_none_or(|name| candidate.name == name)).map(Service::offered_rate).sum()
    }

    /// Rulings of a rule.
    pub(crate) fn rulings(&self, rule: Rule) -> impl Iterator<Item = &Ruling> {
        self.analysis.audit.iter().filter(move |ruling| ruling.rule == rule)
    }

    /// Rulings as serious as this.
    pub(crate) fn ruled(&self, severity: Severity) -> impl Iterator<Item = &Ruling> {
        self.analysis.audit.iter().filter(move |ruling| ruling.severity == severity)
    }

    /// A setting of the server, as it writes it.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.run.inspection.settings.get(name).map(String::as_str)
    }

    /// A field of `INFO`.
    pub(crate) fn info(&self, name: &str) -> Option<&str> {
        self.run.inspection.info.get(name).map(String::as_str)
    }

    /// A field of `INFO` in bytes.
    pub(crate) fn bytes(&self, name: &str) -> Option<u64> {
        self.info(name)?.parse().ok()
    }

    /// Bytes that the server's data takes, after the load where that is known.
    pub(crate) fn used_memory(&self) -> Option<u64> {
        let after = self.analysis.server.after.as_ref().and_then(|after| after.used_memory);
        after.or_else(|| self.bytes("used_memory"))
    }

    /// The limit of the server's memory; `None` where there is none, or none is known.
    pub(crate) fn max_memory(&self) -> Option<u64> {
        let limit: u64 = self.setting("maxmemory").or_else(|| self.info("maxmemory"))?.parse().ok()?;
        (limit > 0).then_some(limit)
    }

    /// Mean response times of the fastest and the slowest operation, in nanoseconds.
    pub(crate) fn range_of_means(&self) -> Option<(f64, f64)> {
        let means: Vec<f64> = self.operations().iter().filter_map(|row| row.response.mean).collect();
        let (least, most) = (means.iter().copied().reduce(f64::min)?, means.iter().copied().reduce(f64::max)?);
        Some((least, most))
    }

    /// Services that were answered at all, and those that there are.
    pub(crate) fn served(&self) -> (u64, u64) {
        let answered = |service: &&Service| self.row_of(service).is_some_and(|row| row.counts.completed > 0);
        (self.scenario.services.iter().filter(answered).count() as u64, self.scenario.services.len() as u64)
    }

    pub(crate) fn family(&self, kind: FamilyKind) -> Option<&Family> {
        self.analysis.families.iter().find(|family| family.kind == kind)
    }

    /// The round trips of `PING` without load, ascending.
    pub(crate) fn pings(&self) -> Vec<u64> {
        let mut pings = self.run.inspection.pings.clone();
        pings.sort_unstable();
        pings
    }
}
