//! The calling thread: connects the workers, starts them together, watches the machine and passes on progress.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, TryRecvError},
    },
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{
    api::{LoadError, OnSecond, Phase, Progress, ServiceProgress},
    host::HostLog,
    ledger::{Ledger, Openings},
    packer::{Line, Packer},
    plan::Plan,
    pool::Opener,
    worker::{Done, Event, Start, Worker},
};
use crate::{
    measure::{Clock, Nanos, Period, Recording, Timeframe, WorkerRecord, nanos},
    scenario::Scenario,
};

/// Pause between two looks at the workers while they open their connections.
const CONNECTING_POLL: Duration = Duration::from_millis(5);

/// Pause between two looks at the machine and the packing thread during the load: long enough not to disturb the load.
const POLL: Duration = Duration::from_millis(20);

/// Time before an agreed start in which the thread does not sleep.
const LAST_STRETCH: Duration = Duration::from_millis(2);

/// Interval of progress reports while connecting.
const CONNECTING_PROGRESS: Duration = Duration::from_millis(250);

/// Workers that are being connected, or are connected and wait for the start.
pub(super) struct Collector<'a> {
    scenario: Arc<Scenario>,
    plan: Arc<Plan>,
    stop: &'a CancellationToken,
    workers: Vec<Worker>,
    starts: Vec<oneshot::Sender<Start>>,
    openings: Vec<Openings>,
}

impl<'a> Collector<'a> {
    /// Starts the workers and waits until all their connections are open.
    pub(super) fn connect(
        scenario: &Scenario,
        driver: impl Fn(usize) -> Box<dyn Opener>,
        plan: Plan,
        stop: &'a CancellationToken,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, LoadError> {
        let scenario = Arc::new(scenario.clone());
        let plan = Arc::new(plan);
        let workers = (0..plan.workers.len())
            .map(|number| Worker::spawn(number, &scenario, &plan, &driver, stop))
            .collect::<Result<Vec<_>, _>>()?;
        let openings = vec![Openings::default(); scenario.services.len()];
        let mut connecting = Self { scenario, plan, stop, workers, starts: Vec::new(), openings };
        let began = Instant::now();
        let mut reported: Option<Instant> = None;
        while connecting.starts.len() < connecting.workers.len() {
            connecting.poll()?;
            if stop.is_cancelled() {
                return Err(LoadError::Interrupted);
            }
            if reported.is_none_or(|at| at.elapsed() >= CONNECTING_PROGRESS) {
                reported = Some(Instant::now());
                on_progress(connecting.progress(began.elapsed()));
            }
            std::thread::sleep(CONNECTING_POLL);
        }
        on_progress(connecting.progress(began.elapsed()));
        Ok(connecting)
    }

