//! One worker thread: opens its connections, waits for the start, drives its stations, and returns its record.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    runtime::Builder,
    sync::{Notify, oneshot},
    task::{JoinSet, LocalSet},
};
use tokio_util::sync::CancellationToken;

use super::{
    api::LoadError,
    pacing::{PAUSE, Pacer},
    part::Part,
    plan::Plan,
    pool::{self, Opened, Opener, Opening, Pool},
    station::{Station, WorkerContext},
};
use crate::{
    measure::{self, Clock, Interval, Nanos, Recorder, SECOND, SeriesId, Span, nanos},
    scenario::Scenario,
};

/// Threads of a worker that resolve names.
const RESOLVERS: usize = 4;

/// Bounds of the length from which a span without an answer is recorded, between which the objective's latency decides.
const SHORTEST_SILENCE: Nanos = 1_000_000;
const LONGEST_SILENCE: Nanos = 10_000_000;

/// Longest time that closing all connections may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Start signal for a worker.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) clock: Clock,
    /// Start of the measured period.
    pub(super) from: Nanos,
    /// End of the measured period, which may be moved forward.
    pub(super) end: Arc<AtomicU64>,
    pub(super) drain: Nanos,
    /// Where full intervals go.
    pub(super) full: mpsc::Sender<Interval>,
    /// Where the worker leaves the way back for them.
    pub(super) give_back: mpsc::Sender<mpsc::Sender<Interval>>,
}

/// Report of a worker before the start.
#[derive(Debug)]
pub(super) enum Event {
    /// One more connection of a service is open.
    Connected { service: usize, opened: Opened },
    /// All connections are open, and the worker waits.
    Ready(oneshot::Sender<Start>),
    /// The worker gave up.
    Failed(LoadError),
}

/// Account of a worker at its end.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Series of the requests that were not finished.
    pub(super) unfinished: Vec<SeriesId>,
    pub(super) cpu: f64,
    pub(super) busy: f64,
    /// When it did not get through a turn.
    pub(super) pauses: Vec<Span>,
    /// End of its drain.
    pub(super) drained: Nanos,
    /// Whether it panicked.
    pub(super) panicked: bool,
    /// Core that it was pinned to.
    pub(super) core: Option<u32>,
}

/// A worker thread.
pub(super) struct Worker {
    /// Gives nothing where the worker gave up before the start.
    pub(super) thread: JoinHandle<Option<Done>>,
    pub(super) events: mpsc::Receiver<Event>,
}

/// A worker on its thread.
struct WorkerThread {
    number: usize,
    scenario: Arc<Scenario>,
    plan: Arc<Plan>,
    drivers: Vec<(Part, Box<dyn Opener>)>,
    stop: CancellationToken,
    events: mpsc::Sender<Event>,
}

impl Worker {
    pub(super) fn spawn(
        number: usize,
        scenario: &Arc<Scenario>,
        plan: &Arc<Plan>,
        driver: &impl Fn(usize) -> Box<dyn Opener>,
        stop: &CancellationToken,
    ) -> Result<Self, LoadError> {
        let (sender, events) = mpsc::channel();
        let drivers = plan.workers[number].iter().map(|part| (*part, driver(part.service))).collect();
        let worker = WorkerThread {
            number,
            scenario: Arc::clone(scenario),
            plan: Arc::clone(plan),
            drivers,
            stop: stop.clone(),
            events: sender,
        };
        let thread = thread::Builder::new()
            .name(format!("plimsoll-load-{number}"))
            .spawn(move || worker.work())
            .map_err(|source| LoadError::Worker { worker: number, source })?;
        Ok(Self { thread, events })
    }
}

impl WorkerThread {
    fn work(self) -> Option<Done> {
        let set_up = |source| LoadError::Worker { worker: self.number, source };
        let events = self.events.clone();
        let result = Builder::new_current_thread()
            .enable_all()
            // fred resolves names, and addresses too, on such threads; thousands of connections may ask at once.
            .max_blocking_threads(RESOLVERS)
            .on_thread_start(unpinned())
            .build()
            .map_err(set_up)
            .and_then(|runtime| LocalSet::new().block_on(&runtime, self.drive()));
        result
            .map_err(|error| {
                // Without a receiver the run is being given up already.
                let _ = events.send(Event::Failed(error));
            })
            .ok()
    }

