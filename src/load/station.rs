//! One instance of a service as a queueing station: requests wait in one queue, first come, first served, and lanes
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
    plan::{Instance, OperationSeries, Plan},
    source::{Pending, Source},
};
use crate::{
    measure::{Clock, Completion, ErrorClass, Failure, Nanos, Outcome, Recorder, SeriesId, nanos},
    scenario::{Checkout, Scenario},
    target::{Answer, Losses},
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

/// One instance of a service.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) worker: Rc<WorkerContext>,
    pub(super) service: usize,
    pub(super) stream: RequestStream,
    pub(super) exclusive: bool,
    series: Vec<OperationSeries>,
    checkout_timeout: Nanos,
    command_timeout: Nanos,
    health_check: Option<Nanos>,
    source: RefCell<Source>,
    occupancy: RefCell<Occupancy>,
    losses: Arc<Losses>,
    /// Number of recorded ones.
    known_losses: Cell<(u64, u64)>,
    /// The lane that the next sweep begins with.
    next_swept: Cell<usize>,
}

/// Work of a lane.
#[derive(Debug, Clone, Copy)]
pub(super) enum Job {
    /// A request.
    Serve(Pending),
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
    waker: Option<Waker>,
    /// Since when it has had nothing to do.
    idle_since: Nanos,
}

#[derive(Debug, Clone, Copy, Default)]
enum Task {
    /// Waiting for a request, or for its connection to come back.
    #[default]
    None,
    /// A request that it has not begun.
    Assigned(Pending),
    /// A sign of life to ask for, not begun.
    Check,
    /// A command under way; for upkeep without a request behind it.
    Serving { pending: Option<Pending>, deadline: Nanos, expired: bool },
}

impl Task {
    fn pending(self) -> Option<Pending> {
        match self {
            Self::None | Self::Check => None,
            Self::Assigned(pending) => Some(pending),
            Self::Serving { pending, .. } => pending,
        }
    }
}

impl Station {
    pub(super) fn new(
        worker: Rc<WorkerContext>,
        scenario: &Scenario,
        plan: &Plan,
        instance: Instance,
        losses: Arc<Losses>,
    ) -> Self {
        let service = &scenario.services[instance.service];
        let lanes = lanes(scenario, instance);
        let root = plan.turns.map_or(instance.service, |turns| turns.root(instance.service));
        let stream = RequestStream::rooted(scenario, instance.service, root);
        let turn = plan.turns.map(|turns| turns.of(instance.service));
        Self {
            worker,
            service: instance.service,
            source: RefCell::new(Source::new(scenario, instance, root, stream.clone(), turn)),
            stream,
            exclusive: service.pool.checkout == Checkout::Exclusive,
            series: plan.services[instance.service].clone(),
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
            let Some(pending) = source.take_due(now, self.worker.end.get()) else { return };
            let open = source.is_open();
            drop(source);
            let released = if open { self.worker.clock.now() } else { now };
            self.admit(pending, released, open);
        }
    }

    /// A request enters: to an idle lane, or into the queue.
    fn admit(&self, pending: Pending, now: Nanos, open: bool) {
        self.worker.work.set(self.worker.work.get() + 1);
        self.worker.recorder.borrow_mut().released(self.service, pending.due, now, open);
        let mut occupancy = self.occupancy.borrow_mut();
        // A pool hands out the connection that came back last; fred's own way is to go round.
        let lane = if self.exclusive { occupancy.idle.pop_back() } else { occupancy.idle.pop_front() };
        match lane {
            Some(lane) => {
                let lane = &mut occupancy.lanes[lane];
                lane.task = Task::Assigned(pending);
                if let Some(waker) = lane.waker.take() {
                    waker.wake();
                }
            }
            None => occupancy.waiting.push_back(pending),
        }
    }

