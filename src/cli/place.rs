//! Where results go, and what they are called there.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

/// Where results go unless the command line says otherwise.
pub(super) const RESULTS: &str = "results";

/// Where the results of a measurement go, and where those before it are.
#[derive(Debug, Clone, Args)]
pub(super) struct Place {
    /// Folder for the results, instead of one in that of --results that is named by the scenario and the time
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    out: Option<PathBuf>,
    /// Replace a result folder that is there already
    #[arg(long, requires = "out", help_heading = "Results")]
    force: bool,
    /// Folder that holds results and, in `baselines`, the baselines
    #[arg(long, value_name = "DIR", default_value = RESULTS, help_heading = "Results")]
    results: PathBuf,
}

impl Place {
    /// The folder for the results of something with this name.
    pub(super) fn of(&self, name: &str) -> PathBuf {
        let timed = || vacant(&self.results, &format!("{name}-{}", Timestamp::now().strftime("%Y%m%dT%H%M%SZ")));
        self.out.clone().unwrap_or_else(timed)
    }

    /// Whether a result that is there already is replaced.
    pub(super) fn force(&self) -> bool {
        self.force
    }

    /// The folder that holds all results.
    pub(super) fn results(&self) -> &Path {
        &self.results
    }
}

/// A folder for results that is not there yet, by this name or the next that is free.
fn vacant(results: &Path, stem: &str) -> PathBuf {
    let others = (2..).map(|number| results.join(format!("{stem}-{number}")));
    let mut free = std::iter::once(results.join(stem)).chain(others).filter(|folder| !folder.exists());
    free.next().expect("numbers do not end")
}

/// What a run is called: its folder, and the one above where that is just a number.
pub(super) fn name_of(folder: &Path) -> String {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let full = if full.is_file() { full.parent().map(Path::to_owned).unwrap_or_default() } else { full };
    let mut parts = full.iter().rev().map(|part| part.to_string_lossy().into_owned());
    let name = parts.next().unwrap_or_else(|| "run".to_owned());
    match (parts.next().as_deref(), parts.next()) {
        (Some("trials"), Some(capacity)) => format!("{capacity}-trial-{name}"),
        _ => name,
    }
}
