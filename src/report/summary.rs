//! The summary for programs: one record per row, the same names in `summary.csv` and in the JSON summary.
//!
//! Times are microseconds with the unit in the name, rates are per second, shares lie between 0 and 1. What cannot be
//! printed (nothing measured, or too few samples for a percentile) is empty in CSV and `null` in JSON. `count` is what
//! the percentiles are made of: successful requests. All requests of a row are `count + errors + unfinished`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    csv_table::or_all,
    number::{micros, rounded},
};
use crate::{
    analysis::{self, Analysis, Distribution, Grade, Outcome, PERCENTILES, PercentileValue},
    measure::SeriesRole,
    scenario::Scenario,
};

/// One row: an operation, a service, or the whole. Its fields are the columns of `summary.csv`, in their order.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Row<'a> {
    /// Service; `*` for all.
    service: &'a str,
    /// Operation; `*` for all of the service.
    operation: &'a str,
    /// Number of successful requests.
    count: u64,
    /// Number of failed requests.
    errors: u64,
    /// Successful requests per second.
    rate_per_s: f64,
    /// Mean response time.
    response_mean_us: Option<f64>,
    /// Shortest response time.
    response_min_us: Option<f64>,
    /// Median of the response time.
    response_p50_us: Option<f64>,
    /// 90th percentile of the response time.
    response_p90_us: Option<f64>,
    /// 95th percentile of the response time.
    response_p95_us: Option<f64>,
    /// 99th percentile of the response time.
    response_p99_us: Option<f64>,
    /// 99.9th percentile of the response time.
    response_p999_us: Option<f64>,
    /// Longest response time.
    response_max_us: Option<f64>,
    /// Median of the service time.
    service_time_p50_us: Option<f64>,
    /// 99th percentile of the service time.
    service_time_p99_us: Option<f64>,
    /// 99th percentile of the wait for a connection.
    wait_p99_us: Option<f64>,
    /// Share of keys, fields or members found; null where none was looked up.
    hit_ratio: Option<f64>,
    /// Latency of the objective.
    target_us: f64,
    /// Target divided by the mean response time.
    times_faster: Option<f64>,
    /// Judged percentile compared with the target.
    grade: Option<Grade>,
    /// Verdict of this row against the objective; in the last row the verdict of the run.
    verdict: Outcome,
    /// Part of the row in the accounts.
    role: Role,
    /// Number of requests that never finished.
    unfinished: u64,
    /// Share of requests that were late, failed or unfinished.
    bad_share: Option<f64>,
    /// Lower bound of the 95 % confidence interval of `bad_share`.
    bad_share_low: Option<f64>,
    /// Upper bound of the 95 % confidence interval of `bad_share`.
    bad_share_high: Option<f64>,
    /// Judged percentile, in percent.
    judged_percentile: f64,
    /// Response time at the judged percentile; null with too few samples.
    judged_us: Option<f64>,
    /// Lower bound of the 95 % confidence interval of `judged_us`.
    judged_low_us: Option<f64>,
    /// Upper bound of the 95 % confidence interval of `judged_us`.
    judged_high_us: Option<f64>,
    /// 99.99th percentile of the response time.
    response_p9999_us: Option<f64>,
    /// Median of the time until failed requests failed.
    failed_p50_us: Option<f64>,
    /// Variance of the number of slow requests per second over that of chance, at least 1.
    burstiness: f64,
    /// Payload sent.
    bytes_sent: u64,
    /// Payload received.
    bytes_received: u64,
    /// Lower bound of the 95 % confidence interval of `response_p50_us`.
    response_p50_low_us: Option<f64>,
    /// Upper bound of the 95 % confidence interval of `response_p50_us`.
    response_p50_high_us: Option<f64>,
    /// Lower bound of the 95 % confidence interval of `response_p90_us`.
    response_p90_low_us: Option<f64>,
    /// Upper bound of the 95 % confidence interval of `response_p90_us`.
    response_p90_high_us: Option<f64>,
    /// Lower bound of the 95 % confidence interval of `response_p95_us`.
    response_p95_low_us: Option<f64>,
    /// Upper bound of the 95 % confidence interval of `response_p95_us`.
    response_p95_high_us: Option<f64>,
    /// Lower bound of the 95 % confidence interval of `response_p99_us`.
    response_p99_low_us: Option<f64>,
    /// Upper bound of the 95 % confidence interval of `response_p99_us`.
    response_p99_high_us: Option<f64>,
    /// Lower bound of the 95 % confidence interval of `response_p999_us`.
    response_p999_low_us: Option<f64>,
    /// Upper bound of the 95 % confidence interval of `response_p999_us`.
    response_p999_high_us: Option<f64>,
    /// Lower bound of the 95 % confidence interval of `response_p9999_us`.
    response_p9999_low_us: Option<f64>,
    /// Upper bound of the 95 % confidence interval of `response_p9999_us`.
    response_p9999_high_us: Option<f64>,
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
    analysis.rows.iter().map(|each| row(each, scenario, analysis)).collect()
}

