//! Whole runs against a scripted client library: accounts, the drain, interruptions and panics.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{
    LoadError, OnSecond, Pacing, Phase, Progress, Second, Settings,
    collector::Collector,
    fake::{Fake, failed, ok, scenario},
    plan::Plan,
    pool::Opener,
};
use crate::{
    measure::{ErrorClass, Recording, SeriesRole, Timeframe},
    scenario::{Phases, Scenario},
};

const OPEN: &str = "model = \"open\"\nrate = 1000\narrivals = \"uniform\"";
const CLOSED: &str = "model = \"closed\"\nclients = 8";
const GET: &[&str] = &["command = \"GET\""];

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The scenario of one service with phases of milliseconds.
fn short(pool: &str, load: &str, phases: [u64; 3]) -> Scenario {
    let [warmup, duration, drain] = phases.map(ms);
    Scenario { run: Phases { warmup, duration, drain, prefill: false, pin: false }, ..scenario(pool, load, GET) }
}

fn plan(scenario: &Scenario, workers: usize) -> Plan {
    let settings = Settings { workers: Some(workers), pacing: Some(Pacing::Adaptive), ..Settings::default() };
    Plan::new(scenario, settings, &[])
}

fn run_by(
    driver: impl Fn(usize) -> Box<dyn Opener>,
    scenario: &Scenario,
    plan: Plan,
    stop: &CancellationToken,
    on_progress: &mut dyn FnMut(Progress),
    on_start: impl FnOnce(Timeframe),
    on_second: Option<OnSecond>,
) -> Result<Recording, LoadError> {
    let connected = Collector::connect(scenario, driver, plan, stop, on_progress)?;
    connected.run(|| Ok(None), on_progress, on_start, on_second)
}

fn run(fake: &Fake, scenario: &Scenario) -> Result<Recording, LoadError> {
    let stop = CancellationToken::new();
    run_by(|_| Box::new(fake.clone()), scenario, plan(scenario, 1), &stop, &mut |_| {}, |_| {}, None)
}

/// Requests that fell due, completed, failed and were left unfinished; the last three add up to the first.
fn accounts(recording: &Recording) -> [u64; 4] {
    let operations = || recording.series.iter().filter(|series| series.key.role == SeriesRole::Operation);
    let completed = operations().map(|series| series.totals().completed).sum();
    let failed = operations().map(|series| series.totals().failed()).sum();
    let unfinished = operations().map(|series| series.unfinished).sum();
    assert_eq!(recording.scheduled(), completed + failed + unfinished);
    [recording.scheduled(), completed, failed, unfinished]
}

#[test]
fn every_request_of_a_schedule_is_accounted_for() {
    let fake = Fake::answering(|_| Some(ok()));
    let recording = run(&fake, &short("size = 4", OPEN, [20, 100, 1_000])).unwrap();
    assert_eq!(accounts(&recording), [100, 100, 0, 0]);
    assert_eq!(fake.connections(), (4, 4), "every connection is closed");
    assert!(!recording.period.interrupted);
}

