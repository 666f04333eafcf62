//! The names, types and help of all metrics, and their values as text.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet, prometheus_text, text},
    metrics::MetricType,
    registry::{Registry, Unit},
};
use strum::VariantArray as _;

use super::{
    board::{SeriesState, ServiceState, Stage, State},
    buckets::Distribution,
};
use crate::measure::{ErrorClass, SeriesRole};

/// Every name starts with it.
const PREFIX: &str = "plimsoll";

/// The text formats of Prometheus and its kin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `OpenMetrics` 1.0.
    OpenMetrics,
    /// Prometheus' own of before, for readers that ask for it.
    Plain,
}

/// Failure classes of the harness: exported from the start with 0, so that the first failure shows as an increase.
const FORESEEN: [ErrorClass; 4] =
    [ErrorClass::Timeout, ErrorClass::CheckoutTimeout, ErrorClass::ConnectionLost, ErrorClass::Protocol];

impl Format {
    /// Format for a client: `OpenMetrics` unless the client accepts only the other one.
    pub(super) fn accepted(accept: &str) -> Self {
        let asks = |format| accept.split(',').any(|range| range.trim_start().starts_with(format));
        if asks("text/plain") && !asks("application/openmetrics-text") { Self::Plain } else { Self::OpenMetrics }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => prometheus_text::CONTENT_TYPE,
        }
    }

    /// All metrics as text.
    pub(super) fn render(self, state: State) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(Exposition(state)));
        let mut rendered = String::new();
        match self {
            Self::OpenMetrics => text::encode(&mut rendered, &registry)?,
            Self::Plain => prometheus_text::encode(&mut rendered, &registry)?,
        }
        Ok(rendered)
    }
}

type Labels<'a> = Vec<(&'static str, &'a str)>;

#[derive(Debug)]
struct Exposition(State);

/// Writes families one after another.
struct Families<'a>(DescriptorEncoder<'a>);

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let state = &self.0;
        let mut families = Families(encoder);
        of_the_run(state, &mut families)?;
        of_requests(state, &mut families)?;
        of_pools(state, &mut families)
    }
}

fn of_the_run(state: &State, families: &mut Families<'_>) -> fmt::Result {
    if let Some((product, version)) = &state.server {
        let labels = vec![
            ("version", state.version.as_str()),
            ("scenario", &state.scenario),
            ("server", product),
            ("server_version", version),
        ];
        families.info("run", "Version of plimsoll, the scenario, and the server, if known.", &labels)?;
    }
    let now = state.stage();
    let phases =
        Stage::VARIANTS.iter().map(|stage| (vec![("phase", stage.into())], f64::from(u8::from(*stage == now))));
    families.gauge("phase", "Phase of the run: 1 for the current phase, 0 for all others.", None, phases)?;
    let begun = f64::from(u8::from(state.has_begun()));
    let help = "Whether the measured period, and with it all counters and histograms, has started.";
    families.gauge("measured_period_begun", help, None, [(Vec::new(), begun)])?;
    let latency = state.latency as f64 / 1e9;
    let help = "Longest response time that is in time; also the bound of a bucket.";
    families.gauge("objective_latency", help, Some(&Unit::Seconds), [(Vec::new(), latency)])?;
    let help = "Required share of requests in time.";
    families.gauge("objective_percentile", help, Some(&ratio()), [(Vec::new(), state.percentile / 100.0)])?;
    if let Some(verdict) = &state.verdict {
        let outcomes = verdict.iter().map(|(word, is)| (vec![("outcome", word.as_str())], f64::from(u8::from(*is))));
        families.gauge(
            "verdict",
            "The verdict: 1 for one outcome, 0 for all others; absent before.",
            None,
            outcomes,
        )?;
    }
    Ok(())
}

