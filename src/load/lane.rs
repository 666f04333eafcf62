//! One lane: takes requests one at a time and carries each out on its connection.

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
    target::{Answer, DriverConnection},
};

/// Sums over the steps of a request.
#[derive(Debug, Default)]
struct Totals {
    hits: u32,
    misses: u32,
    received: u32,
    sent: u32,
}

/// Memory of a lane that its requests use one after another.
#[derive(Debug, Default)]
struct Buffers {
    /// Requests of the steps that are still to be sent.
    requests: Vec<Request>,
    /// Replies of the steps, where they may ask for upkeep.
    replies: Vec<Reply>,
}

/// A finished step.
#[derive(Debug)]
struct Step {
    result: Result<Reply, Failure>,
    sent: Nanos,
    done: Nanos,
    /// When the lane went on.
    ended: Nanos,
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
    let mut buffers = Buffers::default();
    loop {
        let clock = station.worker.clock;
        let pending = match station.assignment(lane).await {
            Job::Serve(pending) => pending,
            Job::Check => {
                if after(&station, lane, &connection, sign_of_life(), None).await.is_some() {
                    connection.recover().await;
                }
                station.rejoin(lane, clock.now());
                continue;
            }
        };
        if let Some(needed) = carry_out(&station, lane, pending, &connection, &mut buffers).await {
            // The client of a closed loop goes on with another connection, if there is one.
            station.worker.recorder.borrow_mut().freed(station.service, clock.now());
            station.ask_again(clock.now());
            connection.recover().await;
            if needed.transaction {
                // The same connection may be back, and its transaction with it.
                after(&station, lane, &connection, discard(), None).await;
            }
            station.rejoin(lane, clock.now());
        } else {
            let now = clock.now();
            station.free(lane, now);
            station.ask_again(now);
        }
    }
}

/// Recovery that a connection needs before it can serve the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Recovery {
    /// Whether a transaction was begun on it.
    transaction: bool,
}

/// Carries out one request, records it, and shows whether its connection needs to recover.
async fn carry_out<C: DriverConnection>(
    station: &Station,
    lane: usize,
    pending: Pending,
    connection: &PooledConnection<C>,
    buffers: &mut Buffers,
) -> Option<Recovery> {
    let Buffers { requests, replies } = buffers;
    let operation = pending.operation;
    let series = station.series(operation);
    // All steps are composed before the first is sent: that is work of the harness, and no part of a service time.
    requests.clear();
    requests.extend((0..station.stream.steps(operation)).map(|step| station.stream.request(pending.sequence, step)));
    replies.clear();
    let began = station.worker.clock.now();
    station.worker.recorder.borrow_mut().sent(station.service, began);

    let mut total = Totals::default();
    let mut failure = None;
    let (mut done, mut ended) = (began, began);
    for (step, request) in requests.drain(..).enumerate() {
        // A step begins where the lane went on after the one before it, and the first where the wait for a connection ended.
        let finished = issue(station, lane, Some(pending), connection, request, ended).await;
        (done, ended) = (finished.done, finished.ended);
        total.sent += finished.bytes;
        if let Ok(reply) = &finished.result {
            // What is only queued is neither found nor missing.
            total.hits += if series.transaction { 0 } else { reply.hits };
            total.misses += if series.transaction { 0 } else { reply.misses };
            total.received += reply.bytes;
            if series.upkeep.is_some() {
                replies.push(*reply);
            }
        }
        failure = finished.result.as_ref().err().cloned();
        if let Some(id) = series.steps.get(step).filter(|_| pending.due >= station.worker.start) {
            record(station, *id, finished);
        }
        if failure.is_some() {
            break;
        }
    }

    let failed = failure.as_ref().map(|failure| failure.class);
    let Totals { hits, misses, received, sent } = total;
    let outcome = match failure {
        None => Outcome::Success { hits, misses, bytes: received },
        Some(failure) => Outcome::Failed(failure),
    };
    let completion =
        Completion { series: series.whole, due: pending.due, sent: Some(began), done, outcome, bytes_sent: sent };
    station.complete(lane, completion);

    if let Some(class) = failed {
        let recovery = spoiled(class, station.exclusive, series.transaction);
        // A transaction that was begun must not be left open for the next request.
        if recovery.is_none() && series.transaction {
            return after(station, lane, connection, discard(), None).await;
        }
        return recovery;
    }
    for (step, reply) in replies.iter().enumerate() {
        let Some(request) = station.stream.upkeep(pending.sequence, step, reply) else { continue };
        let recovery = after(station, lane, connection, request, series.upkeep).await;
        if recovery.is_some() {
            return recovery;
        }
    }
    None
}

/// Sends a command that belongs to no request, and shows whether the connection needs to recover from it.
async fn after<C: DriverConnection>(
    station: &Station,
    lane: usize,
    connection: &PooledConnection<C>,
    request: Request,
    series: Option<SeriesId>,
) -> Option<Recovery> {
    let finished = issue(station, lane, None, connection, request, station.worker.clock.now()).await;
    station.rest(lane);
    let recovery = finished.result.as_ref().err().and_then(|failure| spoiled(failure.class, station.exclusive, false));
    if let Some(series) = series {
        record(station, series, finished);
    }
    recovery
}

fn sign_of_life() -> Request {
    Request { kind: Kind::Ping, key: Bytes::new(), args: Args::None }
}

fn discard() -> Request {
    Request { kind: Kind::Raw, key: Bytes::new(), args: Args::Raw(vec![Bytes::from_static(b"DISCARD")]) }
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

async fn issue<C: DriverConnection>(
    station: &Station,
    lane: usize,
    pending: Option<Pending>,
    connection: &PooledConnection<C>,
    request: Request,
    sent: Nanos,
) -> Step {
    let bytes = request.payload();
    // Futures of a client library are large, fred's 7 KB: pinned here and lent, they are not moved.
    let command = pin!(connection.connection.issue(request));
    let Answer { result, received } = station.timed(lane, pending, sent, command).await;
    let now = station.worker.clock.now();
    // Replies that came together are handed out one after another.
    let done = received.map_or(now, |at| station.worker.clock.at(at).max(sent));
    Step { result, sent, done, ended: now, bytes }
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
