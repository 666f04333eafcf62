//! Tables for spreadsheets and scripts: `summary.csv`, `timeline.csv`, `percentiles.csv`, `errors.csv`.

use super::{
    csv_table::{self, or_all, table},
    number::{micros, rounded},
    summary::{role, rows},
};
use crate::{analysis::Analysis, results::Run, scenario::Scenario};

/// Points of a percentile curve per halving of the distance to 100 %, as plotters of HDR histograms use.
const TICKS_PER_HALF: u32 = 5;

/// `summary.csv`: one row per operation, then one per service, then `*,*`.
pub(super) fn summary(scenario: &Scenario, analysis: &Analysis) -> Vec<u8> {
    csv_table::records(rows(scenario, analysis))
}

/// `timeline.csv`: every row of the summary, second by second.
pub(super) fn timeline(analysis: &Analysis) -> Vec<u8> {
    let rows = analysis.rows.iter().zip(&analysis.timelines);
    let moments = rows.flat_map(|(row, timeline)| timeline.seconds.iter().map(move |moment| (row, moment)));
    table!(moments, |(row, moment)| [
        ("second", moment.second),
        ("service", or_all(row.scope.service.as_ref())),
        ("operation", or_all(row.scope.operation.as_ref())),
        ("role", role(row)),
        ("count", moment.completed),
        ("errors", moment.failed),
        ("response_p50_us", moment.response.map(|(p50, ..)| micros(p50 as f64))),
        ("response_p99_us", moment.response.map(|(_, p99, _)| micros(p99 as f64))),
        ("response_max_us", moment.response.map(|(.., max)| micros(max as f64))),
        ("in_system", moment.in_system.map(|number| rounded(number, 3))),
        ("backlog", moment.backlog),
    ])
}

/// `percentiles.csv`: the whole curve of every distribution; `count` is the number of samples up to `value_us`.
pub(super) fn percentiles(analysis: &Analysis) -> Vec<u8> {
    let distributions = analysis.rows.iter().flat_map(|row| {
        let distributions = [
            ("response", &row.response),
            ("service_time", &row.service_time),
            ("wait", &row.wait),
            ("failed", &row.failed),
        ];
        distributions.map(|(measure, distribution)| (row, measure, &distribution.histogram))
    });
    let measured = distributions.filter(|(.., histogram)| !histogram.is_empty());
    let points = measured.flat_map(|(row, measure, histogram)| {
        let mut count = 0;
        histogram.iter_quantiles(TICKS_PER_HALF).map(move |step| {
            count += step.count_since_last_iteration();
            (row, measure, step, count)
        })
    });
    table!(points, |(row, measure, step, count)| [
        ("service", or_all(row.scope.service.as_ref())),
        ("operation", or_all(row.scope.operation.as_ref())),
        ("role", role(row)),
        ("measure", measure),
        ("percentile", rounded(step.quantile_iterated_to() * 100.0, 9)),
        ("value_us", micros(step.value_iterated_to() as f64)),
        ("count", count),
    ])
}

/// `errors.csv`: failures by class, with the first message of each.
pub(super) fn errors(run: &Run) -> Vec<u8> {
    let errors = run
        .recording
        .series
        .iter()
        .flat_map(|series| series.totals().errors.into_iter().map(move |(class, count)| (series, class, count)));
    table!(errors, |(series, class, count)| [
        ("service", series.key.service),
        ("operation", series.key.operation),
        ("role", series.key.role),
        ("class", class.word()),
        ("count", count),
        ("first_message", series.messages.get(&class).map_or("", String::as_str)),
    ])
}
