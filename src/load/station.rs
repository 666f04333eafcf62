//! One part of a service as a queueing station: requests wait in one queue, first come, first served, and lanes
//! serve them. A lane is a connection (exclusive checkout) or one of the places on a connection (shared checkout).
//!
//! Open and closed loop differ only in their [`Source`]; pools of every size and both kinds of checkout differ only in
//! the number of lanes and in which idle lane is taken next.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Poll, Waker},
};

use tokio::sync::Notify;

use super::{
    part::Part,
    plan::{NodeSeries, OperationSeries, Plan},
    source::{Again, Asked, Pending, Source},
};
use crate::{
    measure::{Clock, Completion, ErrorClass, Failure, Nanos, Outcome, Recorder, SeriesId, nanos},
    scenario::{Checkout, Scenario},
    target::{Losses, Served},
    workload::RequestStream,
};

/// Room for waiting requests that is made beforehand, so that only an overloaded pool makes it grow.
const QUEUE: usize = 1 << 14;

/// Of a pool's idle connections this part is checked at a time at most: they fall idle together, and thousands of checks at
/// once would be felt.
const CHECKED_AT_ONCE: usize = 256;

/// Lanes that one sweep looks at, at most. Larger pools are swept in parts, more often, so that no sweep delays requests.
const SWEPT_AT_ONCE: usize = 4096;

/// State shared by all stations of a worker.
#[derive(Debug)]
pub(super) struct WorkerContext {
    pub(super) clock: Clock,
    pub(super) recorder: RefCell<Recorder>,
    /// Start of the measured period.
    pub(super) start: Nanos,
    /// End of the measured period; moved forward when the user ends the run.
    pub(super) end: Cell<Nanos>,
    /// Counts what the worker did, to show idle turns from busy ones.
    pub(super) work: Cell<u64>,
    /// Reports a sleeping pacer that something falls due earlier than it knew.
    pub(super) earlier: Notify,
}

/// One part of a service.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) worker: Rc<WorkerContext>,
    pub(super) service: usize,
    pub(super) stream: RequestStream,
    pub(super) exclusive: bool,
    series: Vec<OperationSeries>,
    nodes: NodeSeries,
    /// Requests that a lane sends together, at most.
    pipeline: usize,
    checkout_timeout: Nanos,
    command_timeout: Nanos,
    health_check: Option<Nanos>,
    source: RefCell<Source>,
    occupancy: RefCell<Occupancy>,
    losses: Arc<Losses>,
    /// Number of recorded ones.
    known_losses: Cell<[u64; 4]>,
    /// The lane that the next sweep begins with.
    next_swept: Cell<usize>,
}

/// Work of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// Requests.
    Serve,
    /// To ask the server for a sign of life.
    Check,
}

/// Queue and lanes.
#[derive(Debug)]
struct Occupancy {
    waiting: VecDeque<Pending>,
    idle: VecDeque<usize>,
    lanes: Vec<Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    task: Task,
    /// Requests that it has and has not finished.
    unfinished: VecDeque<Pending>,
    waker: Option<Waker>,
    /// Since when it has had nothing to do.
    idle_since: Nanos,
}

#[derive(Debug, Clone, Copy, Default)]
enum Task {
    /// Waiting for a request, or for its connection to come back.
    #[default]
    None,
    /// Requests that it has not begun.
    Assigned,
    /// A sign of life to ask for, not begun.
    Check,
    /// Commands under way.
    Serving { deadline: Nanos, expired: bool },
}

