//! What is said of stored baselines.

use super::{Style, View, terminal, view};
use crate::{analysis::baseline::Difference, results::Baseline};

/// A baseline for the terminal: its runs, how far apart they lie, how small a change can be seen.
pub fn baseline_terminal(name: &str, baseline: &Baseline, style: Style) -> String {
    terminal::render(&View::of_baseline(name, baseline), style)
}

/// A difference in a few words: `version of the server (7.0.15, now 7.2.4)`.
pub fn difference(of: &Difference) -> String {
    view::difference_in_words(of)
}
