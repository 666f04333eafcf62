//! A scripted client library in place of a server, and a station that a test drives by hand: no time passes unless the test
//! says so.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, mpsc},
    time::Duration,
};

use tokio::{
    runtime::Builder,
    sync::{Notify, oneshot},
    task::{JoinSet, LocalSet},
};

use super::{
    api::Settings,
    lane::{self, PooledConnection},
    part::Part,
    plan::Plan,
    station::{Station, WorkerContext},
};
use crate::{
    measure::{self, Clock, ErrorClass, Failure, Interval, Nanos, Recorder, Series, ServiceInterval},
    operation::{Kind, Reply, Request},
    scenario::{self, Scenario, Shard},
    target::{self, Driver, DriverConnection, Losses, TargetError},
};

/// Outcome of a request.
pub(super) type Answer = Result<Reply, Failure>;

type Answers = Box<dyn FnMut(&Request) -> Option<Answer> + Send>;

/// A client library that does what a test says. Clones share the script.
#[derive(Clone, Default)]
pub(super) struct Fake {
    script: Arc<Mutex<Script>>,
    losses: Arc<Losses>,
    broken: bool,
}

#[derive(Default)]
struct Script {
    /// Answers requests at once; where it gives `None`, or is missing, the test answers them.
    answers: Option<Answers>,
    /// Requests under way, in the order of sending.
    calls: VecDeque<Call>,
    /// Recoveries under way.
    recoveries: VecDeque<oneshot::Sender<()>>,
    opened: usize,
    closed: usize,
}

/// A request that waits for its answer.
pub(super) struct Call {
    /// Number of its connection.
    pub(super) connection: usize,
    pub(super) request: Request,
    answer: oneshot::Sender<Answer>,
}

/// A connection of a [`Fake`].
pub(super) struct FakeConnection {
    fake: Fake,
    number: usize,
}

impl Fake {
    /// Answers requests at once by a function; those for which it gives `None` are left to the test.
    pub(super) fn answering(answers: impl FnMut(&Request) -> Option<Answer> + Send + 'static) -> Self {
        let fake = Self::default();
        fake.script().answers = Some(Box::new(answers));
        fake
    }

    /// Panics as soon as its worker begins, outside of any lane.
    pub(super) fn broken(&self) -> Self {
        Self { broken: true, ..self.clone() }
    }

    /// The request that was sent first and has no answer.
    pub(super) fn call(&self) -> Call {
        self.script().calls.pop_front().expect("a request is under way")
    }

    /// Number of requests without an answer.
    pub(super) fn calls(&self) -> usize {
        self.script().calls.len()
    }

    /// Number of abandoned requests without an answer.
    pub(super) fn given_up(&self) -> usize {
        self.script().calls.iter().filter(|call| call.is_given_up()).count()
    }

    /// Number of recoveries under way.
    pub(super) fn recoveries(&self) -> usize {
        self.script().recoveries.len()
    }

    /// Ends the recovery that began first.
    pub(super) fn recover(&self) {
        let recovery = self.script().recoveries.pop_front().expect("a recovery is under way");
        recovery.send(()).expect("a lane waits for the recovery");
    }

