//! Errors of saved files.

use std::{
    error::Error as _,
    io,
    path::{Path, PathBuf},
};

use serde_json::error::Category;

/// Error of saving or reading.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// A file or folder that cannot be used.
    #[error("could not {action} {}", path.display())]
    Io {
        /// Attempts.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Reason of the failure.
        #[source]
        source: io::Error,
    },
    /// A result that could not be written to its folder as a whole.
    #[error("{}: {}; {}", source, source.reason(), whereabouts(kept.as_deref()))]
    Incomplete {
        /// Files that could not be written.
        source: Box<ResultsError>,
        /// Where what was measured is all the same.
        kept: Option<PathBuf>,
    },
    /// There is no run.
    #[error("there is no saved run in {}; `plimsoll list` names those in results", place.display())]
    NoRun {
        /// Where it was looked for.
        place: PathBuf,
    },
    /// There is no baseline of that name.
    #[error("there is no baseline {name} in {}; `plimsoll baseline list` names those that there are", folder.display())]
    NoBaseline {
        /// Its name.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A baseline that cannot be read.
    #[error("{}: {source}; restore it, or `plimsoll baseline rm {name}` and save its runs again", file.display())]
    Baseline {
        /// Its name.
        name: String,
        /// Its file.
        file: PathBuf,
        /// Fault.
        source: Box<ResultsError>,
    },
    /// A name that is none for a baseline.
    #[error(
        "\"{name}\" is no name for a baseline; use up to 80 letters, digits, dots, dashes and underscores, the first a letter \
         or a digit"
    )]
    BaselineName {
        /// The name.
        name: String,
    },
    /// Results would be overwritten.
    #[error("{} is not empty; choose another folder with --out, or replace it with --force", place.display())]
    Occupied {
        /// The folder.
        place: PathBuf,
    },
    /// A report would lie among the files of a result.
    #[error("{} is a result folder; choose another folder with --out", place.display())]
    Result {
        /// The folder.
        place: PathBuf,
    },
    /// Something else than a result would be overwritten.
    #[error("{} holds something else than a result, which not even --force replaces; choose another folder with --out", place.display())]
    Foreign {
        /// The folder or file.
        place: PathBuf,
    },
    /// A path without a name of its own.
    #[error("{} names no folder that could be made; give --out one more name", place.display())]
    Nameless {
        /// The path.
        place: PathBuf,
    },
    /// Something saved that contradicts itself.
    #[error("damaged: {0}")]
    Damaged(String),
    /// A file that holds nothing of this version.
    #[error("{}: {source}", file.display())]
    InFile {
        /// The file.
        file: PathBuf,
        /// Fault.
        source: Box<ResultsError>,
    },
    /// Text that is nothing of the kind that was expected.
    #[error("not what plimsoll saves there: {}", fault(.0))]
    Malformed(serde_json::Error),
    /// Written by a later version.
    #[error("written by a newer plimsoll (format {found}; this build reads up to {reads})")]
    Newer {
        /// Format of the file.
        found: u32,
        /// Latest format that this build reads.
        reads: u32,
    },
}

/// Where what was measured is, in words.
fn whereabouts(kept: Option<&Path>) -> String {
    match kept {
        Some(place) => {
            format!("what was measured is in {0}, and `plimsoll report {0}` writes its reports", place.display())
        }
        None => "what was measured could not be saved elsewhere either".to_owned(),
    }
}

/// Error of a text that is no JSON.
fn fault(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "the file is truncated".to_owned(),
        Category::Syntax | Category::Io => {
            format!("invalid JSON at line {}, column {}", error.line(), error.column())
        }
        Category::Data => error.to_string(),
    }
}

impl ResultsError {
    /// A result of which something could not be written.
    pub(super) fn incomplete(source: Self, kept: Option<PathBuf>) -> Self {
        Self::Incomplete { source: Box::new(source), kept }
    }

    /// Reason why a file or folder cannot be used.
    fn reason(&self) -> String {
        self.source().map(ToString::to_string).unwrap_or_default()
    }

    /// Whether what was read makes no sense, rather than being of another version.
    pub(super) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_) | Self::Malformed(_))
    }
}
