//! `plimsoll capacity`.

mod announce;
mod args;
mod arms;
mod brake;
mod lines;
mod plan;
mod resume;
mod session;
mod trial;

use anyhow::anyhow;

use super::{
    cleanup::Cleanup,
    exit::{Exit, Failure},
    interrupt::supervise,
    journal::Journal,
    lease::Lease,
    output::Look,
    progress::Display,
    scale::Launch,
};
pub(super) use args::Arguments;
use plan::Task;
use session::Session;

/// The saved capacity run in its folder.
const FILE: &str = "capacity.json";

pub(super) fn run(arguments: Arguments, look: Look) -> Result<Exit, Failure> {
    let source = arguments.target.source()?;
    let is_private = arguments.target.is_private();
    let launch = arguments.scale.map(|generators| arguments.launcher.launch(generators, is_private)).transpose()?;
    if let Some(launch) = launch.as_ref().filter(|launch| launch.is_blind()) {
        return Err(Failure::usage(anyhow!(
            "--launcher {}: its generators get no orders, so they cannot wait for the next trial: use srun, ssh or another command that \
             carries standard input",
            launch.name()
        )));
    }
    let task = match &arguments.resume {
        Some(folder) => resume::task(&arguments, folder, launch.as_ref())?,
        None => Task::new(&arguments, launch.as_ref())?,
    };
    task.check(&arguments)?;
    let fleet = launch.map(Launch::fleet);
    let cleanup = Cleanup::default();
    let journal = if let Some((folder, _)) = &task.saved {
        Journal::reopen(folder.clone(), FILE, &cleanup)
    } else {
        let place = arguments.output.place(&format!("{}-capacity", task.scenario.name));
        Journal::claim(&place, arguments.output.force, FILE, &cleanup)?
    };
    let display = Display::new(!arguments.output.quiet());
    let (voice, slow) = (display.clone(), display.clone());
    let held = cleanup.clone();
    let result = supervise(
        move |interrupt| {
            let lease = Lease::new(interrupt, display, held)?;
            Session { arguments, look, task, journal, lease, fleet }.carry_out(&source)
        },
        move || {
            voice.say("interrupted: ending the trial and reporting the results so far; Ctrl-C again ends the program");
        },
        move || slow.say_why_it_waits(),
    );
    cleanup.clear();
    result
}
