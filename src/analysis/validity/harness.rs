//! Whether the harness did its work, in time.

use hdrhistogram::Histogram;

use super::known::Known;
use crate::{
    analysis::{Check, CheckKind, Level, evidence::Evidence, tally::measured_seconds},
    measure::{Nanos, merged},
    scenario::{ArrivalProcess, Load},
};

/// Schedule lag is only refused when it is longer than this, and than this share of the objective's latency: what is nothing
/// against that decides no verdict.
const LONG_LAG: Nanos = 1_000_000;
const FELT: f64 = 0.01;

/// Standard deviations of a Poisson count that are chance.
const CHANCE: f64 = 3.0;

/// Shortfall of the released requests of an open loop. Requests are released into the queue
/// whether the pool has a connection or not, so that only the harness can be the cause; what chance takes from a Poisson
/// process is left out.
pub(super) fn achieved_rate(evidence: &Evidence<'_>, known: &Known<'_>) -> Option<Check> {
    let Load::Open { rate, arrivals } = known.service.load else { return None };
    let offered = rate * evidence.run.recording.period.measured_ns as f64 / 1e9;
    let chance = match arrivals {
        ArrivalProcess::Poisson => CHANCE * offered.sqrt(),
        ArrivalProcess::Uniform => f64::from(known.service.instances * known.record.parts.unwrap_or(1)),
    };
    let measured = measured_seconds(&evidence.run.recording);
    let seconds = known.record.seconds.iter().filter(|second| (second.second as usize) < measured);
    let released = seconds.map(|second| second.scheduled).sum::<u64>() as f64;
    (offered > 0.0).then(|| known.check(CheckKind::AchievedRate, ((offered - chance - released) / offered).max(0.0)))
}

/// p99 of the schedule lag against the median response time of which it is a part.
pub(super) fn schedule_lag(evidence: &Evidence<'_>, known: &Known<'_>) -> Option<Check> {
    known.service.offered_rate()?;
    let lag = merged(known.record.seconds.iter().map(|second| &second.lag));
    let subject = Some(known.record.name.clone());
    lag_check(evidence, (CheckKind::ScheduleLag, subject), &lag, &known.row.response.histogram)
}

pub(super) fn lag_check(
    evidence: &Evidence<'_>,
    (kind, subject): (CheckKind, Option<String>),
    lag: &Histogram<u64>,
    response: &Histogram<u64>,
) -> Option<Check> {
    if lag.is_empty() || response.is_empty() {
        return None;
    }
    let lag = lag.value_at_quantile(0.99);
    let check = Check::new(kind, subject, lag as f64 / response.value_at_quantile(0.5).max(1) as f64);
    let felt = FELT * evidence.scenario.objective.latency.as_nanos() as f64;
    let level = if lag > LONG_LAG.max(felt as Nanos) { check.level } else { check.level.min(Level::Warn) };
    Some(Check { level, nanos: Some(lag as f64), ..check })
}

/// Worker threads that panicked; absent where none did.
pub(super) fn panics(evidence: &Evidence<'_>) -> Option<Check> {
    let panicked = evidence.run.recording.workers.iter().filter(|worker| worker.panicked).count();
    (panicked > 0).then(|| Check::new(CheckKind::Panics, None, panicked as f64))
}

/// Pacing of a spinning worker, with the share of turns that had work.
const SPIN: &str = "spin";

