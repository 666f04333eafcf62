//! The summary for programs: one record per row, the same names in `summary.csv` and in the JSON summary.
//!
//! Times are microseconds with the unit in the name, rates are per second, shares lie between 0 and 1. What cannot be
//! printed (nothing measured, or too few samples for a percentile) is empty in CSV and `null` in JSON. `count` is what
//! the percentiles are made of: successful requests. All requests of a row are `count + errors + unfinished`.
//!
//! A new column is the last field of [`Row`], since scripts may count columns. It changes the snapshots `summary.csv` and
//! `json_accepted`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    csv_table::or_all,
    number::{micros, rounded},
    record::record,
};
use crate::{
    analysis::{self, Analysis, Distribution, Grade, Percentile, PercentileValue},
    measure::SeriesRole,
    results::{InRun, Verdict},
    scenario::{Objective, Scenario},
};

record! {
    /// One row: an operation, a service, or the whole. Its fields are the columns of `summary.csv`, in their order.
    #[derive(Debug)]
    pub(super) struct Row<'a>(row: &'a analysis::Row, objective: &Objective, analysis: &Analysis) {
        /// Service; `*` for all.
        service: &'a str = or_all(row.scope.service.as_ref()),
        /// Operation; `*` for all of the service.
        operation: &'a str = or_all(row.scope.operation.as_ref()),
        /// Number of successful requests.
        count: u64 = row.counts.completed,
        /// Number of failed requests.
        errors: u64 = row.counts.failed(),
        /// Successful requests per second.
        rate_per_s: f64 = rounded(row.rate, 3),
        /// Mean response time.
        response_mean_us: Option<f64> = row.response.mean.map(micros),
        /// Shortest response time.
        response_min_us: Option<f64> = (row.counts.completed > 0).then(|| micros(row.response.histogram.min() as f64)),
        /// Median of the response time.
        response_p50_us: Option<f64> = value(&row.response, 50.0),
        /// 90th percentile of the response time.
        response_p90_us: Option<f64> = value(&row.response, 90.0),
        /// 95th percentile of the response time.
        response_p95_us: Option<f64> = value(&row.response, 95.0),
        /// 99th percentile of the response time.
        response_p99_us: Option<f64> = value(&row.response, 99.0),
        /// 99.9th percentile of the response time.
        response_p999_us: Option<f64> = value(&row.response, 99.9),
        /// Longest response time.
        response_max_us: Option<f64> = (row.counts.completed > 0).then(|| micros(row.response.histogram.max() as f64)),
        /// Median of the service time.
        service_time_p50_us: Option<f64> = value(&row.service_time, 50.0),
        /// 99th percentile of the service time.
        service_time_p99_us: Option<f64> = value(&row.service_time, 99.0),
        /// 99th percentile of the wait for a connection.
        wait_p99_us: Option<f64> = value(&row.wait, 99.0),
        /// Share of keys, fields or members found; null where none was looked up.
        hit_ratio: Option<f64> = row.hit_ratio.map(|ratio| rounded(ratio, 6)),
        /// Latency of the objective.
        target_us: f64 = micros(objective.latency.as_nanos() as f64),
        /// Target divided by the mean response time.
        times_faster: Option<f64> = row.times_faster.map(|times| rounded(times, 3)),
        /// Judged percentile compared with the target.
        grade: Option<Grade> = row.grade,
        /// Verdict of this row against the objective; in the last row the verdict of the run.
        verdict: InRun = InRun(verdict(row, analysis)),
        /// Part of the row in the accounts.
        role: Role = role(row),
        /// Number of requests that never finished.
        unfinished: u64 = row.unfinished,
        /// Share of requests that were late, failed or unfinished.
        bad_share: Option<f64> = (row.bad.of > 0).then(|| rounded(row.bad.share, 9)),
        /// Lower bound of the 95 % confidence interval of `bad_share`.
        bad_share_low: Option<f64> = (row.bad.of > 0).then(|| rounded(row.bad.low, 9)),
        /// Upper bound of the 95 % confidence interval of `bad_share`.
        bad_share_high: Option<f64> = (row.bad.of > 0).then(|| rounded(row.bad.high, 9)),
        /// Judged percentile, in percent.
        judged_percentile: f64 = objective.percentile,
        /// Response time at the judged percentile; null with too few samples.
        judged_us: Option<f64> = row.judged.nanos().map(|nanos| micros(nanos as f64)),
        /// Lower bound of the 95 % confidence interval of `judged_us`.
        judged_low_us: Option<f64> = low(row.judged),
        /// Upper bound of the 95 % confidence interval of `judged_us`.
        judged_high_us: Option<f64> = high(row.judged),
        /// 99.99th percentile of the response time.
        response_p9999_us: Option<f64> = value(&row.response, 99.99),
        /// Median of the time until failed requests failed.
        failed_p50_us: Option<f64> = value(&row.failed, 50.0),
        /// Variance of the number of slow requests per second over that of chance, at least 1.
        burstiness: f64 = rounded(row.response.burstiness, 3),
        /// Payload sent.
        bytes_sent: u64 = row.counts.bytes_sent,
        /// Payload received.
        bytes_received: u64 = row.counts.bytes_received,
        /// Lower bound of the 95 % confidence interval of `response_p50_us`.
        response_p50_low_us: Option<f64> = low(row.response.percentile(50.0)),
        /// Upper bound of the 95 % confidence interval of `response_p50_us`.
        response_p50_high_us: Option<f64> = high(row.response.percentile(50.0)),
        /// Lower bound of the 95 % confidence interval of `response_p90_us`.
        response_p90_low_us: Option<f64> = low(row.response.percentile(90.0)),
        /// Upper bound of the 95 % confidence interval of `response_p90_us`.
        response_p90_high_us: Option<f64> = high(row.response.percentile(90.0)),
        /// Lower bound of the 95 % confidence interval of `response_p95_us`.
        response_p95_low_us: Option<f64> = low(row.response.percentile(95.0)),
        /// Upper bound of the 95 % confidence interval of `response_p95_us`.
        response_p95_high_us: Option<f64> = high(row.response.percentile(95.0)),
        /// Lower bound of the 95 % confidence interval of `response_p99_us`.
        response_p99_low_us: Option<f64> = low(row.response.percentile(99.0)),
        /// Upper bound of the 95 % confidence interval of `response_p99_us`.
        response_p99_high_us: Option<f64> = high(row.response.percentile(99.0)),
        /// Lower bound of the 95 % confidence interval of `response_p999_us`.
        response_p999_low_us: Option<f64> = low(row.response.percentile(99.9)),
        /// Upper bound of the 95 % confidence interval of `response_p999_us`.
        response_p999_high_us: Option<f64> = high(row.response.percentile(99.9)),
        /// Lower bound of the 95 % confidence interval of `response_p9999_us`.
        response_p9999_low_us: Option<f64> = low(row.response.percentile(99.99)),
        /// Upper bound of the 95 % confidence interval of `response_p9999_us`.
        response_p9999_high_us: Option<f64> = high(row.response.percentile(99.99)),
    }
}

