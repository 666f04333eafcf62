//! Result folders: claimed before the load, filled in a hidden sibling, and made visible all at once.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{ResultsError, Run};

/// The file that everything else is made from.
pub(super) const RUN: &str = "run.json";

/// What must fit onto the disk before any load is made: a run of some minutes with its report.
const PROBE_BYTES: usize = 8 << 20;

/// A folder in the making. It lies beside its final place, hidden, and removes itself unless it is published.
#[derive(Debug)]
pub struct ResultFolder {
    place: PathBuf,
    replace: bool,
    hidden: TempDir,
}

impl ResultFolder {
    /// Claims `place` for results, without making it visible yet. Whether a result can be written there is found out now
    /// rather than after the load. An existing folder is refused unless it is empty or `force` is given.
    pub fn claim(place: &Path, force: bool) -> Result<Self, ResultsError> {
        let place = std::path::absolute(place).map_err(|error| io_error("use", place, error))?;
        if !force && occupied(&place)? {
            return Err(ResultsError::Occupied { place });
        }
        let parent = place.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent).map_err(|error| io_error("create", parent, error))?;
        let hidden = tempfile::Builder::new()
            .prefix(".plimsoll-")
            .tempdir_in(parent)
            .map_err(|error| io_error("write to", parent, error))?;
        let folder = Self { place, replace: force, hidden };
        folder.probe()?;
        Ok(folder)
    }

    /// Writes one file; `name` may lie in a folder below.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), ResultsError> {
        write(&self.hidden.path().join(name), content)
    }

    /// Makes the folder visible, whole, and returns its place.
    pub fn publish(self) -> Result<PathBuf, ResultsError> {
        let Self { place, replace, hidden } = self;
        let failed = |error| io_error("create", &place, error);
        if replace && place.exists() {
            // What is there moves away first, so that at no time a mixture of both can be seen.
            let old = tempfile::Builder::new()
                .prefix(".plimsoll-old-")
                .tempdir_in(place.parent().unwrap_or(Path::new("/")))
                .map_err(failed)?;
            fs::rename(&place, old.path().join("old")).map_err(failed)?;
            fs::rename(hidden.path(), &place).map_err(failed)?;
        } else {
            // An empty folder is replaced by the renaming itself.
            fs::rename(hidden.path(), &place).map_err(failed)?;
        }
        // It is not there any more under its hidden name.
        let _ = hidden.keep();
        open_to_readers(&place);
        Ok(place)
    }

    fn probe(&self) -> Result<(), ResultsError> {
        let probe = self.hidden.path().join("probe");
        write(&probe, &vec![0x5a; PROBE_BYTES])?;
        fs::remove_file(&probe).map_err(|error| io_error("write to", &probe, error))
    }
}

/// Reads the run of a result folder.
pub fn load(folder: &Path) -> Result<Run, ResultsError> {
    let file = if folder.is_dir() { folder.join(RUN) } else { folder.to_owned() };
    let text = fs::read_to_string(&file).map_err(|error| io_error("read", &file, error))?;
    Run::from_json(&text).map_err(|source| ResultsError::InFile { file, source: Box::new(source) })
}

/// Writes files of a result folder anew, each one at once.
pub fn rewrite(folder: &Path, files: Vec<(String, Vec<u8>)>) -> Result<(), ResultsError> {
    for (name, content) in files {
        let file = folder.join(name);
        let parent = file.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| io_error("create", parent, error))?;
        let mut new = tempfile::NamedTempFile::new_in(parent).map_err(|error| io_error("write to", parent, error))?;
        new.write_all(&content).map_err(|error| io_error("write", &file, error))?;
        new.persist(&file).map_err(|error| io_error("write", &file, error.error))?;
        open_to_readers(&file);
    }
    Ok(())
}

/// A saved run, as far as a list of runs needs it.
#[derive(Debug)]
pub struct Entry {
    /// Its folder.
    pub folder: PathBuf,
    /// The run, or why it cannot be read.
    pub run: Result<Run, ResultsError>,
}

/// The saved runs in a folder, the oldest first by name; a folder that does not exist holds none.
pub fn list(folder: &Path) -> Result<Vec<Entry>, ResultsError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| io_error("read", folder, error))?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| io_error("read", folder, error))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.join(RUN).is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders.into_iter().map(|folder| Entry { run: load(&folder), folder }).collect())
}

fn occupied(place: &Path) -> Result<bool, ResultsError> {
    match fs::read_dir(place) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(io_error("use", place, error)),
    }
}

fn write(file: &Path, content: &[u8]) -> Result<(), ResultsError> {
    let failed = |error| io_error("write", file, error);
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut handle = File::create(file).map_err(failed)?;
    handle.write_all(content).map_err(failed)?;
    // A full disk may show only here.
    handle.sync_all().map_err(failed)
}

/// Temporary files are for their owner only; results are for everyone whom the folder above lets in.
fn open_to_readers(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = if path.is_dir() { 0o755 } else { 0o644 };
    // Where this is not allowed the result is still there for its owner.
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode));
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> ResultsError {
    ResultsError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    #[test]
    fn appears_whole_or_not_at_all() {
        let parent = tempfile::tempdir().unwrap();
        let place = parent.path().join("run");
        let folder = ResultFolder::claim(&place, false).unwrap();
        folder.write("charts/a.svg", b"picture").unwrap();
        assert!(!place.exists());
        drop(folder);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0, "what was not published leaves nothing behind");

        let folder = ResultFolder::claim(&place, false).unwrap();
        folder.write("charts/a.svg", b"picture").unwrap();
        assert_eq!(folder.publish().unwrap(), place);
        assert_eq!(fs::read(place.join("charts/a.svg")).unwrap(), b"picture");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[test]
    fn refuses_a_folder_in_use_unless_forced() {
        let parent = tempfile::tempdir().unwrap();
        let place = parent.path().join("run");
        fs::create_dir(&place).unwrap();
        ResultFolder::claim(&place, false).expect("an empty folder may be used");
        fs::write(place.join("precious"), "x").unwrap();
        let error = ResultFolder::claim(&place, false).unwrap_err().to_string();
        assert!(error.contains("--force"), "{error}");
        let folder = ResultFolder::claim(&place, true).unwrap();
        assert!(place.join("precious").exists(), "nothing is removed before there is something better");
        folder.write("new", b"y").unwrap();
        folder.publish().unwrap();
        assert!(!place.join("precious").exists());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_found_at_once() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = ResultFolder::claim(&file.join("run"), false).unwrap_err().to_string();
        assert!(error.contains(&file.display().to_string()), "{error}");
    }

    #[test]
    fn lists_runs_and_says_which_cannot_be_read() {
        let parent = tempfile::tempdir().unwrap();
        for (name, text) in [("b", sample::run().to_json()), ("a", "{}".to_owned())] {
            let folder = ResultFolder::claim(&parent.path().join(name), false).unwrap();
            folder.write(RUN, text.as_bytes()).unwrap();
            folder.publish().unwrap();
        }
        let entries = list(parent.path()).unwrap();
        assert_eq!(entries.len(), 2);
        assert!(entries[0].run.as_ref().unwrap_err().to_string().contains("run.json"));
        assert_eq!(entries[1].run.as_ref().unwrap(), &sample::run());
        assert!(list(&parent.path().join("nothing")).unwrap().is_empty());
    }
}
