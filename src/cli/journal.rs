//! Where a long measurement is written as it goes on: hidden until there is something to see, then anew each time.

use std::path::{Path, PathBuf};

use super::{
    cleanup::{Cleanup, claim},
    conclude::{Drawn, conclude, unconcluded},
    exit::Failure,
    progress::Display,
};
use crate::{
    report::Document,
    results::{self, ResultsError},
};

/// The folder of a measurement that is saved more than once.
#[derive(Debug)]
pub(super) struct Journal {
    cleanup: Cleanup,
    /// File that holds all that was measured.
    file: &'static str,
    /// Final path. Before the first write it is only intended; `publish` picks a free name if it has been taken.
    destination: PathBuf,
    /// Where it lies until then.
    hidden: Option<PathBuf>,
}

impl Journal {
    /// Claims a folder; `file` is the one that holds all that was measured.
    pub(super) fn claim(place: &Path, force: bool, file: &'static str, cleanup: &Cleanup) -> Result<Self, Failure> {
        let claimed = claim(place, force)?;
        let hidden = Some(claimed.hidden().to_owned());
        cleanup.hold_folder(claimed);
        Ok(Self { cleanup: cleanup.clone(), file, destination: place.to_owned(), hidden })
    }

    /// Takes the folder of what is continued.
    pub(super) fn reopen(folder: PathBuf, file: &'static str, cleanup: &Cleanup) -> Self {
        Self { cleanup: cleanup.clone(), file, destination: folder, hidden: None }
    }

    /// Where it lies now; whatever is put there moves along when it is shown.
    pub(super) fn place(&self) -> &Path {
        self.hidden.as_deref().unwrap_or(&self.destination)
    }

    /// Final path.
    pub(super) fn destination(&self) -> &Path {
        &self.destination
    }

    /// Where it lies, once there is something to see.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.hidden.is_none().then_some(&self.destination)
    }

    /// Writes files and then all that was measured, which is whole at any time.
    ///
    /// # Errors
    ///
    /// Where not all could be written. What was measured may lie in another folder then, which is that of the journal from there on.
    pub(super) fn write(&mut self, files: Vec<(String, Vec<u8>)>, measured: String) -> Result<(), Failure> {
        let saved = if let Some(folder) = self.folder() {
            results::save_again(folder, files, (self.file, measured.into_bytes())).map(|()| folder.to_owned())
        } else {
            let folder = self.cleanup.take_folder().ok_or_else(Failure::no_folder)?;
            let saved = folder.save((self.file, measured.as_bytes()), || files);
            self.cleanup.let_go_of_folder();
            saved
        };
        if let Ok(place) | Err(ResultsError::Incomplete { kept: Some(place), .. }) = &saved {
            (self.destination, self.hidden) = (place.clone(), None);
        }
        saved.map(drop).map_err(Failure::usage)
    }

    /// Writes all that was measured, then draws conclusions and writes their files. Gives the conclusions, and why not all of it
    /// could be written.
    ///
    /// # Errors
    ///
    /// Where no conclusions could be drawn. The message names the folder of what was measured.
    pub(super) fn conclude<T>(
        &mut self,
        measured: String,
        draw: impl FnOnce() -> Drawn<T>,
    ) -> Result<(T, Result<(), Failure>), Failure> {
        let saved = self.write(Vec::new(), measured.clone());
        match (conclude(draw), saved) {
            (Ok((report, files)), saved) => Ok((report, saved.and_then(|()| self.write(files, measured)))),
            (Err(failure), Ok(())) => Err(unconcluded(&self.destination, failure)),
            (Err(_), Err(unsaved)) => Err(unsaved),
        }
    }

    /// Writes all that was measured and its report, then calls the callback with the report, and with its folder if all was written.
    pub(super) fn report<R: Document>(
        &mut self,
        measured: String,
        display: &Display,
        make: impl FnOnce() -> Result<R, Failure>,
        tell: impl FnOnce(&R, Option<&Path>) -> Result<(), Failure>,
    ) -> Result<R, Failure> {
        display.step("Writing the report");
        let (report, saved) = self.conclude(measured, || {
            let report = make()?;
            let files = report.files();
            Ok((report, files))
        })?;
        display.clear();
        let printed = tell(&report, self.folder().filter(|_| saved.is_ok()));
        Failure::first_of(saved, printed)?;
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_concluding_loses_nothing_that_was_measured() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("mine");
        let mut journal = Journal::claim(&place, false, "gate.json", &Cleanup::default()).unwrap();
        let failed = journal.conclude("{}".to_owned(), || -> Drawn<()> { panic!("in the analysis") });
        let message = failed.map(|_| ()).unwrap_err().to_string();
        assert_eq!(std::fs::read(place.join("gate.json")).unwrap(), b"{}");
        assert!(message.contains(&format!("`plimsoll report {}`", place.display())), "{message}");
    }
}
