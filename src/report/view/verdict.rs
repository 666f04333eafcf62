//! Words and colours of verdicts.

use super::model::{Cell, Tone};
use crate::results::{InRun, Verdict};

/// Colour of a verdict.
pub(in crate::report) fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass | Verdict::Improved => Tone::Good,
        Verdict::Inconclusive | Verdict::Interrupted | Verdict::NotComparable | Verdict::Invalid => Tone::Fair,
        Verdict::Fail => Tone::Bad,
    }
}

/// Verdict of a row on its objective. Too few requests for a verdict are no reason to worry.
pub(in crate::report) fn cell(word: &'static str, verdict: Verdict) -> Cell {
    Cell::new(word, if verdict == Verdict::Inconclusive { Tone::Quiet } else { tone(verdict) })
}

/// Verdict on an objective, in a cell.
pub(in crate::report) fn on_objective(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "met",
        Verdict::Fail => "missed",
        other => InRun::word(other),
    }
}

/// Verdict of a comparison, at the beginning of a sentence.
pub(in crate::report) fn of_comparison(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "No regression",
        Verdict::Improved => "Improved",
        Verdict::Inconclusive => "Inconclusive",
        Verdict::Interrupted => "Interrupted",
        Verdict::NotComparable => "Not comparable",
        Verdict::Invalid => "Invalid",
        Verdict::Fail => "Regression",
    }
}
