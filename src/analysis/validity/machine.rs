//! Whether the machine that the harness ran on was its own.

use super::{Check, CheckKind, Evidence};
use crate::{
    analysis::{silence, tally::measured_seconds},
    measure::HostInterval,
};

/// CPU time that the hypervisor gave to somebody else.
pub(super) fn steal(evidence: &Evidence<'_>) -> Option<Check> {
    mean(evidence, |second| second.stolen).map(|share| Check::new(CheckKind::Steal, None, share))
}

/// Time in which the container had used up its quota.
pub(super) fn throttling(evidence: &Evidence<'_>) -> Option<Check> {
    mean(evidence, |second| second.throttled).map(|share| Check::new(CheckKind::Throttling, None, share))
}

/// Time in which a worker thread did not run although it should have: the process was stopped, or others had its core.
pub(super) fn pauses(evidence: &Evidence<'_>) -> Option<Check> {
    silence::paused(&evidence.run.recording).map(|share| Check::new(CheckKind::Pauses, None, share))
}

/// Mean over the measured period; `None` where the machine was not watched.
fn mean(evidence: &Evidence<'_>, share: impl Fn(&HostInterval) -> f64) -> Option<f64> {
    let seconds = measured_seconds(&evidence.run.recording);
    let watched = evidence.run.recording.host.iter().filter(|second| (second.second as usize) < seconds);
    let shares: Vec<f64> = watched.map(share).collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::super::tests::find;
    use crate::{
        analysis::{CheckKind, Level},
        results::sample,
    };

    #[test]
    fn counts_the_measured_period_only() {
        let mut run = sample::run();
        for second in &mut run.recording.host {
            second.throttled = if second.second < 6 { 0.04 } else { 0.0 };
        }
        let mut drain = run.recording.host[11];
        (drain.second, drain.throttled) = (12, 1.0);
        run.recording.host.push(drain);
        let check = find(&run, CheckKind::Throttling, None).unwrap();
        assert!((check.value - 0.02).abs() < 1e-12 && check.level == Level::Warn, "{check:?}");
    }
}
