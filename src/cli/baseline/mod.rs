//! `plimsoll baseline`: runs that later runs are compared with.

mod show;
mod source;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, Subcommand};

use super::{
    args::output::ResultsArgs,
    exit::{Exit, Failure},
    output::{self, Look},
    progress::Display,
    stderr,
};
use crate::{
    analysis::baseline::{Weight, differences},
    report,
    results::{Abstract, Baseline, Baselines, ResultsError},
};
pub(super) use source::{abstract_at, held};

/// Store runs to compare later runs with
///
/// A baseline is a file with abstracts of runs, small enough to be committed: results/baselines/NAME.json. `plimsoll compare`
/// and `plimsoll run --baseline` compare runs with it. From seven runs on, best of different nights, their spread decides what
/// a regression is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll baseline save nightly results/queue-20260214T101500Z
  plimsoll baseline \
                        save nightly results/queue-*     several runs
  plimsoll baseline show nightly                 \
                        runs, spread, smallest detectable change
  plimsoll run queue --baseline nightly")]
#[command(mut_arg("results", |arg| arg.global(true)))]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    results: ResultsArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a baseline from runs, or add runs to one
    Save {
        /// Name of the baseline: letters, digits, dots, dashes, underscores
        name: String,
        /// Result folders of the runs
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// Store invalid and interrupted runs too; they are shown, and do not count
        #[arg(long)]
        allow_invalid: bool,
        /// Store runs whose setup differs from that of the stored runs
        #[arg(long)]
        allow_differences: bool,
    },
    /// List the baselines
    List,
    /// Show the runs of a baseline, their spread, and the smallest detectable change
    Show {
        /// Name of the baseline
        name: String,
    },
    /// Remove a baseline, or runs from it
    Rm {
        /// Name of the baseline
        name: String,
        /// Names of runs, as listed by `baseline show`; default: the whole baseline
        #[arg(value_name = "RUN")]
        runs: Vec<String>,
    },
}

pub(super) fn run(arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    let baselines = Baselines::of(&arguments.results.results);
    match &arguments.command {
        Command::Save { name, runs, allow_invalid, allow_differences } => {
            save(&baselines, name, runs, *allow_invalid, *allow_differences)?;
        }
        Command::List => list(&baselines, &arguments.results.results)?,
        Command::Show { name } => {
            let baseline = baselines.load(name).map_err(Failure::usage)?;
            output::print(show::show(name, &baseline, look))?;
        }
        Command::Rm { name, runs } => remove(&baselines, name, runs)?,
    }
    Ok(Exit::Success)
}

/// Error of a change to a baseline.
enum Stopped {
    Results(ResultsError),
    Failure(Failure),
}

impl From<ResultsError> for Stopped {
    fn from(error: ResultsError) -> Self {
        Self::Results(error)
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Results(error) => Self::usage(error),
            Stopped::Failure(failure) => failure,
        }
    }
}

fn save(
    baselines: &Baselines,
    name: &str,
    folders: &[PathBuf],
    allow_invalid: bool,
    allow_differences: bool,
) -> Result<(), Failure> {
    // A bad name is reported before runs of minutes are read.
    baselines.file(name).map_err(Failure::usage)?;
    let mut runs = Vec::new();
    let display = Display::new(true);
    for (at, folder) in folders.iter().enumerate() {
        display.reading(at, folders.len());
        let run = abstract_at(folder)?;
        if !run.counts() && !allow_invalid {
            let fault = if run.interrupted { "was interrupted" } else { "is invalid" };
            return Err(Failure::usage(anyhow!(
                "{}: the measurement {fault}: --allow-invalid stores it nevertheless",
                folder.display()
            )));
        }
        runs.push(run);
    }
    display.clear();
    let mut said = Vec::new();
    baselines.change(name, |there| {
        let mut kept = there.map(|baseline| baseline.runs).unwrap_or_default();
        for mut run in runs {
            if let Some(same) = kept.iter().find(|other| other.is_of_same_run(&run)) {
                said.push(format!("{} is already in {name}, as {}", run.name, same.name));
                continue;
            }
            if kept.iter().any(|other| other.name == run.name) {
                run.name = dated(&run);
            }
            admit(&kept, &run, name, allow_differences).map_err(Stopped::Failure)?;
            said.push(format!("{} stored in {name}", run.name));
            kept.push(run);
        }
        Ok::<_, Stopped>(Some(Baseline::new(kept)))
    })?;
    let count = baselines.load(name).map_err(Failure::usage)?.runs.len() as u64;
    let file = baselines.file(name).map_err(Failure::usage)?;
    said.push(format!("{} in {}", report::format::counted(count, "run", "runs"), file.display()));
    output::print(report::format::plain(&format!("{}\n", said.join("\n"))))
}