    async fn drive(&self) -> Result<Done, LoadError> {
        let set_up = |source| LoadError::Worker { worker: self.number, source };
        let pools = self.connect().await?;
        // Before the start, so that only a panic can end the worker after it.
        let core = self.scenario.run.pin.then(|| pin(self.number)).transpose().map_err(set_up)?;
        let pacer = Pacer::new(self.plan.pacing).map_err(set_up)?;
        let (sender, start) = oneshot::channel();
        self.events.send(Event::Ready(sender)).map_err(|_| LoadError::Interrupted)?;
        let start = start.await.map_err(|_| LoadError::Interrupted)?;

        let plan = measure::Plan {
            series: self.plan.series_of(self.number),
            services: self.plan.services_of(self.number),
            start: start.from,
            silence: nanos(self.scenario.objective.latency).clamp(SHORTEST_SILENCE, LONGEST_SILENCE),
        };
        let (recorder, back) = Recorder::new(plan, start.clock.now(), start.full.clone());
        // The collector waits for it, so it is there.
        let _ = start.give_back.send(back);
        let worker = Rc::new(WorkerContext {
            clock: start.clock,
            recorder: RefCell::new(recorder),
            start: start.from,
            end: Cell::new(start.end.load(Ordering::Relaxed)),
            work: Cell::new(0),
            earlier: Notify::new(),
        });
        let station = |(part, driver): &(Part, Box<dyn Opener>)| {
            Rc::new(Station::new(Rc::clone(&worker), &self.scenario, &self.plan, *part, driver.losses()))
        };
        let stations: Vec<_> = self.drivers.iter().map(station).collect();
        let mut lanes = JoinSet::new();
        for (station, pool) in stations.iter().zip(&pools) {
            pool.serve(station, &mut lanes);
        }
        let (start, stop) = (&start, &self.stop);
        let measured = MeasuredLoop { worker: &worker, stations: &stations, lanes: &mut lanes, start, stop, pacer };
        let mut done = Done { core, ..measured.run().await };

        lanes.abort_all();
        while let Some(ended) = lanes.join_next().await {
            done.panicked |= ended.is_err_and(|error| error.is_panic());
        }
        drop(stations);
        let worker = Rc::into_inner(worker).expect("the lanes and stations that shared it are gone");
        worker.recorder.into_inner().finish(worker.clock.now());
        // Servers see a proper end where there is time for one.
        let _ = tokio::time::timeout(FAREWELL, pool::close(pools)).await;
        Ok(done)
    }

    /// Opens all connections of each part.
    async fn connect(&self) -> Result<Vec<Box<dyn Pool>>, LoadError> {
        let mut pools = Vec::new();
        for (part, driver) in &self.drivers {
            let service = &self.scenario.services[part.service];
            let size = part.of_instance(service.pool.size) as usize;
            let connected = |opened| {
                let _ = self.events.send(Event::Connected { service: part.service, opened });
            };
            let opening = Opening { service, size, worker: self.number, stop: &self.stop, connected: &connected };
            pools.push(driver.open_all(opening).await?);
        }
        Ok(pools)
    }
}

/// Time that the last replies have once the user has ended the run.
const LAST_REPLIES: Nanos = 1_000_000_000;

/// The measured part of a worker's life.
struct MeasuredLoop<'a> {
    worker: &'a WorkerContext,
    stations: &'a [Rc<Station>],
    lanes: &'a mut JoinSet<()>,
    start: &'a Start,
    stop: &'a CancellationToken,
    pacer: Pacer,
}

