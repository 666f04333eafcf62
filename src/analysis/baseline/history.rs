//! Many runs of one thing over time, and where it changed.

use super::{
    change_points::{ChangePoint, LEAST_VALUES, change_points},
    comparable::measured_the_same,
    model::Quantity,
};
use crate::results::Abstract;

/// Runs of one thing, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The runs, the oldest first. All measured what the newest did.
    pub runs: Vec<Abstract>,
    /// Number of runs that measured something else than the newest, and are left out.
    pub left_out: usize,
    /// Result for each quantity of the whole, in the order of [`Quantity::ALL`].
    pub courses: Vec<QuantityCourse>,
}

/// One quantity over all runs.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantityCourse {
    /// Identity.
    pub quantity: Quantity,
    /// Its value in each run; `None` where it is not known, or the run does not count ([`Abstract::counts`]).
    pub values: Vec<Option<f64>>,
    /// Where it changed, by the number of the run from 0; the means are geometric ones.
    pub changes: Vec<ChangePoint>,
}

impl History {
    /// Whether there are enough runs to look for changes.
    pub fn is_long_enough(&self) -> bool {
        self.courses.iter().any(|course| course.values.iter().flatten().count() >= LEAST_VALUES)
    }
}

/// Puts runs in order, each once, and looks for changes. Runs that measured something else than the newest are left out.
pub fn history(mut runs: Vec<Abstract>) -> History {
    runs.sort_by(|a, b| (&a.started, &a.name).cmp(&(&b.started, &b.name)));
    runs.dedup_by(|a, b| a.is_of_same_run(b));
    let before = runs.len();
    if let Some(newest) = runs.last().cloned() {
        runs.retain(|run| measured_the_same(run, &newest));
    }
    let courses = Quantity::ALL.map(|quantity| course(&runs, quantity)).into();
    History { left_out: before - runs.len(), runs, courses }
}

fn course(runs: &[Abstract], quantity: Quantity) -> QuantityCourse {
    let values: Vec<Option<f64>> =
        runs.iter().map(|run| run.whole().filter(|_| run.counts()).and_then(|row| quantity.of(row))).collect();
    let (places, logarithms): (Vec<usize>, Vec<f64>) =
        values.iter().enumerate().filter_map(|(place, value)| Some((place, (*value)?.ln()))).unzip();
    let changes = change_points(&logarithms).into_iter().map(|change| ChangePoint {
        at: places[change.at],
        before: change.before.exp(),
        after: change.after.exp(),
        ..change
    });
    // What is offered is answered: the last thousandths of throughput show how long the runs were, or how arrivals fell.
    let matters =
        |change: &ChangePoint| quantity != Quantity::Throughput || quantity.matters(change.before, change.after);
    QuantityCourse { quantity, changes: changes.filter(matters).collect(), values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{
        Verdict,
        sample::{abstracted, abstracts},
    };

    /// Thirty nights, from the sixteenth on a fifth slower.
    fn nights() -> Vec<Abstract> {
        let steady = abstracts(30);
        let factor = |day: u32| if day < 15 { 1.0 } else { 1.2 };
        let slower = |(day, run): (u32, Abstract)| {
            let p50 = run.whole().unwrap().percentile(50.0).unwrap().nanos as f64;
            let usual = abstracted(0, 1.0).whole().unwrap().percentile(50.0).unwrap().nanos as f64;
            abstracted(day, p50 / usual * factor(day))
        };
        (0..).zip(steady).map(slower).collect()
    }

    #[test]
    fn finds_the_night_in_which_it_became_slower() {
        let mut runs = nights();
        runs.reverse();
        runs.push(runs[3].clone());
        let found = history(runs);
        assert_eq!((found.runs.len(), found.left_out, found.is_long_enough()), (30, 0, true));
        let p50 = &found.courses[0];
        assert_eq!(p50.changes.iter().map(|change| change.at).collect::<Vec<_>>(), [15]);
        assert!((p50.changes[0].after / p50.changes[0].before - 1.2).abs() < 0.02);
        assert_eq!(found.courses[2].changes, [], "the rate is the same");
    }

    #[test]
    fn thousandths_of_throughput_are_no_change() {
        let with_rates = |rate: f64| {
            let mut runs = nights();
            runs.iter_mut().skip(15).for_each(|run| run.rows.last_mut().unwrap().rate = rate);
            history(runs).courses[2].changes.len()
        };
        assert_eq!([997.0, 985.0].map(with_rates), [0, 1]);
    }

    #[test]
    fn invalid_runs_runs_ended_early_and_runs_of_something_else_do_not_count() {
        let mut runs = nights();
        runs[2].verdict = Verdict::Invalid;
        runs[3].interrupted = true;
        runs[4].target.version = "6.2.0".into();
        let found = history(runs);
        assert_eq!((found.runs.len(), found.left_out), (29, 1));
        assert_eq!(found.courses[0].values[2..4], [None, None]);
        // One earlier, since the fifth run is not among them.
        assert_eq!(found.courses[0].changes[0].at, 14);
        assert_eq!(history(Vec::new()).runs.len(), 0);
    }
}
