//! Whether the processes that sent the load together did so at the same time, and each in time.

use super::harness;
use crate::{
    analysis::{Check, CheckKind, Level, evidence::Evidence, generators::misalignment},
    measure::merged,
    results::{ClockReference, Generator},
};

/// A load that ended before its time; absent where it did not.
pub(super) fn failure(evidence: &Evidence<'_>) -> Option<Check> {
    let failure = evidence.run.load_failure.as_ref()?;
    let period = evidence.run.recording.period;
    let missing = 1.0 - period.measured_ns as f64 / period.planned_ns.max(1) as f64;
    let check = Check::new(CheckKind::LoadFailure, Some(failure.sentence()), missing.max(0.0));
    Some(Check { level: Level::Refuse, ..check })
}

/// The worst start; absent where one process sent the load.
pub(super) fn start(evidence: &Evidence<'_>) -> Option<Check> {
    let generators = evidence.run.generators.iter();
    let worst = generators.max_by_key(|generator| misalignment(generator))?;
    let error = misalignment(worst) as f64;
    let check = Check::new(CheckKind::Start, Some(worst.name()), error / 1e9);
    if worst.shard.clock.reference == ClockReference::Machine {
        // How far the clocks of the machines are apart is not known.
        return Some(Check { level: Level::Unknown, ..check });
    }
    Some(Check { nanos: Some(error), ..check })
}

/// The longest schedule lag of a generator: one of many that is late would not show in the lag of all.
pub(super) fn schedule_lag(evidence: &Evidence<'_>) -> Option<Check> {
    // Those of a late generator have its lag in them.
    let response = &evidence.rows.last()?.response.histogram;
    let of_generator = |generator: &Generator| {
        let lag = merged([&generator.lag]);
        harness::lag_check(evidence, (CheckKind::GeneratorLag, Some(generator.name())), &lag, response)
    };
    let checks = evidence.run.generators.iter().filter_map(of_generator);
    checks.max_by(|a, b| a.level.cmp(&b.level).then(a.value.total_cmp(&b.value)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::checks_of;
    use crate::{
        analysis::{Check, CheckKind, Level},
        measure::Latencies,
        results::{LoadFailure, Run, sample},
    };

    fn of_kind(run: &Run, kind: CheckKind) -> Option<Check> {
        checks_of(run).into_iter().find(|check| check.kind == kind)
    }

    #[test]
    fn the_worst_start_counts() {
        let mut run = sample::scaled(3, |_| 1_000_000);
        assert_eq!(of_kind(&run, CheckKind::Start).unwrap().level, Level::Ok);
        run.generators[1].shard.late_ns = 21_000_000;
        let check = of_kind(&run, CheckKind::Start).unwrap();
        assert_eq!((check.level, check.subject.as_deref()), (Level::Warn, Some("generator 1 on node1")));
        run.generators[2].shard.clock.uncertainty_ns = Some(251_000_000);
        let check = of_kind(&run, CheckKind::Start).unwrap();
        assert_eq!((check.level, check.subject.as_deref()), (Level::Refuse, Some("generator 2 on node2")));
        assert_eq!(of_kind(&sample::run(), CheckKind::Start), None);
    }

    #[test]
    fn a_load_that_failed_makes_the_run_invalid_and_says_what_is_unknown() {
        let mut run = sample::scaled(4, |_| 1_000_000);
        assert_eq!(of_kind(&run, CheckKind::LoadFailure), None);
        let reason = "generator 2 of 4 on n3 ended".to_owned();
        run.load_failure =
            Some(LoadFailure { reason, after_ns: 41_000_000_000, due: Some(200_000), reported: 150_000 });
        // Accounts of what was cut off are open.
        run.recording.series[0].unfinished += 7;
        let check = of_kind(&run, CheckKind::LoadFailure).unwrap();
        assert!(check.level == Level::Refuse && check.value == 0.0, "{check:?}");
        let sentence = check.subject.unwrap();
        assert!(
            sentence.starts_with("generator 2 of 4 on n3 ended after 41 s of the measured period; 50000 of "),
            "{sentence}"
        );
        assert_eq!(of_kind(&run, CheckKind::Accounts), None);
        run.recording.period.measured_ns /= 4;
        let missing = of_kind(&run, CheckKind::LoadFailure).unwrap().value;
        assert!((missing - 0.75).abs() < 1e-9, "{missing}");
    }

    #[test]
    fn a_generator_that_is_late_makes_the_run_invalid() {
        let mut run = sample::scaled(4, |_| 1_000_000);
        let level = |run: &Run| of_kind(run, CheckKind::GeneratorLag).map(|check| check.level);
        assert_eq!(level(&run), Some(Level::Ok));
        let mut late = Latencies::default();
        (0..1_000).for_each(|_| late.record(40_000_000));
        run.generators[3].lag = late.pack();
        let check = of_kind(&run, CheckKind::GeneratorLag).unwrap();
        assert_eq!((check.level, check.subject.as_deref()), (Level::Refuse, Some("generator 3 on node3")));
    }
}
