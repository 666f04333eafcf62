//! The verdict of a comparison in a sentence, and what has to be said along with it.

use super::words::{CALIBRATED, change, changed, mark, p_value, quantity_words, value};
use crate::{
    analysis::baseline::{Comparison, ENOUGH_RUNS, Method, Quantity, QuantityChange, RowChange, TAIL_FACTOR, Weight},
    report::{
        format,
        subject::ComparisonReport,
        view::{Headline, KeyNumber, names::row_name, verdict},
    },
    results::Verdict,
};

/// Changes that the sentence names.
const MOST_NAMED: usize = 3;

pub(in crate::report) fn headline(compared: &ComparisonReport) -> Headline {
    let comparison = &compared.comparison;
    Headline {
        verdict: verdict::of_comparison(comparison.verdict),
        sentence: format!("{}: {}.", verdict::of_comparison(comparison.verdict), reason(compared)),
        tone: verdict::tone(comparison.verdict),
        remarks: remarks(compared),
        numbers: numbers(comparison),
    }
}

fn reason(compared: &ComparisonReport) -> String {
    let comparison = &compared.comparison;
    let against = format!("against {} ({})", compared.against, runs(comparison));
    match comparison.verdict {
        Verdict::NotComparable if !compared.has_base() => {
            format!("{} has no valid and complete run", compared.against)
        }
        Verdict::NotComparable => {
            let refusing =
                comparison.differences.iter().filter(|difference| difference.weight() == Weight::Refuses).count()
                    as u64;
            format!(
                "{} of the setup; --allow-differences compares nevertheless",
                format::counted(refusing, "difference", "differences")
            )
        }
        Verdict::Invalid => {
            format!("the measurement of {} is invalid", compared.run.name)
        }
        Verdict::Inconclusive if comparison.machine.is_some_and(|machine| machine.moved) => {
            let machine = comparison.machine.map_or(1.0, |machine| machine.run_ns / machine.base_ns);
            format!("different machine: the reference changed by {} {against}", changed(machine))
        }
        Verdict::Fail | Verdict::Improved => format!("{} {against}", named(comparison, comparison.verdict)),
        Verdict::Inconclusive | Verdict::Interrupted => match comparison.rows.last().and_then(whole_p50) {
            Some(_) => format!("{} {against}; {}", named(comparison, Verdict::Inconclusive), seen(comparison)),
            None => format!("too few requests for a median {against}"),
        },
        Verdict::Pass => {
            let whole = comparison.rows.last().map(|row| {
                let changes = [Quantity::P50, Quantity::P99].into_iter().filter_map(|quantity| row.of(quantity));
                changes.filter_map(|change| sentence(row, change, false)).collect::<Vec<_>>().join(", ")
            });
            format!("{} {against}; {}", whole.unwrap_or_default(), seen(comparison))
        }
    }
}

fn whole_p50(row: &RowChange) -> Option<f64> {
    row.of(Quantity::P50)?.ratio()
}

/// The quantities that are so, the largest changes first.
fn named(comparison: &Comparison, verdict: Verdict) -> String {
    let mut found: Vec<(&RowChange, &QuantityChange)> = comparison
        .rows
        .iter()
        .flat_map(|row| row.quantities.iter().map(move |change| (row, change)))
        .filter(|(row, change)| {
            // What is unknown of a row does not count.
            change.verdict == Some(verdict) && (row.is_whole() || verdict != Verdict::Inconclusive)
        })
        .collect();
    // The whole sums it up; below it the largest changes.
    let size = |change: &QuantityChange| change.ratio().map_or(0.0, |ratio| ratio.ln().abs());
    found.sort_by(|(a, x), (b, y)| b.is_whole().cmp(&a.is_whole()).then(size(y).total_cmp(&size(x))));
    let more = found.len().saturating_sub(MOST_NAMED);
    let sentences: Vec<_> =
        found.iter().take(MOST_NAMED).filter_map(|(row, change)| sentence(row, change, true)).collect();
    let more = if more > 0 { format!(" and {} more", format::count(more as u64)) } else { String::new() };
    format!("{}{more}", sentences.join(", "))
}

