//! The folder of a `plimsoll ci`: hidden until the first scenario is over, then written anew after each.

use std::path::{Path, PathBuf};

use crate::{
    cli::{exit::Failure, leftovers::Leftovers},
    report,
    results::{self, Ci, ResultFolder},
};

/// The artifact in its folder.
const FILE: &str = "ci.json";

/// The folder.
pub(super) struct Journal {
    leftovers: Leftovers,
    hidden: PathBuf,
    /// `None` until there is something to show.
    shown: Option<PathBuf>,
}

impl Journal {
    /// Claims the folder.
    pub(super) fn open(place: &Path, force: bool, leftovers: Leftovers) -> Result<Self, Failure> {
        let folder = ResultFolder::claim(place, force).map_err(Failure::usage)?;
        let hidden = folder.hidden().to_owned();
        leftovers.hold_folder(folder);
        Ok(Self { leftovers, hidden, shown: None })
    }

    /// Where it lies now; whatever is put there moves along when it is shown.
    pub(super) fn place(&self) -> &Path {
        self.shown.as_deref().unwrap_or(&self.hidden)
    }

    /// Where it lies, once there is something to see.
    pub(super) fn shown(&self) -> Option<&Path> {
        self.shown.as_deref()
    }

    /// Writes everything anew, the artifact last, so that it is whole at any time.
    pub(super) fn write(&mut self, ci: &Ci) -> Result<(), Failure> {
        let mut files = report::ci_files(ci);
        files.push((FILE.to_owned(), ci.to_json().into_bytes()));
        if let Some(folder) = &self.shown {
            return results::rewrite(folder, files).map_err(Failure::usage);
        }
        let folder = self.leftovers.take_folder().ok_or_else(Failure::interrupted)?;
        for (name, content) in files {
            folder.write(&name, &content).map_err(Failure::usage)?;
        }
        self.shown = Some(folder.publish().map_err(Failure::usage)?);
        self.leftovers.let_go_of_folder();
        Ok(())
    }
}
