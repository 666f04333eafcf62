//! A run compared with a baseline as part of its own report.

use std::path::Path;

use super::exit::Failure;
use crate::{
    analysis::baseline::{Comparison, Question, Standing, compare},
    report::Compared,
    results::{Abstract, Asked, BASELINE_COPY, Baseline, Baselines},
};

/// Runs that others are compared with, and the name that stands for them.
#[derive(Debug, Clone)]
pub(super) struct BaselineRuns {
    pub(super) name: String,
    pub(super) runs: Vec<Abstract>,
}

/// A run with what it was compared with, and the comparison.
pub(super) struct Against {
    name: String,
    base: Vec<Abstract>,
    run: Abstract,
    question: Question,
    comparison: Comparison,
}

impl Against {
    /// Compares.
    pub(super) fn new(held: BaselineRuns, run: Abstract, question: Question) -> Self {
        let comparison = compare(&held.runs, &run, question);
        Self { name: held.name, base: held.runs, run, question, comparison }
    }

    /// The same comparison once more, for a run whose folder holds the copy of what it was held against.
    pub(super) fn again(folder: &Path, run: impl FnOnce() -> Abstract) -> Result<Option<Self>, Failure> {
        let Some(copy) = Baselines::beside(folder).map_err(Failure::usage)? else { return Ok(None) };
        let Some(asked) = copy.asked else { return Ok(None) };
        let question = Question { threshold: asked.threshold, allow_differences: asked.allow_differences };
        Ok(Some(Self::new(BaselineRuns { name: asked.name, runs: copy.runs }, run(), question)))
    }

    /// The copy that lies beside the run, with its name: the baseline may change, and the report must stay.
    pub(super) fn copy(&self) -> (&'static str, Vec<u8>) {
        let asked = Asked {
            name: self.name.clone(),
            threshold: self.question.threshold,
            allow_differences: self.question.allow_differences,
        };
        let copy = Baseline { asked: Some(asked), ..Baseline::new(self.base.clone()) };
        (BASELINE_COPY, copy.to_json().into_bytes())
    }

    /// For the outputs.
    pub(super) fn compared(&self) -> Compared<'_> {
        Compared { against: &self.name, base: &self.base, run: &self.run, comparison: &self.comparison }
    }

    /// What came of it.
    pub(super) fn standing(&self) -> Standing {
        self.comparison.standing
    }
}
