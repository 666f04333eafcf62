//! The judgement: a run against the runs of a baseline.

use super::{
    comparable::{Weight, differences},
    model::{Comparison, Machine, Method, Quantity, QuantityChange, RowChange},
    quantity::{QuantityJudgement, compare_quantity},
    tolerance::{ALARM, ENOUGH_RUNS, rejected},
};
use crate::{
    analysis::{mean::mean, worsening::log_of},
    results::{Abstract, AbstractRow, Sides, Verdict},
};

/// p99 may change by a multiple of the threshold: between two runs of the same thing it varies by some ten times as much as
/// the median does.
pub const TAIL_FACTOR: f64 = 5.0;

/// Change of the machine's reference, as a ratio, from which on it is another machine.
const ANOTHER_MACHINE: f64 = 1.10;

/// Share of the probability of a false alarm that the whole takes; its rows take the rest.
const OF_THE_WHOLE: f64 = 0.5;

/// Options of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompareOptions {
    /// Change that matters, as a share, above 0.
    pub threshold: f64,
    /// Whether runs of different things are compared all the same.
    pub allow_differences: bool,
}

impl Default for CompareOptions {
    /// Single pairs of runs of identical code differ by up to 20 %.
    fn default() -> Self {
        Self { threshold: 0.2, allow_differences: false }
    }
}

/// Compares a run with the runs of a baseline.
///
/// From seven runs on, a quantity has regressed where it is worse than a further run of the same thing would be, with a
/// probability of false alarms of 1 % for all rows and quantities together (Holm, half of it for the whole), by at least half the
/// threshold, and by an amount that matters. Below that only the whole is judged, by the threshold. Runs of the baseline that do
/// not count are left out; where none is left, nothing is compared.
pub fn compare(base: &[Abstract], run: &Abstract, options: CompareOptions) -> Comparison {
    let trusted: Vec<&Abstract> = base.iter().filter(|one| one.counts()).collect();
    let found = differences(trusted.iter().copied(), run);
    let refused = !options.allow_differences && found.iter().any(|difference| difference.weight() == Weight::Refuses);
    let runs = trusted.len();
    let method = if runs >= ENOUGH_RUNS { Method::Tolerance { runs } } else { Method::Threshold { runs } };
    let machine = machine(&trusted, run);
    let mut comparison = Comparison {
        verdict: Verdict::NotComparable,
        method,
        threshold: options.threshold,
        differences: found,
        machine,
        left_out: base.len() - runs,
        rows: Vec::new(),
        missing: missing(&trusted, run),
    };
    if refused || trusted.is_empty() {
        return comparison;
    }
    let pairs: Vec<(&AbstractRow, Vec<(&Abstract, &AbstractRow)>)> = run
        .rows
        .iter()
        .map(|row| {
            let same =
                trusted.iter().filter_map(|one| Some((*one, one.rows.iter().find(|other| other.is_about(row))?)));
            (row, same.collect())
        })
        .filter(|(_, same): &(_, Vec<_>)| !same.is_empty())
        .collect();
    let levels: Vec<f64> = pairs.iter().map(|(row, _)| level(pairs.len(), is_whole(row))).collect();
    let judged: Vec<Vec<QuantityJudgement>> = pairs
        .iter()
        .zip(&levels)
        .map(|((row, same), level)| {
            let of =
                |quantity| compare_quantity(quantity, same, (run, row), *level, least(quantity, options.threshold));
            Quantity::ALL.map(of).into()
        })
        .collect();

    let weights: Vec<f64> = levels.iter().flat_map(|level| [*level; Quantity::ALL.len()]).collect();
    let tested = |p: fn(&QuantityJudgement) -> Option<f64>| {
        let all = judged.iter().flatten().zip(&weights).map(|(judged, weight)| (p(judged).unwrap_or(1.0), *weight));
        rejected(&all.collect::<Vec<_>>(), ALARM).into_iter()
    };
    let (mut worse, mut better) = (tested(|judged| judged.change.p()), tested(|judged| judged.better));

    for ((row, same), judged) in pairs.iter().zip(judged) {
        let quantities: Vec<QuantityChange> = judged
            .into_iter()
            .map(|judged| {
                let significant = (worse.next().unwrap_or(false), better.next().unwrap_or(false));
                judge(judged, significant, options.threshold, is_whole(row))
            })
            .collect();
        let before = same.iter().map(|(_, row)| row.failed_share()).sum::<f64>() / same.len() as f64;
        comparison.rows.push(RowChange {
            service: row.service.clone(),
            operation: row.operation.clone(),
            verdict: together(&quantities),
            failures: Sides { a: before, b: row.failed_share() },
            quantities,
        });
    }
    comparison.verdict = overall(&comparison, run);
    comparison
}

/// Probability of a false alarm that one quantity of a row may spend by itself, of a number of rows in all.
pub(super) fn level(rows: usize, whole: bool) -> f64 {
    let (share, rows) = if whole { (OF_THE_WHOLE, 1) } else { (1.0 - OF_THE_WHOLE, rows.saturating_sub(1).max(1)) };
    ALARM * share / (rows * Quantity::ALL.len()) as f64
}

