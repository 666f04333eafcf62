//! Where a capacity run is written as it goes on: hidden until the first trial is over, then anew after each.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Arguments, plan::Errand};
use crate::{
    cli::{exit::Failure, leftovers::Leftovers, run::vacant},
    results::{self, Capacity, ResultFolder},
};

/// The saved capacity run in its folder.
const FILE: &str = "capacity.json";

/// The folder of a capacity run.
#[derive(Debug)]
pub(super) struct Journal {
    leftovers: Leftovers,
    /// `None` until there is something to show.
    folder: Option<PathBuf>,
}

impl Journal {
    /// Claims the folder, or takes that of the capacity run that is continued.
    pub(super) fn open(arguments: &Arguments, errand: &Errand, leftovers: &Leftovers) -> Result<Self, Failure> {
        let folder = errand.saved.as_ref().map(|(folder, _)| folder.clone());
        if folder.is_none() {
            let place = arguments.out.clone().unwrap_or_else(|| vacant(&stem(errand)));
            leftovers.hold_folder(ResultFolder::claim(&place, arguments.force).map_err(Failure::usage)?);
        }
        Ok(Self { leftovers: leftovers.clone(), folder })
    }

    /// Where it lies, once there is something to see.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Writes files and then the capacity run itself, which is whole at any time.
    pub(super) fn write(&mut self, mut files: Vec<(String, Vec<u8>)>, capacity: &Capacity) -> Result<(), Failure> {
        files.push((FILE.to_owned(), capacity.to_json().into_bytes()));
        if let Some(folder) = &self.folder {
            return results::rewrite(folder, files).map_err(Failure::usage);
        }
        let folder = self.leftovers.take_folder().ok_or_else(Failure::interrupted)?;
        for (name, content) in files {
            folder.write(&name, &content).map_err(Failure::usage)?;
        }
        self.folder = Some(folder.publish().map_err(Failure::usage)?);
        self.leftovers.let_go_of_folder();
        Ok(())
    }
}

fn stem(errand: &Errand) -> String {
    format!("{}-capacity-{}", errand.scenario.name, Timestamp::now().strftime("%Y%m%dT%H%M%SZ"))
}
