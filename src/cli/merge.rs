//! `plimsoll merge`: one run from the recordings of its shards.

#[cfg(test)]
mod simulation;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;

use super::{
    args::output::OutputArgs,
    cleanup::claim,
    conclude::save_and_conclude,
    exit::{Exit, Failure},
    output::{self, Look},
    progress::Display,
    stderr,
};
use crate::{
    analysis::{MergeError, Merger},
    report::{Document as _, RunReport},
    results::{SHARD_FILE, load_shard, result_folders},
    scenario,
    workload::scheduled,
};

/// Merge the shards of one run, and compare the whole with the objective
///
/// Reads what `plimsoll run --shard` recorded. Histograms add without loss, so percentiles are those of all requests. Shards that
/// do not belong together, or do not make a whole run, are refused. The result is a run like any other.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll merge results/api-shard-*
  plimsoll merge shards --out results/merged --format json")]
pub(super) struct Arguments {
    /// Result folders of all shards, or a folder that holds them
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    let output = &arguments.output;
    let display = Display::new(!output.quiet());
    let mut merger = Merger::default();
    for folder in arguments.folders.iter().flat_map(|folder| shards_in(folder)) {
        display.step(&format!("Reading {}", folder.display()));
        let run = load_shard(&folder).map_err(Failure::usage)?;
        merger.add(&folder.display().to_string(), run);
    }
    display.step("Merging the shards");
    let run = merger.finish(due).map_err(|errors| refused(&errors))?;
    let name = scenario::parse(&run.scenario, "scenario.toml").map_err(Failure::usage)?.name;
    let place = output.place(&name);
    let resolved = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if let Some(input) = arguments.folders.iter().find(|input| resolved(&place).starts_with(resolved(input))) {
        return Err(Failure::usage(anyhow!(
            "{} is a folder of shards, which would be replaced: use another --out",
            input.display()
        )));
    }
    let folder = claim(&place, output.force)?;
    let (text, format) = (run.to_json(), output.format());
    display.step("Writing the report");
    let (report, place) = save_and_conclude(folder, ("run.json", text.as_bytes()), || {
        let report = RunReport::new(run).map_err(Failure::usage)?;
        let files = report.files();
        Ok((report, files))
    })?;
    display.clear();
    let printed = output::tell(&output::summary(&report, format, look, place.as_deref().ok(), None));
    Failure::first_of(place, printed)?;
    Ok(Exit::of_run(report.analysis.conclusion.verdict, report.run.recording.period.interrupted, None))
}

/// The folder of a shard itself, or those of the shards in a folder.
fn shards_in(folder: &Path) -> Vec<PathBuf> {
    let is_shard = |folder: &Path| folder.join(SHARD_FILE).is_file();
    let within = || result_folders(folder).unwrap_or_default();
    let mut found: Vec<_> = if is_shard(folder) { Vec::new() } else { within() };
    found.retain(|folder| is_shard(folder));
    // A folder without any is complained about when it is read.
    if found.is_empty() { vec![folder.to_owned()] } else { found }
}

/// Requests of each service that fall due by a scenario.
pub(super) fn due(text: &str) -> Vec<Option<u64>> {
    scenario::parse(text, "scenario.toml").map(|scenario| scheduled(&scenario)).unwrap_or_default()
}

fn refused(errors: &[MergeError]) -> Failure {
    let (last, others) = match errors.split_last() {
        Some((last, others)) => (last.to_string(), others),
        None => ("there are no shards".to_owned(), &[][..]),
    };
    for error in others {
        stderr::print(&format!("error: {error}"));
    }
    Failure::unusable(anyhow!(last))
}
