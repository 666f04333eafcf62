//! Where requests come from: a schedule that does not care how the server fares (open loop), or clients that each wait
//! for their reply before they ask again (closed loop).

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{part::Part, turns::Turn};
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

/// The source of the requests of one part of a service.
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
        /// Those of the whole instance.
        arrivals: Box<Arrivals>,
        /// How many of them belong to the other parts between two of this one.
        others: usize,
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
    pub(super) fn new(scenario: &Scenario, part: Part, root: usize, turn: Option<Turn>) -> Self {
        let service = &scenario.services[part.service];
        let process = match service.load {
            Load::Open { rate, arrivals } => {
                let rate = rate / f64::from(part.instances);
                let mut arrivals = Box::new(Arrivals::new(scenario.seed, root, part.instance, rate, arrivals));
                let (first, stride) = part.cut();
                let next = next_arrival(&mut arrivals, first as usize, turn);
                Process::Open { arrivals, others: stride as usize - 1, next }
            }
            Load::Closed { clients, think_time } => {
                let clients = u64::from(part.instance_of(clients));
                let (first, stride) = part.cut();
                let own = (u64::from(first)..clients).step_by(stride as usize);
                let think_time = nanos(think_time);
                // Clients begin spread over one think time, not all at once.
                let begins = |client| next_moment(think_time * client / clients, turn);
                let thinking = own.map(|client| Reverse(begins(client))).collect();
                Process::Closed { thinking, think_time, batch: service.pool.pipeline.into(), finished: 0 }
            }
        };
        let (sequence, stride) = part.sequence();
        Self { process, turn, sequence, stride }
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
            Process::Open { arrivals, others, next } => {
                *next = next_arrival(arrivals, *others, self.turn);
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

/// When the next request of a schedule falls due, those of other parts left out.
fn next_arrival(arrivals: &mut Arrivals, others: usize, turn: Option<Turn>) -> Nanos {
    let next = arrivals.nth(others).unwrap_or(Nanos::MAX);
    // A schedule that has ended never comes.
    turn.filter(|_| next < Nanos::MAX / 4).map_or(next, |turn| turn.wall(next))
}

/// When a client may ask that would ask at a moment.
fn next_moment(now: Nanos, turn: Option<Turn>) -> Nanos {
    turn.map_or(now, |turn| turn.next(now))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::{collection::vec, prelude::Just, prop_assert_eq, prop_oneof, proptest};

    use super::{
        super::{fake, part::Part, turns::Turns},
        Nanos, Source,
    };
    use crate::{
        scenario::{ArrivalProcess, Load, Shard},
        workload::sample::laws,
    };

    /// Requests of a part that fall due before a moment: due instant and sequence number.
    fn requests(load: Load, part: Part, turns: Option<Turns>, before: Nanos) -> Vec<(Nanos, u64)> {
        let mut scenario = fake::scenario("size = 8", "rate = 1", &["command = \"GET\""]);
        scenario.services[0].load = load;
        let mut source = Source::new(&scenario, part, 0, turns.map(|turns| turns.of(part.service)));
        let ask = || source.next_due().filter(|due| *due < before).map(|due| source.take_due(due, before));
        std::iter::from_fn(ask).map(|asked| (asked.due, asked.first)).collect()
    }

    fn all(load: Load, instances: u32, parts: u32, turns: Option<Turns>, before: Nanos) -> Vec<(Nanos, u64)> {
        let parts = Part::all(0, instances, parts, Shard::WHOLE);
        let mut all: Vec<_> = parts.flat_map(|part| requests(load, part, turns, before)).collect();
        all.sort_unstable();
        all
    }

    /// The same of all shards, which are divided into these parts.
    fn of_shards(load: Load, instances: u32, parts: &[u32], before: Nanos) -> Vec<(Nanos, u64)> {
        let shards = Shard::all(parts.len() as u32).zip(parts);
        let parts = shards.flat_map(|(shard, parts)| Part::all(0, instances, *parts, shard));
        let mut all: Vec<_> = parts.flat_map(|part| requests(load, part, None, before)).collect();
        all.sort_unstable();
        all
    }

    proptest! {
        #![proptest_config(laws())]

        #[test]
        fn the_requests_of_the_parts_are_those_of_the_whole(
            rate in 1e3..1e6,
            arrivals in prop_oneof![Just(ArrivalProcess::Poisson), Just(ArrivalProcess::Uniform)],
            instances in 1_u32..4,
            parts in 1_u32..=8,
            turns in prop_oneof![Just(None), Just(Some(Turns { window: Duration::from_micros(500), half: 1 }))],
        ) {
            let load = Load::Open { rate, arrivals };
            let all = |parts| all(load, instances, parts, turns, 5_000_000);
            prop_assert_eq!(all(parts), all(1));
        }

        #[test]
        fn the_requests_of_the_shards_are_those_of_the_whole(
            rate in 1e3..1e6,
            arrivals in prop_oneof![Just(ArrivalProcess::Poisson), Just(ArrivalProcess::Uniform)],
            instances in 1_u32..4,
            parts in vec(1_u32..4, 1..=8),
        ) {
            let load = Load::Open { rate, arrivals };
            prop_assert_eq!(of_shards(load, instances, &parts, 5_000_000), all(load, instances, 1, None, 5_000_000));
        }

        #[test]
        fn the_clients_of_the_shards_are_those_of_the_whole(
            clients in 32_u32..100,
            instances in 1_u32..4,
            parts in vec(1_u32..4, 1..=8),
        ) {
            let load = Load::Closed { clients, think_time: Duration::from_millis(5) };
            let due = |requests: Vec<(Nanos, u64)>| -> Vec<Nanos> { requests.into_iter().map(|(due, _)| due).collect() };
            let whole = due(all(load, instances, 1, None, 5_000_000));
            prop_assert_eq!(due(of_shards(load, instances, &parts, 5_000_000)), whole);
        }

        #[test]
        fn the_clients_of_the_parts_are_those_of_the_whole(
            clients in 8_u32..100,
            instances in 1_u32..4,
            parts in 1_u32..=8,
        ) {
            let think_time = Duration::from_millis(5);
            let due = |parts| -> Vec<Nanos> {
                let load = Load::Closed { clients, think_time };
                all(load, instances, parts, None, 5_000_000).into_iter().map(|(due, _)| due).collect()
            };
            prop_assert_eq!(due(parts).len(), clients as usize);
            prop_assert_eq!(due(parts), due(1));
        }
    }
}