    /// The clock that the load begins with: now, or at an agreed instant, for which this waits.
    fn begin(&self, begin: Option<Instant>) -> Result<Clock, LoadError> {
        let Some(begin) = begin else { return Ok(Clock::start()) };
        if let Some(late) = Instant::now().checked_duration_since(begin) {
            return Err(LoadError::NotReady { late });
        }
        loop {
            let left = begin.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Clock::starting_at(begin));
            }
            if self.stop.is_cancelled() {
                return Err(LoadError::Interrupted);
            }
            // The last stretch spins: a sleep ends up to a millisecond late.
            match left.checked_sub(LAST_STRETCH) {
                Some(left) => std::thread::sleep(left.min(POLL)),
                None => std::hint::spin_loop(),
            }
        }
    }

    /// Takes in what the workers report.
    fn poll(&mut self) -> Result<(), LoadError> {
        for (number, worker) in self.workers.iter().enumerate() {
            loop {
                match worker.events.try_recv() {
                    Ok(Event::Connected { service, opened }) => self.openings[service].record(opened),
                    Ok(Event::Ready(start)) => self.starts.push(start),
                    Ok(Event::Failed(error)) => return Err(error),
                    Err(TryRecvError::Disconnected) if worker.thread.is_finished() => {
                        return Err(LoadError::Panicked { worker: number });
                    }
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                }
            }
        }
        Ok(())
    }

    fn progress(&self, elapsed: Duration) -> Progress {
        let service = |(service, openings): (&crate::scenario::Service, &Openings)| ServiceProgress {
            name: service.name.clone(),
            connections: openings.count(),
            ..ServiceProgress::default()
        };
        let services = self.scenario.services.iter().zip(&self.openings).map(service).collect();
        Progress { phase: Phase::Connecting, elapsed, of: None, services }
    }

    /// Starts all workers at once and collects until the last is done. `begin` gives the instant of the start, where that is agreed.
    pub(super) fn run(
        self,
        begin: impl FnOnce() -> Result<Option<Instant>, LoadError>,
        on_progress: &mut dyn FnMut(Progress),
        on_start: impl FnOnce(Timeframe),
        on_second: Option<OnSecond>,
    ) -> Result<Recording, LoadError> {
        let clock = self.begin(begin()?)?;
        let Self { scenario, plan, stop, workers, starts, openings } = self;
        let phases = scenario.run;
        let start = nanos(phases.warmup);
        let planned = nanos(phases.duration);
        let end = Arc::new(AtomicU64::new(start.saturating_add(planned)));
        on_start(Timeframe::new(clock, start, Arc::clone(&end)));
        let mut lines = Vec::new();
        for sender in starts {
            let (full, intervals) = mpsc::channel();
            let (give_back, back) = mpsc::channel();
            let sent = sender.send(Start {
                clock,
                from: start,
                end: Arc::clone(&end),
                drain: nanos(phases.drain),
                full,
                give_back,
            });
            // A worker that is gone is found below.
            if let (Ok(()), Ok(back)) = (sent, back.recv()) {
                lines.push(Line { intervals, back });
            }
        }

        let packer = Packer::spawn(Ledger::new(&scenario, &plan, lines.len(), on_second), lines)?;
        let mut host = HostLog::new(start);
        let mut interrupted = false;
        loop {
            let over = packer.is_finished();
            // Before the end of the measured period a thread ends by a panic only.
            let panicked = over || workers.iter().any(|worker| worker.thread.is_finished());
            let stopped = stop.is_cancelled();
            let now = clock.now();
            interrupted |= stopped && !over;
            if (panicked || stopped) && now < end.load(Ordering::Relaxed) {
                end.store(now, Ordering::Relaxed);
            }
            let end = end.load(Ordering::Relaxed);
            host.glance(now, end);
            if let Some(services) = packer.news() {
                on_progress(progress(now, start, end, nanos(phases.drain), services));
            }
            if over {
                break;
            }
            std::thread::sleep(POLL);
        }
        let mut ledger = packer.finish().ok_or(LoadError::PackerPanicked)?;

        let mut records = Vec::new();
        let mut drained = 0;
        for (number, worker) in workers.into_iter().enumerate() {
            let done = worker.thread.join().ok().flatten();
            let done = done.unwrap_or_else(|| Done { panicked: true, ..Done::default() });
            ledger.unfinished(&done.unfinished);
            drained = drained.max(done.drained);
            records.push(worker_record(&scenario, &plan, number, &done));
        }
        let end = end.load(Ordering::Relaxed);
        if let Some(worker) = records.iter().position(|record| record.panicked).filter(|_| end <= start) {
            return Err(LoadError::Panicked { worker });
        }
        ledger.connected(&openings);
        let period = Period {
            warmup_ns: start,
            planned_ns: planned,
            measured_ns: end.saturating_sub(start),
            drain_ns: drained.saturating_sub(end),
            interrupted,
        };
        let ([series, nodes, reads], services) = ledger.into_records();
        Ok(Recording { period, series, nodes, reads, services, workers: records, host: host.into_intervals() })
    }
}

fn worker_record(scenario: &Scenario, plan: &Plan, number: usize, done: &Done) -> WorkerRecord {
    WorkerRecord {
        services: plan.workers[number].iter().map(|part| part.name(scenario)).collect(),
        pacing: plan.pacing.word().to_owned(),
        core: done.core,
        cpu: done.cpu,
        busy: done.busy,
        pauses: done.pauses.clone(),
        panicked: done.panicked,
    }
}

pub(super) fn progress(now: Nanos, start: Nanos, end: Nanos, drain: Nanos, services: Vec<ServiceProgress>) -> Progress {
    let (phase, from, of) = match now {
        now if now < start => (Phase::WarmUp, 0, start),
        now if now < end => (Phase::Measuring, start, end - start),
        _ => (Phase::Draining, end, drain),
    };
    let elapsed = Duration::from_nanos(now.saturating_sub(from));
    Progress { phase, elapsed, of: Some(Duration::from_nanos(of)), services }
}
