//! `OpenMetrics` text: for a push gateway, the textfile collector of the node exporter, or GitLab's metrics report.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, text},
    metrics::MetricType,
    registry::{Registry, Unit},
};

use super::words::{history, is_latency, tidy};
use crate::results::{Ci, CiMeasure, CiScenario, InCheck};

pub(super) fn render(ci: &Ci) -> String {
    let mut registry = Registry::with_prefix("plimsoll_ci");
    registry.register_collector(Box::new(Exposition(ci.clone())));
    let mut rendered = String::new();
    text::encode(&mut rendered, &registry).expect("a string takes every write");
    rendered
}

type Labels<'a> = Vec<(&'static str, &'a str)>;

#[derive(Debug)]
struct Exposition(Ci);

/// Writes families one after another; one without rows is left out.
struct Families<'a>(DescriptorEncoder<'a>);

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let ci = &self.0;
        let mut families = Families(encoder);
        let outcomes = ci.scenarios.iter().flat_map(|scenario| {
            let own = scenario.outcome();
            InCheck::ALL.iter().map(move |outcome| {
                let labels = vec![("scenario", scenario.name.as_str()), ("outcome", InCheck::word(*outcome))];
                (labels, f64::from(u8::from(*outcome == own)))
            })
        });
        families.gauge("outcome", "Outcome of a scenario: 1 for one, 0 for all others.", None, outcomes)?;
        let durations =
            ci.scenarios.iter().map(|scenario| (vec![("scenario", scenario.name.as_str())], scenario.seconds));
        families.gauge("duration", "Duration of a scenario.", Some(&Unit::Seconds), durations)?;

        let latency = || history(ci).filter(|(_, measure)| is_latency(measure));
        let seconds = |value: f64| tidy(value / 1e6);
        let mut times = |name: &str, help: &str, value: fn(&CiMeasure) -> Option<f64>| {
            let rows =
                latency().filter_map(|(scenario, measure)| Some((of(scenario, measure), seconds(value(measure)?))));
            families.gauge(name, help, Some(&Unit::Seconds), rows)
        };
        times("response_time", "Response time from the due instant: its mean, or a percentile.", |of| Some(of.value))?;
        let [lower, upper] = ["Lower", "Upper"]
            .map(|bound| format!("{bound} bound of the 95 % confidence interval of the response time."));
        times("response_time_low", &lower, |of| of.low)?;
        times("response_time_high", &upper, |of| of.high)?;
        let throughput = history(ci).filter(|(_, measure)| !is_latency(measure));
        families.gauge(
            "throughput_requests_per_second",
            "Requests answered per second.",
            None,
            throughput.map(|(scenario, measure)| (scope(scenario, measure), measure.value)),
        )
    }
}

impl Families<'_> {
    fn gauge<'a>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        rows: impl IntoIterator<Item = (Labels<'a>, f64)>,
    ) -> fmt::Result {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        rows.try_for_each(|(labels, value)| family.encode_family(&labels)?.encode_gauge(&value))
    }
}

/// What a measure is of; sums are of `*`.
fn scope<'a>(scenario: &'a CiScenario, measure: &'a CiMeasure) -> Labels<'a> {
    vec![
        ("scenario", scenario.name.as_str()),
        ("service", measure.service.as_deref().unwrap_or("*")),
        ("operation", measure.operation.as_deref().unwrap_or("*")),
    ]
}

fn of<'a>(scenario: &'a CiScenario, measure: &'a CiMeasure) -> Labels<'a> {
    let mut labels = scope(scenario, measure);
    labels.push(("statistic", &measure.metric));
    labels
}