impl Lane {
    /// Wakes the task of the lane, which has something to hear.
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Station {
    pub(super) fn new(
        worker: Rc<WorkerContext>,
        scenario: &Scenario,
        plan: &Plan,
        part: Part,
        losses: Arc<Losses>,
    ) -> Self {
        let service = &scenario.services[part.service];
        let lanes = lanes(scenario, part);
        let root = plan.turns.map_or(part.service, |turns| turns.root(part.service));
        let stream = RequestStream::rooted(scenario, part.service, root, part.sources(service));
        let turn = plan.turns.map(|turns| turns.of(part.service));
        Self {
            worker,
            service: part.service,
            source: RefCell::new(Source::new(scenario, part, root, turn)),
            stream,
            exclusive: service.pool.checkout == Checkout::Exclusive,
            series: plan.services[part.service].clone(),
            nodes: plan.nodes[part.service].clone(),
            pipeline: service.pool.pipeline as usize,
            checkout_timeout: nanos(service.pool.checkout_timeout),
            command_timeout: nanos(service.pool.command_timeout),
            health_check: Some(nanos(service.pool.health_check)).filter(|after| *after > 0),
            losses,
            known_losses: Cell::default(),
            next_swept: Cell::default(),
            occupancy: RefCell::new(Occupancy {
                waiting: VecDeque::with_capacity(QUEUE),
                idle: (0..lanes).collect(),
                lanes: (0..lanes).map(|_| Lane::default()).collect(),
            }),
        }
    }

    /// Number of lanes.
    pub(super) fn lanes(&self) -> usize {
        self.occupancy.borrow().lanes.len()
    }

    /// Series of an operation.
    pub(super) fn series(&self, operation: usize) -> &OperationSeries {
        &self.series[operation]
    }

    /// When the next request falls due.
    pub(super) fn next_due(&self) -> Option<Nanos> {
        self.source.borrow().next_due()
    }

    /// Releases every request that is due.
    pub(super) fn release_due(&self, now: Nanos) {
        loop {
            let mut source = self.source.borrow_mut();
            let asked = source.take_due(now, self.worker.end.get());
            let open = source.is_open();
            drop(source);
            if asked.is_empty() {
                return;
            }
            let released = if open { self.worker.clock.now() } else { now };
            self.admit(asked, released, open);
        }
    }

    /// Requests that are asked together enter: to an idle lane, or into the queue.
    fn admit(&self, asked: Asked, now: Nanos, open: bool) {
        self.worker.work.set(self.worker.work.get() + 1);
        let mut recorder = self.worker.recorder.borrow_mut();
        for _ in 0..asked.len() {
            recorder.released(self.service, asked.due(), now, open);
        }
        drop(recorder);
        let mut occupancy = self.occupancy.borrow_mut();
        // A pool hands out the connection that came back last; fred's own way is to go round.
        let lane = if self.exclusive { occupancy.idle.pop_back() } else { occupancy.idle.pop_front() };
        let requests = asked.requests(&self.stream);
        match lane {
            Some(lane) => {
                let lane = &mut occupancy.lanes[lane];
                lane.task = Task::Assigned;
                lane.unfinished.extend(requests);
                lane.wake();
            }
            None => occupancy.waiting.extend(requests),
        }
    }

    /// Waits until the lane has something to do. Requests are handed over one after another.
    pub(super) async fn assignment(&self, lane: usize, mut take: impl FnMut(Pending)) -> Job {
        std::future::poll_fn(|context| {
            let lane = &mut self.occupancy.borrow_mut().lanes[lane];
            match lane.task {
                Task::Assigned => {
                    lane.unfinished.iter().copied().for_each(&mut take);
                    return Poll::Ready(Job::Serve);
                }
                Task::Check => return Poll::Ready(Job::Check),
                Task::None | Task::Serving { .. } => {}
            }
            lane.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Carries out commands that are sent together, of requests or for upkeep. Gives nothing where the pool's command timeout is
    /// over before they are done.
    pub(super) async fn timed<T>(
        &self,
        lane: usize,
        sent: Nanos,
        mut commands: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        let deadline = sent.saturating_add(self.command_timeout);
        self.occupancy.borrow_mut().lanes[lane].task = Task::Serving { deadline, expired: false };
        std::future::poll_fn(|context| {
            if let Poll::Ready(done) = commands.as_mut().poll(context) {
                return Poll::Ready(Some(done));
            }
            let lane = &mut self.occupancy.borrow_mut().lanes[lane];
            if matches!(lane.task, Task::Serving { expired: true, .. }) {
                return Poll::Ready(None);
            }
            if !lane.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                lane.waker = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    /// The failure of a command whose timeout is over.
    pub(super) fn no_reply(&self) -> Failure {
        let message = format!("no reply within {:?}", std::time::Duration::from_nanos(self.command_timeout));
        Failure { class: ErrorClass::Timeout, message }
    }

    /// Records the end of a request.
    pub(super) fn complete(&self, lane: usize, pending: &Pending, completion: Completion, served: Served) {
        self.worker.work.set(self.worker.work.get() + 1);
        let lane = &mut self.occupancy.borrow_mut().lanes[lane];
        lane.task = Task::None;
        // Replies come in the order of the requests, so it is nearly always the first.
        if let Some(at) = lane.unfinished.iter().position(|other| other.sequence == pending.sequence) {
            lane.unfinished.remove(at);
        }
        let mut recorder = self.worker.recorder.borrow_mut();
        let (done, answered) = (completion.done, completion.outcome.is_answer());
        if let Some(series) = self.nodes.of(served) {
            recorder.record_of_node(Completion { series, ..completion.clone() });
        }
        if self.series[pending.operation].reads
            && let Some(series) = self.nodes.of_read(served)
        {
            recorder.record(Completion { series, ..completion.clone() });
        }
        recorder.record(completion);
        recorder.left(self.service, done, answered);
    }

    /// The lane takes the next waiting requests, or idles.
    pub(super) fn free(&self, lane: usize, now: Nanos) {
        self.worker.recorder.borrow_mut().freed(self.service, now);
        self.rejoin(lane, now);
    }

    /// Like [`Self::free`] for a lane whose connection was away and is back.
    pub(super) fn rejoin(&self, lane: usize, now: Nanos) {
        self.expire_waiting(now);
        let mut occupancy = self.occupancy.borrow_mut();
        let Occupancy { waiting, idle, lanes } = &mut *occupancy;
        if waiting.is_empty() {
            lanes[lane].idle_since = now;
            idle.push_back(lane);
        } else {
            let together = waiting.len().min(self.pipeline);
            lanes[lane].task = Task::Assigned;
            lanes[lane].unfinished.extend(waiting.drain(..together));
        }
    }

    /// In a closed loop the clients of finished requests ask again.
    pub(super) fn ask_again(&self, finished: usize, now: Nanos) {
        for _ in 0..finished {
            let mut source = self.source.borrow_mut();
            if source.is_open() {
                return;
            }
            let again = source.finished(now, self.worker.end.get());
            drop(source);
            match again {
                Again::Now(asked) => self.admit(asked, now, false),
                // It thinks, and may ask earlier than whatever the pacer waits for.
                Again::Later => self.worker.earlier.notify_one(),
                Again::WithOthers => {}
            }
        }
    }

    /// Gives up what has waited or worked for too long, records connections that were lost, and has those checked that
    /// were idle for long.
    pub(super) fn sweep(&self, now: Nanos) {
        self.record_losses();
        self.check_idle(now);
        self.expire_waiting(now);
        let lanes = &mut self.occupancy.borrow_mut().lanes;
        let from = self.next_swept.get();
        let to = lanes.len().min(from + SWEPT_AT_ONCE);
        self.next_swept.set(if to < lanes.len() { to } else { 0 });
        for lane in &mut lanes[from..to] {
            if let Task::Serving { deadline, expired } = &mut lane.task
                && *deadline <= now
            {
                *expired = true;
                lane.wake();
            }
        }
    }

    /// Has connections asked for a sign of life that were not used for long, as pools do: a server with a `timeout` closes
    /// them otherwise.
    fn check_idle(&self, now: Nanos) {
        let Some(after) = self.health_check else { return };
        let Occupancy { idle, lanes, .. } = &mut *self.occupancy.borrow_mut();
        for _ in 0..=lanes.len() / CHECKED_AT_ONCE {
            // The lane that has been idle for the longest time is in front.
            let Some(lane) = idle.front().map(|lane| &mut lanes[*lane]) else { return };
            if lane.idle_since.saturating_add(after) > now {
                return;
            }
            idle.pop_front();
            lane.task = Task::Check;
            lane.wake();
            self.worker.recorder.borrow_mut().idle_check(self.service);
        }
    }

    /// Records which connections were lost or came back since the last time.
    pub(super) fn record_losses(&self) {
        let ((lost, recovered), (moved, asked)) = (self.losses.so_far(), self.losses.redirections());
        let so_far = [lost, recovered, moved, asked];
        let known = self.known_losses.replace(so_far);
        if so_far != known {
            let [lost, recovered, moved, asked] = std::array::from_fn(|kind| so_far[kind] - known[kind]);
            let mut recorder = self.worker.recorder.borrow_mut();
            recorder.reconnected(self.service, lost, recovered);
            recorder.redirected(self.service, moved, asked);
        }
    }

    /// Time between two sweeps: a timeout is noticed within about a twentieth of its length.
    pub(super) fn sweep_every(&self) -> Nanos {
        let whole = (self.command_timeout.min(self.checkout_timeout) / 20).clamp(2_000_000, 100_000_000);
        whole / self.lanes().div_ceil(SWEPT_AT_ONCE).max(1) as Nanos
    }

    fn expire_waiting(&self, now: Nanos) {
        loop {
            let mut occupancy = self.occupancy.borrow_mut();
            let late = |pending: &&Pending| pending.due.saturating_add(self.checkout_timeout) <= now;
            let Some(pending) = occupancy.waiting.front().filter(late).copied() else { return };
            occupancy.waiting.pop_front();
            drop(occupancy);
            self.fail_waiting(pending, now);
        }
    }

    fn fail_waiting(&self, pending: Pending, now: Nanos) {
        let waited = std::time::Duration::from_nanos(self.checkout_timeout);
        let failure = Failure {
            class: ErrorClass::CheckoutTimeout,
            message: format!("no connection of the pool became free within {waited:?}"),
        };
        let mut recorder = self.worker.recorder.borrow_mut();
        recorder.record(Completion {
            series: self.series[pending.operation].whole,
            due: pending.due,
            sent: None,
            done: now,
            outcome: Outcome::Failed(failure),
            bytes_sent: 0,
        });
        recorder.gave_up(self.service, now);
        recorder.left(self.service, now, false);
        drop(recorder);
        self.ask_again(1, now);
    }

    /// The lane has done its upkeep.
    pub(super) fn rest(&self, lane: usize) {
        self.occupancy.borrow_mut().lanes[lane].task = Task::None;
    }

    /// Series of the requests that fell due in the measured period and are not finished.
    pub(super) fn unfinished(&self) -> Vec<SeriesId> {
        self.occupancy
            .borrow()
            .pending()
            .filter(|pending| pending.due >= self.worker.start)
            .map(|pending| self.series[pending.operation].whole)
            .collect()
    }
}

impl Occupancy {
    /// Requests that are not finished.
    fn pending(&self) -> impl Iterator<Item = Pending> {
        let under_way = self.lanes.iter().flat_map(|lane| lane.unfinished.iter().copied());
        under_way.chain(self.waiting.iter().copied())
    }
}

/// Number of lanes of a part.
fn lanes(scenario: &Scenario, part: Part) -> usize {
    let pool = scenario.services[part.service].pool;
    let connections = part.of_instance(pool.size) as usize;
    match pool.checkout {
        Checkout::Exclusive => connections,
        Checkout::Shared { in_flight } => connections * in_flight as usize,
    }
}