fn is_whole(row: &AbstractRow) -> bool {
    row.service.is_none() && row.operation.is_none()
}

/// Logarithm of the worsening that matters.
fn limit(quantity: Quantity, threshold: f64) -> f64 {
    let times = if quantity == Quantity::P99 { TAIL_FACTOR } else { 1.0 };
    log_of(times * threshold, quantity.more_is_worse())
}

/// Logarithm of the least worsening that is judged one where the spread of runs is known. What is certain and yet tiny is no reason to
/// act: half of the threshold must be exceeded, as for a gate.
pub(super) fn least(quantity: Quantity, threshold: f64) -> f64 {
    limit(quantity, threshold / 2.0)
}

fn missing(base: &[&Abstract], run: &Abstract) -> Vec<(Option<String>, Option<String>, bool)> {
    if base.is_empty() {
        return Vec::new();
    }
    let about = |row: &AbstractRow, in_run| (row.service.clone(), row.operation.clone(), in_run);
    let mut found: Vec<_> = run
        .rows
        .iter()
        .filter(|row| !base.iter().any(|one| one.rows.iter().any(|other| other.is_about(row))))
        .map(|row| about(row, true))
        .collect();
    for row in base.iter().flat_map(|one| &one.rows) {
        let difference = about(row, false);
        if !run.rows.iter().any(|other| other.is_about(row)) && !found.contains(&difference) {
            found.push(difference);
        }
    }
    found
}

fn machine(base: &[&Abstract], run: &Abstract) -> Option<Machine> {
    let calibration = run.calibration?;
    let base_ns = mean(base.iter().filter_map(|one| one.calibration).map(|one| one.nanos().ln()))?.exp();
    let run_ns = calibration.nanos();
    let far = |a: f64, b: f64| (a / b).max(b / a) > ANOTHER_MACHINE;
    let (before, after) = (calibration.before.median_ns.max(1) as f64, calibration.after.median_ns.max(1) as f64);
    Some(Machine { base_ns, run_ns, moved: far(base_ns, run_ns), unsteady: far(before, after) })
}

fn judge(judged: QuantityJudgement, (worse, better): (bool, bool), threshold: f64, whole: bool) -> QuantityChange {
    let QuantityJudgement { mut change, worst, apart, .. } = judged;
    let (Some(base), Some(run), Some(ratio)) = (change.base, change.run, change.ratio()) else { return change };
    if change.verdict.is_some() {
        return change;
    }
    let quantity = change.quantity;
    let (limit, least) = (limit(quantity, threshold), least(quantity, threshold));
    let matters = quantity.matters(base, run);
    let difference = quantity.worse() * (run / base).ln();
    let judged = quantity.worse() * ratio.ln();
    change.verdict = if change.p().is_some() {
        // Calibration may turn the sign: then it is neither.
        Some(match worst {
            _ if worse && matters && difference > 0.0 && judged >= least => Verdict::Fail,
            _ if better && matters && difference < 0.0 && judged <= -least => Verdict::Improved,
            // Nothing that matters can be hidden.
            Some(farthest)
                if farthest <= limit || !quantity.matters(base, base * (quantity.worse() * farthest).exp()) =>
            {
                Verdict::Pass
            }
            _ => Verdict::Inconclusive,
        })
    } else if whole {
        let certain = quantity != Quantity::P99 || apart == Some(true);
        Some(match difference {
            far if far > limit && matters && certain => Verdict::Fail,
            far if far < -limit && matters && certain => Verdict::Improved,
            _ => Verdict::Pass,
        })
    } else {
        None
    };
    change
}

/// What follows from several: the worst, but for what is unknown where something else is known to be worse. That p99 is unknown
/// is reported and decides nothing: between runs of the same thing it varies this much that it nearly always is.
fn together(quantities: &[QuantityChange]) -> Option<Verdict> {
    let counts =
        |change: &&QuantityChange| change.quantity != Quantity::P99 || change.verdict != Some(Verdict::Inconclusive);
    quantities.iter().filter(counts).filter_map(|change| change.verdict).max()
}

fn overall(comparison: &Comparison, run: &Abstract) -> Verdict {
    let Some(whole) = comparison.rows.iter().find(|row| row.is_whole()) else { return Verdict::NotComparable };
    if run.verdict == Verdict::Invalid {
        return Verdict::Invalid;
    }
    if comparison.machine.is_some_and(|machine| machine.moved) {
        return Verdict::Inconclusive;
    }
    if comparison.rows.iter().any(|row| row.verdict == Some(Verdict::Fail)) {
        return Verdict::Fail;
    }
    // Throughput by itself says little of a load that is offered, whatever the server does.
    let median = whole.of(Quantity::P50).and_then(|change| change.verdict);
    whole.verdict.filter(|_| median.is_some()).unwrap_or(Verdict::Inconclusive)
}
