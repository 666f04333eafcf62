//! The summary for programs: one record per row, the same names in `summary.csv` and in the JSON summary.
//!
//! Times are microseconds with the unit in the name, rates are per second, shares lie between 0 and 1. What cannot be
//! printed (nothing measured, or too few samples for a percentile) is empty in CSV and `null` in JSON. `count` is what
//! the percentiles are made of: successful requests. All requests of a row are `count + errors + unfinished`.

use serde::Serialize;

use super::{
    csv_table::or_all,
    number::{micros, rounded},
    view::{grade_word, outcome_slug},
};
use crate::{
    analysis::{Analysis, Distribution, Outcome, PERCENTILES, PercentileValue, Row},
    measure::SeriesRole,
    scenario::Scenario,
};

/// One row of the summary, in the order of the columns.
#[derive(Debug, Serialize)]
pub(super) struct Record<'a> {
    /// Service, `*` for all.
    service: &'a str,
    /// Operation, `*` for all of the service.
    operation: &'a str,
    /// Successful requests.
    count: u64,
    /// Failed requests.
    errors: u64,
    /// Successful requests per second.
    rate_per_s: f64,
    response_mean_us: Option<f64>,
    response_min_us: Option<f64>,
    response_p50_us: Option<f64>,
    response_p90_us: Option<f64>,
    response_p95_us: Option<f64>,
    response_p99_us: Option<f64>,
    response_p999_us: Option<f64>,
    response_max_us: Option<f64>,
    service_time_p50_us: Option<f64>,
    service_time_p99_us: Option<f64>,
    wait_p99_us: Option<f64>,
    /// Share of keys, fields or members found.
    hit_ratio: Option<f64>,
    /// The objective's latency.
    target_us: f64,
    /// Target divided by mean response time.
    times_faster: Option<f64>,
    /// `EXCELLENT`, `GOOD`, `ACCEPTABLE` or `MISSED`.
    grade: Option<&'static str>,
    /// `pass`, `fail`, `inconclusive` or `invalid`; that of the last row is the verdict of the run.
    verdict: &'static str,
    /// `operation`, `step` (contained in its operation), `upkeep` (in no sum), `service` or `total`.
    role: &'static str,
    /// Requests that never finished.
    unfinished: u64,
    /// Share of requests that were late, failed or unfinished, with its 95 % confidence interval.
    bad_share: Option<f64>,
    bad_share_low: Option<f64>,
    bad_share_high: Option<f64>,
    /// The percentile that is judged.
    judged_percentile: f64,
    judged_us: Option<f64>,
    judged_low_us: Option<f64>,
    judged_high_us: Option<f64>,
    response_p9999_us: Option<f64>,
    failed_p50_us: Option<f64>,
    burstiness: f64,
    bytes_sent: u64,
    bytes_received: u64,
    /// 95 % confidence intervals of the percentiles above.
    response_p50_low_us: Option<f64>,
    response_p50_high_us: Option<f64>,
    response_p90_low_us: Option<f64>,
    response_p90_high_us: Option<f64>,
    response_p95_low_us: Option<f64>,
    response_p95_high_us: Option<f64>,
    response_p99_low_us: Option<f64>,
    response_p99_high_us: Option<f64>,
    response_p999_low_us: Option<f64>,
    response_p999_high_us: Option<f64>,
    response_p9999_low_us: Option<f64>,
    response_p9999_high_us: Option<f64>,
}

/// Every row of an analysis as a record.
pub(super) fn records<'a>(scenario: &Scenario, analysis: &'a Analysis) -> Vec<Record<'a>> {
    analysis.rows.iter().map(|row| record(row, scenario, analysis)).collect()
}

fn record<'a>(row: &'a Row, scenario: &Scenario, analysis: &Analysis) -> Record<'a> {
    let objective = &scenario.objective;
    let response = |percentile| value(&row.response, percentile);
    let measured = row.counts.completed > 0;
    let [p50, p90, p95, p99, p999, p9999] = PERCENTILES.map(|percentile| interval(&row.response, percentile));
    let bad = (row.bad.of > 0).then_some(row.bad);
    let (judged, low, high) = match row.judged.value {
        PercentileValue::Known { nanos, low, high, .. } => (Some(nanos), Some(low), Some(high)),
        PercentileValue::TooFew { .. } => (None, None, None),
    };
    Record {
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
        grade: row.grade.map(grade_word),
        verdict: outcome_slug(outcome(row, analysis)),
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
fn outcome(row: &Row, analysis: &Analysis) -> Outcome {
    if row.scope.service.is_none() { analysis.verdict.outcome } else { row.outcome }
}

/// What a row stands for, in a word.
pub(super) fn role(row: &Row) -> &'static str {
    match (&row.scope.service, &row.scope.operation, row.scope.role) {
        (None, ..) => "total",
        (Some(_), None, _) => "service",
        (_, _, SeriesRole::Operation) => "operation",
        (_, _, SeriesRole::Step) => "step",
        (_, _, SeriesRole::Upkeep) => "upkeep",
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
