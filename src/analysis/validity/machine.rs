//! Whether the machine that the harness ran on was its own.

use crate::{
    analysis::{Check, CheckKind, Level, evidence::Evidence, silence, tally::measured_seconds},
    measure::HostInterval,
};

/// CPU time that the hypervisor gave to another user.
pub(super) fn steal(evidence: &Evidence<'_>) -> Option<Check> {
    check(evidence, CheckKind::Steal, |second| second.stolen)
}

/// Time in which the container was throttled by its quota.
pub(super) fn throttling(evidence: &Evidence<'_>) -> Option<Check> {
    check(evidence, CheckKind::Throttling, |second| second.throttled)
}

/// Time in which a worker thread did not run although it should have: the process was stopped, or others had its core.
pub(super) fn pauses(evidence: &Evidence<'_>) -> Option<Check> {
    let (worker, share) = silence::paused(&evidence.run.recording)?;
    let subject = (!evidence.run.generators.is_empty()).then(|| evidence.run.worker(worker));
    Some(Check::new(CheckKind::Pauses, subject, share))
}

/// The check of a mean over the measured period, of several machines the worst; `None` where the machine was not watched.
fn check(evidence: &Evidence<'_>, kind: CheckKind, share: impl Fn(&HostInterval) -> Option<f64>) -> Option<Check> {
    let seconds = measured_seconds(&evidence.run.recording);
    let of_machine = |host: &[HostInterval], subject: Option<String>| {
        let watched = host.iter().filter(|second| (second.second as usize) < seconds);
        let shares: Vec<Option<f64>> = watched.map(&share).collect();
        let known: Option<Vec<f64>> = shares.iter().copied().collect();
        let check = || match known {
            Some(known) => Check::new(kind, subject, known.iter().sum::<f64>() / known.len() as f64),
            None => Check { level: Level::Unknown, ..Check::new(kind, subject, f64::NAN) },
        };
        (!shares.is_empty()).then(check)
    };
    match evidence.run.generators.as_slice() {
        [] => of_machine(&evidence.run.recording.host, None),
        generators => {
            let checks = generators.iter().filter_map(|generator| of_machine(&generator.host, Some(generator.name())));
            checks.max_by(|a, b| a.level.cmp(&b.level).then(a.value.total_cmp(&b.value)))
        }
    }
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
            second.throttled = Some(if second.second < 6 { 0.04 } else { 0.0 });
        }
        let mut drain = run.recording.host[11];
        (drain.second, drain.throttled) = (12, Some(1.0));
        run.recording.host.push(drain);
        let check = find(&run, CheckKind::Throttling, None).unwrap();
        assert!((check.value - 0.02).abs() < 1e-12 && check.level == Level::Warn, "{check:?}");
    }

    #[test]
    fn what_the_machine_does_not_show_did_not_pass() {
        let mut run = sample::run();
        run.recording.host[3].throttled = None;
        let check = find(&run, CheckKind::Throttling, None).unwrap();
        assert!(check.level == Level::Unknown && check.value.is_nan(), "{check:?}");
        assert_eq!(find(&run, CheckKind::Steal, None).map(|check| check.level), Some(Level::Ok));
    }
}
