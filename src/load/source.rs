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

/// The source of one instance's requests.
#[derive(Debug)]
pub(super) struct Source {
    stream: RequestStream,
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
    },
}

impl Source {
    /// `root` is the index of the service whose randomness it has.
    pub(super) fn new(
        scenario: &Scenario,
        instance: Instance,
        root: usize,
        stream: RequestStream,
        turn: Option<Turn>,
    ) -> Self {
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
                Process::Closed { thinking, think_time }
            }
        };
        Self { stream, process, turn, sequence: u64::from(instance.number), stride: u64::from(service.instances) }
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

    /// The next request if it is due by `now` and before `end`.
    pub(super) fn take_due(&mut self, now: Nanos, end: Nanos) -> Option<Pending> {
        let due = self.next_due().filter(|due| *due <= now && *due < end)?;
        let due = match &mut self.process {
            Process::Open { arrivals, next } => {
                *next = next_arrival(arrivals, self.turn);
                due
            }
            Process::Closed { thinking, .. } => {
                thinking.pop();
                // A client asks when it asks: a closed loop has no due instants.
                now
            }
        };
        (due < end).then(|| self.numbered(due))
    }

    /// A request was finished. In a closed loop its client asks again: at once, or after its think time.
    pub(super) fn finished(&mut self, now: Nanos, end: Nanos) -> Option<Pending> {
        match &mut self.process {
            Process::Closed { think_time: 0, .. } if now < end && next_moment(now, self.turn) == now => {
                Some(self.numbered(now))
            }
            Process::Closed { thinking, think_time } => {
                thinking.push(Reverse(next_moment(now + *think_time, self.turn)));
                None
            }
            Process::Open { .. } => None,
        }
    }

    fn numbered(&mut self, due: Nanos) -> Pending {
        let sequence = self.sequence;
        self.sequence += self.stride;
        Pending { due, sequence, operation: self.stream.operation(sequence) }
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
