//! A shard that `plimsoll scale` has started: it takes orders on standard input, and reports on standard output.

use std::{
    env,
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use anyhow::anyhow;
use clap::Args;
use tokio::runtime;
use tokio_util::sync::CancellationToken;

use super::{
    lines::{self, Introduction, Job, Order, Read, Reader, Report},
    number::{of_environment, sharing},
    ready::{Part, Ready},
};
use crate::{
    cli::{
        environment::{host_name, software},
        exit::{Exit, Failure},
        interrupt::{Interrupt, supervise},
        progress::Display,
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

fn work(shard: Shard, job: Option<Job>, parent: &Parent, interrupt: &Interrupt) -> Result<Exit, Failure> {
    // A job of the environment begins by the clock, and nobody writes to standard input.
    let orders = job.is_none().then(|| listen(interrupt.stop().clone()));
    let job = match (job, &orders) {
        (Some(job), _) => job,
        (None, Some(orders)) => {
            let job = await_order(orders, interrupt, |order| match order {
                Order::Job(job) => Some(*job),
                Order::Start(_) | Order::Stop => None,
            });
            job.map_err(|_| {
                Failure::unusable(anyhow!(
                    "it received no orders on standard input, which the launcher has to carry to all processes (name mpirun itself in \
                     --launcher)"
                ))
            })?
        }
        (None, None) => return Err(Failure::interrupted()),
    };
    if job.of != shard.of() {
        return Err(Failure::usage(anyhow!(
            "the launcher started {} processes instead of {}: check the numbers in --launcher",
            shard.of(),
            job.of
        )));
    }
    let scenario = scenario::parse(&job.scenario, "scenario.toml").map_err(Failure::usage)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unusable)?;
    let display = Display::new(false);
    let sharing = if job.together { job.of - 1 } else { sharing() };
    let ready = runtime.block_on(interrupt.or(async {
        let target = Target::invited(&job.target, &scenario).await?;
        let part = Part { scenario: scenario.clone(), shard, workers: job.workers, sharing };
        Ready::prepare(part, target, &display).await
    }))?;
    let _alive = Alive::begin(parent.clone()).map_err(Failure::unusable)?;
    let (clock, server) = (ready.clock(None), ready.server().map(str::to_owned));
    let start = || {
        let wall = ReferenceTime::of_machine().now() as i64;
        let introduction = Introduction { host: host_name(), software: software(), clock, server, wall };
        parent.tell(&Report::Ready(Box::new(introduction)));
        match (job.start, &orders) {
            (Some(start), _) => Some(start.into()),
            (None, Some(orders)) => await_order(orders, interrupt, |order| match order {
                Order::Start(start) => Some(start.into()),
                Order::Job(_) | Order::Stop => None,
            })
            .ok(),
            (None, None) => None,
        }
    };
    let reporter = parent.clone();
    let on_second: OnSecond =
        Box::new(move |second| reporter.tell(&Report::Second(Box::new(SecondReport::of(second)))));
    let run = ready.carry_out(start, interrupt, &display, Some(on_second))?;
    parent.tell(&Report::done(&run));
    // Also of a load that ended early: a launcher takes any other code for a failure, and ends the others.
    Ok(Exit::Success)
}

/// Takes orders on a thread of its own. Where no more can come, the load stops: a generator without a master must not go on.
fn listen(stop: CancellationToken) -> Receiver<Order> {
    let (sender, orders) = mpsc::channel();
    let listen = move || {
        let mut reader = Reader::default();
        for line in io::stdin().lines() {
            match line.map_err(|error| error.to_string()).and_then(|line| reader.take::<Order>(&line)) {
                Ok(Read::Message(_, Order::Stop)) | Err(_) => break,
                Ok(Read::Message(_, order)) => drop(sender.send(order)),
                Ok(Read::Piece(_) | Read::Other) => {}
            }
        }
        stop.cancel();
    };
    // Without the thread, nothing is ever received.
    drop(thread::Builder::new().name("orders".to_owned()).spawn(listen));
    orders
}

fn await_order<T>(
    orders: &Receiver<Order>,
    interrupt: &Interrupt,
    wanted: impl Fn(Order) -> Option<T>,
) -> Result<T, Failure> {
    loop {
        match orders.recv_timeout(POLL) {
            Ok(order) => {
                if let Some(found) = wanted(order) {
                    return Ok(found);
                }
            }
            Err(RecvTimeoutError::Timeout) if !interrupt.stop().is_cancelled() => {}
            Err(_) => return Err(Failure::interrupted()),
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
