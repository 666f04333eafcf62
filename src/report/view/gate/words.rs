//! Words that several parts of the report of a gate use.

use crate::{
    analysis::{
        Interval,
        gate::{Change, GateMetric, GateScope},
    },
    report::format::{self, THIN, TimeUnit, signed, significant},
    results::{Advisory, Gate},
    scenario,
};

/// Changes beyond this are reported as factors.
const AS_FACTOR: f64 = 3.0;

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
            "{url} was not started for this gate: its machine, age and memory layout are the same in every block, and \
             cannot be told from a difference of the arms"
        ),
        Advisory::Words(words) => words.clone(),
    }
}

/// A value of a metric with its unit.
pub(super) fn value(metric: GateMetric, value: f64) -> String {
    if metric.more_is_worse() { format::duration(value) } else { format::rate(value) }
}

/// From A to B: `0.412 → 0.437 ms`.
pub(super) fn levels(metric: GateMetric, [a, b]: [f64; 2]) -> String {
    if metric.more_is_worse() {
        let unit = TimeUnit::of(&[a, b]);
        format!("{} → {}{THIN}{}", unit.write(a), unit.write(b), unit.name())
    } else {
        format!("{} → {}", value(metric, a), value(metric, b))
    }
}

/// A ratio as a change: `+6.1 %`, `−3.0 %`, `3.20×`.
pub(super) fn changed(ratio: f64) -> String {
    if !ratio.is_finite() {
        "any".to_owned()
    } else if ratio >= AS_FACTOR {
        format::factor(ratio)
    } else {
        format!("{}{THIN}%", signed(ratio))
    }
}

/// A change with its interval: `+6.1 % [+4.0, +8.3]`.
pub(in crate::report) fn change(change: &Change) -> String {
    let ratio = change.effect.ratio;
    format!("{} {}", changed(ratio.point), interval(ratio))
}

/// The interval of a change alone.
pub(super) fn interval(ratio: Interval) -> String {
    let write = if ratio.point >= AS_FACTOR { significant } else { signed };
    ratio.ends().map_or_else(|| "[unknown]".to_owned(), |(low, high)| format!("[{}, {}]", write(low), write(high)))
}

/// A p-value: `p = 0.0039`, `p < 0.0001`.
pub(super) fn p_value(value: f64) -> String {
    if value < 0.000_1 { "p < 0.0001".to_owned() } else { format!("p = {}", p_digits(value)) }
}

/// The digits of a p-value.
pub(super) fn p_digits(value: f64) -> String {
    match value {
        small if small < 0.000_1 => "< 0.0001".to_owned(),
        small if small < 0.1 => format!("{small:.4}"),
        value => format!("{value:.2}"),
    }
}

/// The smallest worsening that could have been seen; `None` where no sensible one could.
pub(super) fn detectable(change: &Change) -> Option<f64> {
    change.effect.smallest_detectable.filter(|share| *share < 10.0)
}

/// The same in words: `could have seen 3.4 %`.
pub(super) fn could_have_seen(change: &Change) -> String {
    format!("detectable {}", detectable(change).map_or_else(|| "nothing".to_owned(), share))
}

/// A share to one decimal place: `3.4 %`.
pub(super) fn share(share: f64) -> String {
    format!("{:.1}{THIN}%", share * 100.0)
}
