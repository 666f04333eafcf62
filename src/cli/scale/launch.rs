//! Load by several generators: starts them, has them begin together, and adds up what they recorded.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{
    agreement::lost,
    failed::{failed, listed},
    launcher::Launcher,
    load::{Load, Sent, Watchers},
    running::{Patience, Running, Step},
};
use crate::{
    cli::{
        args::target::TARGET,
        exit::Failure,
        merge::due,
        progress::Display,
        shard::lines::{self, Job, Order},
        turns::unmark,
    },
    load::Relay,
    measure::{Clock, Timeframe, nanos},
    results::PlannedGenerators,
    scenario::Scenario,
    target::Target,
};

/// Time that all generators have to be there, from the first of them, and then to open their connections.
const PATIENCE: Duration = Duration::from_secs(60);

/// Time from the last connection until the start, by default.
pub(super) const START_IN: Duration = Duration::from_secs(2);

/// The same where it has to include the start of the processes.
const START_IN_BLIND: Duration = Duration::from_secs(20);

/// How generators are started.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Launch {
    pub(super) launcher: Launcher,
    /// As the user named it.
    pub(super) text: String,
    pub(super) generators: u32,
    pub(super) program: PathBuf,
    pub(super) start_in: Option<Duration>,
}

/// Generators, which send one load after the other.
pub(in crate::cli) struct Fleet {
    launch: Launch,
    /// Nothing before they were started.
    running: Option<Running>,
}

impl Launch {
    /// Its generators, of which none is started yet.
    pub(in crate::cli) fn fleet(self) -> Fleet {
        Fleet { launch: self, running: None }
    }

    /// What a capacity run plans with.
    pub(in crate::cli) fn planned(&self) -> PlannedGenerators {
        let launcher = Some(self.text.clone());
        PlannedGenerators { number: self.generators, start_in_ns: nanos(self.start_in()), launcher }
    }

    /// Time from the moment at which all are ready until they begin.
    fn start_in(&self) -> Duration {
        self.start_in.unwrap_or(if self.is_blind() { START_IN_BLIND } else { START_IN })
    }

    /// Name of the launcher.
    pub(in crate::cli) fn name(&self) -> String {
        self.launcher.name(&self.program).to_string_lossy().into_owned()
    }

    /// Whether generators get no orders, so that their only load is known when they are started.
    pub(in crate::cli) fn is_blind(&self) -> bool {
        !self.launcher.carries_input()
    }

    fn start(&self, scenario: &Scenario, job: Option<&Job>) -> Result<Running, Failure> {
        let job = job.map(lines::pack);
        let mut commands = self.launcher.commands(&self.program, self.generators, job.as_deref());
        // Logins pass with the job: launchers show the environment to others.
        for (_, command) in &mut commands {
            command.env_remove(TARGET);
            for name in scenario.password_variables() {
                command.env_remove(name);
            }
        }
        Running::start(&self.name(), self.generators, commands, &self.launcher)
    }

    fn patience(&self) -> Patience {
        let is_blind = self.is_blind();
        let time = if is_blind { self.start_in() } else { PATIENCE };
        Patience { time, is_queued: self.launcher.is_engine() && !is_blind }
    }
}

impl Fleet {
    /// Starts the generators, and waits until all are there. Those that get no orders are started with their load.
    pub(in crate::cli) fn gather(
        &mut self,
        scenario: &Scenario,
        watched: (&Display, &CancellationToken),
    ) -> Result<(), Failure> {
        if self.launch.is_blind() || self.running.is_some() { Ok(()) } else { self.start(scenario, None, watched) }
    }

    fn start(
        &mut self,
        scenario: &Scenario,
        job: Option<&Job>,
        (display, stop): (&Display, &CancellationToken),
    ) -> Result<(), Failure> {
        display.step(&format!("Starting {} generators", self.launch.generators));
        let patience = self.launch.patience();
        let running = self.running.insert(self.launch.start(scenario, job)?);
        let here = running.wait_for(Step::Here, patience, (display, stop));
        here.inspect_err(|_| self.end(false))
    }

