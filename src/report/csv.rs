//! Tables of a run for spreadsheets and scripts.

use super::{
    csv_table::{self, or_all, table},
    json_events::EventSummary,
    json_generators::GeneratorSummary,
    json_nodes::{NodeSummary, ReadSummary},
    json_outages,
    number::{micros, ratio, rounded, seconds},
    summary::{role, rows},
};
use crate::{
    analysis::Analysis,
    results::{Run, ServerSecond, slug},
    scenario::Scenario,
};

/// Points of a percentile curve per halving of the distance to 100 %, as plotters of HDR histograms use.
const TICKS_PER_HALF: u32 = 5;

/// `summary.csv`: one row per operation, then one per service, then `*,*`.
pub(super) fn summary(scenario: &Scenario, analysis: &Analysis) -> Vec<u8> {
    csv_table::records(rows(scenario, analysis))
}

/// `events.csv`: one row per event of the scenario.
pub(super) fn events(run: &Run) -> Vec<u8> {
    csv_table::records(run.events.iter().map(EventSummary::new))
}

/// `nodes.csv`: one row per node, then requests that no single known node served.
pub(super) fn nodes(analysis: &Analysis) -> Vec<u8> {
    csv_table::records(analysis.nodes.iter().map(NodeSummary::new))
}

/// `generators.csv`: one row per process that sent the load.
pub(super) fn generators(analysis: &Analysis) -> Vec<u8> {
    csv_table::records(analysis.generators.iter().map(GeneratorSummary::new))
}

/// `reads.csv`: reads of each service that reads from replicas, one row per role of the node.
pub(super) fn reads(analysis: &Analysis) -> Vec<u8> {
    csv_table::records(analysis.reads.iter().map(ReadSummary::new))
}

/// `outages.csv`: one row per outage of a service or a node.
pub(super) fn outages(run: &Run, analysis: &Analysis) -> Vec<u8> {
    csv_table::records(json_outages::summaries(run, analysis))
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

/// `server.csv`: what the server said, second by second. Counts are those of the second; levels are those at its end. Empty
/// where the server said nothing.
pub(super) fn server(run: &Run) -> Vec<u8> {
    let spent = |seconds: Option<f64>| seconds.map(|seconds| rounded(seconds, 6));
    let persistence = |second: &ServerSecond| second.levels.persistence.iter().map(slug).collect::<Vec<_>>().join(" ");
    table!(&run.server.seconds, |second| [
        ("second", second.second),
        ("length_s", seconds(second.length_ns)),
        ("restarted", second.restarted),
        ("reset", second.reset),
        ("commands", second.counts.commands),
        ("cpu_user_s", spent(second.counts.cpu_user)),
        ("cpu_system_s", spent(second.counts.cpu_system)),
        ("main_thread_cpu_s", spent(second.counts.main_thread_cpu)),
        ("main_thread_active_s", spent(second.counts.main_thread_active)),
        ("bytes_received", second.counts.received),
        ("bytes_sent", second.counts.sent),
        ("hits", second.counts.hits),
        ("misses", second.counts.misses),
        ("evicted", second.counts.evicted),
        ("expired", second.counts.expired),
        ("rejected", second.counts.rejected),
        ("error_replies", second.counts.error_replies),
        ("forks", second.counts.forks),
        ("delayed_fsyncs", second.counts.delayed_fsyncs),
        ("event_loops", second.counts.event_loops),
        ("event_loop_us", second.counts.event_loop_us),
        ("event_loop_command_us", second.counts.event_loop_command_us),
        ("io_thread_operations", second.counts.io_thread_operations),
        ("used_memory", second.levels.used_memory),
        ("rss", second.levels.rss),
        ("peak_memory", second.levels.peak_memory),
        ("fragmentation", second.levels.fragmentation),
        ("clients", second.levels.clients),
        ("blocked", second.levels.blocked),
        ("keys", second.levels.keys),
        ("replicas", second.levels.replicas),
        ("replica_lag_bytes", second.levels.replica_lag),
        ("persistence", persistence(second)),
    ])
}

/// `commands.csv`: both times of each command, most server time first.
pub(super) fn commands(analysis: &Analysis) -> Vec<u8> {
    table!(&analysis.server.commands, |command| [
        ("command", command.name),
        ("calls", command.calls),
        ("server_mean_us", micros(command.server)),
        ("server_p99_below_us", command.server_p99.map(micros)),
        ("client_mean_us", command.client.map(micros)),
        ("busy_share", ratio(command.busy)),
        ("rejected", command.rejected),
        ("failed", command.failed),
    ])
}

/// `dependencies.csv`: one row per probe. `second` is empty outside the measured period, `failure` where there was none.
pub(super) fn dependencies(run: &Run) -> Vec<u8> {
    let probes = run.dependencies.iter().flat_map(|record| record.probes.iter().map(move |probe| (record, probe)));
    table!(probes, |(record, probe)| [
        ("dependency", record.name),
        ("address", record.address),
        ("phase", probe.phase),
        ("second", probe.second),
        ("elapsed_us", micros(probe.elapsed_ns as f64)),
        ("failure", probe.failure),
    ])
}

/// `keyspace.csv`: one row per database, type and prefix, with 95 % intervals. Empty where memory was withheld, and where
/// an upper bound is not known.
pub(super) fn keyspace(analysis: &Analysis) -> Vec<u8> {
    let databases = analysis.keyspace.iter().flat_map(|side| &side.databases);
    let groups = databases.flat_map(|database| database.groups.iter().map(move |group| (database, group)));
    let whole = |value: f64| value.round() as u64;
    table!(groups, |(database, group)| [
        ("database", database.database),
        ("prefix", group.prefix),
        ("type", group.data_type),
        ("complete", database.complete),
        ("keys", whole(group.keys.point)),
        ("keys_low", group.keys.low.map(whole)),
        ("keys_high", group.keys.high.map(whole)),
        ("bytes", group.bytes.map(|bytes| whole(bytes.point))),
        ("bytes_low", group.bytes.and_then(|bytes| bytes.low).map(whole)),
        ("bytes_high", group.bytes.and_then(|bytes| bytes.high).map(whole)),
        ("share", group.share.map(ratio)),
    ])
}
