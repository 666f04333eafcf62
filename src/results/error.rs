//! Errors of saved files.

use std::{
    error::Error as _,
    io,
    path::{Path, PathBuf},
};

use serde_json::error::Category;

/// Error of saving or reading.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant and its fields mean")]
pub enum ResultsError {
    #[error("could not {action} {}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{}: {}; {}", source, source.reason(), whereabouts(kept.as_deref()))]
    Incomplete { source: Box<ResultsError>, kept: Option<PathBuf> },
    #[error("no saved run in {}: `plimsoll list` lists saved runs", place.display())]
    NoRun { place: PathBuf },
    #[error("{} is one shard of a run: merge it with the others (`plimsoll merge`)", place.display())]
    Shard { place: PathBuf },
    #[error("no shard of a run in {}: expected the folder of a `plimsoll run --shard`", place.display())]
    NoShard { place: PathBuf },
    #[error("no baseline {name} in {}: `plimsoll baseline list` lists the baselines", folder.display())]
    NoBaseline { name: String, folder: PathBuf },
    #[error("{}: {source}: restore it, or `plimsoll baseline rm {name}` and save its runs again", file.display())]
    Baseline { name: String, file: PathBuf, source: Box<ResultsError> },
    #[error(
        "\"{name}\" is not a name of a baseline: use up to 80 letters, digits, dots, dashes and underscores, the first \
         a letter or a digit"
    )]
    BaselineName { name: String },
    #[error("{} is not empty: use another folder with --out, or replace it with --force", place.display())]
    Occupied { place: PathBuf },
    #[error("{} is a result folder: use another folder with --out", place.display())]
    Result { place: PathBuf },
    #[error("{} is not a result folder, and --force does not replace it: use another folder with --out", place.display())]
    Foreign { place: PathBuf },
    #[error("{} is not a possible result folder: append a name to --out", place.display())]
    Nameless { place: PathBuf },
    #[error("damaged: {0}")]
    Damaged(String),
    #[error("{}: {source}", file.display())]
    InFile { file: PathBuf, source: Box<ResultsError> },
    #[error("not a plimsoll result file: {}", fault(.0))]
    Malformed(serde_json::Error),
    #[error("written by a newer plimsoll (format {found}; this build reads up to {reads})")]
    Newer { found: u32, reads: u32 },
}

/// Where what was measured is, in words.
fn whereabouts(kept: Option<&Path>) -> String {
    match kept {
        Some(place) => {
            format!("the measurement is saved in {0}: `plimsoll report {0}` writes its reports", place.display())
        }
        None => "the measurement could not be saved elsewhere either".to_owned(),
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
