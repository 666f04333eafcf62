//! Saved runs: read back, listed, and their reports written anew.

use std::{
    collections::BTreeSet,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Capacity, Ci, Gate, ResultsError, Run,
    folder::{
        ARTIFACTS, CAPACITY_FILE, CI_FILE, GATE_FILE, RUN_FILE, SHARD_FILE, entries, io_error, is_result,
        save_elsewhere, sync_folder, with_ordinary_permissions,
    },
};

/// Content of a result folder.
#[derive(Debug, PartialEq)]
pub enum Saved {
    /// A run.
    Run(Box<Run>),
    /// A capacity run; its trials are runs in folders within.
    Capacity(Box<Capacity>),
    /// A gate.
    Gate(Box<Gate>),
    /// Result of `plimsoll ci`; its runs are in subfolders.
    Ci(Box<Ci>),
}

/// Reads what a result folder, or its file, holds.
pub fn load(folder: &Path) -> Result<Saved, ResultsError> {
    let file = if folder.is_dir() {
        let artifact = ARTIFACTS.into_iter().find(|name| folder.join(name).is_file());
        folder.join(artifact.unwrap_or(RUN_FILE))
    } else {
        folder.to_owned()
    };
    if file.file_name().is_some_and(|name| name == SHARD_FILE) && file.is_file() {
        return Err(ResultsError::Shard { place: folder.to_owned() });
    }
    let text = fs::read_to_string(&file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ResultsError::NoRun { place: folder.to_owned() },
        _ => io_error("read", &file, error),
    })?;
    let read = match file.file_name().and_then(|name| name.to_str()) {
        Some(CAPACITY_FILE) => Capacity::from_json(&text).map(|capacity| Saved::Capacity(Box::new(capacity))),
        Some(GATE_FILE) => Gate::from_json(&text).map(|gate| Saved::Gate(Box::new(gate))),
        Some(CI_FILE) => Ci::from_json(&text).map(|ci| Saved::Ci(Box::new(ci))),
        _ => Run::from_json(&text).map(|run| Saved::Run(Box::new(run))),
    };
    read.map_err(|source| ResultsError::InFile { file, source: Box::new(source) })
}

/// Name of the file with the first sentence of a report, beside what it is made from.
pub const HEADLINE: &str = "headline.txt";

/// The first sentence of the report of a result folder, where it was written; the result itself is not read.
pub fn headline(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(HEADLINE)).ok()?;
    text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned)
}

/// How the names of files begin that are not complete yet; `.gitignore` knows it, since baselines are under version control.
const UNFINISHED: &str = ".partial-";

/// Age from which on such a file is not being written any more.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// Writes files of a result folder anew, and then what was measured, which is whole at any time.
///
/// # Errors
///
/// [`ResultsError::Incomplete`] where not all could be written; then what was measured is in another folder unless it could be written
/// here.
pub fn save_again(
    folder: &Path,
    files: Vec<(String, Vec<u8>)>,
    (name, content): (&str, Vec<u8>),
) -> Result<(), ResultsError> {
    let measured = || rewrite(folder, vec![(name.to_owned(), content.clone())]);
    let failed = match rewrite(folder, files) {
        Ok(()) => measured().err().map(|error| (error, None)),
        Err(error) => Some((error, measured().is_ok().then(|| folder.to_owned()))),
    };
    let Some((source, kept)) = failed else { return Ok(()) };
    let own = folder.file_name().unwrap_or_default().to_string_lossy();
    Err(ResultsError::incomplete(source, kept.or_else(|| save_elsewhere(&own, (name, &content)))))
}

/// Writes files of a result folder anew, each one at once, and waits until they are on the disk.
pub fn rewrite(folder: &Path, files: Vec<(String, Vec<u8>)>) -> Result<(), ResultsError> {
    let mut parents = BTreeSet::new();
    for (name, content) in files {
        let file = folder.join(name);
        let parent = file.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| io_error("create", parent, error))?;
        let mut builder = tempfile::Builder::new();
        let new = with_ordinary_permissions(builder.prefix(UNFINISHED), 0o666).tempfile_in(parent);
        let mut new = new.map_err(|error| io_error("write to", parent, error))?;
        // A name that shows before its content is on the disk would lead to an empty file after a crash.
        let written = new.write_all(&content).and_then(|()| new.as_file().sync_all());
        written.map_err(|error| io_error("write", &file, error))?;
        new.persist(&file).map_err(|error| io_error("write", &file, error.error))?;
        parents.insert(parent.to_owned());
    }
    for parent in parents {
        remove_unfinished(&parent);
        sync_folder(&parent).map_err(|error| io_error("write to", &parent, error))?;
    }
    Ok(())
}

