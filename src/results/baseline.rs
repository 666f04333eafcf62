//! Stored baselines: a name, and the runs that stand for it.
//!
//! A baseline is one file, `NAME.json` in a folder that is kept under version control. It is replaced as a whole.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Abstract, ResultsError,
    folder::{entries, io_error},
    json::versioned,
    saved::rewrite,
    upgrade,
};
use crate::measure::Unpacker;

/// Version of the schema of [`Baseline`] that this build writes and reads.
pub const BASELINE_VERSION: u32 = 2;

/// Folder of baselines within that of results.
pub const BASELINES: &str = "baselines";

/// Name of the copy of a baseline in the folder of a run that was compared with it.
pub const COPY: &str = "baseline.json";

/// Letters that a name has at most.
const LONGEST_NAME: usize = 80;

/// Stored runs to compare later runs with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Baseline of plimsoll")]
pub struct Baseline {
    /// Version of this schema.
    #[schemars(extend("const" = BASELINE_VERSION))]
    pub schema_version: u32,
    /// Its runs, the oldest first; at least one.
    #[schemars(length(min = 1))]
    pub runs: Vec<Abstract>,
    /// Rules of the comparison; only in the copy in the folder of the compared run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// Rules by which the run was compared with a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// Name of the baseline.
    pub name: String,
    /// Change that matters, as a share.
    pub threshold: f64,
    /// Whether runs of different things are compared all the same.
    pub allow_differences: bool,
}

impl Baseline {
    /// A baseline of runs, which it puts in order.
    pub fn new(mut runs: Vec<Abstract>) -> Self {
        runs.sort_by(|a, b| (&a.started, &a.name).cmp(&(&b.started, &b.name)));
        Self { schema_version: BASELINE_VERSION, runs, asked: None }
    }

    /// The baseline as JSON, a line for each run so that version control shows which came and went.
    pub fn to_json(&self) -> String {
        let run = |run| serde_json::to_string(run).expect("an abstract has string keys only, so it has a JSON form");
        let runs: Vec<_> = self.runs.iter().map(run).collect();
        let asked = self.asked.as_ref().map(|asked| {
            format!(",\"asked\":{}", serde_json::to_string(asked).expect("strings and numbers always serialise"))
        });
        let (version, runs, asked) = (self.schema_version, runs.join(",\n"), asked.unwrap_or_default());
        format!("{{\"schema_version\":{version},\"runs\":[\n{runs}\n]{asked}}}\n")
    }

    /// Reads what [`Self::to_json`] wrote, in this version or an earlier one.
    pub fn from_json(text: &str) -> Result<Self, ResultsError> {
        versioned(text, BASELINE_VERSION, |baseline: &Self| baseline.schema_version, upgrade::baseline)?.checked()
    }

    fn checked(self) -> Result<Self, ResultsError> {
        let damaged = |what: String| Err(ResultsError::Damaged(what));
        if self.runs.is_empty() {
            return damaged("it has no runs".to_owned());
        }
        let mut unpacker = Unpacker::default();
        for (place, run) in self.runs.iter().enumerate() {
            // It would seem to vary by nothing.
            if let Some(same) = self.runs[..place].iter().find(|other| other.is_of_same_run(run)) {
                return damaged(format!("{} and {} are the same run", same.name, run.name));
            }
            if run.whole().is_none() {
                return damaged(format!("{} has no row for all services", run.name));
            }
            for row in &run.rows {
                if let Err(reason) = unpacker.check(&row.response) {
                    return damaged(format!("a histogram of {}: {reason}", run.name));
                }
            }
        }
        Ok(self)
    }
}

/// A name with its baseline, or with why that cannot be read.
pub type Named = (String, Result<Baseline, ResultsError>);

/// The stored baselines of a folder.
#[derive(Debug, Clone)]
pub struct Baselines {
    folder: PathBuf,
}

impl Baselines {
    /// Those that lie in a folder of results.
    pub fn of(results: &Path) -> Self {
        Self { folder: results.join(BASELINES) }
    }