/// Part of a row in the accounts.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    /// Scheduled requests of one operation.
    Operation,
    /// One step of a sequence, contained in its operation.
    Step,
    /// Commands that keep the data bounded, in no sum.
    Upkeep,
    /// All operations of a service.
    Service,
    /// All services.
    Total,
}

/// Every row of an analysis.
pub(super) fn rows<'a>(scenario: &Scenario, analysis: &'a Analysis) -> Vec<Row<'a>> {
    analysis.rows.iter().map(|row| Row::new(row, &scenario.objective, analysis)).collect()
}

/// The last row carries the verdict of the run, which knows whether the measurement can be trusted at all.
fn verdict(row: &analysis::Row, analysis: &Analysis) -> Verdict {
    if row.scope.service.is_none() { analysis.conclusion.verdict } else { row.verdict }
}

/// Part of a row in the accounts.
pub(super) fn role(row: &analysis::Row) -> Role {
    match (&row.scope.service, &row.scope.operation, row.scope.role) {
        (None, ..) => Role::Total,
        (Some(_), None, _) => Role::Service,
        (_, _, SeriesRole::Operation) => Role::Operation,
        (_, _, SeriesRole::Step) => Role::Step,
        (_, _, SeriesRole::Upkeep) => Role::Upkeep,
    }
}

/// Lower bound of the confidence interval of a percentile, in microseconds.
fn low(percentile: Percentile) -> Option<f64> {
    match percentile.value {
        PercentileValue::Known { low, .. } => Some(micros(low as f64)),
        PercentileValue::TooFew { .. } => None,
    }
}

/// Upper bound of the confidence interval of a percentile, in microseconds.
fn high(percentile: Percentile) -> Option<f64> {
    match percentile.value {
        PercentileValue::Known { high, .. } => Some(micros(high as f64)),
        PercentileValue::TooFew { .. } => None,
    }
}

fn value(distribution: &Distribution, percentile: f64) -> Option<f64> {
    distribution.percentile(percentile).nanos().map(|nanos| micros(nanos as f64))
}
