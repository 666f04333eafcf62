//! `plimsoll man`.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::{
    Program,
    exit::{Exit, Failure},
    output,
};

/// Print the manual page, or write one page per command
///
/// To read it at once: `plimsoll man | man -l -`
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder to write `plimsoll.1` and a page per command to, instead of printing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let program = Program::command();
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(program, folder))
            .with_context(|| format!("could not write manual pages to {}", folder.display()))
            .map_err(Failure::usage)?;
    } else {
        let mut page = Vec::new();
        Man::new(program).render(&mut page).expect("writing to memory does not fail");
        output::print(page)?;
    }
    Ok(Exit::Met)
}
