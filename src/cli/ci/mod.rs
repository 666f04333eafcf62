//! `plimsoll ci`.

mod args;
mod github;
mod session;

use anyhow::anyhow;

use super::{
    cleanup::Cleanup,
    exit::{Exit, Failure},
    interrupt::supervise,
    journal::Journal,
    output::Look,
    progress::Display,
};
use crate::target::Source;
pub(super) use args::Arguments;
use args::PLACEHOLDER;
use github::Github;
use session::Session;

/// The artifact in its folder.
const FILE: &str = "ci.json";

pub(super) fn run(arguments: Arguments, look: Look) -> Result<Exit, Failure> {
    // First, since arms of a gate may have it as well.
    let source = arguments.target.source()?;
    let tasks = arguments.tasks()?;
    if arguments.fail_on.is_some() && matches!(source, Source::Embedded { .. }) {
        return Err(Failure::usage(anyhow!(
            "--fail-on: a private server is not audited: omit --fail-on, or name a server with --target"
        )));
    }
    if tasks.len() > 1 && arguments.baseline.as_ref().is_some_and(|name| !name.contains(PLACEHOLDER)) {
        return Err(Failure::usage(anyhow!(
            "--baseline: a baseline is of one scenario: for several, use {PLACEHOLDER} in its name, such as \
             nightly-{PLACEHOLDER}"
        )));
    }
    let github = Github::of_environment(arguments.annotations)?;
    let place = arguments.output.place("ci");
    let (own, of_runs) = (Cleanup::default(), Cleanup::default());
    let journal = Journal::claim(&place, arguments.output.force, FILE, &own)?;
    let display = Display::new(!arguments.output.quiet());
    let (voice, slow) = (display.clone(), display.clone());
    let session = Session { arguments, look, tasks, source, github, journal, display, cleanup: of_runs.clone() };
    let result = supervise(
        move |interrupt| session.carry_out(&interrupt),
        move || {
            voice.say(
                "interrupted: ending all scenarios and reporting the results so far; Ctrl-C again ends the program",
            );
        },
        move || slow.say_why_it_waits(),
    );
    of_runs.clear();
    own.clear();
    result
}