/// `api GET p50 0.412 ms → 0.437 ms (+6.1 % [+4.0, +8.3], p = 0.0002)`, `‡` behind the change where it is calibrated.
fn sentence(row: &RowChange, of: &QuantityChange, with_row: bool) -> Option<String> {
    let (base, run) = (of.base?, of.run?);
    let whose = if with_row && !row.is_whole() {
        format!("{} ", row_name(row.service.as_deref(), row.operation.as_deref()))
    } else {
        String::new()
    };
    let regressed = of.verdict == Some(Verdict::Fail);
    let p = of.p().filter(|_| regressed).map(|p| format!(", {}", p_value(p))).unwrap_or_default();
    Some(format!(
        "{whose}{} {} → {} ({}{}{p})",
        quantity_words(of.quantity),
        value(of.quantity, base),
        value(of.quantity, run),
        change(of),
        mark(of),
    ))
}

/// How small a change of the median could have been seen.
fn seen(comparison: &Comparison) -> String {
    let p50 = comparison.rows.last().and_then(|row| row.of(Quantity::P50));
    match p50.and_then(QuantityChange::smallest_detectable) {
        Some(effect) => format!("smallest detectable rise of p50 {}", format::share(effect)),
        None => format!("threshold of p50 {}", format::limit(comparison.threshold)),
    }
}

fn runs(comparison: &Comparison) -> String {
    let (Method::Tolerance { runs } | Method::Threshold { runs }) = comparison.method;
    format::counted(runs as u64, "run", "runs")
}

fn remarks(compared: &ComparisonReport) -> Vec<String> {
    let comparison = &compared.comparison;
    let mut remarks = Vec::new();
    if let (Method::Threshold { runs }, false) = (comparison.method, comparison.rows.is_empty()) {
        remarks.push(format!(
            "With {} only large changes are detectable: the spread of runs is unknown, so the threshold of {} decides, \
             for the whole only. From {ENOUGH_RUNS} runs on, best of different nights, their spread decides.",
            format::counted(runs as u64, "run", "runs"),
            format::limit(comparison.threshold),
        ));
    }
    if comparison.left_out > 0 {
        remarks.push(format!(
            "{} of the baseline left out: invalid or interrupted.",
            format::counted(comparison.left_out as u64, "run", "runs")
        ));
    }
    if compared.run.interrupted {
        remarks.push(format!("{} was interrupted, and is shorter than its scenario.", compared.run.name));
    }
    let whole = comparison.rows.last();
    let tail = whole.and_then(|row| row.of(Quantity::P99)).and_then(|change| change.verdict);
    if tail == Some(Verdict::Inconclusive) {
        remarks.push(format!(
            "A change of p99 by {} cannot be excluded, because of the spread of runs. This decides nothing.",
            format::limit(comparison.threshold * TAIL_FACTOR)
        ));
    }
    if whole.is_some_and(|row| row.quantities.iter().any(|change| change.calibrated)) {
        remarks.push(CALIBRATED.to_owned());
    }
    if let Some(machine) = comparison.machine.filter(|machine| machine.unsteady) {
        remarks.push(format!(
            "The machine's reference changed by more than 10 % during the run (mean {}).",
            format::duration(machine.run_ns)
        ));
    }
    if comparison.machine.is_none() && compared.has_base() {
        remarks.push("The speed of the machine is unknown: a run has no reference.".to_owned());
    }
    let differing = comparison.differences.len() as u64;
    if differing > 0 && !comparison.rows.is_empty() {
        remarks
            .push(format!("{} of the setup, listed below.", format::counted(differing, "difference", "differences")));
    }
    remarks
}

fn numbers(comparison: &Comparison) -> Vec<KeyNumber> {
    let Some(whole) = comparison.rows.last() else { return Vec::new() };
    let number = |change: &QuantityChange| {
        Some(KeyNumber {
            name: quantity_words(change.quantity).to_owned(),
            value: format!("{}{}", changed(change.ratio()?), mark(change)),
            against: format!("{} → {}", value(change.quantity, change.base?), value(change.quantity, change.run?)),
        })
    };
    whole.quantities.iter().filter_map(number).collect()
}
