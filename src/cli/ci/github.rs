//! GitHub Actions: the summary of the job and annotations.

use std::{
    env,
    fs::{File, OpenOptions},
    io::Write as _,
    path::PathBuf,
};

use clap::ValueEnum;

use crate::{
    cli::{exit::Failure, stderr},
    report::ci::{annotations, summary},
    results::Ci,
};

/// Names the file that becomes the summary of the job.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Set where a job of GitHub Actions runs.
const ACTIONS: &str = "GITHUB_ACTIONS";

/// When annotations are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Annotations {
    /// Where `GITHUB_ACTIONS` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Where it is reported.
pub(super) struct Github {
    annotate: bool,
    summary: Option<(PathBuf, File)>,
}

impl Github {
    /// Outputs that the environment asks for. A summary that cannot be written is an error before any run.
    pub(super) fn of_environment(annotations: Annotations) -> Result<Self, Failure> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let annotate = match annotations {
            Annotations::Auto => set(ACTIONS).is_some(),
            Annotations::Always => true,
            Annotations::Never => false,
        };
        let open = |path: PathBuf| match OpenOptions::new().create(true).append(true).open(&path) {
            Ok(file) => Ok((path, file)),
            Err(error) => {
                let why = format!(
                    "could not write to {} ({SUMMARY}): unset the variable to omit the summary",
                    path.display()
                );
                Err(Failure::usage(anyhow::Error::new(error).context(why)))
            }
        };
        let summary = set(SUMMARY).map(PathBuf::from).map(open).transpose()?;
        Ok(Self { annotate, summary })
    }

    /// Reports it.
    pub(super) fn tell(&mut self, ci: &Ci) -> Result<(), Failure> {
        if self.annotate {
            // Either stream will do for GitHub, and standard output may have to be JSON.
            let annotations = annotations(ci);
            if !annotations.is_empty() {
                stderr::print(annotations.trim_end());
            }
        }
        let Some((path, file)) = &mut self.summary else { return Ok(()) };
        file.write_all(summary(ci).as_bytes()).map_err(|error| {
            Failure::usage(anyhow::Error::new(error).context(format!("could not write to {}", path.display())))
        })
    }
}
