//! Whether the server would say what was wrong: slow log and latency monitor.

use super::{Quantity, Rule, Ruling, Severity, Subject};

/// The server's own default, in microseconds.
const DEFAULT_THRESHOLD: i64 = 10_000;

/// Entries below which a burst of slow commands pushes its own beginning out.
const SHORT_LOG: i64 = 128;

pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    [threshold(subject), length(subject), monitor(subject)].into_iter().flatten().collect()
}

/// Response time that is still in time, in microseconds, where a scenario says so.
fn objective(subject: &Subject<'_>) -> Option<i64> {
    i64::try_from(subject.scenario?.objective.latency.as_micros()).ok()
}

fn threshold(subject: &Subject<'_>) -> Option<Ruling> {
    let threshold = subject.number("slowlog-log-slower-than")?;
    let objective = objective(subject);
    // A command that alone uses up what the objective allows has to be in the log.
    let blind = objective.is_some_and(|objective| threshold > objective);
    let severity = if threshold <= 0 || blind { Severity::Warning } else { Severity::Passed };
    let value = match threshold {
        ..0 => Quantity::Text("negative (off)".to_owned()),
        0 => Quantity::Text("0 (every command)".to_owned()),
        micros => Quantity::Nanos(micros as f64 * 1e3),
    };
    let better = objective.map_or(DEFAULT_THRESHOLD, |objective| (objective / 10).clamp(100, DEFAULT_THRESHOLD));
    Some(
        Ruling::new(Rule::SlowlogThreshold, severity)
            .with("slowlog-log-slower-than", value)
            .with_known("objective", objective.map(|micros| Quantity::Nanos(micros as f64 * 1e3)))
            .setting("slowlog-log-slower-than", better.to_string()),
    )
}

fn length(subject: &Subject<'_>) -> Option<Ruling> {
    let length: i64 = subject.number("slowlog-max-len")?;
    let log = subject.measured.and_then(|measured| measured.record.slowlog.as_ref());
    let lost = log.map(|log| log.lost);
    let severity = match lost {
        Some(1..) => Severity::Warning,
        _ if length < SHORT_LOG => Severity::Note,
        _ => Severity::Passed,
    };
    Some(
        Ruling::new(Rule::SlowlogLength, severity)
            .with("slowlog-max-len", Quantity::Count(length.unsigned_abs()))
            .with_known("entries during the measurement", log.map(|log| Quantity::Count(log.count)))
            .with_known("lost before they were read", lost.map(Quantity::Count))
            .setting("slowlog-max-len", length.saturating_mul(2).max(1024).to_string()),
    )
}

fn monitor(subject: &Subject<'_>) -> Option<Ruling> {
    let threshold: i64 = subject.number("latency-monitor-threshold")?;
    let severity = if threshold == 0 { Severity::Note } else { Severity::Passed };
    let value = match threshold {
        0 => Quantity::Text("0 (off)".to_owned()),
        millis => Quantity::Nanos(millis as f64 * 1e6),
    };
    let better = objective(subject).map_or(100, |micros| (micros / 1_000).max(1));
    Some(
        Ruling::new(Rule::LatencyMonitor, severity)
            .with("latency-monitor-threshold", value)
            .setting("latency-monitor-threshold", better.to_string()),
    )
}
