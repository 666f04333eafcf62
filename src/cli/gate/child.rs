//! A slice that another build of plimsoll makes: a whole `plimsoll run` of its own, of which only the saved run is used.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    cli::{
        args::target::TARGET,
        cleanup::Cleanup,
        exit::{Exit, Failure},
        interrupt::Interrupt,
    },
    results::Run,
    scenario::Scenario,
};

/// How often it is looked after.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Time beyond its load after which it is given up: connecting, draining and writing reports.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Time after which a program that has not said its version is given up.
const INTRODUCTION: Duration = Duration::from_secs(10);

/// Greatest number of bytes read of a version: another program may print at length.
const LONGEST_VERSION: u64 = 200;

/// Exit codes of a run that was measured to its end: objective met, missed, measurement not to be trusted by the measure of a long run, and
/// not clear. What a slice is worth the gate decides by itself.
const MEASURED: [i32; 4] = [
    Exit::Success as i32,
    Exit::ObjectiveMissed as i32,
    Exit::InvalidTargetOrMeasurement as i32,
    Exit::Inconclusive as i32,
];

/// Task of a build.
pub(super) struct Order<'a> {
    pub(super) exe: &'a Path,
    pub(super) scenario: &'a Scenario,
    /// Of a private server, with the login of its administrator.
    pub(super) address: &'a str,
    pub(super) workers: Option<u16>,
}

/// Checks that a program calls itself plimsoll, since it is found out late otherwise; what it is instead, for an error.
pub(super) fn check(exe: &Path) -> Result<(), String> {
    let line = first_line_of_version(exe).map_err(|error| format!("does not run with --version: {error}"))?;
    if line.starts_with("plimsoll ") {
        Ok(())
    } else {
        Err(format!("is not a plimsoll binary (--version printed {line:?})"))
    }
}

fn first_line_of_version(exe: &Path) -> io::Result<String> {
    let place = tempfile::Builder::new().prefix("plimsoll-version-").tempdir()?;
    let (said, cleanup) = (place.path().join("stdout"), Cleanup::default());
    let mut command = Command::new(exe);
    command.arg("--version").stdin(Stdio::null()).stdout(File::create(&said)?).stderr(Stdio::null()).process_group(0);
    let mut child = Running::new(command.spawn()?, place.path(), &cleanup);
    let limit = Instant::now() + INTRODUCTION;
    while child.ended()?.is_none() {
        if Instant::now() > limit {
            return Err(io::Error::other(format!("it did not end within {} s", INTRODUCTION.as_secs())));
        }
        thread::sleep(POLL_INTERVAL);
    }
    let mut line = Vec::new();
    File::open(&said)?.take(LONGEST_VERSION).read_to_end(&mut line)?;
    Ok(String::from_utf8_lossy(&line).lines().next().unwrap_or_default().to_owned())
}

/// Lets a build carry out a scenario on the server at an address; `None` where the user ended it.
pub(super) fn run(order: &Order<'_>, cleanup: &Cleanup, interrupt: &Interrupt) -> Result<Option<Run>, Failure> {
    let place = tempfile::Builder::new().prefix("plimsoll-slice-").tempdir();
    let place = place.context("could not create the folder of a slice").map_err(Failure::usage)?;
    let (out, said) = (place.path().join("run"), place.path().join("stderr"));
    let Order { exe, scenario, .. } = order;
    let name = exe.display();
    let mut command = command(order, place.path(), &out, &said)?;
    let started = command.spawn().with_context(|| format!("could not start {name}")).map_err(Failure::usage)?;
    let mut child = Running::new(started, place.path(), cleanup);
    let limit = Instant::now() + scenario.run.warmup + scenario.run.duration + scenario.run.drain + TIMEOUT;
    let status = loop {
        let ended = child.ended().with_context(|| format!("could not wait for {name}")).map_err(Failure::usage)?;
        if let Some(status) = ended {
            break status;
        }
        if interrupt.stop().is_cancelled() {
            return Ok(None);
        }
        if Instant::now() > limit {
            return Err(Failure::unusable(anyhow!(
                "{name} did not end its slice within another {} s",
                TIMEOUT.as_secs()
            )));
        }
        thread::sleep(POLL_INTERVAL);
    };
    let unusable = |why: &str| {
        let said = fs::read_to_string(&said).unwrap_or_default();
        Err(Failure::unusable(anyhow!("{name} {why} ({status}): {}", said.trim())))
    };
    if !status.code().is_some_and(|code| MEASURED.contains(&code)) {
        return unusable("failed in its slice");
    }
    let Ok(text) = fs::read_to_string(out.join("run.json")) else { return unusable("saved no run") };
    let run = Run::from_json(&text).with_context(|| format!("the run of {name} cannot be used"));
    let run = run.map_err(Failure::unusable)?;
    if run.recording.period.interrupted {
        return unusable("was interrupted");
    }
    if run.recording.panicked().is_some() {
        return unusable("panicked");
    }
    Ok(Some(run))
}

