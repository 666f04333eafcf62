//! `plimsoll report`: everything that is made from a run, once more from the saved run alone.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};

use super::{
    baseline::{Against, name_of},
    capacity::ConcludedCapacity,
    exit::{Exit, Failure},
    gate::ConcludedGate,
    output::{self, Format, Look},
    progress::Display,
};
use crate::{
    analysis::{
        Analysis, analyse,
        baseline::{Standing, abstract_of},
    },
    report::{self, AuditLimit},
    results::{self, Abstract, Ci, CiCheck, CiScenario, Run, Saved},
    scenario::{self, Scenario},
};

/// Rebuild all reports of a saved run and print its summary
///
/// Reads nothing but `run.json`, or `capacity.json`, `gate.json` or `ci.json` of the other commands, so reports get better with later versions of plimsoll. Ends with exit code 0 once they
/// are written, whatever the verdict.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll report results/queue-20260214T101500Z
  plimsoll report results/queue-20260214T101500Z --open
  plimsoll report results/queue-20260214T101500Z --style analysis --open
  plimsoll report results/queue-20260214T101500Z --format json | jq .verdict")]
pub(super) struct Arguments {
    /// Result folder, as `plimsoll list` names it
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write this document as well, as HTML and Markdown
    #[arg(long, value_enum, value_name = "STYLE")]
    style: Option<Document>,
    /// Show the HTML report in the browser
    #[arg(long)]
    open: bool,
    /// Form of the summary
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A document besides the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Document {
    /// The whole server as an operator would describe it: latency, resources, users, configuration, recommendations.
    Analysis,
}

/// A run with what follows from it.
pub(super) struct Concluded {
    run: Run,
    scenario: Scenario,
    /// What is concluded.
    pub(super) analysis: Analysis,
    /// What a comparison with a baseline says, where one was asked for.
    pub(super) against: Option<Against>,
}

impl Concluded {
    /// Draws the conclusions.
    pub(super) fn new(run: Run) -> Result<Self, Failure> {
        let scenario = scenario::parse(&run.scenario, "scenario of the saved run").map_err(Failure::usage)?;
        let analysis = analyse(&run, &scenario);
        Ok(Self { run, scenario, analysis, against: None })
    }

    /// The abstract of the run that lies in a folder, or will.
    pub(super) fn abstracted(&self, folder: &Path) -> Abstract {
        abstract_of(&self.run, &self.analysis, &name_of(folder))
    }

    /// What came of holding the run against others, if that was asked for.
    pub(super) fn standing(&self) -> Option<Standing> {
        self.against.as_ref().map(Against::standing)
    }

    /// Every file of the result folder except the run itself, and the document that is asked for besides.
    pub(super) fn files(&self, style: Option<Document>) -> Vec<(String, Vec<u8>)> {
        let compared = self.against.as_ref().map(Against::compared);
        let mut files = report::files_against(&self.run, &self.scenario, &self.analysis, compared.as_ref());
        if style == Some(Document::Analysis) {
            files.extend(report::analysis_files(&self.run, &self.scenario, &self.analysis));
        }
        files
    }

    /// The verdict in one sentence.
    pub(super) fn headline(&self) -> String {
        report::headline(&self.run, &self.scenario, &self.analysis)
    }

    /// What CI is told of it.
    pub(super) fn for_ci(&self, name: &str, limit: AuditLimit) -> CiScenario {
        report::ci_scenario(name, &self.run, &self.scenario, &self.analysis, limit)
    }

    /// What CI is told of the comparison with a baseline, if there was one.
    pub(super) fn comparison_for_ci(&self, name: &str, fails: bool) -> Option<CiCheck> {
        self.against.as_ref().map(|against| report::ci_comparison(name, &against.compared(), fails))
    }

