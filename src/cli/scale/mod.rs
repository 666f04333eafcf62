//! `plimsoll scale`: a run whose load comes from several machines.

mod args;
mod launch;
mod launcher;
mod process;
mod running;

use super::{
    exit::{Exit, Failure},
    output::Look,
    run,
};
pub(super) use args::Arguments;
pub(super) use launch::{Launch, Watchers};

pub(super) fn run(arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    run::launched(&arguments.run, look, |scenario| arguments.launch(scenario).map(Some))
}
