//! Ctrl-C: the first ends the work early and in good order, the second at once.
//!
//! The work has a thread of its own; the main thread waits for it and for signals, so that the process can end while the
//! work is stuck. A terminal that is closed counts like a Ctrl-C: keys on a user's server are to be removed all the same.

use std::{io, panic, thread, time::Duration};

use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::exit::{Exit, Failure};

/// Signal to the work: whether the user interrupted it.
#[derive(Debug, Clone)]
pub(super) struct Interrupt {
    stop: CancellationToken,
}

impl Interrupt {
    /// An interrupt that never occurs.
    #[cfg(test)]
    pub(super) fn never() -> Self {
        Self { stop: CancellationToken::new() }
    }

    /// For the load engine.
    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// The output of `work`, or `None` as soon as the user interrupts it. Work is boxed, since some of it is large.
    pub(super) fn race<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        self.stop.run_until_cancelled(Box::pin(work))
    }

    /// The result of `work`, or a failure as soon as the user interrupts it.
    pub(super) fn or<T, E: Into<Failure>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, Failure>> {
        let raced = self.race(work);
        async { raced.await.ok_or_else(Failure::interrupted)?.map_err(Into::into) }
    }

    /// The output of short work that has to be done after an interruption as well. An interruption that comes while it is under
    /// way ends it.
    pub(super) fn finish<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        let (work, interrupted) = (Box::pin(work), self.stop.is_cancelled());
        async move { if interrupted { Some(work.await) } else { self.race(work).await } }
    }

    /// The result of short work that has to be done after an interruption as well.
    pub(super) fn to_the_end<T, E: Into<Failure>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> impl Future<Output = Result<T, Failure>> {
        let finished = self.finish(work);
        async { finished.await.ok_or_else(Failure::interrupted)?.map_err(Into::into) }
    }
}

/// Has a write beyond the largest file size that is allowed fail like one to a full disk, instead of ending the process.
pub(super) fn outlive_file_size_limit() -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    // What listens once is never undone.
    runtime.block_on(async { signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop) })
}

/// After so long an end that was asked for is slow, and says what it waits for; and again each time.
const SLOW: Duration = Duration::from_secs(3);

/// Does the work on a thread of its own. At the first Ctrl-C, SIGTERM or SIGHUP shows it to end and calls `on_first`, and `on_slow`
/// every few seconds from then on; at the second gives up waiting and returns [`Exit::Interrupted`], and the thread ends with the
/// process.
pub(super) fn supervise(
    work: impl FnOnce(Interrupt) -> Result<Exit, Failure> + Send + 'static,
    on_first: impl FnOnce(),
    on_slow: impl Fn(),
) -> Result<Exit, Failure> {
    let failed = |error: io::Error| Failure::unusable(anyhow::Error::new(error).context("could not start the worker"));
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        // Before the work begins, so that no signal is lost.
        let mut signals = Signals::listen().map_err(failed)?;
        let stop = CancellationToken::new();
        let interrupt = Interrupt { stop: stop.clone() };
        let (finished, mut result) = oneshot::channel();
        let worker = thread::Builder::new()
            .name("work".to_owned())
            // Nobody waits for the result after the second signal.
            .spawn(move || drop(finished.send(work(interrupt))))
            .map_err(failed)?;

        let mut on_first = Some(on_first);
        loop {
            tokio::select! {
                result = &mut result => return match result {
                    Ok(result) => result,
                    Err(_) => panic::resume_unwind(worker.join().expect_err("without a result it panicked")),
                },
                () = signals.next() => match on_first.take() {
                    Some(on_first) => {
                        on_first();
                        stop.cancel();
                    }
                    None => return Ok(Exit::Interrupted),
                },
                () = sleep(SLOW), if on_first.is_none() => on_slow(),
            }
        }
    })
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
