//! The seam between the load engine and a client library: a driver opens connections, and a connection takes a request and
//! gives its outcome.
//!
//! The engine is compiled for each driver, so the seam costs nothing on the measured path: no dynamic dispatch, and no
//! allocation for a future.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::TargetError;
use crate::{
    measure::Failure,
    operation::{Reply, Request},
};

/// Opens the connections of one instance of a service. Is sent to the thread that uses it; connections stay on that thread.
pub trait Driver: Clone + Send + 'static {
    /// Connection of the client library.
    type Connection: DriverConnection;

    /// Opens a connection, whose tasks run on the current runtime.
    fn open(&self) -> impl Future<Output = Result<Self::Connection, TargetError>>;

    /// Counts of connections of this driver that were lost and came back.
    fn losses(&self) -> Arc<Losses>;
}

/// A connection, as the load engine uses it.
pub trait DriverConnection: 'static {
    /// Time of the TLS handshake when the connection was opened; `None` without TLS, or where it is not known.
    fn handshake(&self) -> Option<Duration>;

    /// Sends a request and waits for its reply, without a time limit.
    ///
    /// Dropping the future gives the request up: its reply, should it still come, is thrown away. Replies stay in step with
    /// requests, but the next one queues behind it; [`DriverConnection::recover`] waits until it is gone.
    fn issue(&self, request: Request) -> impl Future<Output = Answer>;

    /// Sends requests together, all that are in `requests`, and adds their outcomes to `answers` in the same order. Dropping the
    /// future gives those up that have no outcome yet.
    fn issue_all(&self, requests: &mut Vec<Request>, answers: &mut Vec<Answer>) -> impl Future<Output = ()>;

    /// Returns when the connection answers again, after a timeout or a loss. Waits without a time limit; drop the future to
    /// stop.
    fn recover(&self) -> impl Future<Output = ()>;

    /// Ends the connection in good order, within about a second.
    fn close(&self) -> impl Future<Output = ()>;
}

/// Outcome of a request.
#[derive(Debug)]
pub struct Answer {
    /// The reply.
    pub result: Result<Reply, Failure>,
    /// When the read returned that brought it; without it the engine takes the time at which it hears of the reply.
    pub received: Option<Instant>,
}

impl From<Result<Reply, Failure>> for Answer {
    fn from(result: Result<Reply, Failure>) -> Self {
        Self { result, received: None }
    }
}

/// Number of losses and recoveries of connections, idle ones included. Counts the connections that one [`Driver`] has opened.
#[derive(Debug, Default)]
pub struct Losses {
    lost: AtomicU64,
    recovered: AtomicU64,
}

impl Losses {
    /// Connections that were lost so far, and that came back.
    pub fn so_far(&self) -> (u64, u64) {
        (self.lost.load(Ordering::Relaxed), self.recovered.load(Ordering::Relaxed))
    }

    /// Counts a connection that was lost.
    pub fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection that came back.
    pub fn recover(&self) {
        self.recovered.fetch_add(1, Ordering::Relaxed);
    }
}
