//! A whole run boiled down to a trial of a capacity run: where each of its numbers comes from.

use super::{
    Analysis, Check, Level, Row,
    capacity::{FailReason, Judgement, TrialPlan, judge},
    mean::mean,
    server::main_thread,
};
use crate::{
    measure::{Recording, ServiceRecord},
    results::{
        CheckKind, CommandCost, HarnessLimit, LIMITS, Quantiles, Run, ServerSecond, ServiceTrial, Trial, Verdict,
    },
    scenario::Scenario,
};

/// Facts of a trial that its run lacks.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// Number of the trial, from 1.
    pub number: u32,
    /// Task.
    pub plan: TrialPlan,
    /// When it began, in nanoseconds since the capacity run did.
    pub began_ns: u64,
    /// Folder of the run, within that of the capacity run.
    pub folder: String,
    /// Errors that stopped the load; `None` if none did.
    pub cut: Option<Cut>,
}

/// Requests until errors stopped the load, those of the warm-up included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Answered.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
}

/// Summarises a run.
pub fn digest(run: &Run, scenario: &Scenario, analysis: &Analysis, occasion: Occasion) -> Trial {
    let recording = &run.recording;
    let Some(whole) = analysis.rows.last() else { unreachable!("the last row of every analysis is the whole") };
    let Occasion { number, plan, began_ns, folder, cut } = occasion;
    let mut trial = Trial {
        number,
        arm: plan.arm,
        purpose: plan.purpose,
        block: plan.block,
        offered: plan.offered,
        clients: plan.clients,
        began_ns,
        planned_ns: plan.duration_ns,
        measured_ns: recording.period.measured_ns,
        scheduled: recording.scheduled(),
        completed: whole.counts.completed,
        throughput: whole.rate,
        failed: whole.counts.failed(),
        unfinished: whole.unfinished,
        late: late(whole),
        burstiness: whole.bad_burstiness,
        within: within(whole),
        response: Quantiles::of(&whole.response.histogram),
        service: Quantiles::of(&whole.service_time.histogram),
        wait: Quantiles::of(&whole.wait.histogram),
        utilisation: analysis.pools.iter().map(|pool| pool.utilisation).fold(0.0, f64::max),
        waiting: analysis.pools.iter().map(|pool| pool.waiting).sum(),
        backlog_growth: largest(analysis, CheckKind::Backlog).unwrap_or(0.0),
        server_busy: server_busy(&run.server.seconds),
        // Of a worker that also sleeps nobody knows how much of its time was work; then there is no such check.
        worker_busy: largest(analysis, CheckKind::WorkerCpu),
        lag_p99: ServiceRecord::lag(&recording.services).value_at_quantile(0.99),
        client_limited: None,
        waived: None,
        services: analysis.rows.iter().filter_map(|row| of_service(row, recording)).collect(),
        most_expensive: analysis.server.commands.first().map(|command| CommandCost {
            name: command.name.clone(),
            share: command.busy,
            mean_ns: command.server,
        }),
        folder,
    };
    if let Some(cut) = cut {
        // Errors of the warm-up stopped it as well, and what was measured until then is no reason to call it a success.
        (trial.completed, trial.failed, trial.scheduled) = (cut.completed, cut.failed, cut.completed + cut.failed);
        (trial.unfinished, trial.late) = (0, trial.late.min(cut.completed));
    }
    let judgement = judge(&trial, &scenario.objective);
    match refused(analysis, trial.clients.is_some()) {
        // Errors are not made by a harness without time, and a miss that is one without all that it added is none of its own.
        Some(_) if matches!(judgement, Judgement::Fail(FailReason::Errors(_))) => {}
        Some(_) if analysis.conclusion.verdict == Verdict::Fail && analysis.conclusion.harness_late.is_some() => {}
        Some(check)
            if matches!(judgement, Judgement::Pass | Judgement::Undecided)
                && !is_other_load(check.kind)
                && trial.clients.is_none() =>
        {
            trial.waived = Some(limit(check));
        }
        Some(check) => trial.client_limited = Some(limit(check)),
        None => {}
    }
    trial
}

/// Requests that were answered, but not in time.
fn late(row: &Row) -> u64 {
    row.bad.count - row.counts.failed() - row.unfinished
}

/// Requests that were answered within each of [`LIMITS`].
fn within(row: &Row) -> Vec<u64> {
    LIMITS.iter().map(|limit| row.response.histogram.count_between(0, *limit)).collect()
}

