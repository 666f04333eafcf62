//! Load by several generators: starts them, has them begin together, and adds up what they recorded.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use super::{
    launcher::Launcher,
    running::{Running, lost},
};
use crate::{
    analysis::Merger,
    cli::{
        args::target::TARGET,
        exit::Failure,
        interrupt::Interrupt,
        merge::whole,
        progress::Display,
        shard::lines::{self, Job, Order},
    },
    load::{OnSecond, Progress, Relay},
    measure::{Clock, Timeframe, nanos},
    results::Run,
    scenario::Scenario,
    target::{ReferenceTime, Target},
};

/// Time that all generators have to reach the server, where they wait for an instant to begin at.
const PATIENCE: Duration = Duration::from_secs(60);

/// Time from the last connection until the start, by default.
const START_IN: Duration = Duration::from_secs(2);

/// The same where it has to include the start of the processes.
const START_IN_BLIND: Duration = Duration::from_secs(20);

/// How the generators are started.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Launch {
    pub(super) launcher: Launcher,
    pub(super) generators: u32,
    pub(super) program: PathBuf,
    pub(super) start_in: Option<Duration>,
}

/// The load, as others see it.
pub(in crate::cli) struct Watchers<'a> {
    pub(in crate::cli) display: &'a Display,
    pub(in crate::cli) interrupt: &'a Interrupt,
    pub(in crate::cli) on_progress: &'a mut dyn FnMut(Progress),
    pub(in crate::cli) on_second: Option<OnSecond>,
}

impl Launch {
    /// Sends the load of a scenario; gives the run that the generators recorded together.
    pub(in crate::cli) fn load(
        &self,
        (scenario, target): (&Scenario, &Target),
        workers: Option<usize>,
        (time, server): (ReferenceTime, Option<String>),
        watchers: Watchers<'_>,
        on_start: impl FnOnce(Timeframe),
    ) -> Result<Run, Failure> {
        let Watchers { display, interrupt, on_progress, on_second } = watchers;
        let blind = !self.launcher.carries_input();
        let start_in = self.start_in.unwrap_or(if blind { START_IN_BLIND } else { START_IN });
        let known = blind.then(|| (time.now() + start_in.as_nanos() as i128) as i64);
        let job = Job {
            of: self.generators,
            scenario: scenario.source.clone(),
            target: target.invitation(),
            workers,
            together: self.launcher.is_local(),
            start: known,
        };
        display.step(&format!("Starting {} generators", self.generators));
        let mut running = self.start(scenario, &job)?;
        let (patience, is_queued) = (if blind { start_in } else { PATIENCE }, self.launcher.is_engine());
        let outcome = running.until_ready((patience, is_queued && !blind), interrupt, display).and_then(|()| {
            running.check_software()?;
            running.check_clocks(time, server.as_deref())?;
            let start = known.unwrap_or_else(|| (time.now() + start_in.as_nanos() as i128) as i64);
            running.tell(&Order::Start(start));
            let begin = time.instant(start.into()).ok_or_else(|| lost("the start is over".to_owned()))?;
            display.step("Waiting for the start");
            running.until(begin, interrupt, display)?;
            let frame = frame(begin, scenario);
            on_start(frame.clone());
            let relay = Relay::new(scenario, self.generators as usize, on_second);
            running.until_done(relay, &frame, interrupt, (display, on_progress), scenario)
        });
        running.end(outcome.is_ok());
        outcome?;
        let mut merger = if interrupt.stop().is_cancelled() { Merger::of_interrupted() } else { Merger::default() };
        for (number, part) in running.take_parts() {
            merger.add(&format!("generator {number}"), part);
        }
        whole(merger)
    }

    fn start(&self, scenario: &Scenario, job: &Job) -> Result<Running, Failure> {
        let name = self.launcher.name(&self.program).to_string_lossy().into_owned();
        let mut commands = self.launcher.commands(&self.program, self.generators, &lines::pack(job));
        // Logins pass with the job: launchers show the environment to others.
        for (_, command) in &mut commands {
            command.env_remove(TARGET);
            for name in scenario.password_variables() {
                command.env_remove(name);
            }
        }
        let mut running = Running::start(&name, self.generators, commands, self.launcher.carries_input())?;
        if self.launcher.carries_input() {
            running.tell(&Order::Job(Box::new(job.clone())));
        }
        Ok(running)
    }
}

/// The measured period as this process sees it.
fn frame(begin: Instant, scenario: &Scenario) -> Timeframe {
    let start = nanos(scenario.run.warmup);
    let end = Arc::new(AtomicU64::new(start + nanos(scenario.run.duration)));
    Timeframe::new(Clock::starting_at(begin), start, end)
}
