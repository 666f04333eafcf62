//! A run boiled down to what comparisons need.

use std::collections::BTreeSet;

use crate::{
    analysis::{Analysis, Distribution, PERCENTILES, PercentileValue, Row, Timeline},
    measure::{Nanos, PackedHistogram, SECOND, SeriesRole},
    results::{
        Abstract, AbstractRow, Calibration, KnownPercentile, Reference, Run, Stretch, TargetFacts, WorstSeconds,
    },
};

/// Points of the course that are kept; of a longer run, stretches of seconds.
const MOST_STRETCHES: usize = 240;

/// The abstract of a run that is called `name`. Steps and upkeep are in no row: they are part of their operation, or no load
/// that was asked for.
pub fn abstract_of(run: &Run, analysis: &Analysis, name: &str) -> Abstract {
    let mut pacing: Vec<&str> = run.recording.workers.iter().map(|worker| worker.pacing.as_str()).collect();
    pacing.sort_unstable();
    pacing.dedup();
    let course = analysis.timelines.last().map(|whole| course(whole, run.recording.period.measured_ns));
    Abstract {
        name: name.to_owned(),
        software: run.software.clone(),
        started: run.started.clone(),
        measured_ns: run.recording.period.measured_ns,
        scenario: run.scenario.clone(),
        target: TargetFacts { same_machine: shares_machine(run), ..run.target.clone() },
        environment: run.environment.clone(),
        generators: run.generators.iter().map(|generator| generator.environment.clone()).collect(),
        pacing: pacing.join(" and "),
        workers: Some(run.recording.workers.len() as u32),
        calibration: calibration(run),
        verdict: analysis.conclusion.verdict,
        interrupted: run.recording.period.interrupted,
        rows: by_service(&analysis.rows).into_iter().map(row).collect(),
        course: course.unwrap_or_default(),
    }
}

/// Whether load came from the server's machine.
fn shares_machine(run: &Run) -> bool {
    match run.generators.as_slice() {
        [] => run.target.same_machine,
        generators => generators.iter().any(|generator| generator.same_machine),
    }
}

/// Speed of the machines that the load came from: of several the geometric mean. Unknown where one of them lacks it, and where two
/// processes measured one machine at the same time, each in the other's way.
fn calibration(run: &Run) -> Option<Calibration> {
    if run.generators.is_empty() {
        return run.calibration;
    }
    let hosts: BTreeSet<&str> = run.generators.iter().map(|generator| generator.shard.host.as_str()).collect();
    if hosts.len() < run.generators.len() {
        return None;
    }
    let all: Option<Vec<Calibration>> = run.generators.iter().map(|generator| generator.calibration).collect();
    let of_all = |all: &[Calibration], part: fn(&Calibration) -> Reference| {
        let logarithms = all.iter().map(|one| (part(one).median_ns.max(1) as f64).ln()).sum::<f64>();
        Reference {
            median_ns: (logarithms / all.len() as f64).exp().round() as Nanos,
            round_trips: all.iter().map(|one| part(one).round_trips).sum(),
        }
    };
    all.map(|all| Calibration { before: of_all(&all, |one| one.before), after: of_all(&all, |one| one.after) })
}

/// The operations of each service with their sum, then the whole.
fn by_service(rows: &[Row]) -> Vec<&Row> {
    let mut services: Vec<&Option<String>> = Vec::new();
    for row in rows.iter().filter(|row| row.scope.service.is_some()) {
        if !services.contains(&&row.scope.service) {
            services.push(&row.scope.service);
        }
    }
    let place =
        |row: &Row| services.iter().position(|service| **service == row.scope.service).unwrap_or(services.len());
    let mut kept: Vec<&Row> = rows.iter().filter(|row| row.scope.role == SeriesRole::Operation).collect();
    kept.sort_by_key(|row| (place(row), row.scope.operation.is_none()));
    kept
}

fn row(row: &Row) -> AbstractRow {
    AbstractRow {
        service: row.scope.service.clone(),
        operation: row.scope.operation.clone(),
        completed: row.counts.completed,
        failed: row.counts.failed(),
        unfinished: row.unfinished,
        rate: row.rate,
        mean_ns: row.response.mean,
        burstiness: row.response.burstiness,
        percentiles: percentiles(&row.response),
        response: PackedHistogram::of(&row.response.histogram),
    }
}

fn percentiles(of: &Distribution) -> Vec<KnownPercentile> {
    let known = |percentile: f64| match of.percentile(percentile).value {
        PercentileValue::Known { nanos, low, high, .. } => Some(KnownPercentile { percentile, nanos, low, high }),
        PercentileValue::TooFew { .. } => None,
    };
    PERCENTILES.into_iter().filter_map(known).collect()
}

