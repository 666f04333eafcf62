//! Waiting for due instants.
//!
//! tokio's timers tick in milliseconds, which is more than a request to a local server takes. So a worker either spins
//! for good, handing the thread to its runtime at every turn, or sleeps on a kernel timer until shortly before the due
//! instant and spins only from there.

use std::{io, time::Duration};

use crate::measure::{Clock, Nanos};

/// Pacing of a worker: spinning or adaptive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pacing {
    /// Turns all the time: a core for itself, wake-ups within microseconds, replies seen at once.
    Spin,
    /// Sleeps while there is time, turns shortly before a due instant.
    Adaptive,
}

impl Pacing {
    /// The word for it in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Adaptive => "adaptive",
        }
    }
}

/// Time before a due instant from which an adaptive worker spins: about the 99th percentile of the delay with which a kernel timer
/// wakes a sleeping thread on a virtual machine.
const SPIN_WINDOW: Nanos = 150_000;

/// Longest sleep: the interval at which an idle worker checks timeouts and the end of the run, so that a turn longer than
/// [`PAUSE`] shows that the thread did not run.
const LONGEST_SLEEP: Nanos = 5_000_000;

/// Length from which the time between two turns of a worker is recorded as a pause of the harness.
pub(super) const PAUSE: Nanos = 2 * LONGEST_SLEEP;

/// The pacer of one worker.
#[derive(Debug)]
pub struct Pacer {
    pacing: Pacing,
    timer: timer::Timer,
}

impl Pacer {
    /// Must be called on the worker's runtime.
    pub fn new(pacing: Pacing) -> io::Result<Self> {
        Ok(Self { pacing, timer: timer::Timer::new()? })
    }

    pub(super) fn spins(&self) -> bool {
        self.pacing == Pacing::Spin
    }

    /// Gives the runtime a turn, and returns no later than `due` save for what the machine adds: at once when spinning,
    /// after a sleep when there is time for one. `woken` ends a sleep early.
    pub async fn turn(&mut self, clock: Clock, due: Option<Nanos>, woken: impl Future<Output = ()>) {
        if self.pacing == Pacing::Adaptive {
            let now = clock.now();
            let until = due.unwrap_or(Nanos::MAX).min(now + LONGEST_SLEEP + SPIN_WINDOW);
            let sleep = until.saturating_sub(now + SPIN_WINDOW);
            if sleep > 0 {
                tokio::select! {
                    // Without a random number for the order.
                    biased;
                    () = self.timer.sleep(Duration::from_nanos(sleep)) => {}
                    () = woken => {}
                }
                return;
            }
        }
        tokio::task::yield_now().await;
    }
}

#[cfg(target_os = "linux")]
mod timer {
    //! A kernel timer of nanosecond resolution.

    use std::{io, os::fd::OwnedFd, time::Duration};

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::{Interest, unix::AsyncFd};

    #[derive(Debug)]
    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            #[expect(
                deprecated,
                reason = "deprecated for types whose descriptor may change, which that of an OwnedFd cannot; the \
                          replacement is unsafe"
            )]
            let timer = AsyncFd::with_interest(timer, Interest::READABLE)?;
            Ok(Self(timer))
        }

        pub(super) async fn sleep(&mut self, duration: Duration) {
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            let it_value = Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) };
            let armed = timerfd_settime(
                self.0.get_ref(),
                TimerfdTimerFlags::empty(),
                &Itimerspec { it_interval: zero, it_value },
            );
            let expired = match armed {
                Ok(_) => self.0.readable().await,
                Err(error) => Err(error.into()),
            };
            match expired {
                // Setting the timer again also takes back its expiration, so there is nothing to read.
                Ok(mut ready) => ready.clear_ready(),
                // Unreachable with a timer that exists; the coarse timer keeps the run alive all the same.
                Err(_) => tokio::time::sleep(duration).await,
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod timer {
    //! Without timerfd, tokio's timer does; it is coarse, which the schedule lag of the result will show.

    use std::{io, time::Duration};

    #[derive(Debug)]
    pub(super) struct Timer;

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn sleep(&mut self, duration: Duration) {
            tokio::time::sleep(duration).await;
        }
    }
}
