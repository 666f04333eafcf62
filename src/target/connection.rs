//! One connection to the server: the measured path.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fred::{
    clients::{Client, WithOptions},
    interfaces::{ClientInterface, ClientLike, EventInterface},
    types::config::Options,
};
use tokio::{
    sync::broadcast::error::RecvError,
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::{connector::Router, failure, issue, reply::Expectation};
use crate::{
    measure::{ErrorClass, Failure},
    operation::{Reply, Request},
};

/// Time that a connection has to show that it works again, before it is opened anew.
const PATIENCE: Duration = Duration::from_secs(1);

/// Pause between attempts to get an answer.
const PAUSE: Duration = Duration::from_millis(20);

/// Time that a connection has to say goodbye.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// A connection of one service. Clones share it. When the last one is dropped, it is closed without a goodbye.
#[derive(Clone)]
pub struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    /// Fails what is issued while there is no connection, instead of keeping it for later.
    client: WithOptions<Client>,
    /// Set when the connection is lost, until fred has made a new one.
    lost: Arc<AtomicBool>,
    attendant: AbortHandle,
    router: Router,
}

impl Connection {
    pub(super) async fn new(client: Client, router: Router, name: &str) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let attendant = tokio::spawn(attend(client.clone(), name.to_owned(), lost.clone())).abort_handle();
        let options = Options { fail_fast: true, max_attempts: Some(1), ..Options::default() };
        let connection =
            Self { shared: Arc::new(Shared { client: client.with_options(&options), lost, attendant, router }) };
        // A user without the right to give names does without.
        let _ = client.client_setname(name).await;
        connection
    }

    /// Sends a request and waits for its reply, without a limit of time.
    ///
    /// Dropping the future gives the request up: its reply, should it still come, is thrown away. Replies stay in step
    /// with requests, but the next one queues behind it; [`Connection::recover`] waits until it is gone.
    #[inline]
    pub async fn issue(&self, request: Request) -> Result<Reply, Failure> {
        if self.shared.lost.load(Ordering::Relaxed) {
            return Err(failure::lost());
        }
        let expectation = Expectation::of(&request);
        match issue::issue(&self.shared.client, request).await {
            Ok(value) => Ok(expectation.reply(&value)),
            Err(error) => Err(failure::of_request(&error)),
        }
    }

    /// Returns when the connection answers again, after a timeout or a loss. Keeps trying; drop the future to stop.
    pub async fn recover(&self) {
        loop {
            match timeout(PATIENCE, self.answers()).await {
                Ok(true) => return,
                Ok(false) => sleep(PAUSE).await,
                Err(_) => {
                    self.shared.lost.store(true, Ordering::Relaxed);
                    // Goes on by itself if it takes longer.
                    let _ = timeout(PATIENCE, self.shared.client.force_reconnection()).await;
                }
            }
        }
    }

    /// Whether the server replies, be it with an error such as LOADING.
    async fn answers(&self) -> bool {
        if self.shared.lost.load(Ordering::Relaxed) {
            return false;
        }
        match self.shared.client.ping::<()>(None).await {
            Ok(()) => true,
            Err(error) => failure::of_request(&error).class != ErrorClass::ConnectionLost,
        }
    }

    /// Says goodbye and closes the connection, also for its clones; takes a second at most.
    pub async fn close(&self) {
        self.shared.lost.store(true, Ordering::Relaxed);
        self.shared.attendant.abort();
        // Without the options: they would forbid a last word to a connection that is being closed.
        let client: &Client = &self.shared.client;
        let _ = timeout(CLOSE_LIMIT, client.quit()).await;
        self.shared.router.end();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("lost", &self.shared.lost).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.attendant.abort();
    }
}

/// Notes losses at once (fred itself keeps commands until its first attempt to reconnect has failed) and gives each new
/// connection its name.
async fn attend(client: Client, name: String, lost: Arc<AtomicBool>) {
    let (mut errors, mut reconnections) = (client.error_rx(), client.reconnect_rx());
    loop {
        tokio::select! {
            biased;
            error = errors.recv() => match error {
                // Errors without a server are failed attempts.
                Ok((_, Some(_))) | Err(RecvError::Lagged(_)) => lost.store(true, Ordering::Relaxed),
                Ok((_, None)) => {}
                Err(RecvError::Closed) => return,
            },
            server = reconnections.recv() => match server {
                Ok(_) | Err(RecvError::Lagged(_)) => {
                    lost.store(false, Ordering::Relaxed);
                    // fred's futures take 7 KB, and there may be ten thousand of this task.
                    let _ = Box::pin(client.client_setname(name.as_str())).await;
                }
                Err(RecvError::Closed) => return,
            },
        }
    }
}