    /// Connections that were opened, and that were closed.
    pub(super) fn connections(&self) -> (usize, usize) {
        let script = self.script();
        (script.opened, script.closed)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        // A script that panics on purpose poisons the lock.
        self.script.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Call {
    /// Answers the request, unless it was given up.
    pub(super) fn answer(self, answer: Answer) {
        let _ = self.answer.send(answer);
    }

    /// Whether the request was abandoned.
    pub(super) fn is_given_up(&self) -> bool {
        self.answer.is_closed()
    }
}

impl Driver for Fake {
    type Connection = FakeConnection;

    async fn open(&self) -> Result<FakeConnection, TargetError> {
        let mut script = self.script();
        script.opened += 1;
        Ok(FakeConnection { fake: self.clone(), number: script.opened - 1 })
    }

    fn losses(&self) -> Arc<Losses> {
        assert!(!self.broken, "on purpose");
        Arc::clone(&self.losses)
    }
}

impl FakeConnection {
    async fn answer(&self, request: Request) -> Answer {
        // As over a network, no answer is there at once.
        tokio::task::yield_now().await;
        self.send(request).answer().await
    }

    fn send(&self, request: Request) -> Sent {
        let mut script = self.fake.script();
        if let Some(answer) = script.answers.as_mut().and_then(|answers| answers(&request)) {
            return Sent::Answered(answer);
        }
        let (answer, answered) = oneshot::channel();
        script.calls.push_back(Call { connection: self.number, request, answer });
        Sent::Waiting(answered)
    }
}

/// A request that was sent.
enum Sent {
    Answered(Answer),
    Waiting(oneshot::Receiver<Answer>),
}

impl Sent {
    async fn answer(self) -> Answer {
        match self {
            Self::Answered(answer) => answer,
            Self::Waiting(answered) => answered.await.unwrap_or_else(|_| failed(ErrorClass::ConnectionLost)),
        }
    }
}

impl DriverConnection for FakeConnection {
    fn handshake(&self) -> Option<Duration> {
        None
    }

    async fn issue(&self, request: Request) -> target::Answer {
        self.answer(request).await.into()
    }

    async fn issue_all(&self, requests: &mut Vec<Request>, answers: &mut Vec<target::Answer>) {
        tokio::task::yield_now().await;
        let sent: Vec<_> = requests.drain(..).map(|request| self.send(request)).collect();
        for request in sent {
            answers.push(request.answer().await.into());
        }
    }

    async fn recover(&self) {
        let (recovery, recovered) = oneshot::channel();
        self.fake.script().recoveries.push_back(recovery);
        let _ = recovered.await;
    }

    async fn close(&self) {
        self.fake.script().closed += 1;
    }
}

/// A reply without content.
#[expect(clippy::unnecessary_wraps, reason = "an answer, as a failure is one")]
pub(super) fn ok() -> Answer {
    Ok(Reply::default())
}

/// A failure of a class.
pub(super) fn failed(class: ErrorClass) -> Answer {
    Err(Failure { class, message: class.word().to_owned() })
}

/// A scenario of one service, from the lines that matter to a test.
pub(super) fn scenario(pool: &str, load: &str, operations: &[&str]) -> Scenario {
    let operations = format!("[[service.operation]]\n{}\n", operations.join("\n[[service.operation]]\n"));
    let text = format!(
        "name = \"test\"\nseed = 7\n[run]\nwarmup = \"0s\"\nduration = \"1s\"\n[objective]\nlatency = \"100ms\"\n\
         [[service]]\nname = \"api\"\n[service.pool]\n{pool}\n[service.load]\n{load}\n\
         [service.keys]\nprefix = \"test:\"\ncount = 1000\n[service.values]\nsize = 8\n{operations}"
    );
    scenario::parse(&text, "test.toml").unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// One station with its lanes, on a fake, without a worker's loop: the test releases and sweeps.
pub(super) struct Bench {
    pub(super) station: Rc<Station>,
    pub(super) fake: Fake,
    plan: Plan,
    worker: Rc<WorkerContext>,
    lanes: JoinSet<()>,
    intervals: mpsc::Receiver<Interval>,
}

/// All that was recorded, over all seconds.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) series: BTreeMap<String, Series>,
    pub(super) service: ServiceInterval,
    /// Number of requests that were not finished.
    pub(super) unfinished: usize,
}

impl Recorded {
    /// Completed requests of an operation, a step or an upkeep.
    pub(super) fn completed(&self, series: &str) -> u64 {
        self.series[series].counts.completed
    }

    /// Failures of an operation, by class.
    pub(super) fn errors(&self, series: &str) -> Vec<(ErrorClass, u64)> {
        self.series[series].counts.errors.iter().map(|(class, count)| (*class, *count)).collect()
    }
}

/// Runs a test on a bench of the scenario's only service.
pub(super) fn on_bench(scenario: &Scenario, fake: Fake, test: impl AsyncFnOnce(&Bench)) -> Recorded {
    let runtime = Builder::new_current_thread().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let bench = Bench::new(scenario, fake).await;
        test(&bench).await;
        bench.finish().await
    })
}

