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
/// Lists differences of the setup; a different scenario, server or setting is refused. Then p50, p99 and throughput of every
/// row, with the change, its confidence interval, and the smallest detectable change. Regressions follow from the spread of a
/// baseline of seven runs or more, and from --threshold for fewer runs.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{HELP}"))]
pub(super) struct Arguments {
    /// Name of a baseline, or result folder of a run; `./NAME` is always a folder
    #[arg(value_name = "BASE")]
    base: String,
    /// Result folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    comparison: ComparisonArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ComparisonFormat,
    /// Folder for comparison.html, .md, .csv and .json and all charts; default: none are written
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
    2  wrong usage, or unknown run or baseline
    3  not comparable, no valid run in the baseline, or invalid measurement of the run
    4  inconclusive";

/// Output format of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum ComparisonFormat {
    /// Text for a terminal
    #[default]
    Text,
    /// Markdown
    Markdown,
    /// One HTML page
    Html,
    /// CSV, a row per quantity
    Csv,
    /// JSON, described by `plimsoll schema comparison`
    Json,
}

pub(super) fn run(arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    let BaselineRuns { name, mut runs } = held(&arguments.base, &Baselines::of(&arguments.results.results))?;
    let run = abstract_at(&arguments.run)?;
    let count = runs.len();
    // Compared with itself, a run never differs.
    runs.retain(|other| !other.is_of_same_run(&run));
    if runs.is_empty() {
        return Err(Failure::usage(anyhow!("both are the same run")));
    }
    if runs.len() < count {
        stderr::print(&format!("note: {} is a run of {name}; it is compared with the other runs of {name}", run.name));
    }
    let compared = ComparisonReport::new(name, runs, run, arguments.comparison.options());
    let out = arguments.out.as_ref();
    let saved = out.map(|folder| results::write_apart(folder, compared.files()).map(|()| folder)).transpose();
    let printed = match arguments.format {
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
    Failure::first_of(saved.map_err(Failure::usage), printed)?;
    Ok(compared.comparison.verdict.into())
}
