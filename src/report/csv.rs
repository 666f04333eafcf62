//! Tables for spreadsheets and scripts: `summary.csv`, `timeline.csv`, `percentiles.csv`, `errors.csv`.

use serde::Serialize;

use super::summary::{micros, records, role, rounded};
use crate::{
    analysis::{Analysis, Row},
    measure::SeriesRole,
    results::Run,
    scenario::Scenario,
};

/// Points of a percentile curve per halving of the distance to 100 %, as plotters of HDR histograms use.
const TICKS_PER_HALF: u32 = 5;

/// Columns of `summary.csv`: those that scripts rely on first, in this very order.
const SUMMARY: [&str; 47] = [
    "service",
    "operation",
    "count",
    "errors",
    "rate_per_s",
    "response_mean_us",
    "response_min_us",
    "response_p50_us",
    "response_p90_us",
    "response_p95_us",
    "response_p99_us",
    "response_p999_us",
    "response_max_us",
    "service_time_p50_us",
    "service_time_p99_us",
    "wait_p99_us",
    "hit_ratio",
    "target_us",
    "times_faster",
    "grade",
    "verdict",
    "role",
    "unfinished",
    "bad_share",
    "bad_share_low",
    "bad_share_high",
    "judged_percentile",
    "judged_us",
    "judged_low_us",
    "judged_high_us",
    "response_p9999_us",
    "failed_p50_us",
    "burstiness",
    "bytes_sent",
    "bytes_received",
    "response_p50_low_us",
    "response_p50_high_us",
    "response_p90_low_us",
    "response_p90_high_us",
    "response_p95_low_us",
    "response_p95_high_us",
    "response_p99_low_us",
    "response_p99_high_us",
    "response_p999_low_us",
    "response_p999_high_us",
    "response_p9999_low_us",
    "response_p9999_high_us",
];

/// Columns of `timeline.csv`.
const TIMELINE: [&str; 11] = [
    "second",
    "service",
    "operation",
    "role",
    "count",
    "errors",
    "response_p50_us",
    "response_p99_us",
    "response_max_us",
    "in_system",
    "backlog",
];

/// Columns of `percentiles.csv`.
const PERCENTILES: [&str; 7] = ["service", "operation", "role", "measure", "percentile", "value_us", "count"];

/// Columns of `errors.csv`.
const ERRORS: [&str; 6] = ["service", "operation", "role", "class", "count", "first_message"];

/// `summary.csv`: one row per operation, then one per service, then `*,*`.
pub(super) fn summary(scenario: &Scenario, analysis: &Analysis) -> Vec<u8> {
    table(&SUMMARY, records(scenario, analysis))
}

/// `timeline.csv`: every row of the summary, second by second.
pub(super) fn timeline(analysis: &Analysis) -> Vec<u8> {
    table(
        &TIMELINE,
        analysis.rows.iter().zip(&analysis.timelines).flat_map(|(row, timeline)| {
            timeline.seconds.iter().map(move |moment| TimelineRecord {
                second: moment.second,
                service: service(row),
                operation: operation(row),
                role: role(row),
                count: moment.completed,
                errors: moment.failed,
                response_p50_us: moment.response.map(|(p50, ..)| micros(p50 as f64)),
                response_p99_us: moment.response.map(|(_, p99, _)| micros(p99 as f64)),
                response_max_us: moment.response.map(|(.., max)| micros(max as f64)),
                in_system: moment.in_system.map(|number| rounded(number, 3)),
                backlog: moment.backlog,
            })
        }),
    )
}

#[derive(Serialize)]
struct TimelineRecord<'a> {
    second: u32,
    service: &'a str,
    operation: &'a str,
    role: &'static str,
    count: u64,
    errors: u64,
    response_p50_us: Option<f64>,
    response_p99_us: Option<f64>,
    response_max_us: Option<f64>,
    in_system: Option<f64>,
    backlog: Option<u64>,
}

/// `percentiles.csv`: the whole curve of every distribution; `count` is the number of samples up to `value_us`.
pub(super) fn percentiles(analysis: &Analysis) -> Vec<u8> {
    table(
        &PERCENTILES,
        analysis.rows.iter().flat_map(|row| {
            let distributions = [
                ("response", &row.response),
                ("service_time", &row.service_time),
                ("wait", &row.wait),
                ("failed", &row.failed),
            ];
            distributions.into_iter().filter(|(_, distribution)| !distribution.histogram.is_empty()).flat_map(
                move |(measure, distribution)| {
                    let mut count = 0;
                    distribution.histogram.iter_quantiles(TICKS_PER_HALF).map(move |step| {
                        count += step.count_since_last_iteration();
                        PercentileRecord {
                            service: service(row),
                            operation: operation(row),
                            role: role(row),
                            measure,
                            percentile: rounded(step.quantile_iterated_to() * 100.0, 9),
                            value_us: micros(step.value_iterated_to() as f64),
                            count,
                        }
                    })
                },
            )
        }),
    )
}

#[derive(Serialize)]
struct PercentileRecord<'a> {
    service: &'a str,
    operation: &'a str,
    role: &'static str,
    measure: &'static str,
    percentile: f64,
    value_us: f64,
    count: u64,
}

/// `errors.csv`: failures by class, with the first message of each.
pub(super) fn errors(run: &Run) -> Vec<u8> {
    table(
        &ERRORS,
        run.recording.series.iter().flat_map(|series| {
            series.totals().errors.into_iter().map(|(class, count)| ErrorRecord {
                service: &series.key.service,
                operation: &series.key.operation,
                role: match series.key.role {
                    SeriesRole::Operation => "operation",
                    SeriesRole::Step => "step",
                    SeriesRole::Upkeep => "upkeep",
                },
                class: class.word(),
                count,
                first_message: series.messages.get(&class).map_or("", String::as_str),
            })
        }),
    )
}

#[derive(Serialize)]
struct ErrorRecord<'a> {
    service: &'a str,
    operation: &'a str,
    role: &'static str,
    class: &'static str,
    count: u64,
    first_message: &'a str,
}

fn service(row: &Row) -> &str {
    row.scope.service.as_deref().unwrap_or("*")
}

fn operation(row: &Row) -> &str {
    row.scope.operation.as_deref().unwrap_or("*")
}

pub(super) fn table<T: Serialize>(header: &[&str], records: impl IntoIterator<Item = T>) -> Vec<u8> {
    // The header is written here rather than by serde, so that it is there even where no record follows.
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(header).expect(IN_MEMORY);
    for record in records {
        writer.serialize(record).expect(IN_MEMORY);
    }
    writer.into_inner().expect(IN_MEMORY)
}

const IN_MEMORY: &str = "records are flat, as long as their header, and memory takes every byte";
