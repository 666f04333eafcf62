//! The result folder: found to be writable before any load is made, filled out of sight, and shown all at once.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::ResultsError;

/// Name of the saved run in its folder.
pub(super) const RUN_FILE: &str = "run.json";

/// Name of the saved capacity run in its folder.
pub(super) const CAPACITY_FILE: &str = "capacity.json";

/// Name of the saved gate in its folder.
pub(super) const GATE_FILE: &str = "gate.json";

/// Name of the saved summary of `plimsoll ci` in its folder.
pub(super) const CI_FILE: &str = "ci.json";

/// Files by which a result folder is known.
pub(super) const ARTIFACTS: [&str; 4] = [CI_FILE, GATE_FILE, CAPACITY_FILE, RUN_FILE];

/// So much must be writable before a run is worth its while: a run of some minutes with its charts.
const PROBE: usize = 8 << 20;

/// A result folder in the making. Files are written to a hidden folder beside it, on the same file system;
/// [`Self::publish`] renames that. Dropped unpublished, nothing is left of it.
#[derive(Debug)]
pub struct ResultFolder {
    destination: PathBuf,
    force: bool,
    hidden: TempDir,
}

impl ResultFolder {
    /// Claims a folder: makes the hidden one and writes some megabytes to it for a try.
    ///
    /// A folder that exists and is not empty is refused. By `force` it is replaced when the result is published, but only
    /// where it is a result itself.
    pub fn claim(path: &Path, force: bool) -> Result<Self, ResultsError> {
        let destination = resolved(path)?;
        check_vacancy(&destination, force)?;
        let parent = parent_of(&destination);
        fs::create_dir_all(parent).map_err(|source| io_error("write to", parent, source))?;
        let name = destination.file_name().unwrap_or_default().to_string_lossy();
        let hidden = hidden_folder(parent, &format!(".{name}.partial-"))?;
        let folder = Self { destination, force, hidden };
        folder.probe()?;
        Ok(folder)
    }

    /// Where it lies until it is published.
    pub fn hidden(&self) -> &Path {
        self.hidden.path()
    }

    /// Writes one file, folders on the way included, and waits until it is on the disk.
    pub fn write(&self, relative: &str, bytes: &[u8]) -> Result<(), ResultsError> {
        let path = self.hidden.path().join(relative);
        // Errors name the place that people know.
        let named = |source| io_error("write to", &self.destination.join(relative), source);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(named)?;
        }
        write_through(&path, bytes).map_err(named)
    }

    /// Shows the result at its destination, or beside it where something appeared there meanwhile; gives the place.
    pub fn publish(self) -> Result<PathBuf, ResultsError> {
        let Self { destination, force, hidden } = self;
        let named = |source| io_error("write to", &destination, source);
        let parent = parent_of(&destination);
        sync_folder(hidden.path()).map_err(named)?;
        let mut place = destination.clone();
        let mut number = 1;
        while let Err(error) = fs::rename(hidden.path(), &place) {
            if !is_in_the_way(&error) {
                return Err(named(error));
            }
            if number == 1 && force && check_vacancy(&destination, true).is_ok() {
                replace(hidden.path(), &destination, parent)?;
                break;
            }
            // Somebody was quicker, and neither result may be lost.
            number += 1;
            let name = destination.file_name().unwrap_or_default().to_string_lossy();
            place = destination.with_file_name(format!("{name}-{number}"));
        }
        // The name is gone; there is nothing to clean up.
        let _ = hidden.keep();
        sync_folder(parent).map_err(named)?;
        Ok(place)
    }

    fn probe(&self) -> Result<(), ResultsError> {
        let path = self.hidden.path().join("probe");
        let written = write_through(&path, &vec![0x55; PROBE]).and_then(|()| fs::remove_file(&path));
        written.map_err(|source| io_error("write to", &self.destination, source))
    }
}

/// The path with its links followed as far as it exists, so that a link is never replaced by a folder.
fn resolved(path: &Path) -> Result<PathBuf, ResultsError> {
    let resolved = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if resolved.file_name().is_none() {
        return Err(ResultsError::Nameless { place: path.to_owned() });
    }
    Ok(resolved)
}

fn check_vacancy(destination: &Path, force: bool) -> Result<(), ResultsError> {
    let is_empty = match fs::read_dir(destination) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            return Err(ResultsError::Foreign { place: destination.to_owned() });
        }
        Err(source) => return Err(io_error("write to", destination, source)),
    };
    match (is_empty, force) {
        (true, _) => Ok(()),
        (false, false) => Err(ResultsError::Occupied { place: destination.to_owned() }),
        (false, true) if is_result(destination) => Ok(()),
        (false, true) => Err(ResultsError::Foreign { place: destination.to_owned() }),
    }
}

/// Whether a folder holds a result.
pub(super) fn is_result(folder: &Path) -> bool {
    ARTIFACTS.iter().any(|name| folder.join(name).is_file())
}

/// Replaces a result. The old one is moved aside first and back if that fails.
fn replace(hidden: &Path, destination: &Path, parent: &Path) -> Result<(), ResultsError> {
    let named = |source| io_error("write to", destination, source);
    let aside = hidden_folder(parent, ".replaced-")?;
    let old = aside.path().join("old");
    fs::rename(destination, &old).map_err(named)?;
    fs::rename(hidden, destination).map_err(|error| {
        // The first failure is the one to tell.
        let _ = fs::rename(&old, destination);
        named(error)
    })
}

