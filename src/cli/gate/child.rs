//! A slice that another build of plimsoll makes: a whole `plimsoll run` of its own, of which only the saved run is used.

use std::{
    fs::{self, File},
    io,
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
        exit::{Exit, Failure},
        interrupt::Interrupt,
        leftovers::Leftovers,
        run::TARGET,
    },
    results::Run,
    scenario::{PasswordSource, Scenario},
};

/// How often it is looked after.
const GLANCE: Duration = Duration::from_millis(20);

/// Time beyond its load after which it is given up: connecting, draining and writing reports.
const PATIENCE: Duration = Duration::from_secs(60);

/// Exit codes of a run that was measured to its end: objective met, missed, measurement not to be trusted by the measure of a long run, and
/// not clear. What a slice is worth the gate decides by itself.
const MEASURED: [i32; 4] = [Exit::Met as i32, Exit::Missed as i32, Exit::Unusable as i32, Exit::Inconclusive as i32];

/// What a build is to do.
pub(super) struct Order<'a> {
    pub(super) exe: &'a Path,
    pub(super) scenario: &'a Scenario,
    /// Of a private server, with the login of its administrator.
    pub(super) address: &'a str,
    pub(super) workers: Option<u16>,
}

/// Lets a build carry out a scenario on the server at an address; `None` where a person ended it.
pub(super) fn run(order: &Order<'_>, leftovers: &Leftovers, interrupt: &Interrupt) -> Result<Option<Run>, Failure> {
    let place = tempfile::Builder::new().prefix("plimsoll-slice-").tempdir();
    let place = place.context("could not make a place for a slice").map_err(Failure::usage)?;
    let (out, said) = (place.path().join("run"), place.path().join("stderr"));
    let Order { exe, scenario, .. } = order;
    let name = exe.display();
    let mut command = command(order, place.path(), &out, &said)?;
    let started = command.spawn().with_context(|| format!("could not start {name}")).map_err(Failure::usage)?;
    let mut child = Slice::new(started, place.path(), leftovers);
    let limit = Instant::now() + scenario.run.warmup + scenario.run.duration + scenario.run.drain + PATIENCE;
    let status = loop {
        let ended = child.ended().with_context(|| format!("could not wait for {name}")).map_err(Failure::usage)?;
        if let Some(status) = ended {
            break status;
        }
        if interrupt.stop().is_requested() {
            return Ok(None);
        }
        if Instant::now() > limit {
            return Err(Failure::unusable(anyhow!("{name} did not end its slice in {} s more", PATIENCE.as_secs())));
        }
        thread::sleep(GLANCE);
    };
    let unusable = |why: &str| {
        let said = fs::read_to_string(&said).unwrap_or_default();
        Err(Failure::unusable(anyhow!("{name} {why} ({status}): {}", said.trim())))
    };
    if !status.code().is_some_and(|code| MEASURED.contains(&code)) {
        return unusable("did not carry out its slice");
    }
    let Ok(text) = fs::read_to_string(out.join("run.json")) else { return unusable("made no run") };
    let run = Run::from_json(&text).with_context(|| format!("the run that {name} made cannot be used"));
    let run = run.map_err(Failure::unusable)?;
    if run.recording.period.interrupted {
        return unusable("was interrupted");
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
    for service in &scenario.services {
        if let Some(PasswordSource::Env(name)) = &service.password {
            // The password of another server: on this one the login of the address holds.
            command.env_remove(name);
        }
    }
    if let Some(workers) = workers {
        command.args(["--workers", &workers.to_string()]);
    }
    Ok(command)
}

/// A process that does not outlive the slice, nor does what it starts.
struct Slice<'a> {
    child: Child,
    is_over: bool,
    leftovers: &'a Leftovers,
}

impl<'a> Slice<'a> {
    fn new(child: Child, place: &Path, leftovers: &'a Leftovers) -> Self {
        leftovers.hold_child(Pid::from_child(&child), place.to_owned());
        Self { child, is_over: false, leftovers }
    }

    /// How it ended, once it has.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        self.is_over = status.is_some();
        Ok(status)
    }
}

impl Drop for Slice<'_> {
    fn drop(&mut self) {
        // After its end its number, which is that of the group, may be somebody else's.
        if !self.is_over {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
        self.leftovers.let_go_of_child();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::scenario::load;

    /// A shell script in place of a build.
    fn ran(script: &str) -> String {
        let place = tempfile::tempdir().unwrap();
        let exe = place.path().join("build");
        fs::write(&exe, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&exe, fs::Permissions::from_mode(0o755)).unwrap();
        let order =
            Order { exe: &exe, scenario: &load("mixed").unwrap(), address: "redis://127.0.0.1:1", workers: None };
        let told = run(&order, &Leftovers::default(), &Interrupt::never());
        told.unwrap_err().to_string()
    }

    #[test]
    fn a_build_that_fails_is_quoted_however_much_it_says() {
        let told = ran("head -c 200000 /dev/zero | tr '\\0' x >&2; echo no such option >&2; exit 2");
        assert!(told.contains("did not carry out its slice (exit status: 2)"), "{}", &told[..200]);
        assert!(told.ends_with("no such option"));
        assert!(ran("exit 0").contains("made no run"));
        assert!(ran("kill -9 $$").contains("signal: 9"));
    }
}
