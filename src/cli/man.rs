//! `plimsoll man`.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;

use super::{
    exit::{Exit, Failure},
    output,
};
use crate::results;

/// Print the manual page, or write one page per command
///
/// Example: `plimsoll man | man -l -`
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder for `plimsoll.1` and a page per command; default: print the page of plimsoll
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, program: Command) -> Result<Exit, Failure> {
    match &arguments.out {
        Some(folder) => results::rewrite(folder, pages(program)).map_err(Failure::usage)?,
        None => output::print(page(&Man::new(program)))?,
    }
    Ok(Exit::Success)
}

/// The page of every command, each with the name of its file.
fn pages(program: Command) -> Vec<(String, Vec<u8>)> {
    fn add(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) {
        let man = Man::new(command.clone());
        pages.push((man.get_filename(), page(&man)));
        command.get_subcommands().filter(|below| !below.is_hide_set()).for_each(|below| add(below, pages));
    }
    // It would have a page for each command once more.
    let mut program = program.disable_help_subcommand(true);
    // Gives each command the name of those above it.
    program.build();
    let mut pages = Vec::new();
    add(&program, &mut pages);
    pages
}

fn page(man: &Man) -> Vec<u8> {
    let mut page = Vec::new();
    man.render(&mut page).expect("writing to memory does not fail");
    page
}