    /// What is printed of a run, and of the folder that it lies in if it does.
    pub(super) fn summary(&self, format: Format, look: Look, folder: Option<&Path>, style: Option<Document>) -> String {
        let compared = self.against.as_ref().map(Against::compared);
        let compared = compared.as_ref();
        match format {
            Format::Json => report::json_summary(&self.run, &self.scenario, &self.analysis, compared),
            Format::Text => {
                let mut text = report::terminal(&self.run, &self.scenario, &self.analysis, compared, look.style());
                if let Some(folder) = folder {
                    text.push_str(&reported(folder));
                    if style.is_some() {
                        text = format!("{text}Analysis: {}\n", shown(&folder.join(page(style))).display());
                    }
                }
                text
            }
        }
    }
}

/// Where the report is, in words.
pub(super) fn reported(folder: &Path) -> String {
    format!("\nReport: {}\n", shown(&folder.join(HTML)).display())
}

/// What is printed of a `plimsoll ci`.
pub(super) fn ci_text(ci: &Ci, format: Format, look: Look) -> String {
    match format {
        Format::Json => ci.to_json(),
        Format::Text => report::ci_terminal(ci, look.style()),
    }
}

/// Where the summary of a `plimsoll ci` is, in words.
pub(super) fn summarised(folder: &Path) -> String {
    format!("\nSummary: {}\n", shown(&folder.join(report::CI_SUMMARY)).display())
}

/// A path as short as it can be from here.
fn shown(path: &Path) -> &Path {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path)
}

/// The report that people open.
const HTML: &str = "report.html";

/// The page of a document.
fn page(style: Option<Document>) -> &'static str {
    match style {
        Some(Document::Analysis) => report::ANALYSIS_HTML,
        None => HTML,
    }
}

pub(super) fn run(arguments: &Arguments, look: Look) -> Result<Exit, Failure> {
    let folder = &arguments.folder;
    if folder.is_file() {
        return Err(Failure::usage(anyhow!("{} is a file; give the folder that it lies in", folder.display())));
    }
    let display = Display::new(true);
    display.step("Writing the report");
    let (files, summary) = match results::load(folder).map_err(Failure::usage)? {
        Saved::Run(run) => {
            let mut concluded = Concluded::new(*run)?;
            concluded.against = Against::again(folder, || concluded.abstracted(folder))?;
            let summary = concluded.summary(arguments.format, look, Some(folder), arguments.style);
            (concluded.files(arguments.style), summary)
        }
        Saved::Capacity(_) if arguments.style.is_some() => {
            return Err(Failure::usage(anyhow!(
                "a capacity run has no document of this style, but each of its trials does: give {} or another",
                folder.join("trials/001").display()
            )));
        }
        Saved::Gate(_) if arguments.style.is_some() => {
            return Err(Failure::usage(anyhow!("a gate has no document of this style; leave --style out")));
        }
        Saved::Gate(gate) => {
            let concluded = ConcludedGate::new(*gate)?;
            (concluded.files(), concluded.summary(arguments.format, look, Some(folder)))
        }
        Saved::Ci(_) if arguments.style.is_some() || arguments.open => {
            return Err(Failure::usage(anyhow!(
                "what plimsoll ci saved has no page of its own, but each of its runs has: name one of those in {}",
                folder.join("runs").display()
            )));
        }
        Saved::Ci(ci) => {
            let mut text = ci_text(&ci, arguments.format, look);
            if arguments.format == Format::Text {
                text.push_str(&summarised(folder));
            }
            (report::ci_files(&ci), text)
        }
        Saved::Capacity(capacity) => {
            let concluded = ConcludedCapacity::new(*capacity)?;
            (concluded.files(), concluded.summary(arguments.format, look, Some(folder)))
        }
    };
    let saved = results::rewrite(folder, files).map_err(Failure::usage);
    display.clear();
    Failure::first_of(saved, output::print(summary))?;
    if arguments.open {
        open(&folder.join(page(arguments.style))).map_err(Failure::usage)?;
    }
    Ok(Exit::Met)
}

/// Programs that open a file with what the person likes to open such files with.
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
                bail!("{opener} could not show {}; open it yourself", file.display());
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(anyhow!(error).context(format!("could not start {opener}"))),
        }
    }
    bail!("nothing to open {} with ({} is not installed); open it yourself", file.display(), OPENERS.join(" or "))
}
