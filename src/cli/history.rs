//! `plimsoll history`: all saved runs of a scenario over time.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::{
    against::abstracted,
    args::output::ResultsArgs,
    exit::{Exit, Failure},
    output::{self, Look},
    progress::Display,
    stderr,
};
use crate::{
    analysis::baseline::history,
    report::{Document, HistoryReport, RunReport},
    results::{self, Abstract, Baselines, ResultsError, Saved},
    scenario,
};

/// Show all saved runs of a scenario over time, with change points
///
/// Reads the runs in the results folder and in its baselines, each once. Runs whose setup differs from that of the newest are
/// left out. From twenty valid and complete runs on, change points of p50, p99 and throughput are computed (E-divisive). The
/// exit code is 0 whatever the result.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll history                              the only scenario with saved runs
  plimsoll history queue --out /tmp/history     with the chart, as HTML, Markdown and CSV
  plimsoll history queue --format csv           for tools that detect change points")]
pub(super) struct Arguments {
    /// Name of the scenario; default: the only one with saved runs
    scenario: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: HistoryFormat,
    /// Folder for history.html, .md, .csv and the chart; default: none are written
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    results: ResultsArgs,
}

/// Output format of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum HistoryFormat {
    /// Text for a terminal
    #[default]
    Text,
    /// CSV, for spreadsheets and change point tools
    Csv,
}

pub(super) fn run(arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    let mut runs = Vec::new();
    let display = Display::new(true);
    collect(&arguments.results.results, &mut runs, &display)?;
    display.step("Computing change points");
    for (name, baseline) in Baselines::of(&arguments.results.results).list().map_err(Failure::usage)? {
        match baseline {
            Ok(baseline) => runs.extend(baseline.runs),
            Err(error) => stderr::print(&format!("warning: baseline {name} left out: {}", Failure::usage(error))),
        }
    }
    let all: Vec<(String, Abstract)> = runs
        .into_iter()
        .filter_map(|run| Some((scenario::parse(&run.scenario, "scenario of a saved run").ok()?.name, run)))
        .collect();
    let names: BTreeSet<String> = all.iter().map(|(name, _)| name.clone()).collect();
    let scenario = chosen(arguments, &Vec::from_iter(names))?;
    let runs = all.into_iter().filter(|(name, _)| *name == scenario).map(|(_, run)| run).collect();
    let chronicle = HistoryReport { scenario, history: history(runs) };
    let out = arguments.out.as_ref();
    let saved = out.map(|folder| results::write_apart(folder, chronicle.files()).map(|()| folder)).transpose();
    display.clear();
    let printed = match arguments.format {
        HistoryFormat::Csv => output::print(chronicle.csv()),
        HistoryFormat::Text => {
            let mut text = chronicle.terminal(look.style());
            if let Ok(Some(folder)) = &saved {
                text = format!("{text}\nHistory: {}\n", folder.join("history.html").display());
            }
            output::print(text)
        }
    };
    Failure::first_of(saved.map_err(Failure::usage), printed)?;
    Ok(Exit::Success)
}

/// The runs in a folder of results, and those that `plimsoll ci` made within.
fn collect(results: &Path, runs: &mut Vec<Abstract>, display: &Display) -> Result<(), Failure> {
    let folders = results::result_folders(results).map_err(Failure::usage)?;
    // One after another: a run is a hundred times as large as what is kept of it.
    for (at, folder) in folders.iter().enumerate() {
        display.reading(at, folders.len());
        let run = match results::load(folder) {
            Ok(Saved::Run(run)) => {
                RunReport::new(*run).map(|report| abstracted(&report, folder)).map_err(Failure::usage)
            }
            Ok(Saved::Ci(_)) => {
                collect(&folder.join("runs"), runs, display)?;
                continue;
            }
            Ok(Saved::Capacity(_) | Saved::Gate(_)) | Err(ResultsError::Shard { .. }) => continue,
            Err(error) => Err(Failure::usage(error)),
        };
        match run {
            Ok(run) => runs.push(run),
            // What cannot be read does not hide the rest.
            Err(failure) => display.say(&format!("warning: run left out: {failure}")),
        }
    }
    Ok(())
}

/// The scenario named, or the only one.
fn chosen(arguments: &Arguments, names: &[String]) -> Result<String, Failure> {
    let place = arguments.results.results.display();
    match (&arguments.scenario, names) {
        (_, []) => Err(Failure::usage(anyhow!("no saved runs in {place}: `plimsoll run` saves one"))),
        (Some(name), names) if names.contains(name) => Ok(name.clone()),
        (Some(name), names) => {
            Err(Failure::usage(anyhow!("no runs of {name} in {place}; it has runs of {}", names.join(", "))))
        }
        (None, [only]) => Ok(only.clone()),
        (None, names) => {
            Err(Failure::usage(anyhow!("{place} has runs of {}: pass one of these names", names.join(", "))))
        }
    }
}
