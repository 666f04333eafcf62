//! A connection to the server: the measured path.

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
    sync::{Notify, broadcast::error::RecvError},
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::{
    driver::{DriverConnection, Losses},
    failure, issue,
    reply::Expectation,
};
use crate::{
    measure::{ErrorClass, Failure},
    operation::{Reply, Request},
};

/// Time that a connection has to show that it works again, before it is opened anew.
const PATIENCE: Duration = Duration::from_secs(1);

/// Pause between attempts to get an answer.
const PAUSE: Duration = Duration::from_millis(20);

/// Time that giving a connection its name may take.
const NAMING_LIMIT: Duration = Duration::from_secs(1);

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
    link: Arc<Link>,
    attendant: AbortHandle,
    router: Router,
}

/// Whether there is a connection at the moment.
#[derive(Debug)]
struct Link {
    /// Set when the connection is lost, until fred has made a new one.
    lost: AtomicBool,
    /// Whether that is counted: what the harness renews by itself, after a request that took too long, is no loss.
    counted: AtomicBool,
    /// Notified when the connection is back.
    back: Notify,
    losses: Arc<Losses>,
}

/// The task that drives a client; it ends, and its socket is closed, when this is dropped.
#[derive(Debug)]
pub(super) struct Router(pub(super) AbortHandle);

impl Router {
    pub(super) fn end(&self) {
        self.0.abort();
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.end();
    }
}

impl Connection {
    pub(super) async fn new(client: Client, router: Router, name: &str, losses: Arc<Losses>) -> Self {
        let link = Arc::new(Link {
            lost: AtomicBool::new(false),
            counted: AtomicBool::new(false),
            back: Notify::new(),
            losses,
        });
        let attendant = tokio::spawn(attend(client.clone(), name.to_owned(), link.clone())).abort_handle();
        let options = Options { fail_fast: true, max_attempts: Some(1), ..Options::default() };
        let connection =
            Self { shared: Arc::new(Shared { client: client.with_options(&options), link, attendant, router }) };
        // A user without the right to give names does without.
        let _ = timeout(NAMING_LIMIT, client.client_setname(name)).await;
        connection
    }

    /// Sends a request and waits for its reply, without a limit of time.
    ///
    /// Dropping the future gives the request up: its reply, should it still come, is thrown away. Replies stay in step
    /// with requests, but the next one queues behind it; [`Connection::recover`] waits until it is gone.
    #[inline]
    pub async fn issue(&self, request: Request) -> Result<Reply, Failure> {
        if self.shared.link.is_lost() {
            return Err(failure::lost());
        }
        let expectation = Expectation::of(&request);
        match issue::issue(&self.shared.client, request).await {
            Ok(value) => Ok(expectation.reply(&value)),
            Err(error) => Err(failure::of_request(&error)),
        }
    }

    /// Returns when the connection answers again, after a timeout or a loss. Waits as long as that takes, for ever if the
    /// connection was closed; drop the future to stop.
    pub async fn recover(&self) {
        let Shared { client, link, .. } = &*self.shared;
        loop {
            // fred keeps trying to connect. Asking from time to time all the same, so that an event that was missed keeps
            // nobody waiting.
            let _ = timeout(PATIENCE, link.back()).await;
            if link.is_lost() && !self.answers_at_all().await {
                continue;
            }
            match timeout(PATIENCE, self.answers()).await {
                Ok(true) => return,
                Ok(false) => sleep(PAUSE).await,
                Err(_) => {
                    link.renew();
                    // Goes on by itself if it takes longer, and then the server is not there at once.
                    if !matches!(timeout(PATIENCE, client.force_reconnection()).await, Ok(Ok(()))) {
                        link.count();
                    }
                }
            }
        }
    }

    /// Whether there is an answer although the connection counts as lost; then it does no longer.
    async fn answers_at_all(&self) -> bool {
        let answers = matches!(timeout(PATIENCE, self.answers()).await, Ok(true));
        if answers {
            self.shared.link.find();
        }
        answers
    }

    /// Whether the server replies, be it with an error such as LOADING.
    async fn answers(&self) -> bool {
        match self.shared.client.ping::<()>(None).await {
            Ok(()) => true,
            Err(error) => failure::of_request(&error).class != ErrorClass::ConnectionLost,
        }
    }

    /// Says goodbye and closes the connection, also for its clones; takes a second at most.
    pub async fn close(&self) {
        self.shared.link.lose();
        self.shared.attendant.abort();
        // Without the options: they would forbid a last word to a connection that is being closed.
        let client: &Client = &self.shared.client;
        let _ = timeout(CLOSE_LIMIT, client.quit()).await;
        self.shared.router.end();
    }
}

impl DriverConnection for Connection {
    fn issue(&self, request: Request) -> impl Future<Output = Result<Reply, Failure>> {
        Self::issue(self, request)
    }

    fn recover(&self) -> impl Future<Output = ()> {
        Self::recover(self)
    }

    fn close(&self) -> impl Future<Output = ()> {
        Self::close(self)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("lost", &self.shared.link.is_lost()).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.attendant.abort();
    }
}

impl Link {
    #[inline]
    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    fn lose(&self) {
        if !self.lost.swap(true, Ordering::Relaxed) {
            self.count();
        }
    }

    /// Without a connection until there is a new one, which is no loss if it comes at once.
    fn renew(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    fn count(&self) {
        if self.is_lost() && !self.counted.swap(true, Ordering::Relaxed) {
            self.losses.lose();
        }
    }

    fn find(&self) {
        if self.lost.swap(false, Ordering::Relaxed) && self.counted.swap(false, Ordering::Relaxed) {
            self.losses.recover();
        }
        self.back.notify_waiters();
    }

    /// Waits until there is a connection.
    async fn back(&self) {
        loop {
            // Hears of what comes after its creation, so nothing falls between the question and the wait.
            let returned = self.back.notified();
            if !self.is_lost() {
                return;
            }
            returned.await;
        }
    }
}

/// Notes losses at once (fred itself keeps commands until its first attempt to reconnect has failed) and gives each new
/// connection its name.
async fn attend(client: Client, name: String, link: Arc<Link>) {
    let (mut errors, mut reconnections) = (client.error_rx(), client.reconnect_rx());
    loop {
        tokio::select! {
            biased;
            error = errors.recv() => match error {
                // Errors without a server are failed attempts.
                Ok((_, Some(_))) | Err(RecvError::Lagged(_)) => link.lose(),
                Ok((_, None)) => {}
                Err(RecvError::Closed) => return,
            },
            server = reconnections.recv() => match server {
                Ok(_) | Err(RecvError::Lagged(_)) => {
                    link.find();
                    // fred's futures take 7 KB, and there may be ten thousand of this task.
                    let naming = Box::pin(client.client_setname(name.as_str()));
                    let _ = timeout(NAMING_LIMIT, naming).await;
                }
                Err(RecvError::Closed) => return,
            },
        }
    }
}