fn course(whole: &Timeline, measured_ns: u64) -> Vec<Stretch> {
    let length = whole.seconds.len().div_ceil(MOST_STRETCHES).max(1);
    let stretches = whole.seconds.chunks(length).map(|seconds| {
        let measured = seconds.iter().filter(|at| (u64::from(at.second) + 1) * SECOND <= measured_ns);
        let answered: Vec<u64> = measured.map(|at| at.answered).collect();
        let worst = |of: fn((u64, u64, u64)) -> u64| seconds.iter().filter_map(|at| at.response.map(of)).max();
        Stretch {
            second: seconds[0].second,
            rate: (!answered.is_empty()).then(|| answered.iter().sum::<u64>() as f64 / answered.len() as f64),
            response: worst(|(p50, ..)| p50).zip(worst(|(_, p99, _)| p99)).map(|(p50, p99)| WorstSeconds { p50, p99 }),
        }
    });
    stretches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::analyse,
        results::{Baseline, sample},
    };

    #[test]
    fn keeps_the_numbers_and_little_more() {
        let run = sample::run();
        let analysis = analyse(&run, &sample::scenario());
        let kept = abstract_of(&run, &analysis, "sample");
        let whole = kept.whole().unwrap();
        let row = analysis.rows.last().unwrap();
        assert_eq!(
            (whole.completed, whole.failed, whole.unfinished),
            (row.counts.completed, row.counts.failed(), row.unfinished)
        );
        let read = whole.response.unpack();
        assert_eq!(read.len(), row.response.histogram.len());
        assert_eq!(read.value_at_quantile(0.99), row.response.histogram.value_at_quantile(0.99));
        assert_eq!(whole.percentile(50.0).map(|known| known.nanos), row.response.percentile(50.0).nanos());
        let names: Vec<_> = kept.rows.iter().map(|row| (row.service.as_deref(), row.operation.as_deref())).collect();
        let of_api = names.iter().rposition(|(service, _)| *service == Some("api")).unwrap();
        assert_eq!(
            (names[of_api], names.last()),
            ((Some("api"), None), Some(&(None, None))),
            "sums come last: {names:?}"
        );
        assert!(kept.rows.iter().all(|row| row.operation.as_deref() != Some("LTRIM")));
        assert_eq!(kept.course.len(), 13);
        assert!(kept.course[12].rate.is_none(), "the drain has no rate");
        assert_eq!((kept.workers, kept.interrupted), (Some(run.recording.workers.len() as u32), false));
        let (all, kept) = (run.to_json().len(), Baseline::new(vec![kept]).to_json().len());
        assert!(kept * 4 < all, "{kept} of {all}: twelve seconds, and every row has one histogram");
    }

    #[test]
    fn a_run_of_several_generators_keeps_their_machines() {
        let kept = |run: &Run| abstract_of(run, &analyse(run, &sample::scenario()), "sample");
        let mut run = sample::scaled(2, |_| 1_000_000);
        run.environment.cpu = "the coordinator's".into();
        run.target.same_machine = true;
        let reference = |median_ns| Reference { median_ns, round_trips: 10 };
        for (generator, median_ns) in run.generators.iter_mut().zip([40_000, 90_000]) {
            generator.calibration = Some(Calibration { before: reference(median_ns), after: reference(median_ns) });
        }
        let found = kept(&run);
        assert_eq!(found.machines().len(), 2);
        assert!(found.machines().iter().all(|machine| machine.cpu != "the coordinator's"));
        assert!(!found.target.same_machine, "the coordinator sends no load");
        let whole = found.calibration.unwrap();
        assert_eq!((whole.before.median_ns, whole.after.round_trips), (60_000, 20));
        run.generators[1].same_machine = true;
        run.generators[1].shard.host = run.generators[0].shard.host.clone();
        let found = kept(&run);
        assert!(found.target.same_machine);
        assert_eq!(found.calibration, None, "two processes on one machine");
        assert_eq!(kept(&sample::run()).machines().len(), 1);
    }

    #[test]
    fn a_long_course_is_reported_in_stretches() {
        let moment = |second: u32| crate::analysis::Moment {
            second,
            answered: 100 + u64::from(second % 2) * 20,
            response: Some((u64::from(second), 10 + u64::from(second), 0)),
            ..Default::default()
        };
        let whole = Timeline { seconds: (0..600).map(moment).collect() };
        let course = course(&whole, 600 * SECOND);
        assert_eq!(course.len(), 200);
        assert_eq!(
            course[1],
            Stretch { second: 3, rate: Some(340.0 / 3.0), response: Some(WorstSeconds { p50: 5, p99: 15 }) }
        );
    }
}
