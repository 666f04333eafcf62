//! Words that several parts of the report of a gate use.

pub(super) use crate::report::view::effect::{changed, detectable, effect, interval, p_digits, p_value};
use crate::{
    analysis::{
        Effect,
        gate::{GateMetric, GateScope},
    },
    report::format::{self, THIN, TimeUnit},
    results::{Advisory, Gate, Sides, brief_address},
    scenario,
};

pub(super) fn scenario_name(gate: &Gate) -> String {
    scenario::parse(&gate.scenario, "scenario of the saved gate").map_or_else(|_| "scenario".to_owned(), |of| of.name)
}

/// A metric, for people.
pub(in crate::report) fn metric_name(metric: GateMetric) -> &'static str {
    match metric {
        GateMetric::Median => "p50",
        GateMetric::Mean => "mean",
        GateMetric::P99 => "p99",
        GateMetric::Throughput => "throughput of closed loops",
    }
}

/// What a row is about: `api GET`, `api`, `all requests`.
pub(in crate::report) fn scope_name(scope: &GateScope) -> String {
    match (&scope.service, &scope.operation) {
        (Some(service), Some(operation)) => format!("{service} {operation}"),
        (Some(service), None) => service.clone(),
        _ => "all requests".to_owned(),
    }
}

/// Why a regression does not count as one.
pub fn advisory_words(advisory: &Advisory) -> String {
    match advisory {
        Advisory::External(url) => format!(
            "{} was not started for this gate: its machine, age and memory layout are the same in every block, and \
             cannot be distinguished from a difference of the arms",
            brief_address(url),
        ),
        Advisory::Words(words) => words.clone(),
    }
}

/// A value of a metric with its unit.
pub(super) fn value(metric: GateMetric, value: f64) -> String {
    if metric.more_is_worse() { format::duration(value) } else { format::rate(value) }
}

/// From A to B: `0.412 → 0.437 ms`.
pub(super) fn levels(metric: GateMetric, Sides { a, b }: Sides<f64>) -> String {
    if metric.more_is_worse() {
        let unit = TimeUnit::of(&[a, b]);
        format!("{} → {}{THIN}{}", unit.write(a), unit.write(b), unit.name())
    } else {
        format!("{} → {}", value(metric, a), value(metric, b))
    }
}

/// What the arms had by themselves. The change is that within blocks, and so need not be the ratio of the two.
pub(super) fn medians(metric: GateMetric, of_arms: Sides<f64>) -> String {
    format!("medians of all blocks {}", levels(metric, of_arms))
}

/// The smallest worsening that could have been seen: `detectable 3.4 %`.
pub(super) fn could_have_seen(effect: &Effect) -> String {
    let change = match detectable(effect) {
        Some(worsening) if worsening > 1.0 => format::factor(1.0 + worsening),
        Some(worsening) => share(worsening),
        None => "nothing".to_owned(),
    };
    format!("detectable {change}")
}

/// A share to one decimal place: `3.4 %`.
pub(super) fn share(share: f64) -> String {
    format!("{:.1}{THIN}%", share * 100.0)
}
