//! `plimsoll list`: saved runs, capacity runs, gates and what `plimsoll ci` saved.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    args::output::ResultsArgs,
    exit::{Exit, Failure},
    output,
    progress::Display,
};
use crate::{
    report::{self, format::plain},
    results,
};

/// List saved runs, newest last
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    results: ResultsArgs,
    /// Positional form of `--results`, of earlier versions
    #[arg(value_name = "DIR", hide = true, conflicts_with = "results")]
    folder: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let place = arguments.folder.as_ref().unwrap_or(&arguments.results.results);
    let folders = results::result_folders(place).map_err(Failure::usage)?;
    if folders.is_empty() {
        output::print(format!("No saved runs in {}. `plimsoll run` saves one.\n", place.display()))?;
        return Ok(Exit::Success);
    }
    let display = Display::new(true);
    let mut lines = Vec::new();
    for (at, folder) in folders.iter().enumerate() {
        display.reading(at, folders.len());
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let about = results::headline(folder).map_or_else(|| concluded(folder), Ok);
        lines.push((name, plain(&about.unwrap_or_else(|failure| failure.to_string()))));
    }
    display.clear();
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, about) in lines {
        writeln!(text, "{name:width$}  {about}").expect("a string takes every write");
    }
    output::print(text)?;
    Ok(Exit::Success)
}

/// The first sentence of the report of results without `headline.txt`.
fn concluded(folder: &Path) -> Result<String, Failure> {
    let saved = results::load(folder).map_err(Failure::usage)?;
    Ok(report::conclude(saved).map_err(Failure::usage)?.headline().sentence)
}