/// One service of a run; `None` for rows that are about something else.
fn of_service(row: &Row, recording: &Recording) -> Option<ServiceTrial> {
    let name = row.scope.service.clone().filter(|_| row.scope.operation.is_none())?;
    let parts = recording.service(&name).and_then(|service| service.parts);
    Some(ServiceTrial {
        name,
        scheduled: row.counts.completed + row.counts.failed() + row.unfinished,
        completed: row.counts.completed,
        failed: row.counts.failed(),
        unfinished: row.unfinished,
        late: late(row),
        burstiness: row.bad_burstiness,
        within: within(row),
        hold_mean: row.service_time.mean.unwrap_or(0.0),
        wait_p99: row.wait.histogram.value_at_quantile(0.99),
        parts,
    })
}

/// The check that makes the harness the limit.
///
/// A harness that is late makes response times longer, never shorter: where the objective is met in spite of that, nothing
/// is wrong with saying so, and the check is waived, as it is where the trial decides nothing. A load that was lighter than it
/// claims proves nothing either way, and in a closed loop there is no objective that could be met.
fn refused(analysis: &Analysis, closed: bool) -> Option<&Check> {
    const OF_HARNESS: [CheckKind; 8] = [
        CheckKind::AchievedRate,
        CheckKind::Start,
        CheckKind::WorkerCpu,
        CheckKind::ScheduleLag,
        CheckKind::GeneratorLag,
        CheckKind::Steal,
        CheckKind::Throttling,
        CheckKind::Pauses,
    ];
    let refused =
        |kind: &CheckKind| analysis.checks.iter().find(|check| check.kind == *kind && check.level == Level::Refuse);
    let mut kinds = OF_HARNESS.iter().filter(|kind| !(closed && is_lag(**kind)));
    kinds.find_map(refused)
}

/// Whether a check is about requests that were released late, which a closed loop does not have.
fn is_lag(kind: CheckKind) -> bool {
    matches!(kind, CheckKind::ScheduleLag | CheckKind::GeneratorLag)
}

/// Whether a check says that the load was lighter than it claims: by its rate, or since its generators did not load at the same time.
fn is_other_load(kind: CheckKind) -> bool {
    matches!(kind, CheckKind::AchievedRate | CheckKind::Start)
}

fn limit(check: &Check) -> HarnessLimit {
    HarnessLimit::Check {
        kind: check.kind,
        subject: check.subject.clone(),
        value: check.value,
        limit: check.refuse.unwrap_or(check.warn),
        nanos: check.nanos,
    }
}

/// Largest value of a check over all its subjects; `None` where there is none.
fn largest(analysis: &Analysis, kind: CheckKind) -> Option<f64> {
    analysis.checks.iter().filter(|check| check.kind == kind).map(|check| check.value).max_by(f64::total_cmp)
}

