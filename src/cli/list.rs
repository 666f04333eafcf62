//! `plimsoll list`: saved runs.

use std::path::PathBuf;

use clap::Args;

use super::{
    exit::{Exit, Failure},
    output,
};
use crate::results;

/// List saved runs, newest last
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder that holds the result folders
    #[arg(value_name = "DIR", default_value = super::run::RESULTS)]
    folder: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut text = String::new();
    for entry in results::list(&arguments.folder).map_err(Failure::usage)? {
        text += &format!("{entry:?}\n");
    }
    output::print(text)?;
    Ok(Exit::Met)
}
