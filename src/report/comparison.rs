//! The outputs of a comparison with a baseline or with another run.

use super::{Style, View, chart, csv_comparison, html, json_comparison, markdown, terminal};
use crate::{analysis::baseline::Comparison, results::Abstract};

/// A comparison with what was compared.
#[derive(Clone, Copy)]
pub struct Compared<'a> {
    /// What the run was held against: the name of a baseline, or of another run.
    pub against: &'a str,
    /// The runs of the baseline.
    pub base: &'a [Abstract],
    /// The run.
    pub run: &'a Abstract,
    /// What was found.
    pub comparison: &'a Comparison,
}

impl Compared<'_> {
    /// Whether any run of the baseline counts.
    pub(super) fn has_base(&self) -> bool {
        self.comparison.left_out < self.base.len()
    }

    /// For the terminal.
    pub fn terminal(&self, style: Style) -> String {
        terminal::render(&View::of_comparison(self, &[]), style)
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        markdown::render(&View::of_comparison(self, &[]))
    }

    /// As a page of its own, with charts.
    pub fn html(&self) -> String {
        html::render(&View::of_comparison(self, &chart::comparison_charts(self)))
    }

    /// A row for each quantity of each row.
    pub fn csv(&self) -> Vec<u8> {
        csv_comparison::render(self)
    }

    /// For programs. Fields are only ever added; the schema is `comparison.schema.json` beside this file.
    pub fn json(&self) -> String {
        json_comparison::render(self, &View::of_comparison(self, &[]))
    }

    /// The verdict in one sentence.
    pub fn headline(&self) -> String {
        View::of_comparison(self, &[]).headline.sentence
    }

    /// Every file of the comparison, by its path within its folder.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let charts = chart::comparison_charts(self);
        let view = View::of_comparison(self, &charts);
        let mut files = vec![
            ("comparison.html".to_owned(), html::render(&view).into_bytes()),
            ("comparison.md".to_owned(), markdown::render(&view).into_bytes()),
            ("comparison.csv".to_owned(), self.csv()),
            ("comparison.json".to_owned(), self.json().into_bytes()),
        ];
        files.extend(chart::files(charts));
        files
    }
}
