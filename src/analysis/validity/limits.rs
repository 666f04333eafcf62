//! Limits of the checks, and the level that follows from them.

use crate::analysis::{Check, CheckKind, Level};

impl Check {
    pub(super) fn new(kind: CheckKind, subject: Option<String>, value: f64) -> Self {
        let (warn, refuse) = limits(kind);
        let size = value.abs();
        let level = match refuse {
            Some(refuse) if size > refuse => Level::Refuse,
            _ if size > warn => Level::Warn,
            _ => Level::Ok,
        };
        Self { kind, subject, value, warn, refuse, level, nanos: None }
    }
}

/// Above which a check warns and refuses.
fn limits(kind: CheckKind) -> (f64, Option<f64>) {
    match kind {
        CheckKind::AchievedRate | CheckKind::Steal | CheckKind::Throttling | CheckKind::Pauses => (0.01, Some(0.05)),
        CheckKind::ScheduleLag | CheckKind::GeneratorLag => (0.10, Some(0.25)),
        CheckKind::WorkerCpu => (0.60, Some(0.85)),
        CheckKind::Drift => (0.05, Some(0.20)),
        CheckKind::Backlog => (0.005, Some(0.02)),
        CheckKind::LittlesLaw => (0.02, Some(0.10)),
        CheckKind::Misses => (0.01, Some(0.10)),
        // A fiftieth of the second that a request is counted in, and a quarter of it.
        CheckKind::Start => (0.02, Some(0.25)),
        CheckKind::Errors | CheckKind::BeyondRange => (0.0, None),
        CheckKind::Accounts | CheckKind::Panics | CheckKind::LoadFailure => (0.0, Some(0.0)),
    }
}
