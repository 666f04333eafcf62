//! `plimsoll scenarios`.

use std::fmt::Write as _;

use clap::{Args, Subcommand};

use super::{
    exit::{Exit, Failure},
    output,
};
use crate::scenario;

/// List the built-in scenarios and the commands, or print a scenario
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll scenarios
  plimsoll scenarios show sessions > my.toml    template of a scenario
  plimsoll run my.toml")]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List names and descriptions
    List,
    /// Print the file of a scenario
    Show {
        /// Name, as listed by `plimsoll scenarios`
        name: String,
    },
}

pub(super) fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let text = match arguments.command.unwrap_or(Command::List) {
        Command::List => list()?,
        Command::Show { name } => scenario::source(&name).map_err(Failure::usage)?.text,
    };
    output::print(text)?;
    Ok(Exit::Success)
}

fn list() -> Result<String, Failure> {
    let width = scenario::BUILTIN.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, file) in scenario::BUILTIN {
        let description = scenario::parse(file, name).map_err(Failure::usage)?.description;
        writeln!(text, "{name:width$}  {description}").expect("a string takes every write");
    }
    Ok(text)
}
