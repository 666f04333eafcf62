//! Errors of a scenario: file, line, column, field, the offending
//! text and the nearest valid name.

use std::{fmt, io};

/// One error in a scenario.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant and its fields mean")]
pub enum ScenarioError {
    #[error("cannot read scenario {file}: {source}")]
    Unreadable {
        file: String,
        #[source]
        source: io::Error,
    },
    #[error(r#"no built-in scenario and no file has the name "{name}"{hint}"#)]
    Unknown { name: String, hint: String },
    #[error("{file}:{line}:{column}: {path}{message}")]
    Invalid {
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        path: Path,
        message: String,
    },
    #[error("{argument}: {message}")]
    Override { argument: String, message: String },
}

/// All errors of a scenario: one per line, in the order of the text.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct ScenarioErrors(Vec<ScenarioError>);

impl ScenarioErrors {
    /// At least one error, ordered by position.
    pub(super) fn new(mut errors: Vec<ScenarioError>) -> Self {
        errors.sort_by_key(|error| match error {
            ScenarioError::Invalid { line, column, .. } => (*line, *column),
            _ => (0, 0),
        });
        Self(errors)
    }

    /// The errors.
    pub fn iter(&self) -> impl Iterator<Item = &ScenarioError> {
        self.0.iter()
    }

    pub(super) fn into_vec(self) -> Vec<ScenarioError> {
        self.0
    }
}

impl From<ScenarioError> for ScenarioErrors {
    fn from(error: ScenarioError) -> Self {
        Self(vec![error])
    }
}

fn lines(errors: &[ScenarioError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Where in a scenario a field stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    /// An item of the list in the field before, by name or by number.
    Item(String),
}

impl Path {
    pub(super) fn field(&self, name: &str) -> Self {
        self.with(Step::Field(name.to_owned()))
    }

    pub(super) fn item(&self, label: &str) -> Self {
        self.with(Step::Item(label.to_owned()))
    }

    fn with(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    /// As `--set` takes it: `service.api.pool.size`.
    pub(super) fn dotted(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|(Step::Field(name) | Step::Item(name))| name.as_str()).collect();
        names.join(".")
    }
}

impl fmt::Display for Path {
    /// `service "api": pool.size: `, empty for the file as a whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut open = false;
        let mut steps = self.0.iter().peekable();
        while let Some(Step::Field(name) | Step::Item(name)) = steps.next() {
            if let Some(Step::Item(label)) = steps.peek() {
                steps.next();
                let separator = if open { ": " } else { "" };
                if label.starts_with('#') {
                    write!(f, "{separator}{name} {label}: ")?;
                } else {
                    write!(f, r#"{separator}{name} "{label}": "#)?;
                }
                open = false;
            } else {
                write!(f, "{}{name}", if open { "." } else { "" })?;
                open = true;
            }
        }
        if open { f.write_str(": ") } else { Ok(()) }
    }
}

/// `; did you mean "x"?` with the nearest of the valid names, and all of them where they are few or none is near.
pub(super) fn hint(wrong: &str, valid: &[&str]) -> String {
    const FEW: usize = 12;
    let nearest = nearest(wrong, valid);
    let question = nearest.map(|name| format!(r#"; did you mean "{name}"?"#)).unwrap_or_default();
    if valid.is_empty() || (nearest.is_some() && valid.len() > FEW) {
        return question;
    }
    format!("{question} (one of {})", valid.join(", "))
}

/// The valid name that is most like a wrong one, if any is.
pub(super) fn nearest<'a>(wrong: &str, valid: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        (strsim::normalized_damerau_levenshtein(&wrong, &name), strsim::jaro_winkler(&wrong, &name))
    };
    valid
        .iter()
        .map(|name| (*name, likeness(name)))
        .filter(|(_, (edits, letters))| *edits >= 0.6 || *letters >= 0.85)
        .max_by(|(_, a), (_, b)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)))
        .map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_paths_for_people_and_for_overrides() {
        let path = Path::default().field("service").item("api").field("pool").field("size");
        assert_eq!(path.to_string(), r#"service "api": pool.size: "#);
        assert_eq!(path.dotted(), "service.api.pool.size");
        let step = Path::default().field("service").item("#2").field("operation").item("GET");
        assert_eq!(step.to_string(), r#"service #2: operation "GET": "#);
        assert_eq!(Path::default().to_string(), "");
    }

    #[test]
    fn suggests_what_is_near() {
        assert_eq!(
            hint("exclusiv", &["exclusive", "shared"]),
            r#"; did you mean "exclusive"? (one of exclusive, shared)"#
        );
        assert_eq!(nearest("get", &["SET", "GET"]), Some("GET"));
        assert_eq!(nearest("GTE", &["GETDEL", "GET"]), Some("GET"));
        assert_eq!(nearest("FOO", &["ECHO", "INCR"]), None);
        assert_eq!(hint("frob", &["a", "b"]), " (one of a, b)");
    }
}
