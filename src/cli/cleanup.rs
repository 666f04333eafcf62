//! What a command gives back when it ends, also on a second Ctrl-C.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{exit::Failure, stderr};
use crate::{
    results::{self, ResultFolder},
    target::PrivateServer,
};

/// Remedy that removes keys of a scenario: a fragment of a sentence.
pub(super) const REMEDY: &str = "`plimsoll clean` with the same scenario and target removes them";

/// Claims a result folder, after what processes that were killed left behind beside it is recovered or removed.
pub(super) fn claim(place: &Path, force: bool) -> Result<ResultFolder, Failure> {
    for leftover in results::sweep_beside(place) {
        stderr::print(&format!("note: {leftover}"));
    }
    ResultFolder::claim(place, force).map_err(Failure::usage)
}

/// The private servers and the unfinished result folder of a run, shared by the thread that uses them and the one that
/// ends the process. Both remove themselves when they are dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct Cleanup(Arc<Mutex<CleanupState>>);

#[derive(Debug, Default)]
struct CleanupState {
    folder: Option<ResultFolder>,
    /// Folder that this thread is writing to.
    unpublished: Option<PathBuf>,
    servers: Vec<PrivateServer>,
    /// Where keys of a scenario are.
    keys: Vec<String>,
    /// Another build at work, with the folder that it works in.
    child: Option<(Pid, PathBuf)>,
}

impl Cleanup {
    pub(super) fn hold_folder(&self, folder: ResultFolder) {
        self.held().folder = Some(folder);
    }

    /// Takes the folder to fill it; `None` once the process is about to end.
    pub(super) fn take_folder(&self) -> Option<ResultFolder> {
        let mut held = self.held();
        let folder = held.folder.take()?;
        held.unpublished = Some(folder.hidden().to_owned());
        Some(folder)
    }

    /// The folder is published, or its owner has removed it.
    pub(super) fn let_go_of_folder(&self) {
        self.held().unpublished = None;
    }

    /// Whether there are results that have not been published.
    pub(super) fn holds_folder(&self) -> bool {
        let held = self.held();
        held.folder.is_some() || held.unpublished.is_some()
    }

    pub(super) fn hold_server(&self, server: PrivateServer) {
        self.held().servers.push(server);
    }

    /// Whether there is a private server.
    pub(super) fn holds_server(&self) -> bool {
        !self.held().servers.is_empty()
    }

    /// Stops all private servers.
    pub(super) fn stop_servers(&self) {
        // Stopped when they are dropped, after the lock is released.
        let servers = std::mem::take(&mut self.held().servers);
        drop(servers);
    }

    /// Keys are written to a server that stays.
    pub(super) fn hold_keys(&self, address: String) {
        self.held().keys.push(address);
    }

    /// The keys are removed, or the failure is reported.
    pub(super) fn let_go_of_keys(&self) {
        self.held().keys.clear();
    }

    /// A process that leads a group of its own, and its folder.
    pub(super) fn hold_child(&self, child: Pid, folder: PathBuf) {
        self.held().child = Some((child, folder));
    }

    /// It has ended, or its owner has ended it.
    pub(super) fn let_go_of_child(&self) {
        self.held().child = None;
    }

    /// Removes what is left, but for keys on servers that stay: there is no time for that. Private servers stop when `held` is
    /// dropped.
    pub(super) fn clear(&self) {
        let mut held = std::mem::take(&mut *self.held());
        held.keys.dedup();
        for address in &held.keys {
            stderr::print(&format!("warning: keys of the scenario stay on {address}; {REMEDY}"));
        }
        if let Some(unpublished) = &held.unpublished {
            // Half a report is none. The thread that fills it ends with the process.
            let _ = fs::remove_dir_all(unpublished);
        }
        if let Some((child, folder)) = &held.child {
            // What it has started is in its group. Either may be gone by now.
            let _ = kill_process_group(*child, Signal::KILL);
            let _ = fs::remove_dir_all(folder);
        }
    }

    fn held(&self) -> MutexGuard<'_, CleanupState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