/// The name of a run with its start, for where the name alone is taken: folders of `plimsoll ci` are called the same every night.
fn dated(run: &Abstract) -> String {
    let start: String = run.started.chars().filter(|letter| !"-:".contains(*letter)).collect();
    format!("{}-{start}", run.name)
}

/// Refuses a run that does not belong to those that are there.
fn admit(kept: &[Abstract], run: &Abstract, name: &str, allow_differences: bool) -> Result<(), Failure> {
    if kept.iter().any(|other| other.name == run.name) {
        return Err(Failure::usage(anyhow!(
            "{name} has another run with the name {}: rename one folder, or `plimsoll baseline rm {name} {}`",
            run.name,
            run.name
        )));
    }
    let refusing: Vec<_> =
        differences(kept, run).into_iter().filter(|difference| difference.weight() == Weight::Refuses).collect();
    if refusing.is_empty() || allow_differences {
        return Ok(());
    }
    let listed: Vec<_> = refusing.iter().map(report::difference_in_words).collect();
    Err(Failure::unusable(anyhow!(
        "{} has another setup than the runs of {name}:\n  {}\nUse another baseline, or store it with \
         --allow-differences",
        run.name,
        listed.join("\n  ")
    )))
}

fn list(baselines: &Baselines, results: &Path) -> Result<(), Failure> {
    let all = baselines.list().map_err(Failure::usage)?;
    if all.is_empty() {
        return output::print(format!(
            "No baselines in {}. `plimsoll baseline save NAME RUN` creates one.\n",
            results.join(crate::results::BASELINES).display()
        ));
    }
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, baseline) in all {
        let about = match baseline {
            Ok(baseline) => show::in_a_line(&baseline),
            Err(error) => Failure::usage(error).to_string(),
        };
        text = format!("{text}{name:width$}  {about}\n");
    }
    output::print(report::format::plain(&text))
}

fn remove(baselines: &Baselines, name: &str, runs: &[String]) -> Result<(), Failure> {
    // The whole may be removed also where it cannot be read.
    if runs.is_empty() {
        baselines.remove(name).map_err(Failure::usage)?;
        return output::print(format!("Removed {name}\n"));
    }
    baselines.load(name).map_err(Failure::usage)?;
    let mut left = 0;
    baselines.change(name, |there| {
        let mut kept = there.map(|baseline| baseline.runs).unwrap_or_default();
        for run in runs {
            let before = kept.len();
            kept.retain(|other| other.name != *run);
            if kept.len() == before {
                return Err(Stopped::Failure(Failure::usage(anyhow!(
                    "{name} has no run {run}: `plimsoll baseline show {name}` lists its runs"
                ))));
            }
        }
        left = kept.len();
        Ok((left > 0).then(|| Baseline::new(kept)))
    })?;
    if left == 0 {
        stderr::print(&format!("note: removed {name}, which has no run left"));
    }
    output::print(report::format::plain(&format!(
        "Removed {} from {name}\n",
        report::format::counted(runs.len() as u64, "run", "runs")
    )))
}
