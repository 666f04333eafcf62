//! `plimsoll report`: everything that is made from a run, once more from the saved run alone.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;

use super::{
    against::again,
    args::output::FormatArgs,
    exit::{Exit, Failure},
    output::{self, Look, Style},
    progress::Display,
};
use crate::{
    report::{Document, RunReport, conclude},
    results::{self, Saved},
};

/// Rebuild all reports of a saved run and print its summary
///
/// Reads `run.json`, `capacity.json`, `gate.json` or `ci.json` only, so a later version of plimsoll rebuilds earlier reports.
/// The exit code is 0 whatever the verdict.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll report results/queue-20260214T101500Z
  plimsoll report \
                        results/queue-20260214T101500Z --open
  plimsoll report results/queue-20260214T101500Z --style \
                        analysis --open
  plimsoll report results/queue-20260214T101500Z --format json | jq .verdict")]
pub(super) struct Arguments {
    /// Result folder, as listed by `plimsoll list`
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Additional document to write, as HTML and Markdown
    #[arg(long, value_enum, value_name = "STYLE")]
    style: Option<Style>,
    /// Open the HTML report in the browser
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn run(arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    let folder = &arguments.folder;
    let format = arguments.format.format;
    if folder.is_file() {
        return Err(Failure::usage(anyhow!("{} is a file: pass its folder", folder.display())));
    }
    let display = Display::new(true);
    display.step("Writing the report");
    let saved = results::load(folder).map_err(Failure::usage)?;
    refuse(arguments, &saved)?;
    let (document, analysis) = match saved {
        Saved::Run(run) => {
            let mut report = RunReport::new(*run).map_err(Failure::usage)?;
            report.against = again(folder, &report)?;
            let analysis = arguments.style.map(|Style::Analysis| report.analysis_files());
            (Box::new(report) as Box<dyn Document>, analysis)
        }
        saved => (conclude(saved).map_err(Failure::usage)?, None),
    };
    let files = document.files().into_iter().chain(analysis.into_iter().flatten()).collect();
    let summary = output::summary(document.as_ref(), format, look, Some(folder), arguments.style);
    let saved = results::rewrite(folder, files).map_err(Failure::usage);
    display.clear();
    Failure::first_of(saved, output::print(summary))?;
    if arguments.open {
        open(&folder.join(arguments.style.map_or("report.html", Style::page))).map_err(Failure::usage)?;
    }
    Ok(Exit::Success)
}

/// Refuses subjects without a document of this style.
fn refuse(arguments: &Arguments, saved: &Saved) -> Result<(), Failure> {
    let folder = &arguments.folder;
    let refused = match saved {
        Saved::Capacity(_) if arguments.style.is_some() => anyhow!(
            "a capacity run has no document of this style: pass one of its trials, such as {}",
            folder.join("trials/001").display()
        ),
        Saved::Gate(_) if arguments.style.is_some() => {
            anyhow!("a gate has no document of this style: omit --style")
        }
        Saved::Ci(_) if arguments.style.is_some() || arguments.open => {
            anyhow!("a result of plimsoll ci has no page: pass one of its runs, in {}", folder.join("runs").display())
        }
        _ => return Ok(()),
    };
    Err(Failure::usage(refused))
}

/// Programs that open a file with the user's default application.
const OPENERS: &[&str] = if cfg!(target_os = "macos") { &["open"] } else { &["xdg-open", "wslview"] };

fn open(file: &Path) -> anyhow::Result<()> {
    for opener in OPENERS {
        let started = Command::new(opener).arg(file).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        match started {
            Ok(mut child) => {
                let status = child.wait().with_context(|| format!("could not wait for {opener}"))?;
                if status.success() {
                    return Ok(());
                }
                bail!("{opener} could not open {}: open it by hand", file.display());
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(anyhow!(error).context(format!("could not start {opener}"))),
        }
    }
    bail!("no program to open {} ({} is not installed): open it by hand", file.display(), OPENERS.join(" or "))
}
