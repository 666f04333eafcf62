//! Charts of a capacity run.

mod by_limit;
mod concurrency;
mod offered;
mod pools;
mod series;
mod sweep;
#[cfg(test)]
mod tests;
mod throughput;

use super::{painted, plot::Plot};
use crate::report::{subject::CapacityReport, view::Chart};

/// All charts of a capacity run, the most important first. Nothing is drawn where its data is missing.
pub(in crate::report) fn capacity_charts(answers: &CapacityReport) -> Vec<Chart> {
    painted(plots(answers))
}

fn plots(answers: &CapacityReport) -> Vec<Plot> {
    let plots = [
        throughput::plot(answers),
        pools::plot(answers),
        by_limit::plot(answers),
        sweep::plot(answers),
        concurrency::plot(answers),
        offered::plot(answers),
    ];
    plots.into_iter().flatten().collect()
}