fn row<'a>(row: &'a analysis::Row, scenario: &Scenario, analysis: &Analysis) -> Row<'a> {
    let objective = &scenario.objective;
    let response = |percentile| value(&row.response, percentile);
    let measured = row.counts.completed > 0;
    let [p50, p90, p95, p99, p999, p9999] = PERCENTILES.map(|percentile| interval(&row.response, percentile));
    let bad = (row.bad.of > 0).then_some(row.bad);
    let (judged, low, high) = match row.judged.value {
        PercentileValue::Known { nanos, low, high, .. } => (Some(nanos), Some(low), Some(high)),
        PercentileValue::TooFew { .. } => (None, None, None),
    };
    Row {
        service: or_all(row.scope.service.as_ref()),
        operation: or_all(row.scope.operation.as_ref()),
        count: row.counts.completed,
        errors: row.counts.failed(),
        rate_per_s: rounded(row.rate, 3),
        response_mean_us: row.response.mean.map(micros),
        response_min_us: measured.then(|| micros(row.response.histogram.min() as f64)),
        response_p50_us: response(50.0),
        response_p90_us: response(90.0),
        response_p95_us: response(95.0),
        response_p99_us: response(99.0),
        response_p999_us: response(99.9),
        response_max_us: measured.then(|| micros(row.response.histogram.max() as f64)),
        service_time_p50_us: value(&row.service_time, 50.0),
        service_time_p99_us: value(&row.service_time, 99.0),
        wait_p99_us: value(&row.wait, 99.0),
        hit_ratio: row.hit_ratio.map(|ratio| rounded(ratio, 6)),
        target_us: micros(objective.latency.as_nanos() as f64),
        times_faster: row.times_faster.map(|times| rounded(times, 3)),
        grade: row.grade,
        verdict: outcome(row, analysis),
        role: role(row),
        unfinished: row.unfinished,
        bad_share: bad.map(|bad| rounded(bad.share, 9)),
        bad_share_low: bad.map(|bad| rounded(bad.low, 9)),
        bad_share_high: bad.map(|bad| rounded(bad.high, 9)),
        judged_percentile: objective.percentile,
        judged_us: judged.map(|nanos| micros(nanos as f64)),
        judged_low_us: low.map(|nanos| micros(nanos as f64)),
        judged_high_us: high.map(|nanos| micros(nanos as f64)),
        response_p9999_us: response(99.99),
        failed_p50_us: value(&row.failed, 50.0),
        burstiness: rounded(row.response.burstiness, 3),
        bytes_sent: row.counts.bytes_sent,
        bytes_received: row.counts.bytes_received,
        response_p50_low_us: p50.map(|bounds| bounds.0),
        response_p50_high_us: p50.map(|bounds| bounds.1),
        response_p90_low_us: p90.map(|bounds| bounds.0),
        response_p90_high_us: p90.map(|bounds| bounds.1),
        response_p95_low_us: p95.map(|bounds| bounds.0),
        response_p95_high_us: p95.map(|bounds| bounds.1),
        response_p99_low_us: p99.map(|bounds| bounds.0),
        response_p99_high_us: p99.map(|bounds| bounds.1),
        response_p999_low_us: p999.map(|bounds| bounds.0),
        response_p999_high_us: p999.map(|bounds| bounds.1),
        response_p9999_low_us: p9999.map(|bounds| bounds.0),
        response_p9999_high_us: p9999.map(|bounds| bounds.1),
    }
}

/// The last row carries the verdict of the run, which knows whether the measurement can be trusted at all.
fn outcome(row: &analysis::Row, analysis: &Analysis) -> Outcome {
    if row.scope.service.is_none() { analysis.verdict.outcome } else { row.outcome }
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

/// The interval of a percentile, in microseconds.
fn interval(distribution: &Distribution, percentile: f64) -> Option<(f64, f64)> {
    match distribution.percentile(percentile).value {
        PercentileValue::Known { low, high, .. } => Some((micros(low as f64), micros(high as f64))),
        PercentileValue::TooFew { .. } => None,
    }
}

fn value(distribution: &Distribution, percentile: f64) -> Option<f64> {
    distribution.percentile(percentile).nanos().map(|nanos| micros(nanos as f64))
}
