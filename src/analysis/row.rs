//! One line of the summary.

use super::{
    distribution::{Distribution, Percentile},
    grade::Grade,
    proportion::Proportion,
};
use crate::{
    measure::{Counts, SeriesRole},
    results::Verdict,
    scenario::Objective,
};

/// Subject of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Service; `None` stands for all.
    pub service: Option<String>,
    /// Operation; `None` stands for all.
    pub operation: Option<String>,
    /// Role of the operation; [`SeriesRole::Operation`] for sums.
    pub role: SeriesRole,
}

/// One line of the summary.
#[derive(Debug, Clone)]
pub struct Row {
    /// Subject.
    pub scope: Scope,
    /// Counts over the measured period.
    pub counts: Counts,
    /// Requests that were never finished.
    pub unfinished: u64,
    /// Requests that were answered per second in the whole seconds of the measured period, whenever they fell due.
    pub rate: f64,
    /// Response time of successes.
    pub response: Distribution,
    /// Service time of successes.
    pub service_time: Distribution,
    /// Wait time of successes.
    pub wait: Distribution,
    /// Response time of failures.
    pub failed: Distribution,
    /// Share of keys, fields or members found; `None` where nothing was looked up.
    pub hit_ratio: Option<f64>,
    /// Share of requests that were late, failed or unfinished.
    pub bad: Proportion,
    /// Burstiness of those requests, at least 1.
    pub bad_burstiness: f64,
    /// Target divided by the mean response time; `None` where nothing succeeded.
    pub times_faster: Option<f64>,
    /// Response time at the percentile that the objective judges, which need not be one of [`PERCENTILES`].
    pub judged: Percentile,
    /// By the judged percentile, and [`Grade::Missed`] where more requests were late, failed or unfinished than the objective
    /// allows; `None` where the percentile cannot be printed.
    pub grade: Option<Grade>,
    /// The objective compared with this row alone.
    pub verdict: Verdict,
}

impl Row {
    /// Takes over what was judged. The grade looks at what was answered, which is nothing to be proud of where much was not.
    pub(super) fn conclude(&mut self, verdict: Verdict, objective: &Objective) {
        self.verdict = verdict;
        let failed = self.counts.failed() as f64 / self.bad.of.max(1) as f64;
        let too_many = self.bad.share > objective.allowed() || failed > objective.max_error_rate;
        if verdict == Verdict::Fail || too_many {
            self.grade = Some(Grade::Missed);
        }
    }
}
