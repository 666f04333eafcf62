//! A shard that `plimsoll scale` has started: it takes orders on standard input, and reports on standard output.

use std::{
    env,
    io::{self, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use clap::Args;
use tokio::runtime;
use tokio_util::sync::CancellationToken;

use super::{
    lines::{self, Contact, Introduction, Job, Order, Read, Reader, Report},
    number::{of_environment, sharing},
    ready::{Part, Ready},
};
use crate::{
    cli::{
        environment::{environment, host_name, software},
        exit::{Exit, Failure},
        interrupt::{Interrupt, supervise},
        progress::Display,
        turns::{InTurns, mark},
    },
    load::{OnSecond, SecondReport},
    scenario::{self, Shard},
    target::{ReferenceTime, Target},
};

/// Variable with the number of a shard that is started on its own.
pub(in crate::cli) const SHARD: &str = "PLIMSOLL_SHARD";

/// Variable with the job, where a launcher passes no standard input on.
pub(in crate::cli) const JOB: &str = "PLIMSOLL_JOB";

/// Interval of signs of life.
const ALIVE: Duration = Duration::from_secs(1);

/// Time without an order after which a load is stopped: nobody follows it any more. Orders are repeated every second.
pub(in crate::cli) const UNFOLLOWED: Duration = Duration::from_secs(5);

/// How often a wait for an order asks whether it still matters.
const POLL: Duration = Duration::from_millis(50);

/// Send one part of the load of a `plimsoll scale`, which starts this
#[derive(Debug, Args)]
#[command(hide = true)]
pub(in crate::cli) struct Arguments {}

/// The other end.
#[derive(Clone)]
struct Parent {
    shard: u32,
    /// Number of the next message.
    next: Arc<AtomicU32>,
    stop: CancellationToken,
}

impl Parent {
    /// Reports. Where nobody listens any more, the load stops: a server is not loaded for nobody.
    fn tell(&self, report: &Report) {
        let message = self.next.fetch_add(1, Ordering::Relaxed);
        // Another thread may write between two lines of a long message.
        let written = lines::lines(self.shard, message, report).iter().try_for_each(|line| {
            let mut stdout = io::stdout().lock();
            stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush())
        });
        if written.is_err() {
            self.stop.cancel();
        }
    }
}

pub(in crate::cli) fn run(_: &Arguments) -> Result<Exit, Failure> {
    let variable = |name: &str| env::var(name).ok();
    let named = variable(SHARD).map_or_else(|| of_environment(variable), |text| text.parse());
    let shard = named.map_err(|reason| Failure::usage(anyhow!(reason)))?;
    let job = variable(JOB).map(|text| lines::unpack::<Job>(&text)).transpose();
    let job = job.map_err(|error| Failure::usage(anyhow!("{JOB}: {error}")))?;
    supervise(
        move |interrupt| {
            let parent = Parent { shard: shard.number(), next: Arc::default(), stop: interrupt.stop().clone() };
            work(shard, job, &parent, &interrupt)
                .inspect_err(|failure| parent.tell(&Report::Failed(failure.to_string())))
        },
        || (),
        || (),
    )
}

/// Introduces itself, and carries out a job after the other until no more come.
fn work(shard: Shard, job: Option<Job>, parent: &Parent, interrupt: &Interrupt) -> Result<Exit, Failure> {
    let environment = environment();
    let introduction = Introduction { of: shard.of(), host: host_name(), software: software(), environment };
    parent.tell(&Report::Here(Box::new(introduction)));
    let _alive = Alive::begin(parent.clone()).map_err(Failure::unusable)?;
    let stop = interrupt.stop();
    // A job of the environment begins by the clock, and nobody writes to standard input.
    if let Some(job) = job {
        carry_out(shard, &job, (parent, interrupt, stop), None, |start| start)?;
        return Ok(Exit::Success);
    }
    let last = Arc::new(Mutex::new(Instant::now()));
    let orders = listen(stop.clone(), Arc::clone(&last));
    let mut jobs = 0;
    loop {
        let next = await_order(&orders, stop, |order| match order {
            (Order::Job(job), stop) => Some((*job, stop)),
            (Order::Start(_) | Order::Alive | Order::Stop, _) => None,
        });
        let Some((job, stop)) = next else {
            if jobs == 0 {
                return Err(Failure::unusable(anyhow!(
                    "it received no orders on standard input, which the launcher has to carry to all processes (name mpirun itself in \
                     --launcher)"
                )));
            }
            // Also after a load that ended early: a launcher takes any other code for a failure, and ends the others.
            return Ok(Exit::Success);
        };
        jobs += 1;
        carry_out(shard, &job, (parent, interrupt, &stop), Some(Arc::clone(&last)), |_| {
            await_order(&orders, &stop, |order| match order {
                (Order::Start(start), _) => Some(start),
                (Order::Job(_) | Order::Alive | Order::Stop, _) => None,
            })
        })?;
    }
}

/// Sends a part of a load. `start` gives the instant to begin at, from that of the job; `last` is when the last order came, where orders
/// come.
fn carry_out(
    shard: Shard,
    job: &Job,
    (parent, interrupt, stop): (&Parent, &Interrupt, &CancellationToken),
    last: Option<Arc<Mutex<Instant>>>,
    start: impl FnOnce(Option<i64>) -> Option<i64>,
) -> Result<(), Failure> {
    let parsed = job.loads.iter().map(|(text, _)| scenario::parse(text, "scenario.toml"));
    let scenarios: Vec<_> = parsed.collect::<Result<_, _>>().map_err(Failure::usage)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unusable)?;
    let display = Display::new(false);
    let sharing = if job.together { shard.of() - 1 } else { sharing() };
    let ready = runtime.block_on(interrupt.or(async {
        let mut targets = Vec::new();
        for (scenario, (_, invitation)) in scenarios.iter().zip(&job.loads) {
            targets.push(Target::invited(invitation, scenario).await?);
        }
        let (scenario, target, turns) = match (scenarios.as_slice(), targets.as_slice(), job.turn) {
            ([one, other], [at_one, at_other], Some(turn)) => {
                let InTurns { scenario, target, turns } = InTurns::new([(one, at_one), (other, at_other)], turn);
                (scenario, target, Some(turns))
            }
            ([scenario, ..], [target, ..], _) => (scenario.clone(), target.clone(), None),
            _ => return Err(Failure::unusable(anyhow!("a job without a load"))),
        };
        let part = Part { scenario, shard, workers: job.workers, sharing, turns, calibrates: job.calibrates };
        Ready::prepare(part, target).await
    }))?;
    let (clock, server, same_machine) = (ready.clock(None), ready.server().map(str::to_owned), ready.is_at_server());
    let start = || {
        let wall = ReferenceTime::of_machine().now() as i64;
        parent.tell(&Report::Ready(Contact { same_machine, clock, server, wall }));
        start(job.start).map(i128::from)
    };
    // With the first second: at the start there is no time for it.
    let late = Arc::new(AtomicU64::default());
    let (reporter, mut begun, unfollowed) = (parent.clone(), Some(Arc::clone(&late)), interrupt.stop().clone());
    let on_second: OnSecond = Box::new(move |second| {
        let of_last = last.as_ref().and_then(|last| last.lock().ok().map(|at| at.elapsed()));
        if of_last.is_some_and(|since| since > UNFOLLOWED) {
            unfollowed.cancel();
        }
        if let Some(late) = begun.take() {
            reporter.tell(&Report::Begun { late_ns: late.load(Ordering::Relaxed) });
        }
        reporter.tell(&Report::Second(Box::new(SecondReport::of(second))));
    });
    let on_begin = |late_ns| late.store(late_ns, Ordering::Relaxed);
    let mut run = ready.carry_out(start, (interrupt, stop), &display, on_begin, Some(on_second))?;
    if job.turn.is_some() {
        mark(&mut run.recording);
    }
    parent.tell(&Report::done(&run));
    Ok(())
}

