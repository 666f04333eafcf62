//! `plimsoll compare`: one saved run compared with a baseline or another run.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::{
    against::BaselineRuns,
    args::{comparison::ComparisonArgs, output::ResultsArgs},
    baseline::{abstract_at, held},
    exit::{Exit, Failure},
    output::{self, Look},
    stderr,
};
use crate::{
    report::{ComparisonReport, Document},
    results::{self, Baselines},
};

/// Compare a saved run with a baseline or with another run
///
/// Says first whether both measured the same thing, and lists what differs; a different scenario, server or setting is
/// refused. Then p50, p99 and throughput of every row, before and after, with the change and its interval, and how small a
/// change could have been seen. A baseline of seven runs or more judges by their spread, fewer runs by --threshold.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{HELP}"))]
pub(super) struct Arguments {
    /// Baseline by name, or a result folder; `./NAME` is always the folder
    #[arg(value_name = "BASE")]
    base: String,
    /// Result folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    comparison: ComparisonArgs,
    /// Form of what is printed
    #[arg(long, value_enum, default_value_t)]
    format: ComparisonFormat,
    /// Write comparison.html, .md, .csv and .json and all charts to this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    results: ResultsArgs,
}

const EXAMPLES: &str = "\
Examples:
  plimsoll compare nightly results/queue-20260214T101500Z
  plimsoll compare results/queue-20260213T101500Z results/queue-20260214T101500Z --out /tmp/comparison
  plimsoll compare nightly results/queue-20260214T101500Z --format json | jq .verdict";

const HELP: &str = "\
Exit codes:
    0  no regression, or improved
    1  regression
    2  wrong usage, or there is no such run or baseline
    3  not comparable, no run of the baseline counts, or the run's measurement is invalid
    4  inconclusive";

/// Form of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum ComparisonFormat {
    /// For people, on a terminal.
    #[default]
    Text,
    /// For wikis and pull requests.
    Markdown,
    /// A page of its own.
    Html,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

pub(super) fn run(arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    let BaselineRuns { name, mut runs } = held(&arguments.base, &Baselines::of(&arguments.results.results))?;
    let run = abstract_at(&arguments.run)?;
    let count = runs.len();
    // Held against itself it would be as it always was.
    runs.retain(|other| !other.is_of_same_run(&run));
    if runs.is_empty() {
        return Err(Failure::usage(anyhow!("both are the same run: there is nothing to compare")));
    }
    if runs.len() < count {
        stderr::print(&format!("note: {} is in {name} itself; it is compared with the other runs of it", run.name));
    }
    let compared = ComparisonReport::new(name, runs, run, arguments.comparison.question());
    let out = arguments.out.as_ref();
    let saved = out.map(|folder| results::write_apart(folder, compared.files()).map(|()| folder)).transpose();
    let told = match arguments.format {
        ComparisonFormat::Text => {
            let mut text = compared.terminal(look.style());
            if let Ok(Some(folder)) = &saved {
                text = format!("{text}\nComparison: {}\n", folder.join("comparison.html").display());
            }
            output::print(text)
        }
        ComparisonFormat::Markdown => output::print(compared.markdown()),
        ComparisonFormat::Html => output::print(compared.html()),
        ComparisonFormat::Csv => output::print(compared.csv()),
        ComparisonFormat::Json => output::print(compared.json().unwrap_or_default()),
    };
    Failure::first_of(saved.map_err(Failure::usage), told)?;
    Ok(compared.comparison.standing.into())
}