    /// The file of a baseline. A name is a word of letters, digits, `.`, `_` and `-` that begins with a letter or digit.
    pub fn file(&self, name: &str) -> Result<PathBuf, ResultsError> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !begins || name.len() > LONGEST_NAME || !name.chars().all(plain) {
            return Err(ResultsError::BaselineName { name: name.to_owned() });
        }
        Ok(self.folder.join(format!("{name}.json")))
    }

    /// Reads a baseline; `None` where there is none of that name.
    pub fn find(&self, name: &str) -> Result<Option<Baseline>, ResultsError> {
        read(self.file(name)?).map_err(|error| match error {
            ResultsError::InFile { file, source } if source.is_damage() => {
                ResultsError::Baseline { name: name.to_owned(), file, source }
            }
            error => error,
        })
    }

    /// Reads a baseline that must be there.
    pub fn load(&self, name: &str) -> Result<Baseline, ResultsError> {
        self.find(name)?.ok_or_else(|| ResultsError::NoBaseline { name: name.to_owned(), folder: self.folder.clone() })
    }

    /// Changes a baseline under a lock. `change` maps the present baseline to the new one;
    /// `None` stands for no baseline.
    pub fn change<E: From<ResultsError>>(
        &self,
        name: &str,
        change: impl FnOnce(Option<Baseline>) -> Result<Option<Baseline>, E>,
    ) -> Result<(), E> {
        let file = self.file(name)?;
        fs::create_dir_all(&self.folder).map_err(|error| io_error("create", &self.folder, error))?;
        let _held = self.lock()?;
        match change(self.find(name)?)? {
            Some(baseline) => {
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                rewrite(&self.folder, vec![(name, baseline.to_json().into_bytes())])?;
            }
            None => {
                remove(&file)?;
            }
        }
        Ok(())
    }

    /// Removes a baseline under a lock, readable or not. A missing baseline is an error.
    pub fn remove(&self, name: &str) -> Result<(), ResultsError> {
        let file = self.file(name)?;
        let absent = || ResultsError::NoBaseline { name: name.to_owned(), folder: self.folder.clone() };
        if !self.folder.exists() {
            return Err(absent());
        }
        let _held = self.lock()?;
        if remove(&file)? { Ok(()) } else { Err(absent()) }
    }

    /// Keeps all others from changing anything, until it is dropped.
    fn lock(&self) -> Result<File, ResultsError> {
        let held = File::open(&self.folder).map_err(|error| io_error("read", &self.folder, error))?;
        flock(&held, FlockOperation::LockExclusive).map_err(|error| io_error("lock", &self.folder, error.into()))?;
        Ok(held)
    }

    /// The copy that lies in the folder of a run that was compared with it; `None` where there is none.
    pub fn beside(run: &Path) -> Result<Option<Baseline>, ResultsError> {
        read(if run.is_dir() { run.join(COPY) } else { run.with_file_name(COPY) })
    }

    /// Names in order, each with its baseline or why that cannot be read.
    pub fn list(&self) -> Result<Vec<Named>, ResultsError> {
        let mut names = Vec::new();
        for path in entries(&self.folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            names.extend(name.strip_suffix(".json").filter(|name| self.file(name).is_ok()).map(str::to_owned));
        }
        names.sort();
        Ok(names.into_iter().map(|name| (name.clone(), self.load(&name))).collect())
    }
}

/// Removes a file; false where there is none.
fn remove(file: &Path) -> Result<bool, ResultsError> {
    match fs::remove_file(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(io_error("remove", file, error)),
    }
}

