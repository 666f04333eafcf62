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

use super::{
    cleanup::Cleanup,
    exit::{Exit, Failure},
    interrupt::supervise,
    journal::Journal,
    lease::Lease,
    output::Look,
    progress::Display,
};
pub(super) use args::Arguments;
use plan::Task;
use session::Session;

/// The saved capacity run in its folder.
const FILE: &str = "capacity.json";

pub(super) fn run(arguments: Arguments, look: Look) -> Result<Exit, Failure> {
    let source = arguments.target.source()?;
    let task = match &arguments.resume {
        Some(folder) => resume::task(&arguments, folder)?,
        None => Task::new(&arguments)?,
    };
    task.check(&arguments)?;
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
            Session { arguments, look, task, journal, lease }.carry_out(&source)
        },
        move || {
            voice.say("interrupted: ending the trial and reporting the results so far; Ctrl-C again ends the program");
        },
        move || slow.say_why_it_waits(),
    );
    cleanup.clear();
    result
}
