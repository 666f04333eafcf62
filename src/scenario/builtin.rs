//! Scenarios that come with the binary, and how a name becomes a text.

use std::{
    fs,
    path::{Path, is_separator},
};

use super::{
    errors::{ScenarioError, ScenarioErrors, hint, nearest},
    model::Scenario,
    read::parse,
};

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../scenarios/", $name, ".toml"))),)+]
    };
}

/// Name and text of every built-in scenario; the first is the default.
pub const BUILTIN: &[(&str, &str)] = built_in![
    "workflow-engine",
    "core-ops",
    "mixed",
    "sessions",
    "leaderboard",
    "queue",
    "slow-zadd",
    "ycsb-a",
    "ycsb-b",
    "ycsb-c",
    "ycsb-d",
    "ycsb-e",
    "ycsb-f",
];

/// The text of a scenario and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Path of the file, or the name of the built-in scenario: what errors begin with.
    pub file: String,
    /// TOML text.
    pub text: String,
}

impl Source {
    /// The text for a server that runs already, and whether it differs: the users of a built-in scenario exist on private
    /// servers only.
    #[must_use]
    pub fn without_private_users(self) -> (Self, bool) {
        match builtin(&self.file).map(|text| text.replace("\nusername ", "\n# username ")) {
            Some(text) if text != self.text => (Self { text, ..self }, true),
            _ => (self, false),
        }
    }
}

/// The text of a built-in scenario.
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The built-in scenario whose name is most like a word, if any is.
pub fn nearest_builtin(word: &str) -> Option<&'static str> {
    nearest(word, &names())
}

fn names() -> Vec<&'static str> {
    BUILTIN.iter().map(|(name, _)| *name).collect()
}

/// The text behind the name of a built-in scenario or the path of a file. A built-in name wins over a file that is
/// called the same; `./name` is always a file.
///
/// # Errors
///
/// If there is neither, or the file cannot be read.
pub fn source(name: &str) -> Result<Source, ScenarioErrors> {
    if let Some(text) = builtin(name) {
        return Ok(Source { file: name.to_owned(), text: text.to_owned() });
    }
    let path = Path::new(name);
    let is_path = path.extension().is_some() || name.contains(is_separator) || path.exists();
    if !is_path {
        return Err(ScenarioError::Unknown { name: name.to_owned(), hint: hint(name, &names()) }.into());
    }
    fs::read_to_string(name)
        .map(|text| Source { file: name.to_owned(), text })
        .map_err(|source| ScenarioError::Unreadable { file: name.to_owned(), source }.into())
}

/// The scenario behind the name of a built-in scenario or the path of a file.
///
/// # Errors
///
/// Errors of [`source`] and [`parse`].
pub fn load(name: &str) -> Result<Scenario, ScenarioErrors> {
    let Source { file, text } = source(name)?;
    parse(&text, &file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_is_valid_and_called_by_its_own_name() {
        for (name, text) in BUILTIN {
            match parse(text, name) {
                Ok(scenario) => assert_eq!(scenario.name, *name),
                Err(errors) => panic!("{errors}"),
            }
        }
    }

    #[test]
    fn users_of_a_builtin_scenario_stay_with_private_servers() {
        for (name, text) in BUILTIN {
            let mut expected = parse(text, name).unwrap();
            let has_users = expected.services.iter().any(|service| service.username.is_some());
            assert!(expected.services.iter().all(|service| service.password.is_none()), "{name}");
            let (given, changed) = source(name).unwrap().without_private_users();
            assert_eq!(changed, has_users, "{name}");
            expected.services.iter_mut().for_each(|service| service.username = None);
            expected.source.clone_from(&given.text);
            assert_eq!(parse(&given.text, name).unwrap(), expected);
        }
        let own = Source { file: "./mine.toml".to_owned(), text: BUILTIN[0].1.to_owned() };
        assert_eq!(own.clone().without_private_users(), (own, false));
    }

    #[test]
    fn names_what_is_near() {
        let errors = load("sesions").unwrap_err().to_string();
        assert!(errors.contains(r#"did you mean "sessions"?"#), "{errors}");
        assert!(load("./nowhere.toml").unwrap_err().to_string().starts_with("cannot read scenario ./nowhere.toml: "));
    }

    #[test]
    fn reads_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, BUILTIN[0].1).unwrap();
        assert_eq!(load(path.to_str().unwrap()).unwrap().name, BUILTIN[0].0);
    }
}