/// Removes files that processes that were killed left unfinished. What cannot be removed stays.
fn remove_unfinished(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = || entry.metadata().and_then(|file| file.modified()).ok()?.elapsed().ok();
        let unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        if unfinished && age().is_some_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes the files of a report that belongs to several results, in a folder that holds none itself: some of a run have the same names.
pub fn write_apart(folder: &Path, files: Vec<(String, Vec<u8>)>) -> Result<(), ResultsError> {
    if is_result(folder) {
        return Err(ResultsError::Result { place: folder.to_owned() });
    }
    rewrite(folder, files)
}

/// The result folders in a folder, in the order of their names; none where it does not exist. Nothing of them is read.
pub fn result_folders(folder: &Path) -> Result<Vec<PathBuf>, ResultsError> {
    let is_hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut folders = entries(folder)?;
    folders.retain(|path| !is_hidden(path) && is_result(path));
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{ResultFolder, sample};

    #[test]
    fn finds_results_and_says_which_cannot_be_read() {
        let parent = tempfile::tempdir().unwrap();
        let (run, capacity) = (sample::run().to_json(), sample::small_capacity().to_json());
        let ci = sample::small_ci().to_json();
        for (name, file, text) in [
            ("b", RUN_FILE, run.as_str()),
            ("a", RUN_FILE, "{}"),
            ("c", CAPACITY_FILE, capacity.as_str()),
            ("d", CI_FILE, ci.as_str()),
        ] {
            let folder = ResultFolder::claim(&parent.path().join(name), false).unwrap();
            folder.write(file, text.as_bytes()).unwrap();
            folder.publish().unwrap();
        }
        let folders = result_folders(parent.path()).unwrap();
        let [a, b, c, d] = [0, 1, 2, 3].map(|at: usize| load(&folders[at]));
        assert_eq!(folders.len(), 4);
        assert!(a.unwrap_err().to_string().contains("run.json"));
        assert_eq!(b.unwrap(), Saved::Run(Box::new(sample::run())));
        assert_eq!(c.unwrap(), Saved::Capacity(Box::new(sample::small_capacity())));
        assert_eq!(d.unwrap(), Saved::Ci(Box::new(sample::small_ci())));
        assert!(result_folders(&parent.path().join("nothing")).unwrap().is_empty());
    }

    #[test]
    fn writes_reports_anew_and_leaves_the_rest_alone() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(RUN_FILE), "run").unwrap();
        fs::write(home.path().join("report.md"), "old").unwrap();
        let files = [("report.md".to_owned(), b"new".to_vec()), ("charts/p50.svg".to_owned(), b"<svg/>".to_vec())];
        rewrite(home.path(), files.to_vec()).unwrap();
        let read = |name: &str| fs::read_to_string(home.path().join(name)).unwrap();
        assert_eq!([read(RUN_FILE), read("report.md"), read("charts/p50.svg")], ["run", "new", "<svg/>"]);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_is_unfinished_is_removed_when_it_is_old() {
        let home = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| home.path().join(format!("{UNFINISHED}{name}")));
        fs::write(&new, "").unwrap();
        let then = fs::metadata(&new).unwrap().modified().unwrap() - 2 * ABANDONED;
        fs::File::create(&old).unwrap().set_modified(then).unwrap();
        rewrite(home.path(), vec![("report.md".to_owned(), Vec::new())]).unwrap();
        assert!(new.exists() && !old.exists());
    }

    #[test]
    fn what_was_measured_is_saved_where_its_reports_cannot_be() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("charts"), "in the way").unwrap();
        let files = vec![("charts/p50.svg".to_owned(), b"<svg/>".to_vec())];
        let error = save_again(home.path(), files.clone(), (CI_FILE, b"{}".to_vec())).unwrap_err();
        let place = home.path().display().to_string();
        assert!(error.to_string().contains(&format!("the measurement is saved in {place}")), "{error}");
        assert_eq!(fs::read(home.path().join(CI_FILE)).unwrap(), b"{}");
    }

    #[test]
    fn what_is_unfinished_is_not_put_under_version_control() {
        let ignored = include_str!("../../.gitignore");
        assert!(ignored.lines().any(|line| line == format!("{UNFINISHED}*")), "{ignored}");
    }
}
