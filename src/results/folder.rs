//! The result folder: found to be writable before any load is made, filled out of sight, and shown all at once.

use std::{
    env,
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};
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

/// Name of the saved part of a run in its folder.
pub const SHARD_FILE: &str = "shard.json";

/// Files by which a result folder is known.
pub(super) const ARTIFACTS: [&str; 5] = [CI_FILE, GATE_FILE, CAPACITY_FILE, RUN_FILE, SHARD_FILE];

/// Bytes that must be writable before a run starts: the size of a few minutes' results with charts.
const PROBE: usize = 8 << 20;

/// Parts of the names of hidden folders, between that of the result and a random one: a result in the making, and one that is being
/// replaced. Other programs may write hidden folders to the same place, so they name this one.
pub(super) const PARTIAL: &str = ".plimsoll-partial-";
pub(super) const REPLACED: &str = ".plimsoll-replaced-";

/// A result folder in the making. Files are written to a hidden folder beside it, on the same file system;
/// [`Self::publish`] renames that. Dropped unpublished, nothing is left of it.
#[derive(Debug)]
pub struct ResultFolder {
    destination: PathBuf,
    force: bool,
    hidden: TempDir,
    /// The hidden folder, locked while its process lives.
    owner: File,
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
        let (hidden, owner) = hidden_folder(parent, &name, PARTIAL)?;
        let folder = Self { destination, force, hidden, owner };
        folder.probe()?;
        Ok(folder)
    }

    /// Writes what was measured, then all other files, and shows the result; gives the place. The other files are asked for when
    /// what was measured is on the disk, or cannot be.
    ///
    /// # Errors
    ///
    /// [`ResultsError::Incomplete`] where not all could be written. Then the result is shown without the files that are missing, or in
    /// another folder where it could not be written here at all.
    pub fn save(
        self,
        measured: (&str, &[u8]),
        others: impl FnOnce() -> Vec<(String, Vec<u8>)>,
    ) -> Result<PathBuf, ResultsError> {
        let name = self.destination.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kept = self.write(measured.0, measured.1);
        let others = others();
        let published = match kept {
            Ok(()) => {
                let written = others.iter().try_for_each(|(name, content)| self.write(name, content));
                self.publish().map(|place| (place, written.err()))
            }
            Err(error) => Err(error),
        };
        match published {
            Ok((place, None)) => Ok(place),
            Ok((place, Some(source))) => Err(ResultsError::incomplete(source, Some(place))),
            Err(source) => Err(ResultsError::incomplete(source, save_elsewhere(&name, measured))),
        }
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
        let Self { destination, force, hidden, owner } = self;
        let named = |source| io_error("write to", &destination, source);
        let parent = parent_of(&destination);
        owner.sync_all().map_err(named)?;
        let place = match fs::rename(hidden.path(), &destination) {
            Err(error) if is_in_the_way(&error) && force && check_vacancy(&destination, true).is_ok() => {
                replace(hidden.path(), &destination, parent)?;
                destination.clone()
            }
            // Another process was quicker, and neither result may be lost.
            Err(error) if is_in_the_way(&error) => show(hidden.path(), &destination).map_err(named)?,
            result => result.map(|()| destination.clone()).map_err(named)?,
        };
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

/// Saves what was measured where it does not belong: in the folder for temporary files, or else in the current one.
pub(super) fn save_elsewhere(name: &str, (file, content): (&str, &[u8])) -> Option<PathBuf> {
    [Some(env::temp_dir()), env::current_dir().ok()].into_iter().flatten().find_map(|parent| {
        let name = format!("plimsoll-{name}");
        let (hidden, owner) = hidden_folder(&parent, &name, PARTIAL).ok()?;
        let folder = ResultFolder { destination: parent.join(name), force: false, hidden, owner };
        folder.write(file, content).and_then(|()| folder.publish()).ok()
    })
}

/// Renames a folder to this name, or with the next number that is free where something lies there; gives the place.
pub(super) fn show(hidden: &Path, destination: &Path) -> io::Result<PathBuf> {
    let name = destination.file_name().unwrap_or_default().to_string_lossy();
    let mut place = destination.to_owned();
    let mut number = 1;
    loop {
        match fs::rename(hidden, &place) {
            Err(error) if is_in_the_way(&error) => {
                number += 1;
                place = destination.with_file_name(format!("{name}-{number}"));
            }
            result => return result.map(|()| place),
        }
    }
}

/// The path with its links followed as far as it exists, so that a link is never replaced by a folder.
pub(super) fn resolved(path: &Path) -> Result<PathBuf, ResultsError> {
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
        Err(error) if error.kind() == ErrorKind::NotADirectory && destination.exists() => {
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
    let name = destination.file_name().unwrap_or_default().to_string_lossy();
    let (mut aside, _owner) = hidden_folder(parent, &name, REPLACED)?;
    let old = aside.path().join(OLD);
    fs::rename(destination, &old).map_err(named)?;
    fs::rename(hidden, destination).map_err(|error| {
        // The first failure is the one to report.
        aside.disable_cleanup(fs::rename(&old, destination).is_err());
        named(error)
    })
}

/// Name of a result that is being replaced, in its hidden folder.
pub(super) const OLD: &str = "old";

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

/// A folder out of sight, and a lock on it that lasts as long as the process, by which others see that it is in use.
fn hidden_folder(parent: &Path, name: &str, kind: &str) -> Result<(TempDir, File), ResultsError> {
    let failed = |source: io::Error| {
        // The message has the hidden path behind that of the system.
        let text = source.to_string();
        let message = text.split_once(" at path ").map_or(text.as_str(), |(message, _)| message);
        io_error("write to", parent, io::Error::new(source.kind(), message.to_owned()))
    };
    let prefix = format!(".{name}{kind}");
    loop {
        let mut builder = tempfile::Builder::new();
        let folder = with_ordinary_permissions(builder.prefix(&prefix), 0o777).tempdir_in(parent).map_err(failed)?;
        let owner = match File::open(folder.path()) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            owner => owner.map_err(failed)?,
        };
        // Where there are no locks, nobody can have one, and nothing is taken for abandoned.
        let _ = flock(&owner, FlockOperation::LockExclusive);
        // Another process may have taken it for abandoned before it was locked.
        if folder.path().exists() {
            return Ok((folder, owner));
        }
    }
}

/// Writes a file; where that fails, half a file is not left.
fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).inspect_err(|_| {
        // The first failure is the one to report.
        let _ = fs::remove_file(path);
    })
}