impl Bench {
    async fn new(scenario: &Scenario, fake: Fake) -> Self {
        let plan = Plan::new(scenario, Settings { workers: Some(1), ..Settings::default() }, &[]);
        let clock = Clock::start();
        let (full, intervals) = mpsc::channel();
        let series =
            measure::Plan { series: plan.series_of(0), services: plan.services_of(0), start: 0, silence: Nanos::MAX };
        let (recorder, _) = Recorder::new(series, 0, full);
        let worker = Rc::new(WorkerContext {
            clock,
            recorder: RefCell::new(recorder),
            start: 0,
            end: Cell::new(Nanos::MAX),
            work: Cell::new(0),
            earlier: Notify::new(),
        });
        let part = Part { service: 0, instance: 0, instances: 1, shard: Shard::WHOLE, number: 0, parts: 1 };
        let station = Rc::new(Station::new(Rc::clone(&worker), scenario, &plan, part, fake.losses()));
        let mut connections = Vec::new();
        for _ in 0..scenario.services[0].pool.size {
            connections.push(Rc::new(PooledConnection::new(fake.open().await.unwrap())));
        }
        let mut lanes = JoinSet::new();
        for lane in 0..station.lanes() {
            let connection = Rc::clone(&connections[lane % connections.len()]);
            lanes.spawn_local(lane::serve(Rc::clone(&station), lane, connection));
        }
        let bench = Self { station, fake, plan, worker, lanes, intervals };
        bench.settle().await;
        bench
    }

    /// The time on the clock, and a length of time later.
    pub(super) fn after(&self, length: Nanos) -> Nanos {
        self.worker.clock.now() + length
    }

    /// Releases what is due, and lets everything happen that can.
    pub(super) async fn release(&self) {
        self.station.release_due(self.after(0));
        self.settle().await;
    }

    /// Sweeps as if a length of time had gone by, and lets everything happen that can.
    pub(super) async fn sweep_after(&self, length: Nanos) {
        self.station.sweep(self.after(length));
        self.settle().await;
    }

    /// Answers the request that was sent first, and lets everything happen that can.
    pub(super) async fn answer(&self, answer: Answer) -> Kind {
        let call = self.fake.call();
        let kind = call.request.kind;
        call.answer(answer);
        self.settle().await;
        kind
    }

    /// Ends the recovery that began first, and lets everything happen that can.
    pub(super) async fn recover(&self) {
        self.fake.recover();
        self.settle().await;
    }

    /// From now on no new request falls due.
    pub(super) fn end(&self) {
        self.worker.end.set(0);
    }

    pub(super) async fn settle(&self) {
        // A task is woken a few times on its way, and a set of tasks polls 61 of them at a time.
        for _ in 0..20 + self.station.lanes() / 4 {
            tokio::task::yield_now().await;
        }
    }

    async fn finish(mut self) -> Recorded {
        let unfinished = self.station.unfinished().len();
        self.lanes.shutdown().await;
        drop(self.station);
        let worker = Rc::into_inner(self.worker).expect("lanes and station are gone");
        worker.recorder.into_inner().finish(worker.clock.now());
        let mut recorded = Recorded { unfinished, ..Recorded::default() };
        for interval in self.intervals {
            for (id, series) in &interval.series {
                let name = &self.plan.series[usize::from(id.0)].key.operation;
                recorded.series.entry(name.clone()).or_default().merge(series);
            }
            for (_, service) in &interval.services {
                recorded.service.merge(service);
            }
        }
        recorded
    }
}