impl MeasuredLoop<'_> {
    async fn run(mut self) -> Done {
        let sweep_every = self.stations.iter().map(|station| station.sweep_every()).min().unwrap_or(Nanos::MAX);
        let mut next_sweep = 0;
        let mut idle = IdleMeter::default();
        let mut pauses = Vec::new();
        let mut previous = None;
        let mut at_start = None;
        let mut at_end = None;
        let mut panicked = false;
        let mut stopped = None;
        loop {
            let now = self.worker.clock.now();
            let end = self.start.end.load(Ordering::Relaxed);
            self.worker.end.set(end);
            self.worker.recorder.borrow_mut().advance(now);
            if let Some(from) = previous.replace(now).filter(|from| now - from >= PAUSE && now > self.start.from) {
                let since_start = |at: Nanos| at.saturating_sub(self.start.from);
                pauses.push(Span { from_ns: since_start(from), to_ns: since_start(now) });
            }
            idle.turn(now, self.worker.work.get());
            if at_start.is_none() && now >= self.start.from {
                at_start = Some((now, thread_cpu(), idle.idle));
            }
            if at_end.is_none() && now >= end {
                at_end = Some((now, thread_cpu(), idle.idle));
            }
            if now >= next_sweep {
                next_sweep = now + sweep_every;
                self.stations.iter().for_each(|station| station.sweep(now));
                // A lane that ends has panicked.
                panicked = self.lanes.try_join_next().is_some();
            }
            self.stations.iter().for_each(|station| station.release_due(now));
            let over = now >= end && self.worker.recorder.borrow().is_idle();
            if now >= end && stopped.is_none() && self.stop.is_cancelled() {
                stopped = Some(now);
            }
            let patience = stopped.map_or(Nanos::MAX, |stopped| stopped + LAST_REPLIES);
            if over || panicked || now >= end.saturating_add(self.start.drain).min(patience) {
                break;
            }
            let due = self.stations.iter().filter_map(|station| station.next_due()).min();
            let due = if now < end { Some(due.unwrap_or(end).min(end)) } else { None };
            self.pacer.turn(self.worker.clock, due, self.worker.earlier.notified()).await;
        }
        let (cpu, busy) = match (at_start, at_end) {
            (Some((from, cpu_from, idle_from)), Some((to, cpu_to, idle_to))) if to > from => {
                let length = (to - from) as f64;
                let cpu = (cpu_to - cpu_from) as f64 / length;
                let turned = 1.0 - (idle_to - idle_from) as f64 / length;
                (cpu.clamp(0.0, 1.0), if self.pacer.spins() { own_share(turned, cpu) } else { cpu.clamp(0.0, 1.0) })
            }
            _ => (0.0, 0.0),
        };
        self.stations.iter().for_each(|station| station.record_losses());
        Done {
            unfinished: self.stations.iter().flat_map(|station| station.unfinished()).collect(),
            cpu,
            busy,
            pauses,
            drained: self.worker.clock.now(),
            panicked,
            core: None,
        }
    }
}

/// Adds up the turns in which nothing was done.
#[derive(Debug, Default)]
struct IdleMeter {
    at: Nanos,
    work: u64,
    idle: Nanos,
}

impl IdleMeter {
    fn turn(&mut self, now: Nanos, work: u64) {
        if work == self.work {
            self.idle += now - self.at;
        }
        self.at = now;
        self.work = work;
    }
}

/// Share of its CPU time in which a spinning worker had something to do, from the share of all time in turns that did
/// something. While others have the core no turn ends, so that time is in the turns; it is not the worker's own.
fn own_share(turned: f64, cpu: f64) -> f64 {
    let others = 1.0 - cpu;
    if cpu > 0.0 { ((turned - others) / cpu).clamp(0.0, 1.0) } else { 0.0 }
}

/// Pins this thread to a core: the last ones first, since interrupts are mostly served by the first.
#[cfg(target_os = "linux")]
fn pin(number: usize) -> io::Result<u32> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let allowed = sched_getaffinity(None)?;
    let cores: Vec<_> = (0..CpuSet::MAX_CPU).rev().filter(|core| allowed.is_set(*core)).collect();
    let core = cores[number % cores.len()];
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only)?;
    Ok(core as u32)
}

/// Takes a thread away from the core that the worker, which never sleeps, is pinned to.
#[cfg(target_os = "linux")]
fn unpinned() -> impl Fn() + Send + Sync + 'static {
    let allowed = rustix::thread::sched_getaffinity(None);
    move || {
        if let Ok(allowed) = &allowed {
            let _ = rustix::thread::sched_setaffinity(None, allowed);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn unpinned() -> impl Fn() + Send + Sync + 'static {
    || {}
}

#[cfg(not(target_os = "linux"))]
fn pin(_: usize) -> io::Result<u32> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "pinning to a core (--pin) needs Linux"))
}

/// CPU time of this thread, in nanoseconds.
fn thread_cpu() -> Nanos {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as Nanos * SECOND + time.tv_nsec as Nanos
}

#[cfg(test)]
mod tests {
    use super::own_share;

    #[test]
    fn time_that_others_had_the_core_is_not_the_workers_own() {
        let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
        near(own_share(0.3, 1.0), 0.3);
        near(own_share(0.9, 0.5), 0.8);
        near(own_share(0.4, 0.5), 0.0);
        near(own_share(1.0, 0.0), 0.0);
    }
}
