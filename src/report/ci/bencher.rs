//! Bencher Metric Format: a benchmark for each series, with its measures.
//!
//! Bencher has two measures from the start: `latency` in nanoseconds and `throughput` in operations per second. The median
//! takes the first; other percentiles and the mean have measures of their own, `latency-p99`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::words::{history, is_latency, path, tidy};
use crate::{
    report::json_parts::text,
    results::{Ci, CiMeasure},
};

#[derive(Serialize)]
struct Metric {
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<f64>,
}

pub(super) fn render(ci: &Ci) -> String {
    let mut benchmarks: BTreeMap<String, BTreeMap<String, Metric>> = BTreeMap::new();
    for (scenario, measure) in history(ci) {
        let measures = benchmarks.entry(path(scenario, measure)).or_default();
        measures.insert(name(measure), metric(measure));
    }
    text(&benchmarks)
}

fn name(measure: &CiMeasure) -> String {
    match (is_latency(measure), measure.metric.as_str()) {
        (true, "p50") => "latency".to_owned(),
        (true, metric) => format!("latency-{metric}"),
        (false, metric) => metric.to_owned(),
    }
}

fn metric(measure: &CiMeasure) -> Metric {
    let scale = if is_latency(measure) { 1e3 } else { 1.0 };
    let scaled = |value: f64| tidy(value * scale);
    Metric { value: scaled(measure.value), lower_value: measure.low.map(scaled), upper_value: measure.high.map(scaled) }
}
