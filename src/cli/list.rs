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
