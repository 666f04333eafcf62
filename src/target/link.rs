//! The state of a connection that comes and goes, for either client.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::driver::Losses;

/// Time that a connection has to show that it works again, before it is opened anew.
pub(super) const TIMEOUT: Duration = Duration::from_secs(1);

/// Pause between attempts to get an answer.
const PAUSE: Duration = Duration::from_millis(20);

/// Pauses between attempts to reconnect, in milliseconds: doubled each time, with a random part so that a thousand
/// connections do not come at once.
pub(super) const SHORTEST_PAUSE: u32 = 50;
pub(super) const LONGEST_PAUSE: u32 = 1_000;

/// Redirections that a request in a cluster follows.
pub(super) const REDIRECTIONS: u32 = 5;

/// Whether there is a connection at the moment.
#[derive(Debug)]
pub(super) struct Link {
    /// Set when the connection is lost, until there is a new one.
    lost: AtomicBool,
    /// Whether that is counted: a connection that the harness renews by itself, after a request that took too long, is no
    /// loss.
    counted: AtomicBool,
    /// Notified when the connection is back.
    back: Notify,
    losses: Arc<Losses>,
    /// Whether it stands for connections to several servers, of which the others can be used when one is lost.
    many: bool,
}

impl Link {
    pub(super) fn new(losses: Arc<Losses>) -> Self {
        let (lost, counted) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { lost, counted, back: Notify::new(), losses, many: false }
    }

    /// The connections of one client to several servers: losses are counted, and nothing else.
    pub(super) fn of_many(losses: Arc<Losses>) -> Self {
        Self { many: true, ..Self::new(losses) }
    }

    #[inline]
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    pub(super) fn lose(&self) {
        if self.many {
            self.losses.lose();
        } else if !self.lost.swap(true, Ordering::Relaxed) {
            self.count();
        }
    }

    pub(super) fn find(&self) {
        let counted = || self.lost.swap(false, Ordering::Relaxed) && self.counted.swap(false, Ordering::Relaxed);
        if self.many || counted() {
            self.losses.recover();
        }
        self.back.notify_waiters();
    }

    /// Returns when the connection answers again. `answers` asks for a sign of life, and `reconnect` opens the connection
    /// anew and shows whether that took less than [`TIMEOUT`].
    pub(super) async fn recover(&self, answers: impl AsyncFn() -> bool, reconnect: impl AsyncFn() -> bool) {
        loop {
            // The client keeps trying to connect. Asking from time to time all the same, so that an event that was missed
            // keeps nobody waiting.
            let _ = timeout(TIMEOUT, self.back()).await;
            if self.is_lost() {
                if !matches!(timeout(TIMEOUT, answers()).await, Ok(true)) {
                    continue;
                }
                self.find();
            }
            match timeout(TIMEOUT, answers()).await {
                Ok(true) => return,
                Ok(false) => sleep(PAUSE).await,
                Err(_) => {
                    // Without a connection until there is a new one, which is no loss if it comes at once.
                    self.lost.store(true, Ordering::Relaxed);
                    if !reconnect().await {
                        self.count();
                    }
                }
            }
        }
    }

    fn count(&self) {
        if self.is_lost() && !self.counted.swap(true, Ordering::Relaxed) {
            self.losses.lose();
        }
    }

    /// Waits until there is a connection.
    pub(super) async fn back(&self) {
        loop {
            // Hears of what comes after its creation, so nothing falls between the question and the wait.
            let back = self.back.notified();
            if !self.is_lost() {
                return;
            }
            back.await;
        }
    }
}

/// The pause behind one that was not long enough: twice as long, with a random part so that a thousand connections do not
/// come at once.
pub(super) fn longer(pause: Duration) -> Duration {
    let shortest = Duration::from_millis(SHORTEST_PAUSE.into());
    let whole = (2 * pause).clamp(shortest, Duration::from_millis(LONGEST_PAUSE.into()));
    whole.mul_f64(0.5 + (RandomState::new().hash_one(()) as f64 / u64::MAX as f64) / 2.0)
}
