//! The one clock of a run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Nanoseconds since the epoch of a [`Clock`].
pub type Nanos = u64;

/// A second, which is the length of an [`Interval`](super::Interval) too.
pub const SECOND: Nanos = 1_000_000_000;

/// A duration as nanoseconds; 584 years at most.
pub fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}

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

    /// A clock with an epoch that may lie in the future; until then it shows 0.
    pub fn starting_at(epoch: Instant) -> Self {
        Self { epoch }
    }

    /// Nanoseconds since the epoch.
    #[inline]
    pub fn now(&self) -> Nanos {
        // 2^64 ns are 584 years.
        self.epoch.elapsed().as_nanos() as Nanos
    }

    /// Nanoseconds from the epoch to an instant.
    #[inline]
    pub fn at(&self, instant: Instant) -> Nanos {
        instant.saturating_duration_since(self.epoch).as_nanos() as Nanos
    }

    /// The instant of the standard library that lies `at` nanoseconds after the epoch.
    pub fn instant(&self, at: Nanos) -> Instant {
        self.epoch + Duration::from_nanos(at)
    }
}

/// The measured period on its clock, for those who watch something else meanwhile.
#[derive(Debug, Clone)]
pub struct Timeframe {
    /// The clock of the run.
    pub clock: Clock,
    /// Start of the measured period.
    pub start: Nanos,
    end: Arc<AtomicU64>,
}

impl Timeframe {
    /// A period that ends at `end` unless it is moved forward.
    pub fn new(clock: Clock, start: Nanos, end: Arc<AtomicU64>) -> Self {
        Self { clock, start, end }
    }

    /// Moves the end of the measured period forward.
    pub fn end_at(&self, end: Nanos) {
        self.end.fetch_min(end, Ordering::Relaxed);
    }

    /// End of the measured period, as it stands now.
    pub fn end(&self) -> Nanos {
        self.end.load(Ordering::Relaxed)
    }
}