#[test]
fn parts_of_a_service_make_its_requests_on_several_workers() {
    let fake = Fake::answering(|_| Some(ok()));
    let mut scenario = short("size = 5", OPEN, [20, 100, 1_000]);
    scenario.services[0].parts = Some(3);
    let stop = CancellationToken::new();
    let recording =
        run_by(|_| Box::new(fake.clone()), &scenario, plan(&scenario, 2), &stop, &mut |_| {}, |_| {}, None).unwrap();
    assert_eq!(accounts(&recording), [100, 100, 0, 0]);
    assert_eq!(fake.connections(), (5, 5));
    assert_eq!((recording.services[0].parts, recording.services[0].connections), (Some(3), 5));
    let names: Vec<_> = recording.workers.iter().map(|worker| worker.services.join(", ")).collect();
    assert_eq!(names, ["api part 1 of 3, api part 3 of 3", "api part 2 of 3"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_pinned_worker_runs_on_one_core_and_says_which() {
    let fake = Fake::answering(|_| Some(ok()));
    let mut scenario = short("size = 4", OPEN, [0, 50, 1_000]);
    scenario.run.pin = true;
    let cores = rustix::thread::sched_getaffinity(None).unwrap();
    let core = run(&fake, &scenario).unwrap().workers[0].core.unwrap();
    assert!(cores.is_set(core as usize), "{core}");
    assert!(!cores.is_set(core as usize + 1), "the last one");
    assert_eq!(rustix::thread::sched_getaffinity(None).unwrap(), cores, "other threads are left alone");
}

#[test]
fn what_is_not_answered_when_the_drain_ends_is_unfinished() {
    let fake = Fake::default();
    let recording = run(&fake, &short("size = 4", OPEN, [0, 50, 20])).unwrap();
    assert_eq!(accounts(&recording), [50, 0, 0, 50]);
    assert!(recording.period.drain_ns >= 20_000_000, "{:?}", recording.period);
    assert!(recording.services[0].seconds.iter().all(|second| second.unanswered));
}

#[test]
fn a_run_ends_as_soon_as_its_last_request_is_answered() {
    let fake = Fake::answering(|_| Some(failed(ErrorClass::Oom)));
    let recording = run(&fake, &short("size = 4", CLOSED, [0, 50, 600_000])).unwrap();
    let [scheduled, _, failed, _] = accounts(&recording);
    assert!(scheduled > 8 && failed == scheduled, "{scheduled} {failed}");
}

#[test]
fn an_interruption_of_the_warm_up_ends_the_run_with_nothing_measured() {
    let fake = Fake::answering(|_| Some(ok()));
    let scenario = short("size = 4", CLOSED, [3_600_000, 1_000, 3_600_000]);
    // The run is part of something that is part of what is interrupted.
    let all = CancellationToken::new();
    let part = all.child_token().child_token();
    let recording =
        run_by(|_| Box::new(fake.clone()), &scenario, plan(&scenario, 1), &part, &mut |_| {}, |_| all.cancel(), None);
    let recording = recording.unwrap();
    assert!(recording.period.interrupted);
    assert_eq!((recording.period.measured_ns, accounts(&recording)), (0, [0; 4]));
    assert_eq!(fake.connections(), (4, 4));
}

#[test]
fn an_interruption_of_the_drain_ends_it() {
    let stop = CancellationToken::new();
    let mut show = |progress: Progress| {
        if progress.phase == Phase::Draining {
            stop.cancel();
        }
    };
    let scenario = short("size = 4", OPEN, [0, 1_500, 3_600_000]);
    let recording =
        run_by(|_| Box::new(Fake::default()), &scenario, plan(&scenario, 1), &stop, &mut show, |_| {}, None).unwrap();
    assert!(recording.period.interrupted && recording.period.measured_ns == recording.period.planned_ns);
    let [scheduled, completed, failed, unfinished] = accounts(&recording);
    assert_eq!((scheduled, completed, failed + unfinished), (1_500, 0, 1_500));
    assert!(unfinished > 1_000, "{unfinished} were not waited for");
}

#[test]
fn an_interruption_while_connecting_makes_no_recording() {
    let stop = CancellationToken::new();
    stop.cancel();
    let scenario = short("size = 4", CLOSED, [0, 1_000, 1_000]);
    let interrupted =
        run_by(|_| Box::new(Fake::default()), &scenario, plan(&scenario, 1), &stop, &mut |_| {}, |_| {}, None);
    assert!(matches!(interrupted, Err(LoadError::Interrupted)), "{interrupted:?}");
}

#[test]
fn a_lane_that_panics_ends_the_run_at_once_and_what_was_recorded_is_kept() {
    let mut sent = 0;
    let fake = Fake::answering(move |_| {
        sent += 1;
        assert!(sent < 100, "on purpose");
        Some(ok())
    });
    let recording = run(&fake, &short("size = 4", OPEN, [0, 3_600_000, 3_600_000])).unwrap();
    assert_eq!(recording.panicked(), Some(0));
    let [_, completed, failed, unfinished] = accounts(&recording);
    assert_eq!((completed, failed), (99, 0));
    assert!(unfinished >= 1, "the request of the lane is one of them");
    assert!(recording.period.measured_ns < recording.period.planned_ns && !recording.period.interrupted);
}

#[test]
fn a_worker_that_panics_ends_the_run_of_all() {
    let run = |warmup| {
        let mut scenario = short("size = 4", CLOSED, [warmup, 3_600_000, 1_000]);
        scenario.services[0].instances = 2;
        let (fake, made) = (Fake::answering(|_| Some(ok())), Cell::new(0));
        let driver = |_| -> Box<dyn Opener> {
            made.set(made.get() + 1);
            Box::new(if made.get() == 1 { fake.broken() } else { fake.clone() })
        };
        run_by(driver, &scenario, plan(&scenario, 2), &CancellationToken::new(), &mut |_| {}, |_| {}, None)
    };
    let recording = run(0).unwrap();
    assert_eq!(recording.workers.iter().map(|worker| worker.panicked).collect::<Vec<_>>(), [true, false]);
    let [scheduled, completed, ..] = accounts(&recording);
    assert_eq!(completed, scheduled, "requests of the other worker are finished");
    assert!(recording.period.measured_ns < recording.period.planned_ns);
    let nothing = run(3_600_000);
    assert!(matches!(nothing, Err(LoadError::Panicked { worker: 0 })), "nothing was measured: {nothing:?}");
}

#[test]
fn a_panic_of_the_observer_ends_the_run_at_once() {
    let fake = Fake::answering(|_| Some(ok()));
    let scenario = short("size = 4", CLOSED, [20, 3_600_000, 1_000]);
    let on_second = Some(Box::new(|second: &Second<'_>| assert!(second.length == 0, "on purpose")) as OnSecond);
    let failed = run_by(
        |_| Box::new(fake.clone()),
        &scenario,
        plan(&scenario, 1),
        &CancellationToken::new(),
        &mut |_| {},
        |_| {},
        on_second,
    );
    assert!(matches!(failed, Err(LoadError::PackerPanicked)), "{failed:?}");
}

#[test]
fn a_load_begins_at_the_agreed_instant_or_not_at_all() {
    let (fake, stop) = (Fake::default(), CancellationToken::new());
    let scenario = short("size = 8", OPEN, [0, 200, 1_000]);
    let from = |at: Instant| {
        let connected =
            Collector::connect(&scenario, |_| Box::new(fake.clone()), plan(&scenario, 1), &stop, &mut |_| {})?;
        connected.run(|| Ok(Some(at)), &mut |_| {}, |_| assert!(Instant::now() >= at), None)
    };
    assert_eq!(accounts(&from(Instant::now() + ms(300)).unwrap())[0], 200);
    assert!(matches!(from(Instant::now()), Err(LoadError::NotReady { .. })));
}