/// Reads a file; `None` where there is none.
fn read(file: PathBuf) -> Result<Option<Baseline>, ResultsError> {
    match fs::read_to_string(&file) {
        Ok(text) => match Baseline::from_json(&text) {
            Ok(baseline) => Ok(Some(baseline)),
            Err(source) => Err(ResultsError::InFile { file, source: Box::new(source) }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", &file, error)),
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::*;
    use crate::results::sample::abstracts;

    fn put(baselines: &Baselines, name: &str, baseline: &Baseline) {
        baselines.change(name, |_| Ok::<_, ResultsError>(Some(baseline.clone()))).unwrap();
    }

    #[test]
    fn comes_back_as_it_was_in_a_line_for_each_run() {
        let baseline = Baseline::new(abstracts(3));
        let text = baseline.to_json();
        assert_eq!(Baseline::from_json(&text).unwrap(), baseline);
        assert_eq!(text.lines().count(), 5);
        assert!(baseline.runs.is_sorted_by_key(|run| &run.started));
    }

    #[test]
    fn is_kept_changed_listed_and_removed() {
        let home = tempfile::tempdir().unwrap();
        let baselines = Baselines::of(home.path());
        assert_eq!(baselines.list().unwrap().len(), 0);
        assert!(baselines.load("nightly").unwrap_err().to_string().contains("no baseline nightly"));
        let one = Baseline::new(abstracts(1));
        put(&baselines, "nightly", &one);
        put(&baselines, "v1.2", &Baseline::new(abstracts(2)));
        fs::write(home.path().join(BASELINES).join("broken.json"), "{}").unwrap();
        assert_eq!(baselines.load("nightly").unwrap(), one);
        let listed = baselines.list().unwrap();
        assert_eq!(listed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["broken", "nightly", "v1.2"]);
        let message = listed[0].1.as_ref().unwrap_err().to_string();
        assert!(message.contains("broken.json: ") && message.contains("`plimsoll baseline rm broken`"), "{message}");
        baselines.change("v1.2", |_| Ok::<_, ResultsError>(None)).unwrap();
        assert_eq!(baselines.find("v1.2").unwrap(), None);
    }

    #[test]
    fn removing_a_baseline_waits_for_those_who_change_it() {
        let home = tempfile::tempdir().unwrap();
        let baselines = Baselines::of(home.path());
        assert!(matches!(baselines.remove("a"), Err(ResultsError::NoBaseline { .. })));
        assert!(!home.path().join(BASELINES).exists(), "nothing is made to remove something");
        put(&baselines, "a", &Baseline::new(abstracts(1)));
        let held = baselines.lock().unwrap();
        let (done, locked) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| done.send(baselines.remove("a")));
            assert!(locked.recv_timeout(Duration::from_millis(50)).is_err(), "the lock is held");
            assert!(baselines.find("a").unwrap().is_some());
            drop(held);
            locked.recv().unwrap().unwrap();
        });
        assert!(matches!(baselines.remove("a"), Err(ResultsError::NoBaseline { .. })));
        fs::write(home.path().join(BASELINES).join("broken.json"), "{}").unwrap();
        baselines.remove("broken").unwrap();
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let baselines = Baselines::of(home.path());
        let one = Baseline::new(abstracts(1));
        put(&baselines, "a", &one);
        let refused = baselines.change("a", |_| Err(ResultsError::Damaged("no".to_owned())));
        assert!(refused.is_err());
        assert_eq!(baselines.load("a").unwrap(), one);
    }

    #[test]
    fn names_lead_nowhere_else() {
        let baselines = Baselines::of(Path::new("results"));
        for name in ["", ".", "..", "../x", "a/b", "/etc/x", ".hidden", "-x", "a b", "ä", &"x".repeat(81)] {
            assert!(baselines.file(name).is_err(), "{name}");
        }
        assert_eq!(baselines.file("main-7.2_x").unwrap(), Path::new("results/baselines/main-7.2_x.json"));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let refusal = |baseline: &Baseline| Baseline::from_json(&baseline.to_json()).unwrap_err().to_string();
        let mut baseline = Baseline::new(abstracts(1));
        baseline.runs[0].rows.pop();
        assert!(refusal(&baseline).contains("no row for all services"));
        let text = Baseline::new(abstracts(1)).to_json();
        assert!(
            Baseline::from_json(&text.replacen("HISTF", "HISTG", 1)).unwrap_err().to_string().contains("histogram")
        );
        assert!(refusal(&Baseline::new(Vec::new())).contains("no runs"));
    }
}