fn of_requests(state: &State, families: &mut Families<'_>) -> fmt::Result {
    let offered = state.services.iter().filter_map(|service| Some((of_service(service), service.offered?)));
    let help = "Rate at which requests fall due by the scenario (open loop).";
    families.gauge("offered_requests_per_second", help, None, offered)?;
    let scheduled = state.services.iter().map(|service| (of_service(service), service.scheduled));
    families.counter("requests_scheduled", "Requests that fell due in the measured period.", scheduled)?;
    let lags = state.services.iter().filter(|service| service.offered.is_some());
    families.histogram(
        "schedule_lag",
        "Schedule lag of requests of the measured period (open loop).",
        state,
        lags.map(|service| (of_service(service), &service.lag)),
    )?;

    families.histogram(
        "response_time",
        "Time from the due instant to the reply, of completed requests of the measured period.",
        state,
        state.series.values().map(|series| (of_series(series), &series.response)),
    )?;
    families.histogram(
        "service_time",
        "Time from the checkout of a connection to the reply, of completed requests of the measured period.",
        state,
        state.series.values().map(|series| (of_series(series), &series.service)),
    )?;
    // Steps and upkeep have the connection of their request.
    let operations = state.series.values().filter(|series| series.key.role == SeriesRole::Operation);
    families.histogram(
        "connection_wait",
        "Time from the due instant to the checkout of a connection, of completed requests of the measured period.",
        state,
        operations.clone().map(|series| (of_series(series), &series.wait)),
    )?;

    let count = |count: fn(&SeriesState) -> u64| {
        state.series.values().map(move |series| (of_series(series), count(series))).collect::<Vec<_>>()
    };
    let completed = count(|series| series.counts.completed);
    families.counter("requests_completed", "Requests of the measured period that succeeded.", completed)?;
    let in_time = operations.map(|series| (of_series(series), series.response.up_to(&state.ladder, state.latency)));
    let help = "Requests of the measured period that succeeded within the objective's latency.";
    families.counter("requests_in_time", help, in_time)?;
    let failed = state.series.values().flat_map(failures);
    families.counter("requests_failed", "Requests of the measured period that failed, by class.", failed)?;
    let help = "Keys, fields and members that requests of the measured period found.";
    families.counter("lookup_hits", help, count(|series| series.counts.hits))?;
    let help = "Keys, fields and members that requests of the measured period did not find.";
    families.counter("lookup_misses", help, count(|series| series.counts.misses))
}

fn of_pools(state: &State, families: &mut Families<'_>) -> fmt::Result {
    let over = state.stage() == Stage::Done;
    let level = |level: fn(&ServiceState) -> f64| {
        let now = move |service| if over { 0.0 } else { level(service) };
        state.services.iter().map(move |service| (of_service(service), now(service)))
    };
    let size = state.services.iter().map(|service| (of_service(service), service.connections as f64));
    families.gauge("pool_connections", "Connections in the pools of the service.", None, size)?;
    let open = level(|service| service.open() as f64);
    families.gauge("pool_connections_open", "Open connections.", None, open)?;
    let help = "Connections (shared checkout: places on them) that carried a request, mean of the last second.";
    families.gauge("pool_connections_in_use", help, None, level(|service| service.in_use))?;
    let help = "Requests that waited for a connection, mean of the last second.";
    families.gauge("pool_requests_waiting", help, None, level(|service| service.waiting))?;
    let lost = state.services.iter().map(|service| (of_service(service), service.lost));
    families.counter("connections_lost", "Connections that were lost in the measured period.", lost)?;
    let recovered = state.services.iter().map(|service| (of_service(service), service.recovered));
    families.counter("connections_recovered", "Connections that came back in the measured period.", recovered)
}

impl Families<'_> {
    fn info(&mut self, name: &str, help: &str, labels: &Labels<'_>) -> fmt::Result {
        self.0.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(labels)
    }

    fn gauge<'a>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        rows: impl IntoIterator<Item = (Labels<'a>, f64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        rows.into_iter().try_for_each(|(labels, value)| family.encode_family(&labels)?.encode_gauge(&value))
    }

    fn counter<'a>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels<'a>, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        rows.into_iter().try_for_each(|(labels, value)| {
            family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)
        })
    }

    /// Durations, in seconds.
    fn histogram<'a>(
        &mut self,
        name: &str,
        help: &str,
        state: &State,
        rows: impl IntoIterator<Item = (Labels<'a>, &'a Distribution)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        rows.into_iter().try_for_each(|(labels, durations)| {
            let buckets = durations.buckets(&state.ladder);
            let mut metric = family.encode_family(&labels)?;
            metric.encode_histogram::<NoLabelSet>(durations.seconds(), durations.len(), &buckets, None)
        })
    }
}

fn ratio() -> Unit {
    Unit::Other("ratio".to_owned())
}

fn of_service(service: &ServiceState) -> Labels<'_> {
    vec![("service", &service.name)]
}

fn of_series(series: &SeriesState) -> Labels<'_> {
    let role = match series.key.role {
        SeriesRole::Operation => "operation",
        SeriesRole::Step => "step",
        SeriesRole::Upkeep => "upkeep",
    };
    vec![("service", &series.key.service), ("operation", &series.key.operation), ("role", role)]
}

/// Failures of a series by class; those that any operation may meet also where there was none.
fn failures(series: &SeriesState) -> impl Iterator<Item = (Labels<'_>, u64)> {
    let operation = series.key.role == SeriesRole::Operation;
    let counter = move |class: &ErrorClass| {
        let count = series.counts.errors.get(class).copied();
        let foreseen = operation && FORESEEN.contains(class);
        let count = count.or(foreseen.then_some(0))?;
        let mut labels = of_series(series);
        labels.push(("class", class.word()));
        Some((labels, count))
    };
    ErrorClass::ALL.iter().filter_map(counter)
}
