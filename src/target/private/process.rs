//! The server's process and the watchdog over it.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::TcpStream,
    os::unix::{net::UnixStream, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::configuration::SETTINGS;
use crate::target::{Endpoint, Secret, TargetError, login::Login};

/// Time that a server has to answer its first command.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Time that it has to answer one attempt.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// Pause between attempts.
const PAUSE: Duration = Duration::from_millis(10);

/// Lines of the log that an error shows.
const LOG_LINES: usize = 8;

/// File with the PID for the watchdog to kill.
const PID: &str = "server.pid";

/// Waits until the harness closes the pipe, by intent or because it is gone; by then a server that was stopped has
/// taken its folder along.
const WATCH: &str = "trap '' HUP INT TERM; read -r _; \
                     if [ -f \"$1/server.pid\" ]; then kill -9 \"$(cat \"$1/server.pid\")\"; fi; rm -rf \"$1\"";

/// A server's process; killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    pid_file: PathBuf,
}

impl Process {
    pub(super) fn start(binary: &Path, folder: &Path) -> Result<Self, TargetError> {
        let log = File::options().create(true).append(true).open(log_file(folder)).map_err(TargetError::ServerPlace)?;
        let errors = log.try_clone().map_err(TargetError::ServerPlace)?;
        let child = Command::new(binary)
            .arg(folder.join(SETTINGS))
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

    /// Kills the process, if it still runs, and waits for its end.
    pub(super) fn kill(&mut self) {
        // First, so that the watchdog never kills a user who gets the number next.
        let _ = fs::remove_file(&self.pid_file);
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until the server answers the administrator; the reason if it does not.
    pub(super) fn wait_until_ready(&mut self, endpoint: &Endpoint, admin: &Login) -> Result<(), String> {
        let started = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("ended at once ({status})"));
            }
            if answers(endpoint, admin).unwrap_or(false) {
                return Ok(());
            }
            if started.elapsed() > START_LIMIT {
                return Err(format!("did not answer within {START_LIMIT:?}"));
            }
            thread::sleep(PAUSE);
        }
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

pub(super) fn log_file(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// The last lines of a log; empty if there is none.
pub(super) fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

fn answers(endpoint: &Endpoint, admin: &Login) -> io::Result<bool> {
    match endpoint {
        Endpoint::Tcp { host, port, .. } => {
            let stream = TcpStream::connect((host.as_str(), *port))?;
            stream.set_read_timeout(Some(ANSWER_LIMIT))?;
            is_ready(stream, admin)
        }
        Endpoint::Unix { path } => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(ANSWER_LIMIT))?;
            is_ready(stream, admin)
        }
    }
}

/// Logs in and asks for a sign of life; a server that still loads its data, or is another program's, is not ready.
fn is_ready(mut stream: impl Read + Write, admin: &Login) -> io::Result<bool> {
    let password = admin.password.as_ref().map_or("", Secret::expose);
    stream.write_all(format!("AUTH {} {password}\r\nPING\r\n", admin.user()).as_bytes())?;
    let (expected, mut answer) = (b"+OK\r\n+PONG\r\n", Vec::new());
    while answer.len() < expected.len() && expected.starts_with(&answer) {
        let mut part = [0; 64];
        match stream.read(&mut part)? {
            0 => break,
            count => answer.extend_from_slice(&part[..count]),
        }
    }
    Ok(answer == expected)
}