    /// Waits until the lane has something to do.
    pub(super) async fn assignment(&self, lane: usize) -> Job {
        std::future::poll_fn(|context| {
            let lane = &mut self.occupancy.borrow_mut().lanes[lane];
            match lane.task {
                Task::Assigned(pending) => return Poll::Ready(Job::Serve(pending)),
                Task::Check => return Poll::Ready(Job::Check),
                Task::None | Task::Serving { .. } => {}
            }
            lane.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Carries out one command, of a request or for upkeep, at most for the pool's command timeout.
    pub(super) async fn timed(
        &self,
        lane: usize,
        pending: Option<Pending>,
        sent: Nanos,
        mut command: Pin<&mut impl Future<Output = Answer>>,
    ) -> Answer {
        let deadline = sent.saturating_add(self.command_timeout);
        self.occupancy.borrow_mut().lanes[lane].task = Task::Serving { pending, deadline, expired: false };
        std::future::poll_fn(|context| {
            if let Poll::Ready(answer) = command.as_mut().poll(context) {
                return Poll::Ready(answer);
            }
            let lane = &mut self.occupancy.borrow_mut().lanes[lane];
            if matches!(lane.task, Task::Serving { expired: true, .. }) {
                let message = format!("no reply within {:?}", std::time::Duration::from_nanos(self.command_timeout));
                let result = Err(Failure { class: ErrorClass::Timeout, message });
                return Poll::Ready(Answer { result, received: None });
            }
            if !lane.waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                lane.waker = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    /// Records the end of a request.
    pub(super) fn complete(&self, lane: usize, completion: Completion) {
        self.worker.work.set(self.worker.work.get() + 1);
        self.occupancy.borrow_mut().lanes[lane].task = Task::None;
        let mut recorder = self.worker.recorder.borrow_mut();
        let (done, answered) = (completion.done, completion.outcome.is_answer());
        recorder.record(completion);
        recorder.left(self.service, done, answered);
    }

    /// The lane takes the next waiting request, or idles.
    pub(super) fn free(&self, lane: usize, now: Nanos) {
        self.worker.recorder.borrow_mut().freed(self.service, now);
        self.rejoin(lane, now);
    }

    /// Like [`Self::free`] for a lane whose connection was away and is back.
    pub(super) fn rejoin(&self, lane: usize, now: Nanos) {
        self.expire_waiting(now);
        let mut occupancy = self.occupancy.borrow_mut();
        if let Some(pending) = occupancy.waiting.pop_front() {
            occupancy.lanes[lane].task = Task::Assigned(pending);
        } else {
            occupancy.lanes[lane].idle_since = now;
            occupancy.idle.push_back(lane);
        }
    }

    /// In a closed loop the client of a finished request asks again.
    pub(super) fn ask_again(&self, now: Nanos) {
        let mut source = self.source.borrow_mut();
        if source.is_open() {
            return;
        }
        let again = source.finished(now, self.worker.end.get());
        drop(source);
        match again {
            Some(pending) => self.admit(pending, now, false),
            // It thinks, and may ask earlier than whatever the pacer waits for.
            None => self.worker.earlier.notify_one(),
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
            if let Task::Serving { deadline, expired, .. } = &mut lane.task
                && *deadline <= now
            {
                *expired = true;
                if let Some(waker) = lane.waker.take() {
                    waker.wake();
                }
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
            if let Some(waker) = lane.waker.take() {
                waker.wake();
            }
            self.worker.recorder.borrow_mut().idle_check(self.service);
        }
    }

    /// Records which connections were lost or came back since the last time.
    pub(super) fn record_losses(&self) {
        let (lost, recovered) = self.losses.so_far();
        let (known_lost, known_recovered) = self.known_losses.replace((lost, recovered));
        if (lost, recovered) != (known_lost, known_recovered) {
            let mut recorder = self.worker.recorder.borrow_mut();
            recorder.reconnected(self.service, lost - known_lost, recovered - known_recovered);
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
        self.ask_again(now);
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
        let under_way = self.lanes.iter().filter_map(|lane| lane.task.pending());
        under_way.chain(self.waiting.iter().copied())
    }
}

/// Number of lanes of an instance.
fn lanes(scenario: &Scenario, instance: Instance) -> usize {
    let pool = scenario.services[instance.service].pool;
    match pool.checkout {
        Checkout::Exclusive => pool.size as usize,
        Checkout::Shared { in_flight } => pool.size as usize * in_flight as usize,
    }
}
