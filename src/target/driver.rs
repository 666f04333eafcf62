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

use super::{Endpoint, TargetError};
use crate::{
    measure::{ErrorClass, Failure},
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

    /// The node that a request will be sent to, as far as is known. Where the request leaves the choice, this is where it is made.
    #[inline]
    fn serves(&self, request: &mut Request) -> Served {
        let _ = request;
        Served::Unknown
    }

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
    /// Node that served it.
    pub served: Served,
}

/// Node that served a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Served {
    /// There is one server only, or it is not known which one of several it was.
    #[default]
    Unknown,
    /// The node with this number, as a primary.
    By(u16),
    /// The node with this number, as a replica.
    Replica(u16),
    /// A node redirected it, or its slot moved while it was under way.
    Redirected,
    /// Commands of it were served by different replicas.
    Replicas,
    /// Commands of it were served by different nodes, not all of them replicas.
    Several,
}

impl Served {
    /// Where the commands of a request were served, of which this is the first and `other` a later one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, one) | (one, Self::Unknown) => one,
            (Self::Redirected, _) | (_, Self::Redirected) => Self::Redirected,
            (one, other) if one == other => one,
            (Self::Replica(_) | Self::Replicas, Self::Replica(_) | Self::Replicas) => Self::Replicas,
            _ => Self::Several,
        }
    }
}

/// Reply of a cluster's node that names another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirection {
    /// `MOVED`: the slot belongs to the other.
    Moved,
    /// `ASK`: the slot is on its way to the other.
    Ask,
}

impl Redirection {
    /// The redirection in an error reply of a node, with the slot and the node that it names.
    pub(super) fn of(failure: &Failure, by: &Endpoint) -> Option<(Self, u16, Endpoint)> {
        let redirection = match failure.class {
            ErrorClass::Moved => Self::Moved,
            ErrorClass::Ask => Self::Ask,
            _ => return None,
        };
        let mut words = failure.message.split(' ').skip(1);
        let slot = words.next()?.parse().ok()?;
        let (host, port) = words.next()?.rsplit_once(':')?;
        Some((redirection, slot, by.naming(host, port.parse().ok()?)?))
    }
}

impl From<Result<Reply, Failure>> for Answer {
    fn from(result: Result<Reply, Failure>) -> Self {
        Self { result, received: None, served: Served::Unknown }
    }
}

/// Number of losses and recoveries of connections, idle ones included, and of redirections. Counts the connections that one [`Driver`] has opened.
#[derive(Debug, Default)]
pub struct Losses {
    lost: AtomicU64,
    recovered: AtomicU64,
    moved: AtomicU64,
    asked: AtomicU64,
}

impl Losses {
    /// Replies `MOVED` and `ASK` so far that were followed.
    pub fn redirections(&self) -> (u64, u64) {
        (self.moved.load(Ordering::Relaxed), self.asked.load(Ordering::Relaxed))
    }

    /// Counts a redirection that is followed.
    pub fn redirect(&self, redirection: Redirection) {
        let count = match redirection {
            Redirection::Moved => &self.moved,
            Redirection::Ask => &self.asked,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

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
