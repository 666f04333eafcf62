//! The connections of one part of a service, by whichever client.
//!
//! The engine is compiled for each client, so nothing is dispatched while requests are under way; only opening, the start
//! and closing go through a trait object.

use std::{pin::Pin, rc::Rc, sync::Arc, time::Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    api::LoadError,
    lane::{self, PooledConnection},
    station::Station,
};
use crate::{
    measure::{Nanos, nanos},
    scenario::Service,
    target::{Driver, DriverConnection, Losses},
};

/// Number of connections that a worker opens or closes at a time: few enough for any listen backlog.
const RAMP: usize = 64;

type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Opens the pool of a part; see [`Driver`].
pub(super) trait Opener: Send {
    fn losses(&self) -> Arc<Losses>;

    fn open_all<'a>(&'a self, opening: Opening<'a>) -> Task<'a, Result<Box<dyn Pool>, LoadError>>;
}

/// What opening a pool needs to know.
pub(super) struct Opening<'a> {
    pub(super) service: &'a Service,
    /// Number of connections.
    pub(super) size: usize,
    pub(super) worker: usize,
    pub(super) stop: &'a CancellationToken,
    /// Called for each connection.
    pub(super) connected: &'a dyn Fn(Opened),
}

/// Times of opening a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opened {
    /// All of it.
    pub(super) whole: Nanos,
    /// TLS handshake.
    pub(super) handshake: Option<Nanos>,
}

/// Open connections.
pub(super) trait Pool {
    /// Spawns the lanes of a station on them.
    fn serve(&self, station: &Rc<Station>, lanes: &mut JoinSet<()>);

    /// The end of each connection.
    fn endings(self: Box<Self>) -> Vec<Task<'static, ()>>;
}

impl<D: Driver> Opener for D {
    fn losses(&self) -> Arc<Losses> {
        Driver::losses(self)
    }

    fn open_all<'a>(&'a self, opening: Opening<'a>) -> Task<'a, Result<Box<dyn Pool>, LoadError>> {
        Box::pin(open_all(self, opening))
    }
}

impl<C: DriverConnection> Pool for Vec<Rc<PooledConnection<C>>> {
    fn serve(&self, station: &Rc<Station>, lanes: &mut JoinSet<()>) {
        for lane in 0..station.lanes() {
            let connection = Rc::clone(&self[lane % self.len()]);
            lanes.spawn_local(lane::serve(Rc::clone(station), lane, connection));
        }
    }

    fn endings(self: Box<Self>) -> Vec<Task<'static, ()>> {
        let ending = |connection: Rc<PooledConnection<C>>| -> Task<'static, ()> {
            Box::pin(async move { connection.close().await })
        };
        self.into_iter().map(ending).collect()
    }
}

/// Opens all connections, a few at a time.
async fn open_all<D: Driver>(driver: &D, opening: Opening<'_>) -> Result<Box<dyn Pool>, LoadError> {
    let size = opening.size;
    let mut connections = Vec::with_capacity(size);
    let mut attempts = JoinSet::new();
    let mut asked = 0;
    while connections.len() < size {
        while asked < size && attempts.len() < RAMP {
            let driver = driver.clone();
            attempts.spawn_local(async move {
                let began = Instant::now();
                driver.open().await.map(|connection| (connection, began.elapsed()))
            });
            asked += 1;
        }
        if opening.stop.is_cancelled() {
            return Err(LoadError::Interrupted);
        }
        let opened = attempts.join_next().await.expect("as many are asked for as are missing");
        let opened = opened.map_err(|_| LoadError::Panicked { worker: opening.worker })?;
        let (connection, whole) = opened.map_err(|source| LoadError::Connect {
            service: opening.service.name.clone(),
            number: connections.len() as u64 + 1,
            of: size as u64,
            source: Box::new(source),
        })?;
        let handshake = connection.handshake().map(nanos);
        connections.push(Rc::new(PooledConnection::new(connection)));
        (opening.connected)(Opened { whole: nanos(whole), handshake });
    }
    Ok(Box::new(connections))
}

/// Closes all connections, a few at a time.
pub(super) async fn close(pools: Vec<Box<dyn Pool>>) {
    let mut running = JoinSet::new();
    for ending in pools.into_iter().flat_map(Pool::endings) {
        if running.len() >= RAMP {
            running.join_next().await;
        }
        running.spawn_local(ending);
    }
    while running.join_next().await.is_some() {}
}
