//! The thread that packs the workers' intervals into the recording, away from the workers and from the server.

use std::{
    sync::mpsc::{self, Receiver, Sender, TryRecvError},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    api::{LoadError, ServiceProgress},
    ledger::Ledger,
};
use crate::measure::{Interval, yield_to_load};

/// How often it looks for intervals.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The way to one worker's recorder and back.
pub(super) struct Line {
    pub(super) intervals: Receiver<Interval>,
    pub(super) back: Sender<Interval>,
}

/// The packing thread.
pub(super) struct Packer {
    thread: JoinHandle<Ledger>,
    news: Receiver<Vec<ServiceProgress>>,
}

impl Packer {
    /// Packs until the last worker is done.
    pub(super) fn spawn(mut ledger: Ledger, lines: Vec<Line>) -> Result<Self, LoadError> {
        let (sender, news) = mpsc::channel();
        let pack = move || {
            yield_to_load();
            let mut open = true;
            while open {
                thread::sleep(POLL_INTERVAL);
                open = false;
                for line in &lines {
                    open |= line.collect(&mut ledger);
                }
                if let Some(news) = ledger.take_news() {
                    // A caller that gave up the run does not listen.
                    let _ = sender.send(news);
                }
            }
            ledger.close_all();
            ledger
        };
        let thread = thread::Builder::new().name("plimsoll-pack".to_owned()).spawn(pack).map_err(LoadError::Packer)?;
        Ok(Self { thread, news })
    }

    pub(super) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// The latest second for people, once.
    pub(super) fn news(&self) -> Option<Vec<ServiceProgress>> {
        self.news.try_iter().last()
    }

    /// The recording; nothing if the thread panicked.
    pub(super) fn finish(self) -> Option<Ledger> {
        self.thread.join().ok()
    }
}

impl Line {
    /// Takes over what is there, and shows whether more may come.
    fn collect(&self, ledger: &mut Ledger) -> bool {
        loop {
            match self.intervals.try_recv() {
                Ok(mut interval) => {
                    ledger.enter(&interval);
                    interval.clear();
                    // The worker may have ended meanwhile.
                    let _ = self.back.send(interval);
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }
}