/// Takes orders on a thread of its own, each with what ends the load of its job. Where no more can come, the load stops: a generator
/// without a master must not go on.
fn listen(stop: CancellationToken, last: Arc<Mutex<Instant>>) -> Receiver<(Order, CancellationToken)> {
    let (sender, orders) = mpsc::channel();
    let listen = move || {
        let (mut reader, mut of_job) = (Reader::default(), stop.child_token());
        for line in io::stdin().lines() {
            if let Ok(mut last) = last.lock() {
                *last = Instant::now();
            }
            match line.map_err(|error| error.to_string()).and_then(|line| reader.take::<Order>(&line)) {
                Ok(Read::Message(_, Order::Stop)) => of_job.cancel(),
                Ok(Read::Message(_, Order::Alive) | Read::Piece(_) | Read::Other) => {}
                Ok(Read::Message(_, order)) => {
                    if matches!(order, Order::Job(_)) {
                        of_job = stop.child_token();
                    }
                    let _ = sender.send((order, of_job.clone()));
                }
                Err(_) => break,
            }
        }
        stop.cancel();
    };
    // Without the thread, nothing is ever received.
    drop(thread::Builder::new().name("orders".to_owned()).spawn(listen));
    orders
}

/// The next order that is wanted; nothing where the wait was ended.
fn await_order<T>(
    orders: &Receiver<(Order, CancellationToken)>,
    stop: &CancellationToken,
    wanted: impl Fn((Order, CancellationToken)) -> Option<T>,
) -> Option<T> {
    loop {
        match orders.recv_timeout(POLL) {
            Ok(order) => {
                if let Some(found) = wanted(order) {
                    return Some(found);
                }
            }
            Err(RecvTimeoutError::Timeout) if !stop.is_cancelled() => {}
            Err(_) => return None,
        }
    }
}

/// Signs of life while it exists: between the last second of the load and the recording there is nothing else to report.
struct Alive(Arc<AtomicBool>);

impl Alive {
    fn begin(parent: Parent) -> io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let tell = move || {
            while !seen.load(Ordering::Relaxed) {
                parent.tell(&Report::Alive);
                thread::sleep(ALIVE);
            }
        };
        thread::Builder::new().name("alive".to_owned()).spawn(tell)?;
        Ok(Self(over))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
