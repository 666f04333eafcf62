//! The process of a node, and the watchdog over all of them.

use std::{
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::configuration::SETTINGS;
use crate::target::TargetError;

/// Lines of the log that an error shows.
const LOG_LINES: usize = 8;

/// File with the PID for the watchdog to kill.
const PID: &str = "server.pid";

/// Waits until the harness closes the pipe, by intent or because it is gone; by then servers that were stopped have taken their
/// folder along. A server that dies may write a last file while the folder is removed.
const WATCH: &str = "trap '' HUP INT TERM; read -r _; \
                     for file in \"$1\"/*/server.pid; do \
                     if [ -f \"$file\" ]; then kill -9 \"-$(cat \"$file\")\"; fi; done; \
                     rm -rf \"$1\" || { sleep 1; rm -rf \"$1\"; }";

/// The process of a node, which leads a group; killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    pid_file: PathBuf,
}

impl Process {
    /// Starts the server program in a node's folder.
    pub(super) fn start(binary: &Path, folder: &Path, is_sentinel: bool) -> Result<Self, TargetError> {
        let log = File::options().create(true).append(true).open(log_file(folder)).map_err(TargetError::ServerPlace)?;
        let errors = log.try_clone().map_err(TargetError::ServerPlace)?;
        let child = Command::new(binary)
            .arg(folder.join(SETTINGS))
            .args(is_sentinel.then_some("--sentinel"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(|source| TargetError::ServerProgram { binary: binary.to_owned(), source })?;
        let process = Self { child, pid_file: folder.join(PID) };
        fs::write(&process.pid_file, process.pid().to_string()).map_err(TargetError::ServerPlace)?;
        Ok(process)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal to the process and its children, unless it has ended.
    pub(super) fn signal(&mut self, signal: Signal) {
        // Until the end is noticed, nobody else gets the number.
        if self.ended().is_none() {
            let _ = kill_process_group(Pid::from_child(&self.child), signal);
        }
    }

    /// Kills the process with its children, if it still runs, and waits for its end.
    pub(super) fn kill(&mut self) {
        self.signal(Signal::KILL);
        // Before the number is free, so that the watchdog never kills who gets it next.
        let _ = fs::remove_file(&self.pid_file);
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A shell that outlives the harness by a moment, to clean up after it.
#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    /// A watchdog over a folder with the folders of nodes.
    pub(super) fn over(folder: &Path) -> io::Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", WATCH, "plimsoll-watchdog"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

fn log_file(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// The last lines of the log of a node; empty if there is none.
pub(super) fn last_log_lines(folder: &Path) -> String {
    let text = fs::read(log_file(folder)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
