//! Conclusions drawn from what was measured, once that is saved: nothing that goes wrong with them may lose it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use anyhow::anyhow;

use super::exit::Failure;
use crate::{report::File, results::ResultFolder};

/// What is concluded, and the files that say so.
pub(super) type Drawn<T> = Result<(T, Vec<File>), Failure>;

/// Saves what was measured, then draws conclusions and saves their files. Gives the conclusions, and the place of the result
/// or why not all of it could be saved.
///
/// # Errors
///
/// Where no conclusions could be drawn. The message names the folder of what was measured.
pub(super) fn save_and_conclude<T>(
    folder: ResultFolder,
    measured: (&str, &[u8]),
    draw: impl FnOnce() -> Drawn<T>,
) -> Result<(T, Result<PathBuf, Failure>), Failure> {
    let mut concluded = None;
    let saved = folder.save(measured, || match conclude(draw) {
        Ok((report, files)) => {
            concluded = Some(Ok(report));
            files
        }
        Err(failure) => {
            concluded = Some(Err(failure));
            Vec::new()
        }
    });
    let saved = saved.map_err(Failure::usage);
    match concluded.expect("the files are asked for in any case") {
        Ok(report) => Ok((report, saved)),
        Err(failure) => Err(saved.map_or_else(|unsaved| unsaved, |place| unconcluded(&place, failure))),
    }
}

/// Draws conclusions. A panic is a failure here like any other.
pub(super) fn conclude<T>(draw: impl FnOnce() -> Drawn<T>) -> Drawn<T> {
    catch_unwind(AssertUnwindSafe(draw)).unwrap_or_else(|_| {
        Err(Failure::unusable(anyhow!("internal error: please report it with the message printed above")))
    })
}

/// A failure to conclude anything, with the folder that holds what was measured.
pub(super) fn unconcluded(place: &Path, failure: Failure) -> Failure {
    failure.within(&format!(
        "the result is saved, but its report failed: retry with `plimsoll report {}`",
        place.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_concluding_loses_nothing_that_was_measured() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("mine");
        let folder = ResultFolder::claim(&place, false).unwrap();
        let failed = save_and_conclude(folder, ("run.json", b"{}"), || -> Drawn<()> { panic!("in the analysis") });
        let message = failed.unwrap_err().to_string();
        assert_eq!(std::fs::read(place.join("run.json")).unwrap(), b"{}");
        assert!(
            message.contains(&format!("`plimsoll report {}`", place.display())) && message.contains("internal"),
            "{message}"
        );
    }
}
