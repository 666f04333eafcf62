//! The outputs of a history: many runs of one thing over time.

use super::{Style, View, chart, csv_history, html, markdown, terminal};
use crate::analysis::baseline::History;

/// A history with what it is called.
#[derive(Clone, Copy)]
pub struct Chronicle<'a> {
    /// The scenario.
    pub scenario: &'a str,
    /// Its runs.
    pub history: &'a History,
}

impl Chronicle<'_> {
    /// For the terminal.
    pub fn terminal(&self, style: Style) -> String {
        terminal::render(&View::of_history(self, &[]), style)
    }

    /// A row for each run, which programs that look for changes read.
    pub fn csv(&self) -> Vec<u8> {
        csv_history::render(self)
    }

    /// Every file, by its path within its folder.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let charts = chart::history_charts(self);
        let view = View::of_history(self, &charts);
        let mut files = vec![
            ("history.html".to_owned(), html::render(&view).into_bytes()),
            ("history.md".to_owned(), markdown::render(&view).into_bytes()),
            ("history.csv".to_owned(), self.csv()),
        ];
        files.extend(chart::files(charts));
        files
    }
}
