//! `plimsoll scale`: a run whose load comes from several machines.

mod agreement;
mod args;
mod failed;
mod launch;
mod launcher;
mod load;
mod process;
mod running;

use super::{
    exit::{Exit, Failure},
    output::Look,
    run,
};
pub(super) use args::{Arguments, GeneratorArgs};
pub(super) use launch::{Fleet, Launch};
pub(super) use load::{Load, Sent, Watchers};

pub(super) fn run(arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    run::launched(&arguments.run, look, |scenario| arguments.launch(scenario).map(Some))
}
