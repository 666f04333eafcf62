//! Files for the action github-action-benchmark: `customSmallerIsBetter` for response times in milliseconds,
//! `customBiggerIsBetter` for throughput.

use serde::Serialize;

use super::words::{history, is_latency, path, tidy};
use crate::{
    report::json_parts::text,
    results::{Better, Ci, CiMeasure, CiScenario},
};

/// One point of a chart.
#[derive(Serialize)]
struct Point {
    name: String,
    unit: &'static str,
    value: f64,
    /// Shown behind the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
}

/// Response times.
pub(super) fn latency(ci: &Ci) -> String {
    let ours = history(ci).filter(|(_, measure)| is_latency(measure) && measure.better == Better::Smaller);
    text(&ours.map(|(scenario, measure)| point(scenario, measure, "ms", 1e-3)).collect::<Vec<_>>())
}

/// Throughput.
pub(super) fn throughput(ci: &Ci) -> String {
    let ours = history(ci).filter(|(_, measure)| !is_latency(measure) && measure.better == Better::Bigger);
    text(&ours.map(|(scenario, measure)| point(scenario, measure, "requests/s", 1.0)).collect::<Vec<_>>())
}

fn point(scenario: &CiScenario, measure: &CiMeasure, unit: &'static str, scale: f64) -> Point {
    let range = measure.low.zip(measure.high).map(|(low, high)| {
        let [below, above] = [measure.value - low, high - measure.value].map(|by| tidy((by * scale).max(0.0)));
        format!("-{below}/+{above}")
    });
    let name = format!("{} {}", path(scenario, measure), measure.metric);
    Point { name, unit, value: tidy(measure.value * scale), range }
}
