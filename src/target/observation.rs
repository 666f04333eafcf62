//! Watching the server while the load runs: a thread and a connection of their own.

use std::thread::{self, JoinHandle};

use tokio::{runtime::Builder, sync::oneshot};

use super::Target;
use crate::{
    measure::Timeframe,
    results::{ServerRecord, Withheld},
    server,
};

/// Figures that are missing where the connection failed.
const CONNECTION: &str = "connection of the observer";

/// A server that is being watched. Dropped before it has begun, it ends by itself.
pub struct Observation {
    begin: Option<oneshot::Sender<Timeframe>>,
    thread: Option<JoinHandle<ServerRecord>>,
    /// Figures that are missing where the thread did not start, with the reason.
    otherwise: (&'static str, &'static str),
}

impl Target {
    /// Opens a connection for questions, and waits for the measured period. Failures are part of the record.
    pub fn observe(&self) -> Observation {
        let (begin, started) = oneshot::channel();
        let observer = self.observer.clone();
        let watch = move || {
            let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
                return lacking(CONNECTION, "no runtime for the observer".to_owned());
            };
            runtime.block_on(async {
                let opened = observer.connect_by_name().await;
                let Ok(frame) = started.await else { return ServerRecord::default() };
                match opened {
                    Ok((client, _router)) => server::watch(client, frame).await,
                    Err(error) => lacking(CONNECTION, error.to_string()),
                }
            })
        };
        let thread = thread::Builder::new().name("plimsoll-observe".to_owned()).spawn(watch).ok();
        Observation { begin: Some(begin), thread, otherwise: (CONNECTION, "the observer ended early") }
    }
}

impl Observation {
    /// No observation: nothing is asked, and the record says so.
    pub fn none() -> Self {
        Self { begin: None, thread: None, otherwise: ("the server during the run", "not observed") }
    }

    /// Begins, once it is known when the measured period does.
    pub fn begin(&mut self, frame: Timeframe) {
        if let Some(begin) = self.begin.take() {
            // An observer that could not connect has ended; its record says so.
            let _ = begin.send(frame);
        }
    }

    /// The record. Takes a second or two at most after the end of the measured period.
    pub fn finish(mut self) -> ServerRecord {
        drop(self.begin.take());
        let record = self.thread.take().and_then(|thread| thread.join().ok());
        record.unwrap_or_else(|| lacking(self.otherwise.0, self.otherwise.1.to_owned()))
    }
}

fn lacking(what: &str, reason: String) -> ServerRecord {
    let withheld = vec![Withheld { what: what.to_owned(), reason }];
    ServerRecord { withheld, ..ServerRecord::default() }
}
