//! Options of results and output.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use crate::cli::output::Format;

/// Folder of all results.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ResultsArgs {
    /// Folder of all results, and of the baselines in its folder `baselines`
    #[arg(long, value_name = "DIR", default_value = "results", help_heading = "Results")]
    pub(in crate::cli) results: PathBuf,
}

/// Summary on standard output.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct FormatArgs {
    /// Format of the summary on standard output
    #[arg(long, value_enum, default_value_t, help_heading = "Results")]
    pub(in crate::cli) format: Format,
}

/// Progress on standard error.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct QuietArgs {
    /// Print neither plan nor progress on standard error; no step is skipped
    #[arg(long, short, help_heading = "Results")]
    pub(in crate::cli) quiet: bool,
}

/// Result folder of a measurement, and its summary.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct OutputArgs {
    /// Result folder; default: a folder in --results with the name of the scenario and the time
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    out: Option<PathBuf>,
    /// Replace an existing result folder
    #[arg(long, requires = "out", help_heading = "Results")]
    pub(in crate::cli) force: bool,
    #[command(flatten)]
    results: ResultsArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    quiet: QuietArgs,
}

impl OutputArgs {
    /// The folder for the results of something with this name.
    pub(in crate::cli) fn place(&self, name: &str) -> PathBuf {
        let timed = || vacant(self.results(), &format!("{name}-{}", Timestamp::now().strftime("%Y%m%dT%H%M%SZ")));
        self.out.clone().unwrap_or_else(timed)
    }

    /// The folder that holds all results.
    pub(in crate::cli) fn results(&self) -> &Path {
        &self.results.results
    }

    /// Form of the summary.
    pub(in crate::cli) fn format(&self) -> Format {
        self.format.format
    }

    /// Whether neither a plan nor progress is shown.
    pub(in crate::cli) fn quiet(&self) -> bool {
        self.quiet.quiet
    }
}

/// A folder for results that is not there yet, by this name or the next that is free.
fn vacant(results: &Path, stem: &str) -> PathBuf {
    let others = (2..).map(|number| results.join(format!("{stem}-{number}")));
    let mut free = std::iter::once(results.join(stem)).chain(others).filter(|folder| !folder.exists());
    free.next().expect("numbers do not end")
}
