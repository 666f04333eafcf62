//! `plimsoll completions`.

use clap::{Args, Command};
use clap_complete::Shell;

use super::{
    exit::{Exit, Failure},
    output,
};

/// Print the completions of a shell
///
/// For bash: `plimsoll completions bash > ~/.local/share/bash-completion/completions/plimsoll`
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, mut program: Command) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "plimsoll", &mut script);
    output::print(script)?;
    Ok(Exit::Success)
}
