//! Remains of killed processes among results: found by the next process that writes there.

use std::{
    fmt,
    fs::{self, File},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};

use super::{
    ResultsError,
    folder::{OLD, PARTIAL, REPLACED, SHARD_FILE, is_result, parent_of, resolved, show},
    saved::{load, result_folders},
    shard::load_shard,
};

/// Folders of a result that hold results themselves.
const WITHIN: [&str; 2] = ["runs", "gates"];

/// Remains of a killed process, and their recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leftover {
    /// A result that was measured; it is shown now.
    Recovered(PathBuf),
    /// A folder without a result; it is removed.
    Removed(PathBuf),
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Recovered(place) | Self::Removed(place)) = self;
        let place = place.strip_prefix(".").unwrap_or(place).display();
        match self {
            Self::Recovered(at) if at.join(SHARD_FILE).is_file() => {
                write!(f, "recovered {place} of a killed process: a shard, which `plimsoll merge` takes")
            }
            Self::Recovered(_) => {
                write!(f, "recovered {place} of a killed process: `plimsoll report {place}` writes its reports")
            }
            Self::Removed(_) => write!(f, "removed {place} of a killed process, without a result"),
        }
    }
}

/// Recovers or removes what killed processes left behind in the folder in which a result is to lie, and in the results there. What
/// cannot be read or removed stays.
pub fn sweep_beside(destination: &Path) -> Vec<Leftover> {
    resolved(destination).map(|full| sweep(parent_of(&full))).unwrap_or_default()
}

fn sweep(results: &Path) -> Vec<Leftover> {
    let mut found = Vec::new();
    // In this order: a result that was to replace another one is shown first, so that the other one is not.
    for kind in [PARTIAL, REPLACED] {
        for (place, name) in hidden(results, kind) {
            let Some(_ours) = File::open(&place).ok().filter(is_abandoned) else { continue };
            let destination = results.join(name);
            if kind == PARTIAL {
                found.extend(recover_within(&place, &destination));
                found.extend(recover(&place, &destination));
            } else if !destination.exists() {
                found.extend(recover(&place.join(OLD), &destination));
            }
            if fs::remove_dir_all(&place).is_ok() {
                found.push(Leftover::Removed(place));
            }
        }
    }
    let shown = result_folders(results).unwrap_or_default();
    found.extend(shown.iter().flat_map(|folder| WITHIN.map(|name| sweep(&folder.join(name)))).flatten());
    found
}

/// Hidden folders of this kind, each with the name of its result.
fn hidden(results: &Path, kind: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(results).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let (result, _) = name.strip_prefix('.')?.rsplit_once(kind)?;
        entry.file_type().ok()?.is_dir().then(|| (entry.path(), result.to_owned()))
    });
    let mut named: Vec<_> = named.collect();
    named.sort();
    named
}

