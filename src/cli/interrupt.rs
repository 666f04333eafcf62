//! Ctrl-C: the first ends the work early and in good order, the second at once.
//!
//! The work has a thread of its own; the main thread waits for it and for signals, so that the process can end while the
//! work is stuck. A terminal that is closed counts like a Ctrl-C: keys on somebody's server are to be removed all the same.

use std::{io, panic, thread};

use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::{oneshot, watch},
};

use super::exit::{Exit, Failure};
use crate::load::Stop;

/// Told to the work: whether a person wants it to end.
#[derive(Debug, Clone)]
pub(super) struct Interrupt {
    stop: Stop,
    requested: watch::Receiver<bool>,
}

impl Interrupt {
    /// One that nobody asks for.
    #[cfg(test)]
    pub(super) fn never() -> Self {
        Self { stop: Stop::default(), requested: watch::channel(false).1 }
    }

    /// For the load engine.
    pub(super) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// What `work` gives, or a failure as soon as it is interrupted.
    pub(super) async fn or<T, E: Into<anyhow::Error>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        let mut requested = self.requested.clone();
        tokio::select! {
            result = work => result.map_err(Failure::unusable),
            _ = requested.wait_for(|requested| *requested) => Err(Failure::interrupted()),
        }
    }

    /// The same for what is short, and is done after a Ctrl-C that has ended the work before as well; one that comes now ends it.
    pub(super) async fn to_the_end<T, E: Into<anyhow::Error>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        if self.stop.is_requested() { work.await.map_err(Failure::unusable) } else { self.or(work).await }
    }
}

/// Has a write beyond the largest file size that is allowed fail like one to a full disk, instead of ending the process.
pub(super) fn outlive_file_size_limit() -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    // What listens once is never undone.
    runtime.block_on(async { signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop) })
}

/// Does the work on a thread of its own. At the first Ctrl-C, SIGTERM or SIGHUP tells it to end and calls `on_first`; at the
/// second gives up waiting and returns [`Exit::Interrupted`], and the thread ends with the process.
pub(super) fn supervise(
    work: impl FnOnce(Interrupt) -> Result<Exit, Failure> + Send + 'static,
    on_first: impl FnOnce(),
) -> Result<Exit, Failure> {
    let failed = |error: io::Error| Failure::unusable(anyhow::Error::new(error).context("could not start to work"));
    let runtime = runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
    runtime.block_on(async {
        // Before the work begins, so that no signal is lost.
        let mut signals = Signals::listen().map_err(failed)?;
        let (request, requested) = watch::channel(false);
        let interrupt = Interrupt { stop: Stop::default(), requested };
        let stop = interrupt.stop.clone();
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
                    Err(_) => panic::resume_unwind(worker.join().expect_err("it panicked, else there were a result")),
                },
                () = signals.next() => match on_first.take() {
                    Some(on_first) => {
                        on_first();
                        stop.request();
                        request.send_replace(true);
                    }
                    None => return Ok(Exit::Interrupted),
                },
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