/// What lies in a folder; nothing where it does not exist.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, ResultsError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect()),
    };
    entries.map_err(|error| io_error("read", folder, error))
}

pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

pub(super) fn parent_of(path: &Path) -> &Path {
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
    fn what_was_measured_is_shown_also_where_its_reports_cannot_be_written() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mine");
        let folder = ResultFolder::claim(&path, false).unwrap();
        let files = || vec![("charts".to_owned(), Vec::new()), ("charts/p50.svg".to_owned(), b"<svg/>".to_vec())];
        let error = folder.save((RUN_FILE, b"{}"), files).unwrap_err();
        assert!(matches!(&error, ResultsError::Incomplete { kept: Some(kept), .. } if *kept == path), "{error:?}");
        let message = error.to_string();
        assert!(
            message.contains("p50.svg") && message.contains(&format!("`plimsoll report {}`", path.display())),
            "{message}"
        );
        assert_eq!(names_in(&path), ["charts", RUN_FILE]);
    }

    #[test]
    fn what_was_measured_is_saved_elsewhere_where_its_folder_cannot_be_written() {
        let home = tempfile::tempdir().unwrap();
        let folder = ResultFolder::claim(&home.path().join("mine"), false).unwrap();
        fs::remove_dir(folder.hidden()).unwrap();
        fs::write(folder.hidden(), "in the way").unwrap();
        let error = folder.save((RUN_FILE, b"{}"), Vec::new).unwrap_err();
        let ResultsError::Incomplete { kept: Some(place), .. } = &error else { panic!("{error:?}") };
        assert_eq!(fs::read(place.join(RUN_FILE)).unwrap(), b"{}");
        fs::remove_dir_all(place).unwrap();
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
        assert!(matches!(&refused, Err(ResultsError::Io { path, .. }) if *path == file.join("mine")), "{refused:?}");
        let nowhere = ResultFolder::claim(Path::new("/proc/nope"), false).unwrap_err();
        let reason = std::error::Error::source(&nowhere).unwrap().to_string();
        assert!(!format!("{nowhere} {reason}").contains("partial"), "{nowhere}: {reason}");
        assert!(matches!(ResultFolder::claim(Path::new("/"), true), Err(ResultsError::Nameless { .. })));
    }
}