fn is_in_the_way(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists)
}

/// Temporary files are for their owner alone; results have the permissions that the process gives to all it makes.
pub(super) fn with_ordinary_permissions<'a, 'n>(
    builder: &'a mut tempfile::Builder<'n, 'n>,
    mode: u32,
) -> &'a mut tempfile::Builder<'n, 'n> {
    builder.permissions(fs::Permissions::from_mode(mode))
}

/// A folder out of sight.
fn hidden_folder(parent: &Path, prefix: &str) -> Result<TempDir, ResultsError> {
    let mut builder = tempfile::Builder::new();
    with_ordinary_permissions(builder.prefix(prefix), 0o777)
        .tempdir_in(parent)
        .map_err(|source| io_error("write to", parent, source))
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(super) fn io_error(action: &'static str, path: &Path, source: io::Error) -> ResultsError {
    ResultsError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn shows_everything_at_once() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b/mine");
        let folder = ResultFolder::claim(&path, false).unwrap();
        folder.write(RUN_FILE, b"{}").unwrap();
        folder.write("charts/p50.svg", b"<svg/>").unwrap();
        assert!(!path.exists());
        assert_eq!(folder.publish().unwrap(), path);
        assert_eq!(fs::read(path.join("charts/p50.svg")).unwrap(), b"<svg/>");
        assert_eq!(names_in(path.parent().unwrap()), ["mine"]);
    }

    #[test]
    fn leaves_nothing_when_dropped() {
        let home = tempfile::tempdir().unwrap();
        let folder = ResultFolder::claim(&home.path().join("mine"), false).unwrap();
        folder.write(RUN_FILE, b"{}").unwrap();
        assert_eq!(names_in(home.path()).len(), 1);
        drop(folder);
        assert_eq!(names_in(home.path()), [] as [&str; 0]);
    }

    #[test]
    fn takes_an_empty_folder_and_refuses_one_in_use() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mine");
        fs::create_dir(&path).unwrap();
        ResultFolder::claim(&path, false).unwrap().publish().unwrap();
        fs::write(path.join(RUN_FILE), "{}").unwrap();
        assert!(matches!(ResultFolder::claim(&path, false), Err(ResultsError::Occupied { .. })));
        assert_eq!(names_in(home.path()), ["mine"], "a refusal leaves no trace");
    }

    #[test]
    fn force_replaces_a_result_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let (result, other, file) = (home.path().join("result"), home.path().join("other"), home.path().join("file"));
        fs::create_dir(&result).unwrap();
        fs::write(result.join(RUN_FILE), "old").unwrap();
        fs::write(result.join("old.csv"), "old").unwrap();
        let folder = ResultFolder::claim(&result, true).unwrap();
        folder.write(RUN_FILE, b"new").unwrap();
        assert_eq!(fs::read(result.join(RUN_FILE)).unwrap(), b"old", "until it is published");
        folder.publish().unwrap();
        assert_eq!(names_in(&result), [RUN_FILE]);

        fs::create_dir(&other).unwrap();
        fs::write(other.join("thesis.txt"), "years of work").unwrap();
        fs::write(&file, "").unwrap();
        for name in ARTIFACTS {
            let result = home.path().join(name);
            fs::create_dir(&result).unwrap();
            fs::write(result.join(name), "old").unwrap();
            ResultFolder::claim(&result, true).unwrap();
            fs::remove_dir_all(&result).unwrap();
        }
        for path in [&other, &file] {
            assert!(matches!(ResultFolder::claim(path, true), Err(ResultsError::Foreign { .. })));
        }
        assert_eq!(names_in(home.path()), ["file", "other", "result"]);
    }

    #[test]
    fn what_appeared_meanwhile_is_not_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mine");
        let folder = ResultFolder::claim(&path, false).unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("thesis.txt"), "years of work").unwrap();
        assert_eq!(folder.publish().unwrap(), home.path().join("mine-2"));
        assert_eq!(names_in(home.path()), ["mine", "mine-2"]);
        assert_eq!(names_in(&path), ["thesis.txt"]);
    }

    #[test]
    fn of_two_at_once_none_is_lost() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mine");
        let folders = [false, true, false].map(|force| {
            let folder = ResultFolder::claim(&path, force).unwrap();
            folder.write(RUN_FILE, if force { b"forced" } else { b"polite" }).unwrap();
            folder
        });
        let [first, forced, last] = folders.map(|folder| folder.publish().unwrap());
        assert_eq!((&first, &forced, &last), (&path, &path, &home.path().join("mine-2")));
        assert_eq!(fs::read(path.join(RUN_FILE)).unwrap(), b"forced");
        assert_eq!(names_in(home.path()), ["mine", "mine-2"]);
    }

    #[test]
    fn has_the_permissions_of_an_ordinary_folder() {
        let home = tempfile::tempdir().unwrap();
        let ordinary = home.path().join("ordinary");
        fs::create_dir(&ordinary).unwrap();
        let published = ResultFolder::claim(&home.path().join("mine"), false).unwrap().publish().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&published), mode(&ordinary));
    }

    #[test]
    fn refuses_what_cannot_be_written_at_once() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = ResultFolder::claim(&file.join("mine"), false);
        assert!(matches!(refused, Err(ResultsError::Foreign { .. } | ResultsError::Io { .. })), "{refused:?}");
        assert!(matches!(ResultFolder::claim(Path::new("/"), true), Err(ResultsError::Nameless { .. })));
    }
}
