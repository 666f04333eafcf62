//! One lane: takes a request, or as many as its pool sends together, and carries them out on its connection.

use std::{cell::Cell, pin::pin, rc::Rc};

use bytes::Bytes;
use tokio::sync::Mutex;

use super::{
    source::Pending,
    station::{Job, Station},
};
use crate::{
    measure::{Completion, ErrorClass, Failure, Nanos, Outcome, SeriesId},
    operation::{Args, Kind, Reply, Request},
    target::{Answer, DriverConnection, Served},
};

/// Sums over the steps of a request.
#[derive(Debug, Default)]
struct Totals {
    hits: u32,
    misses: u32,
    received: u32,
    sent: u32,
}

/// Requests that are carried out together, step by step. Its memory is used for one batch after another.
#[derive(Debug, Default)]
struct Batch {
    flights: Vec<Flight>,
    /// Of each step the requests that are still to be sent, each with the position of its flight.
    steps: Vec<Vec<(usize, Request)>>,
    /// Requests of the step that is sent next, and what was answered to them.
    requests: Vec<Request>,
    answers: Vec<Answer>,
    /// Position of the flight of each of them, the payload in bytes, and the node that it is for.
    sent: Vec<(usize, u32, Served)>,
    /// Replies that may ask for upkeep: position of the flight, step, reply.
    replies: Vec<(usize, usize, Reply)>,
}

/// A request of a batch.
#[derive(Debug)]
struct Flight {
    pending: Pending,
    total: Totals,
    failed: Option<ErrorClass>,
    served: Served,
}

/// A finished command.
#[derive(Debug)]
struct Step {
    result: Result<Reply, Failure>,
    sent: Nanos,
    done: Nanos,
    bytes: u32,
}

/// A connection of a pool, shared by the lanes on it.
#[derive(Debug)]
pub(super) struct PooledConnection<C> {
    connection: C,
    recovery: Mutex<()>,
    /// Number of recoveries so far.
    recoveries: Cell<u64>,
}

impl<C: DriverConnection> PooledConnection<C> {
    pub(super) fn new(connection: C) -> Self {
        Self { connection, recovery: Mutex::new(()), recoveries: Cell::new(0) }
    }

    /// Waits until the connection answers again. Lanes that lost it together wait for one recovery.
    async fn recover(&self) {
        let before = self.recoveries.get();
        let _turn = self.recovery.lock().await;
        if self.recoveries.get() == before {
            self.connection.recover().await;
            self.recoveries.set(before + 1);
        }
    }

    pub(super) async fn close(&self) {
        self.connection.close().await;
    }
}

/// Serves requests until it is dropped.
pub(super) async fn serve<C: DriverConnection>(station: Rc<Station>, lane: usize, connection: Rc<PooledConnection<C>>) {
    let mut batch = Batch::default();
    loop {
        let clock = station.worker.clock;
        let job = station.assignment(lane, |pending| batch.add(&station, pending)).await;
        if job == Job::Check {
            if after(&station, lane, &connection, sign_of_life(), None).await.is_some() {
                connection.recover().await;
            }
            station.rejoin(lane, clock.now());
            continue;
        }
        if let Some(needed) = carry_out(&station, lane, &connection, &mut batch).await {
            // The client of a closed loop goes on with another connection, if there is one.
            station.worker.recorder.borrow_mut().freed(station.service, clock.now());
            station.ask_again(batch.flights.len(), clock.now());
            connection.recover().await;
            if needed.transaction {
                // The same connection may be back, and its transaction with it.
                after(&station, lane, &connection, discard(), None).await;
            }
            station.rejoin(lane, clock.now());
        } else {
            let now = clock.now();
            station.free(lane, now);
            station.ask_again(batch.flights.len(), now);
        }
        batch.clear();
    }
}

/// Recovery that a connection needs before it can serve the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Recovery {
    /// Whether a transaction was begun on it.
    transaction: bool,
}