fn command(order: &Order<'_>, place: &Path, out: &Path, said: &Path) -> Result<Command, Failure> {
    let Order { exe, scenario, address, workers } = order;
    let file = place.join("scenario.toml");
    let written = fs::write(&file, &scenario.source).and_then(|()| File::create(said));
    let said = written.context("could not write the scenario of a slice").map_err(Failure::usage)?;
    let mut command = Command::new(exe);
    command
        .arg("run")
        .arg(&file)
        .args(["--no-prefill", "--no-observation", "--no-keyspace-sampling", "--quiet", "--out"])
        .arg(out)
        .env(TARGET, address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // A pipe that nobody reads would fill up and hold it.
        .stderr(said)
        // A Ctrl-C in the terminal is for the gate, which ends the slice itself.
        .process_group(0);
    for name in scenario.password_variables() {
        // The password of another server: on this one the login of the address holds.
        command.env_remove(name);
    }
    if let Some(workers) = workers {
        command.args(["--workers", &workers.to_string()]);
    }
    Ok(command)
}

/// A process that does not outlive this, nor does what it starts.
struct Running<'a> {
    child: Child,
    is_over: bool,
    cleanup: &'a Cleanup,
}

impl<'a> Running<'a> {
    fn new(child: Child, place: &Path, cleanup: &'a Cleanup) -> Self {
        cleanup.hold_child(Pid::from_child(&child), place.to_owned());
        Self { child, is_over: false, cleanup }
    }

    /// End of the run; `None` while it continues.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        self.is_over = status.is_some();
        Ok(status)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // After its end its number, which is that of the group, may be another user's.
        if !self.is_over {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
        self.cleanup.let_go_of_child();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::scenario::load;

    /// A shell script in place of a build.
    pub(in crate::cli::gate) fn with_script<T>(script: &str, then: impl FnOnce(&Path) -> T) -> T {
        let place = tempfile::tempdir().unwrap();
        let exe = place.path().join("build");
        // Written by another process: if this one had it open while another test starts a program, that program would hold it open for
        // a moment as well, and what is open for writing cannot be started.
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod +x \"$0\"";
        let written = Command::new("sh").arg("-c").arg(write).arg(&exe).arg(script).status().unwrap();
        assert!(written.success());
        then(&exe)
    }

    fn ran(script: &str) -> String {
        with_script(script, |exe| {
            let order = Order { exe, scenario: &load("mixed").unwrap(), address: "redis://127.0.0.1:1", workers: None };
            let result = run(&order, &Cleanup::default(), &Interrupt::never());
            result.unwrap_err().to_string()
        })
    }

    #[test]
    fn only_a_plimsoll_is_taken_for_one() {
        assert_eq!(with_script("[ \"$1\" = --version ] && echo plimsoll 9.1", check), Ok(()));
        assert_eq!(with_script("true", check).unwrap_err(), "is not a plimsoll binary (--version printed \"\")");
        let endless = with_script("head -c 200000 /dev/zero | tr '\\0' x", check).unwrap_err();
        assert!(
            endless.starts_with("is not a plimsoll binary (--version printed \"xxx") && endless.len() < 300,
            "{endless}"
        );
        let missing = check(Path::new("/none")).unwrap_err();
        assert!(missing.starts_with("does not run with --version: "), "{missing}");
    }

    #[test]
    fn a_build_that_fails_is_quoted_however_much_it_says() {
        let message = ran("head -c 200000 /dev/zero | tr '\\0' x >&2; echo no such option >&2; exit 2");
        assert!(message.contains("failed in its slice (exit status: 2)"), "{}", &message[..200]);
        assert!(message.ends_with("no such option"));
        assert!(ran("exit 0").contains("saved no run"));
        assert!(ran("kill -9 $$").contains("signal: 9"));
    }
}
