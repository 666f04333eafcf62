//! Where requests come from: a schedule that does not care how the server fares (open loop), or clients that each wait
//! for their reply before they ask again (closed loop).

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{plan::Instance, turns::Turn};
use crate::{
    measure::{Nanos, nanos},
    scenario::{Load, Scenario},
    workload::{Arrivals, RequestStream},
};

/// A request that has fallen due and is not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pending {
    /// When it should have started (open loop) or asked for a connection (closed loop).
    pub(super) due: Nanos,
    /// Its number in the service's stream of requests.
    pub(super) sequence: u64,
    /// The operation that the stream has under that number.
    pub(super) operation: usize,
}

/// Requests that are asked together: one, or in a closed loop those that a client sends as a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    due: Nanos,
    first: u64,
    stride: u64,
    count: u64,
}

/// What the client of a finished request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It asks at once.
    Now(Asked),
    /// It asks after its think time.
    Later,
    /// It waits for the others of its batch.
    WithOthers,
}

impl Asked {
    pub(super) fn is_empty(self) -> bool {
        self.count == 0
    }

    pub(super) fn len(self) -> u64 {
        self.count
    }

    pub(super) fn due(self) -> Nanos {
        self.due
    }

    pub(super) fn requests(self, stream: &RequestStream) -> impl Iterator<Item = Pending> {
        (0..self.count).map(move |number| {
            let sequence = self.first + number * self.stride;
            Pending { due: self.due, sequence, operation: stream.operation(sequence) }
        })
    }
}

/// The source of one instance's requests.
#[derive(Debug)]
pub(super) struct Source {
    process: Process,
    /// When its service is loaded at all; `None` for always.
    turn: Option<Turn>,
    sequence: u64,
    stride: u64,
}

#[derive(Debug)]
enum Process {
    Open {
        arrivals: Box<Arrivals>,
        next: Nanos,
    },
    Closed {
        /// When clients that are thinking will ask again.
        thinking: BinaryHeap<Reverse<Nanos>>,
        think_time: Nanos,
        /// Requests that a client sends as a batch, and the number of finished requests of batches that are under way. Which
        /// client a request belongs to is not known, so the finished requests of several batches may add up to one.
        batch: u64,
        finished: u64,
    },
}

impl Source {
    /// `root` is the index of the service whose randomness it has.
    pub(super) fn new(scenario: &Scenario, instance: Instance, root: usize, turn: Option<Turn>) -> Self {
        let service = &scenario.services[instance.service];
        let process = match service.load {
            Load::Open { rate, arrivals } => {
                let rate = rate / f64::from(service.instances);
                let mut arrivals = Box::new(Arrivals::new(scenario.seed, root, instance.number, rate, arrivals));
                let next = next_arrival(&mut arrivals, turn);
                Process::Open { arrivals, next }
            }
            Load::Closed { clients, think_time } => {
                let clients = u64::from(instance.share(clients, service.instances));
                let think_time = nanos(think_time);
                // Clients begin spread over one think time, not all at once.
                let begins = |client| next_moment(think_time * client / clients, turn);
                let thinking = (0..clients).map(|client| Reverse(begins(client))).collect();
                Process::Closed { thinking, think_time, batch: service.pool.pipeline.into(), finished: 0 }
            }
        };
        Self { process, turn, sequence: u64::from(instance.number), stride: u64::from(service.instances) }
    }

    /// Whether due instants come from a schedule.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.process, Process::Open { .. })
    }

    /// When the next request falls due, as far as that is known.
    pub(super) fn next_due(&self) -> Option<Nanos> {
        match &self.process {
            Process::Open { next, .. } => Some(*next),
            Process::Closed { thinking, .. } => thinking.peek().map(|Reverse(at)| *at),
        }
    }

    /// The next request that is due by `now` and before `end`, or the next client's batch; nothing where none is due.
    pub(super) fn take_due(&mut self, now: Nanos, end: Nanos) -> Asked {
        let Some(due) = self.next_due().filter(|due| *due <= now && *due < end) else { return self.ask(0, 0) };
        match &mut self.process {
            Process::Open { arrivals, next } => {
                *next = next_arrival(arrivals, self.turn);
                self.ask(due, 1)
            }
            Process::Closed { thinking, batch, .. } => {
                thinking.pop();
                // A client asks when it asks: a closed loop has no due instants.
                let count = if now < end { *batch } else { 0 };
                self.ask(now, count)
            }
        }
    }

    /// A request was finished. In a closed loop its client asks again when its batch is: at once, or after its think time.
    pub(super) fn finished(&mut self, now: Nanos, end: Nanos) -> Again {
        let Process::Closed { thinking, think_time, batch, finished } = &mut self.process else { return Again::Later };
        *finished += 1;
        if *finished < *batch {
            return Again::WithOthers;
        }
        *finished = 0;
        if *think_time == 0 && now < end && next_moment(now, self.turn) == now {
            let count = *batch;
            return Again::Now(self.ask(now, count));
        }
        thinking.push(Reverse(next_moment(now + *think_time, self.turn)));
        Again::Later
    }

    fn ask(&mut self, due: Nanos, count: u64) -> Asked {
        let asked = Asked { due, first: self.sequence, stride: self.stride, count };
        self.sequence += count * self.stride;
        asked
    }
}

/// When the next request of a schedule falls due.
fn next_arrival(arrivals: &mut Arrivals, turn: Option<Turn>) -> Nanos {
    let next = arrivals.next().unwrap_or(Nanos::MAX);
    // A schedule that has ended never comes.
    turn.filter(|_| next < Nanos::MAX / 4).map_or(next, |turn| turn.wall(next))
}

/// When a client may ask that would ask at a moment.
fn next_moment(now: Nanos, turn: Option<Turn>) -> Nanos {
    turn.map_or(now, |turn| turn.next(now))
}