/// Whether the process that made a hidden folder is gone; then it is locked for this one.
fn is_abandoned(folder: &File) -> bool {
    flock(folder, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// Shows a folder at its destination if it holds a result that can be read.
fn recover(folder: &Path, destination: &Path) -> Option<Leftover> {
    let is_whole = match load(folder) {
        Err(ResultsError::Shard { .. }) => load_shard(folder).is_ok(),
        loaded => loaded.is_ok(),
    };
    let whole = is_result(folder) && is_whole;
    whole.then(|| show(folder, destination).ok()).flatten().map(Leftover::Recovered)
}

/// Shows the results in a folder that holds none itself yet, each under the name of both.
fn recover_within(folder: &Path, destination: &Path) -> Vec<Leftover> {
    if is_result(folder) {
        return Vec::new();
    }
    let name = destination.file_name().unwrap_or_default().to_string_lossy();
    let of = |within: PathBuf| {
        // A run that was under way when all ended.
        sweep(&within);
        result_folders(&within).unwrap_or_default()
    };
    let all = WITHIN.iter().flat_map(|within| of(folder.join(within)));
    let recovered = all.filter_map(|result| {
        let own = result.file_name()?.to_string_lossy().into_owned();
        recover(&result, &destination.with_file_name(format!("{name}-{own}")))
    });
    recovered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{ResultFolder, Run, sample, shard_files};

    /// Test fixture: the remains of a process that was killed while it held a folder.
    fn killed(folder: ResultFolder) -> PathBuf {
        let hidden = folder.hidden().to_owned();
        let copy = hidden.with_extension("copy");
        copy_all(&hidden, &copy);
        drop(folder);
        fs::rename(copy, &hidden).unwrap();
        hidden
    }

    fn copy_all(from: &Path, to: &Path) {
        fs::create_dir(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy_all(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_is_removed_when_its_process_is_gone_and_not_before() {
        let home = tempfile::tempdir().unwrap();
        let folder = ResultFolder::claim(&home.path().join("mine"), false).unwrap();
        assert_eq!(sweep(home.path()), []);
        folder.write("report.md", b"half").unwrap();
        let hidden = killed(folder);
        fs::create_dir(home.path().join(".mine.partial-foreign")).unwrap();
        assert_eq!(sweep(home.path()), [Leftover::Removed(hidden)]);
        assert_eq!(names_in(home.path()), [".mine.partial-foreign"]);
    }

    #[test]
    fn what_was_measured_is_recovered_beside_what_is_there() {
        let home = tempfile::tempdir().unwrap();
        let run = sample::run().to_json();
        let path = home.path().join("mine");
        let folder = ResultFolder::claim(&path, false).unwrap();
        folder.write("run.json", run.as_bytes()).unwrap();
        killed(folder);
        let broken = ResultFolder::claim(&home.path().join("broken"), false).unwrap();
        broken.write("run.json", &run.as_bytes()[..1_000]).unwrap();
        let broken = killed(broken);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("thesis.txt"), "years of work").unwrap();
        let recovered = home.path().join("mine-2");
        let leftovers = sweep(home.path());
        assert_eq!(leftovers, [Leftover::Removed(broken), Leftover::Recovered(recovered.clone())]);
        assert!(load(&recovered).is_ok());
        assert!(leftovers[1].to_string().contains("`plimsoll report "), "{}", leftovers[1]);
        assert_eq!(names_in(home.path()), ["mine", "mine-2"]);
    }

    #[test]
    fn runs_of_a_killed_ci_are_recovered_before_and_after_it_was_shown() {
        let home = tempfile::tempdir().unwrap();
        let run = sample::run().to_json();
        let claim = |path: &Path| {
            let folder = ResultFolder::claim(path, false).unwrap();
            folder.write("run.json", run.as_bytes()).unwrap();
            folder
        };
        let early = ResultFolder::claim(&home.path().join("early"), false).unwrap();
        claim(&early.hidden().join("runs/done")).publish().unwrap();
        killed(claim(&early.hidden().join("runs/late")));
        killed(early);
        let shown = home.path().join("shown");
        fs::create_dir(&shown).unwrap();
        fs::write(shown.join("ci.json"), sample::small_ci().to_json()).unwrap();
        let running = claim(&shown.join("runs/running"));
        killed(claim(&shown.join("gates/late")));
        sweep(home.path());
        assert_eq!(names_in(home.path()), ["early-done", "early-late", "shown"]);
        assert_eq!(names_in(&shown.join("gates")), ["late"]);
        running.publish().unwrap();
    }

    #[test]
    fn a_result_that_was_being_replaced_comes_back_unless_the_new_one_is_there() {
        let home = tempfile::tempdir().unwrap();
        let moved_aside = |name: &str| {
            let old = home.path().join(format!(".{name}{REPLACED}abc")).join(OLD);
            fs::create_dir_all(&old).unwrap();
            fs::write(old.join("run.json"), sample::run().to_json()).unwrap();
        };
        moved_aside("lost");
        moved_aside("replaced");
        let text = Run { shard: Some(sample::shard(0, 2)), ..sample::run() }.to_json();
        for (name, content) in [("part", text.as_str()), ("torn", &text[..1_000])] {
            let old = home.path().join(format!(".{name}{REPLACED}abc")).join(OLD);
            fs::create_dir_all(&old).unwrap();
            fs::write(old.join("shard.json"), content).unwrap();
            for (name, bytes) in shard_files(&text, "Shard 0 of 2") {
                fs::write(old.join(name), bytes).unwrap();
            }
        }
        let folder = ResultFolder::claim(&home.path().join("replaced"), true).unwrap();
        folder.write("run.json", sample::run().to_json().as_bytes()).unwrap();
        folder.write("new", b"").unwrap();
        killed(folder);
        let mentioned: Vec<_> = sweep(home.path()).iter().map(Leftover::to_string).collect();
        assert!(mentioned.iter().any(|line| line.contains("part of a killed process: a shard")), "{mentioned:?}");
        assert_eq!(names_in(home.path()), ["lost", "part", "replaced"]);
        assert_eq!(names_in(&home.path().join("replaced")), ["new", "run.json"]);
    }
}
