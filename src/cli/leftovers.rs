//! What must not stay behind when the process ends in the middle of things.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{results::ResultFolder, target::PrivateServer};

/// The private server and the unfinished result folder of a run, shared by the thread that uses them and the one that
/// ends the process. Both remove themselves when they are dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct Leftovers(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    folder: Option<ResultFolder>,
    server: Option<PrivateServer>,
}

impl Leftovers {
    pub(super) fn hold_folder(&self, folder: ResultFolder) {
        self.held().folder = Some(folder);
    }

    /// Takes the folder to fill it; `None` once the process is about to end.
    pub(super) fn take_folder(&self) -> Option<ResultFolder> {
        self.held().folder.take()
    }

    pub(super) fn hold_server(&self, server: PrivateServer) {
        self.held().server = Some(server);
    }

    /// Whether there is a private server.
    pub(super) fn holds_server(&self) -> bool {
        self.held().server.is_some()
    }

    /// Removes what is left.
    pub(super) fn clear(&self) {
        let held = std::mem::take(&mut *self.held());
        drop(held);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