    /// Sends a load, and adds up what the generators recorded. Where it fails, what they reported until then is given, up to the last
    /// second that all of them did; the next load starts new ones.
    pub(in crate::cli) fn load(
        &mut self,
        load: &Load<'_>,
        mut watchers: Watchers<'_>,
        on_start: impl FnOnce(Timeframe),
    ) -> Result<Sent, Failure> {
        let start_in = self.launch.start_in();
        let agreed = || (load.clock.0.now() + start_in.as_nanos() as i128) as i64;
        let known = self.launch.is_blind().then(agreed);
        let job = self.job(load, known);
        let watched = (watchers.display, watchers.stop);
        if known.is_some() {
            self.start(load.scenario, Some(&job), watched)?;
        } else {
            self.gather(load.scenario, watched)?;
        }
        let Some(running) = &mut self.running else { return Err(Failure::interrupted()) };
        if known.is_none() {
            running.begin();
            running.tell(&Order::Job(Box::new(job)));
        }
        let sent = begin(running, load, watched, || known.unwrap_or_else(agreed)).and_then(|(begin, start)| {
            let frame = frame(begin, load.scenario);
            on_start(frame.clone());
            send(running, load, (&frame, start), &mut watchers)
        });
        if !sent.as_ref().is_ok_and(|sent| sent.failure.is_none()) {
            self.end(false);
        }
        sent
    }

    fn job(&self, load: &Load<'_>, start: Option<i64>) -> Job {
        let half = |(scenario, target): &(&Scenario, &Target)| (scenario.source.clone(), target.invitation());
        Job {
            loads: load.halves.iter().map(half).collect(),
            turn: load.turn,
            workers: load.workers,
            together: self.launch.launcher.is_local(),
            calibrates: load.calibrates,
            start,
        }
    }

    /// Has the generators end: those that are done by themselves, others at once.
    pub(in crate::cli) fn end(&mut self, are_done: bool) {
        if let Some(mut running) = self.running.take() {
            running.end(are_done);
        }
    }
}

/// However a command ends, launchers give back what they hold.
impl Drop for Fleet {
    fn drop(&mut self) {
        self.end(false);
    }
}

/// Agrees on the start with generators that have their job, and waits for it.
fn begin(
    running: &mut Running,
    load: &Load<'_>,
    watched: (&Display, &CancellationToken),
    start: impl FnOnce() -> i64,
) -> Result<(Instant, i64), Failure> {
    running.wait_for(Step::Connected, Patience { time: PATIENCE, is_queued: false }, watched)?;
    let (time, server) = &load.clock;
    running.check_clocks(*time, server.as_deref())?;
    let start = start();
    running.tell(&Order::Start(start));
    let begin = time.instant(start.into()).ok_or_else(|| lost("the start is over".to_owned()))?;
    watched.0.step("Waiting for the start");
    running.wait_until(begin, watched)?;
    Ok((begin, start))
}

/// Follows a load to its end.
fn send(
    running: &mut Running,
    load: &Load<'_>,
    (frame, start): (&Timeframe, i64),
    watchers: &mut Watchers<'_>,
) -> Result<Sent, Failure> {
    let mut relay = Relay::new(load.scenario, running.generators() as usize, watchers.on_second.take());
    let mut is_stopped = false;
    while !running.is_done() {
        running.follow();
        if watchers.stop.is_cancelled() && !is_stopped {
            is_stopped = true;
            frame.end_at(frame.clock.now());
            running.stop();
        }
        let heard = running.listen(watchers.display).and_then(|seconds| {
            for (number, second) in seconds {
                relay.add(number, second);
            }
            running.check_silence()
        });
        if let Err(failure) = heard {
            if !is_stopped {
                frame.end_at(frame.clock.now());
                // Before anything else: the others load the server.
                running.stop();
            }
            let reason = match running.explanation() {
                // Launchers may end generators before they have reported a load that the user ended.
                _ if is_stopped => "the launcher ended the generators before they had reported all".to_owned(),
                Some(line) => format!("{failure} ({line})"),
                None => failure.to_string(),
            };
            let sent = failed(reason, running, load, (frame.clock.now(), start), relay);
            if !is_stopped {
                return sent;
            }
            let mut sent = sent.map_err(|_| Failure::interrupted())?;
            sent.recording.period.interrupted = true;
            return Ok(sent);
        }
        if let Some(progress) = relay.news(frame) {
            (watchers.on_progress)(progress);
        }
    }
    relay.close_all();
    let merger = running.take_merger();
    // The requests of those that take turns fall due by the time of their turns.
    let whole = if load.turn.is_some() { merger.finish(|_| Vec::new()) } else { merger.finish(due) };
    match whole {
        Ok(mut run) => {
            if load.turn.is_some() {
                unmark(&mut run.recording);
            }
            Ok(Sent { recording: run.recording, generators: run.generators, failure: None })
        }
        Err(errors) => failed(listed(&errors), running, load, (frame.clock.now(), start), relay),
    }
}

/// The measured period as this process sees it.
fn frame(begin: Instant, scenario: &Scenario) -> Timeframe {
    let start = nanos(scenario.run.warmup);
    let end = Arc::new(AtomicU64::new(start + nanos(scenario.run.duration)));
    Timeframe::new(Clock::starting_at(begin), start, end)
}