/// Mean share of a core that the main thread used, over the seconds that show; a short last one is too short for counters of
/// ten milliseconds.
pub(super) fn server_busy(seconds: &[ServerSecond]) -> Option<f64> {
    mean(seconds.iter().filter(|second| second.length_ns > 250_000_000).filter_map(main_thread))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::analyse,
        measure::Latencies,
        results::{Purpose, sample},
    };

    fn occasion() -> Occasion {
        let plan = TrialPlan {
            arm: 1,
            purpose: Purpose::Search,
            block: None,
            offered: Some(5_000.0),
            clients: None,
            warmup_ns: 0,
            duration_ns: 12_000_000_000,
        };
        Occasion { number: 3, plan, began_ns: 7, folder: "trials/003".into(), cut: None }
    }

    fn digested(run: &Run, occasion: Occasion) -> Trial {
        let scenario = sample::scenario();
        digest(run, &scenario, &analyse(run, &scenario), occasion)
    }

    #[test]
    fn counts_are_those_of_the_whole() {
        let run = sample::run();
        let trial = digested(&run, occasion());
        let whole = analyse(&run, &sample::scenario());
        let whole = whole.rows.last().unwrap();
        assert_eq!(trial.scheduled, run.recording.scheduled());
        assert_eq!(trial.completed + trial.failed + trial.unfinished, trial.scheduled);
        assert_eq!(trial.late + trial.failed + trial.unfinished, whole.bad.count);
        assert_eq!((trial.number, trial.arm, trial.planned_ns), (3, 1, 12_000_000_000));
        assert!(trial.within.is_sorted() && trial.within[5] <= trial.completed, "{:?}", trial.within);
        assert_eq!(trial.completed - trial.within[5], trial.late, "the objective is one of the limits");
        assert!(trial.response.p50 <= trial.response.p99 && trial.response.p99 <= trial.response.max);
        assert!(trial.response.mean > trial.service.mean && trial.utilisation > 0.0 && trial.lag_p99 > 0);
        assert!(trial.server_busy.is_some() && trial.most_expensive.is_some(), "{trial:?}");
        assert_eq!(trial.client_limited, None);
    }

    /// A run whose requests were released late by a number of milliseconds.
    fn late(millis: u64) -> Run {
        let mut run = sample::run();
        let mut late = Latencies::default();
        (0..1_000).for_each(|_| late.record(millis * 1_000_000));
        run.recording.services[0].seconds.iter_mut().for_each(|second| second.lag = late.pack());
        run
    }

    #[test]
    fn a_late_harness_spoils_a_miss_and_no_success() {
        assert_eq!(digested(&late(9), occasion()).client_limited, None, "it met the objective all the same");
        let missed = |millis| {
            let mut run = late(millis);
            run.recording.series[0].unfinished = 40_000;
            run.recording.services[0].scheduled += 40_000;
            run
        };
        assert_eq!(digested(&missed(9), occasion()).client_limited, None, "9 ms do not explain what waited for longer");
        let mut run = missed(2_000);
        let limited = digested(&run, occasion()).client_limited;
        let Some(HarnessLimit::Check { kind: CheckKind::ScheduleLag, subject, .. }) = limited else {
            panic!("{limited:?}")
        };
        assert_eq!(subject.as_deref(), Some("api"));
        run.recording.services[0].seconds.iter_mut().for_each(|second| second.lag = Latencies::default().pack());
        assert_eq!(digested(&run, occasion()).client_limited, None, "the server is to blame");
    }

    #[test]
    fn a_late_generator_spoils_a_miss_and_one_that_began_apart_spoils_everything() {
        let mut run = sample::scaled(3, |_| 1_000_000);
        assert_eq!(digested(&run, occasion()).client_limited, None);
        let mut late = Latencies::default();
        (0..1_000).for_each(|_| late.record(2_000_000_000));
        run.generators[1].lag = late.pack();
        let limited_by = |limit: Option<HarnessLimit>| match limit {
            Some(HarnessLimit::Check { kind, subject, .. }) => Some((kind, subject.unwrap_or_default())),
            _ => None,
        };
        let by_lag = Some((CheckKind::GeneratorLag, "generator 1 on node1".to_owned()));
        let met = digested(&run, occasion());
        assert_eq!((met.client_limited, limited_by(met.waived)), (None, by_lag.clone()));
        run.recording.series[0].unfinished = 40_000;
        run.recording.services[0].scheduled += 40_000;
        assert_eq!(limited_by(digested(&run, occasion()).client_limited), by_lag);
        let plan = TrialPlan { clients: Some(8), offered: None, ..occasion().plan };
        let closed = digested(&run, Occasion { plan, ..occasion() });
        assert_eq!(limited_by(closed.client_limited), None, "a closed loop has no lag");
        let mut apart = sample::scaled(2, |_| 1_000_000);
        apart.generators[0].shard.late_ns = 300_000_000;
        let limited = limited_by(digested(&apart, occasion()).client_limited);
        assert_eq!(limited, Some((CheckKind::Start, "generator 0 on node0".to_owned())));
    }

    #[test]
    fn a_load_that_was_not_offered_proves_nothing() {
        let mut run = sample::run();
        run.recording.services[1].seconds[..12].iter_mut().for_each(|second| second.scheduled -= 30);
        let limited = digested(&run, occasion()).client_limited;
        let Some(HarnessLimit::Check { kind: CheckKind::AchievedRate, subject, .. }) = limited else {
            panic!("{limited:?}")
        };
        assert_eq!(subject.as_deref(), Some("chat"));
    }

    #[test]
    fn errors_of_the_warm_up_are_not_lost() {
        let mut run = sample::run();
        for series in &mut run.recording.series {
            (series.seconds, series.unfinished) = (Vec::new(), 0);
        }
        for service in &mut run.recording.services {
            (service.seconds, service.scheduled) = (Vec::new(), 0);
        }
        run.recording.period.measured_ns = 0;
        let cut = Some(Cut { completed: 10, failed: 90 });
        let trial = digested(&run, Occasion { cut, ..occasion() });
        assert_eq!((trial.scheduled, trial.completed, trial.failed), (100, 10, 90));
    }
}
