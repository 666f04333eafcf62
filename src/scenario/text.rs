//! The text of a scenario: positions, quotes and errors.

use std::{cell::RefCell, ops::Range};

use toml::{Spanned, de::DeValue};

use super::errors::{Path, ScenarioError, ScenarioErrors};

/// The text of a scenario, and its errors so far.
pub(super) struct Document<'a> {
    text: &'a str,
    file: &'a str,
    errors: RefCell<Vec<ScenarioError>>,
}

impl<'a> Document<'a> {
    pub(super) fn new(text: &'a str, file: &'a str) -> Self {
        Self { text, file, errors: RefCell::default() }
    }

    /// Adds an error about the text at `at`.
    pub(super) fn reject(&self, at: &Range<usize>, path: Path, message: String) {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        self.errors.borrow_mut().push(ScenarioError::Invalid {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            path,
            message,
        });
    }

    /// The line on which a place stands, from 1.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        self.text.get(..at.start).unwrap_or(self.text).matches('\n').count() + 1
    }

    /// The result, unless there were errors.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, ScenarioErrors> {
        let errors = self.errors.into_inner();
        if errors.is_empty() {
            Ok(value.expect("a getter answers without a value only where it keeps an error"))
        } else {
            Err(ScenarioErrors::new(errors))
        }
    }

    /// The text of a value as it stands in the file, on one line and not too long.
    pub(super) fn quote(&self, value: &Spanned<DeValue<'_>>) -> String {
        const LONGEST: usize = 40;
        let text = self.text.get(value.span()).unwrap_or_default();
        let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().count() <= LONGEST {
            return line;
        }
        line.chars().take(LONGEST).chain("...".chars()).collect()
    }
}