impl Batch {
    /// Adds a request. All its steps are composed before the first is sent: that is work of the harness, and no part of a
    /// service time.
    fn add(&mut self, station: &Station, pending: Pending) {
        let steps = station.stream.steps(pending.operation);
        let position = self.flights.len();
        self.flights.push(Flight { pending, total: Totals::default(), failed: None, served: Served::Unknown });
        self.steps.resize_with(self.steps.len().max(steps), Vec::new);
        for (step, requests) in self.steps.iter_mut().enumerate().take(steps) {
            requests.push((position, station.stream.request(pending.sequence, step)));
        }
    }

    fn clear(&mut self) {
        self.flights.clear();
        // After a failure the later steps were not sent.
        self.steps.iter_mut().for_each(Vec::clear);
    }

    /// Takes the requests of a step to be sent, without those that have failed in an earlier step. Shows whether there are
    /// any.
    fn begin<C: DriverConnection>(&mut self, step: usize, connection: &PooledConnection<C>) -> bool {
        self.requests.clear();
        self.sent.clear();
        for (position, mut request) in self.steps.get_mut(step).into_iter().flat_map(|requests| requests.drain(..)) {
            if self.flights[position].failed.is_none() {
                self.sent.push((position, request.payload(), connection.connection.serves(&mut request)));
                self.requests.push(request);
            }
        }
        !self.requests.is_empty()
    }
}

/// Carries out a batch, records it, and shows whether its connection needs to recover.
async fn carry_out<C: DriverConnection>(
    station: &Station,
    lane: usize,
    connection: &PooledConnection<C>,
    batch: &mut Batch,
) -> Option<Recovery> {
    let clock = station.worker.clock;
    let began = clock.now();
    station.worker.recorder.borrow_mut().sent(station.service, batch.flights.len() as u64, began);
    batch.replies.clear();
    let mut recovery = None;
    // A step begins where the lane went on after the one before it, and the first where the wait for a connection ended.
    let mut ended = began;
    let mut step = 0;
    // Every request that has this step has had those before it.
    while batch.begin(step, connection) {
        let sent = ended;
        let Batch { requests, answers, .. } = batch;
        exchange(station, lane, connection, requests, answers, sent).await;
        ended = clock.now();
        let Batch { flights, answers, sent: under_way, replies, .. } = batch;
        for (Answer { result, received, served }, (position, bytes, by)) in answers.drain(..).zip(under_way.drain(..)) {
            // Replies that came together are handed out one after another.
            let done = received.map_or(ended, |at| clock.at(at).max(sent));
            let flight = &mut flights[position];
            flight.served = flight.served.and(if served == Served::Unknown { by } else { served });
            if let (Ok(reply), Some(_)) = (&result, station.series(flight.pending.operation).upkeep) {
                replies.push((position, step, *reply));
            }
            flight.take_in(station, lane, step, began, Step { result, sent, done, bytes });
            let transaction = station.series(flight.pending.operation).transaction;
            let needed = flight.failed.and_then(|class| spoiled(class, station.exclusive, transaction));
            recovery = recovery.or(needed);
        }
        step += 1;
    }
    if recovery.is_some() {
        return recovery;
    }
    // A transaction that was begun must not be left open for the next request.
    if batch
        .flights
        .iter()
        .any(|flight| flight.failed.is_some() && station.series(flight.pending.operation).transaction)
    {
        return after(station, lane, connection, discard(), None).await;
    }
    for (position, step, reply) in &batch.replies {
        let Flight { pending, failed: None, .. } = &batch.flights[*position] else { continue };
        let Some(request) = station.stream.upkeep(pending.sequence, *step, reply) else { continue };
        let recovery = after(station, lane, connection, request, station.series(pending.operation).upkeep).await;
        if recovery.is_some() {
            return recovery;
        }
    }
    None
}

