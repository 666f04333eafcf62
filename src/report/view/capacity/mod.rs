//! What the report of a capacity run says: the answer in its first sentence, then what it rests on.

mod answers;
mod concurrency;
mod connections;
mod findings;
mod headline;
mod headroom;
mod method;
mod pools;
mod queueing;
mod trials;
mod words;

use super::{
    Chart, View,
    charts::{LEADING, charts_sections},
    names::{made_by, server},
};
use crate::report::{format, subject::CapacityReport};

pub(in crate::report) use headline::headline as capacity_headline;
pub(in crate::report) use method::axes as sweep_axes;
pub use words::harness_limit_words;
pub(in crate::report) use words::{failure_value, limit_figures, undone};

impl View {
    /// The report of a capacity run, with the charts that were drawn of it.
    pub(crate) fn of_capacity(answers: &CapacityReport, charts: &[Chart]) -> Self {
        let [leading, further] = charts_sections(charts, LEADING);
        let sections = [
            findings::section(answers),
            leading,
            answers::section(answers),
            pools::section(answers),
            headroom::section(answers),
            headroom::undone(answers),
            queueing::section(answers),
            concurrency::section(answers),
            connections::section(answers),
            further,
            trials::section(answers),
            method::section(answers),
        ];
        let title = format!("{}: capacity with {}", answers.scenario.name, words::objective(answers));
        let headline = headline::headline(answers);
        Self::new(title, subtitle(answers), headline, sections, made_by(&answers.capacity.software))
    }
}

fn subtitle(answers: &CapacityReport) -> String {
    let capacity = &answers.capacity;
    let trials = format::counted(capacity.trials.len() as u64, "trial", "trials");
    let variants = match capacity.plan.arms.len() as u64 {
        arms @ 2.. => format!(" of {}", format::counted(arms, "variant", "variants")),
        _ => String::new(),
    };
    let by = capacity
        .plan
        .generators
        .as_ref()
        .map(|generators| format!(" by {}", format::counted(generators.number.into(), "generator", "generators")));
    let by = by.unwrap_or_default();
    format!("{trials}{variants}{by} on {}, begun on {}.", server(&capacity.target), capacity.started)
}
