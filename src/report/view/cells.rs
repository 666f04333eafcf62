//! Columns and cells of tables.

use super::model::{Align, Cell, Column, TIME, Tone};
use crate::report::format::{NOTHING, TimeUnit};

impl Column {
    /// A column of words that head their rows; it is never left out.
    pub(crate) fn head(heading: impl Into<String>) -> Self {
        Self { heads: true, ..Self::words(heading, 0) }
    }

    /// A column of words.
    pub(crate) fn words(heading: impl Into<String>, dispensable: u8) -> Self {
        Self { heading: heading.into(), unit: None, heads: false, align: Align::Left, dispensable }
    }

    /// A column of numbers.
    pub(crate) fn numbers(heading: impl Into<String>, unit: Option<&'static str>, dispensable: u8) -> Self {
        Self { heading: heading.into(), unit, heads: false, align: Align::Right, dispensable }
    }

    /// A column of times, whose unit the table finds.
    pub(crate) fn times(heading: impl Into<String>, dispensable: u8) -> Self {
        Self::numbers(heading, Some(TimeUnit::Millis.name()), dispensable)
    }

    /// Heading and unit.
    pub(crate) fn label(&self) -> String {
        match self.unit {
            Some(unit) => format!("{} ({unit})", self.heading),
            None => self.heading.clone(),
        }
    }
}

impl Cell {
    /// A cell.
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), times: Vec::new(), mark: "", tone }
    }

    /// A time in nanoseconds, or nothing.
    pub(crate) fn time(nanos: impl Into<Option<f64>>) -> Self {
        nanos.into().map_or_else(|| NOTHING.into(), |nanos| Self::times("{}", [nanos]))
    }

    /// Several times in nanoseconds; the pattern has `{}` for each.
    pub(crate) fn times(pattern: &str, times: impl Into<Vec<f64>>) -> Self {
        Self { times: times.into(), ..pattern.replace("{}", &TIME.to_string()).into() }
    }

    /// The same with a mark.
    pub(crate) fn marked(self, mark: &'static str) -> Self {
        Self { mark, ..self }
    }

    /// Text and mark.
    pub(crate) fn whole(&self) -> String {
        format!("{}{}", self.text, self.mark)
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}