impl Flight {
    /// Takes in a finished step; after the last one, or after a failure, the request is complete.
    fn take_in(&mut self, station: &Station, lane: usize, step: usize, began: Nanos, finished: Step) {
        let Self { pending, total, failed, served } = self;
        let series = station.series(pending.operation);
        total.sent += finished.bytes;
        if let Ok(reply) = &finished.result {
            // What is only queued is neither found nor missing.
            total.hits += if series.transaction { 0 } else { reply.hits };
            total.misses += if series.transaction { 0 } else { reply.misses };
            total.received += reply.bytes;
        }
        let done = finished.done;
        let outcome = match &finished.result {
            Err(failure) => {
                *failed = Some(failure.class);
                Some(Outcome::Failed(failure.clone()))
            }
            Ok(_) if step + 1 == station.stream.steps(pending.operation) => {
                Some(Outcome::Success { hits: total.hits, misses: total.misses, bytes: total.received })
            }
            Ok(_) => None,
        };
        if let Some(id) = series.steps.get(step).filter(|_| pending.due >= station.worker.start) {
            record(station, *id, finished);
        }
        if let Some(outcome) = outcome {
            let completion = Completion {
                series: series.whole,
                due: pending.due,
                sent: Some(began),
                done,
                outcome,
                bytes_sent: total.sent,
            };
            station.complete(lane, pending, completion, *served);
        }
    }
}

/// Sends a command that belongs to no request, and shows whether the connection needs to recover from it.
async fn after<C: DriverConnection>(
    station: &Station,
    lane: usize,
    connection: &PooledConnection<C>,
    request: Request,
    series: Option<SeriesId>,
) -> Option<Recovery> {
    let sent = station.worker.clock.now();
    let bytes = request.payload();
    // Futures of a client library are large, fred's 7 KB: pinned here and lent, they are not moved.
    let command = pin!(connection.connection.issue(request));
    let answer = station.timed(lane, sent, command).await;
    let result = answer.map_or_else(|| Err(station.no_reply()), |answer| answer.result);
    let finished = Step { result, sent, done: station.worker.clock.now(), bytes };
    station.rest(lane);
    let recovery = finished.result.as_ref().err().and_then(|failure| spoiled(failure.class, station.exclusive, false));
    if let Some(series) = series {
        record(station, series, finished);
    }
    recovery
}

fn sign_of_life() -> Request {
    Request::new(Kind::Ping, Bytes::new(), Args::None)
}

fn discard() -> Request {
    Request::new(Kind::Raw, Bytes::new(), Args::Raw(vec![Bytes::from_static(b"DISCARD")]))
}

/// Whether a failure leaves the connection in a state in which it cannot be used at once.
fn spoiled(class: ErrorClass, exclusive: bool, transaction: bool) -> Option<Recovery> {
    match class {
        ErrorClass::ConnectionLost | ErrorClass::Protocol => Some(Recovery { transaction }),
        // The late reply is still on its way, and the next request would queue behind it. Where requests share the
        // connection that is how it goes anyway.
        ErrorClass::Timeout => exclusive.then_some(Recovery { transaction }),
        _ => None,
    }
}

/// Sends requests together and waits for their answers, at most for the pool's command timeout.
async fn exchange<C: DriverConnection>(
    station: &Station,
    lane: usize,
    connection: &PooledConnection<C>,
    requests: &mut Vec<Request>,
    answers: &mut Vec<Answer>,
    sent: Nanos,
) {
    let count = requests.len();
    let PooledConnection { connection, .. } = connection;
    {
        let command = pin!(async {
            match requests.pop() {
                Some(only) if count == 1 => answers.push(connection.issue(only).await),
                last => {
                    requests.extend(last);
                    connection.issue_all(requests, answers).await;
                }
            }
        });
        station.timed(lane, sent, command).await;
    }
    answers.resize_with(count, || Err(station.no_reply()).into());
}

fn record(station: &Station, series: SeriesId, step: Step) {
    let Step { result, sent, done, bytes, .. } = step;
    let outcome = match result {
        Ok(Reply { hits, misses, bytes, .. }) => Outcome::Success { hits, misses, bytes },
        Err(failure) => Outcome::Failed(failure),
    };
    let completion = Completion { series, due: sent, sent: Some(sent), done, outcome, bytes_sent: bytes };
    station.worker.recorder.borrow_mut().record(completion);
}