/// How busy each worker was that spins for good, or that has closed loops only and so never spins. One that sleeps and
/// spins only before a due instant uses CPU time for waiting as well, an unknown part; that it cannot sustain
/// shows in its schedule lag.
pub(super) fn worker_cpu(evidence: &Evidence<'_>) -> Vec<Check> {
    let is_closed = |name: &String| {
        // They are called `api`, `api#1` or `api#1 part 1 of 2`.
        let service = name.split(['#', ' ']).next().unwrap_or_default();
        let known = evidence.scenario.services.iter().find(|known| known.name == service);
        known.is_some_and(|service| service.offered_rate().is_none())
    };
    let workers = evidence.run.recording.workers.iter().enumerate();
    workers
        .filter(|(_, worker)| worker.pacing == SPIN || worker.services.iter().all(is_closed))
        .map(|(number, worker)| {
            let subject = format!("{}: {}", evidence.run.worker(number), worker.services.join(", "));
            Check::new(CheckKind::WorkerCpu, Some(subject), worker.busy)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{checks_of, find},
        SPIN,
    };
    use crate::{
        analysis::{CheckKind, Level, Reason, analyse},
        measure::Latencies,
        results::{Run, Verdict, sample},
    };

    #[test]
    fn chance_is_no_shortfall() {
        let check = find(&sample::run(), CheckKind::AchievedRate, Some("api")).unwrap();
        assert!(check.value.abs() < f64::EPSILON, "{check:?}");
    }

    #[test]
    fn released_requests_are_compared_with_the_offered_rate() {
        let mut run = sample::run();
        run.recording.services[1].seconds[..12].iter_mut().for_each(|second| second.scheduled -= 30);
        let check = find(&run, CheckKind::AchievedRate, Some("chat")).unwrap();
        assert!((check.value - 0.1).abs() < 0.001 && check.level == Level::Refuse, "{check:?}");
    }

    #[test]
    fn a_run_of_which_a_worker_panicked_is_invalid() {
        let mut run = sample::run();
        assert_eq!(find(&run, CheckKind::Panics, None), None);
        run.recording.workers[1].panicked = true;
        let conclusion = analyse(&run, &sample::scenario()).conclusion;
        assert_eq!(conclusion.verdict, Verdict::Invalid);
        assert_eq!(conclusion.reasons[0], Reason::Check(CheckKind::Panics));
    }

    #[test]
    fn a_sleeping_worker_is_checked_where_it_has_closed_loops_only() {
        let mut run = sample::run();
        let checked = |run: &Run| checks_of(run).iter().filter(|check| check.kind == CheckKind::WorkerCpu).count();
        assert_eq!(checked(&run), 0, "both have an open loop");
        run.recording.workers[1].services = vec!["ml#0".into(), "ml#1".into()];
        assert_eq!(checked(&run), 1);
    }

    #[test]
    fn lag_is_refused_only_when_it_is_long_too() {
        for (lag, expected) in [(2_000, Level::Ok), (60_000, Level::Warn), (1_500_000, Level::Refuse)] {
            let mut run = sample::run();
            let mut late = Latencies::default();
            (0..1_000).for_each(|_| late.record(lag));
            run.recording.services[0].seconds.iter_mut().for_each(|second| second.lag = late.pack());
            assert_eq!(find(&run, CheckKind::ScheduleLag, Some("api")).unwrap().level, expected, "{lag} ns");
        }
    }

    #[test]
    fn a_busy_worker_spoils_no_objective_that_is_met() {
        let mut run = sample::run();
        run.recording.workers[1].busy = 0.9;
        run.recording.workers.iter_mut().for_each(|worker| worker.pacing = SPIN.into());
        let analysis = analyse(&run, &sample::scenario());
        assert_eq!(analysis.conclusion.verdict, Verdict::Pass, "{:?}", analysis.conclusion);
        assert_eq!(analysis.conclusion.harness_late, Some(CheckKind::WorkerCpu));
        let subjects: Vec<_> = checks_of(&run)
            .into_iter()
            .filter(|check| check.kind == CheckKind::WorkerCpu)
            .map(|check| (check.subject.unwrap(), check.level))
            .collect();
        let expected = [("worker 1: api".to_owned(), Level::Ok), ("worker 2: chat, ml".to_owned(), Level::Refuse)];
        assert_eq!(subjects, expected);
        run.recording.workers.iter_mut().for_each(|worker| worker.pacing = "adaptive".into());
        assert!(!checks_of(&run).iter().any(|check| check.kind == CheckKind::WorkerCpu));
    }
}
