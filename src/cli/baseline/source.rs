//! What a command line means by a run or a baseline.

use std::path::Path;

use anyhow::anyhow;

use crate::{
    cli::{exit::Failure, report::Concluded},
    results::{self, Abstract, Baselines, Saved},
};

/// Runs that others are held against, and what they are called.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Held {
    pub(in crate::cli) name: String,
    pub(in crate::cli) runs: Vec<Abstract>,
}

/// The abstract of a saved run.
pub(in crate::cli) fn abstract_at(folder: &Path) -> Result<Abstract, Failure> {
    match results::load(folder).map_err(Failure::usage)? {
        Saved::Run(run) => Ok(Concluded::new(*run)?.abstracted(folder)),
        Saved::Capacity(_) => Err(Failure::usage(anyhow!(
            "{} is a capacity run; its trials are runs: give {} or another",
            folder.display(),
            folder.join("trials/001").display()
        ))),
        Saved::Gate(_) => Err(Failure::usage(anyhow!("{} is a gate, which compares by itself", folder.display()))),
        Saved::Ci(_) => Err(Failure::usage(anyhow!(
            "{} is of plimsoll ci; give one of its runs, which are in {}",
            folder.display(),
            folder.join("runs").display()
        ))),
    }
}

/// What a run is called: its folder, and the one above where that is just a number.
pub(in crate::cli) fn name_of(folder: &Path) -> String {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let full = if full.is_file() { full.parent().map(Path::to_owned).unwrap_or_default() } else { full };
    let mut parts = full.iter().rev().map(|part| part.to_string_lossy().into_owned());
    let name = parts.next().unwrap_or_else(|| "run".to_owned());
    match (parts.next().as_deref(), parts.next()) {
        (Some("trials"), Some(capacity)) => format!("{capacity}-trial-{name}"),
        _ => name,
    }
}

/// What a word names: a baseline, else a result folder. A path with a `/` in it is no name: `./nightly` is the folder.
pub(in crate::cli) fn held(word: &str, baselines: &Baselines) -> Result<Held, Failure> {
    let is_name = baselines.file(word).is_ok();
    if is_name && let Some(baseline) = baselines.find(word).map_err(Failure::usage)? {
        return Ok(Held { name: word.to_owned(), runs: baseline.runs });
    }
    let folder = Path::new(word);
    if folder.exists() {
        let run = abstract_at(folder)?;
        return Ok(Held { name: run.name.clone(), runs: vec![run] });
    }
    Err(Failure::usage(if is_name {
        anyhow!(
            "{word} is neither a baseline nor a result folder; `plimsoll baseline list` and `plimsoll list` name what there is"
        )
    } else {
        anyhow!("there is no run in {word}; `plimsoll list` names those in results")
    }))
}
