//! A slice that another build of plimsoll makes: a whole `plimsoll run` of its own, of which only the saved run is used.

use std::{
    fs,
    io::Read as _,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow};

use crate::{
    cli::{exit::Failure, interrupt::Interrupt, run::TARGET},
    results::Run,
    scenario::Scenario,
};

/// How often it is looked after.
const GLANCE: Duration = Duration::from_millis(20);

/// Time beyond its load after which it is given up: connecting, draining and writing reports.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets a build carry out a scenario on the server at an address; `None` where a person ended it.
pub(super) fn run(
    exe: &Path,
    scenario: &Scenario,
    address: &str,
    workers: Option<u16>,
    interrupt: &Interrupt,
) -> Result<Option<Run>, Failure> {
    let place = tempfile::Builder::new().prefix("plimsoll-slice-").tempdir();
    let place = place.context("could not make a place for a slice").map_err(Failure::usage)?;
    let (file, out) = (place.path().join("scenario.toml"), place.path().join("run"));
    fs::write(&file, &scenario.source).context("could not write the scenario of a slice").map_err(Failure::usage)?;
    let mut command = Command::new(exe);
    command
        .arg("run")
        .arg(&file)
        .args(["--no-prefill", "--no-observation", "--no-keyspace-sampling", "--quiet", "--out"])
        .arg(&out)
        .env(TARGET, address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // A Ctrl-C in the terminal is for the gate, which ends the slice itself.
        .process_group(0);
    if let Some(workers) = workers {
        command.args(["--workers", &workers.to_string()]);
    }
    let name = exe.display();
    let started = command.spawn().with_context(|| format!("could not start {name}")).map_err(Failure::usage)?;
    let mut child = Slice(started);
    let limit = Instant::now() + scenario.run.warmup + scenario.run.duration + scenario.run.drain + PATIENCE;
    loop {
        let ended = child.0.try_wait().with_context(|| format!("could not wait for {name}")).map_err(Failure::usage)?;
        if ended.is_some() {
            break;
        }
        if interrupt.stop().is_requested() {
            return Ok(None);
        }
        if Instant::now() > limit {
            return Err(Failure::unusable(anyhow!("{name} did not end its slice in {} s more", PATIENCE.as_secs())));
        }
        thread::sleep(GLANCE);
    }
    let Ok(text) = fs::read_to_string(out.join("run.json")) else {
        let mut said = String::new();
        if let Some(mut stderr) = child.0.stderr.take() {
            let _ = stderr.read_to_string(&mut said);
        }
        return Err(Failure::unusable(anyhow!("{name} made no run: {}", said.trim())));
    };
    let run = Run::from_json(&text).with_context(|| format!("the run that {name} made cannot be used"));
    run.map(Some).map_err(Failure::unusable)
}

/// A process that does not outlive the slice.
struct Slice(Child);

impl Drop for Slice {
    fn drop(&mut self) {
        // It may have ended long since.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
