//! The one clock of a run.

use std::time::{Duration, Instant};

/// Nanoseconds since the epoch of a [`Clock`].
pub type Nanos = u64;

/// A monotonic clock with an epoch; copies agree with each other across threads.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    epoch: Instant,
}

impl Clock {
    /// A clock whose epoch is now.
    pub fn start() -> Self {
        Self { epoch: Instant::now() }
    }

    /// Nanoseconds since the epoch.
    #[inline]
    pub fn now(&self) -> Nanos {
        // 2^64 ns are 584 years.
        self.epoch.elapsed().as_nanos() as Nanos
    }

    /// The instant of the standard library that lies `at` nanoseconds after the epoch.
    pub fn instant(&self, at: Nanos) -> Instant {
        self.epoch + Duration::from_nanos(at)
    }
}
