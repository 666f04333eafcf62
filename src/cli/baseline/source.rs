//! Meaning of an argument that names a run or a baseline.

use std::path::Path;

use anyhow::anyhow;

use crate::{
    cli::{
        against::{BaselineRuns, abstracted},
        exit::Failure,
    },
    report::RunReport,
    results::{self, Abstract, Baselines, Saved},
};

/// The abstract of a saved run.
pub(in crate::cli) fn abstract_at(folder: &Path) -> Result<Abstract, Failure> {
    match results::load(folder).map_err(Failure::usage)? {
        Saved::Run(run) => Ok(abstracted(&RunReport::new(*run).map_err(Failure::usage)?, folder)),
        Saved::Capacity(_) => Err(Failure::usage(anyhow!(
            "{} is a capacity run: pass one of its trials, such as {}",
            folder.display(),
            folder.join("trials/001").display()
        ))),
        Saved::Gate(_) => Err(Failure::usage(anyhow!("{} is a gate, not a run", folder.display()))),
        Saved::Ci(_) => Err(Failure::usage(anyhow!(
            "{} was written by `plimsoll ci`: pass one of its runs, in {}",
            folder.display(),
            folder.join("runs").display()
        ))),
    }
}

/// Meaning of a word: a baseline, else a result folder. A word with a `/` is a path: `./nightly` is the folder.
pub(in crate::cli) fn held(word: &str, baselines: &Baselines) -> Result<BaselineRuns, Failure> {
    let is_name = baselines.file(word).is_ok();
    if is_name && let Some(baseline) = baselines.find(word).map_err(Failure::usage)? {
        return Ok(BaselineRuns { name: word.to_owned(), runs: baseline.runs });
    }
    let folder = Path::new(word);
    if folder.exists() {
        let run = abstract_at(folder)?;
        return Ok(BaselineRuns { name: run.name.clone(), runs: vec![run] });
    }
    Err(Failure::usage(if is_name {
        anyhow!("{word} is neither a baseline nor a result folder: see `plimsoll baseline list` and `plimsoll list`")
    } else {
        anyhow!("no run in {word}: `plimsoll list` lists saved runs")
    }))
}
