//! One quantity of one row: its values in the runs of a baseline and in a further run, and how far they lie apart.

use super::{
    model::{Quantity, QuantityChange},
    tolerance::{ALARM, ENOUGH_RUNS, Sample, smallest_effect},
};
use crate::{
    analysis::{Effect, Interval, worsening::share_of},
    measure::SECOND,
    results::{Abstract, AbstractRow, KnownPercentile, Verdict},
};

/// Share by which dividing by the machine's reference must lower the spread before it is done: less may be chance.
const WORTH_CALIBRATING: f64 = 0.2;

/// Runs from which on that is asked. The smaller of two spreads is too small on average, the more so the fewer runs they come
/// from: with seven runs the choice raises false alarms from 1.0 to 1.3 %.
const ENOUGH_TO_CALIBRATE: usize = 15;

/// Requests that a run would have answered at the baseline's rate, from which on it is no chance that it answered none.
const ENOUGH_EXPECTED: f64 = 20.0;

/// Smallest change of a response time that matters, in nanoseconds.
const LEAST_CHANGE: f64 = 20_000.0;

/// Smallest change in steps of a histogram.
const LEAST_STEPS: f64 = 3.0;

/// Smallest relative change of throughput that matters: from here on a run warns that its load was not what it claims.
const LEAST_SHARE: f64 = 0.01;

/// Probability that is left on either side of an interval.
const BEYOND_INTERVAL: f64 = 0.025;

/// A quantity with what is needed to judge it.
#[derive(Debug)]
pub(super) struct QuantityJudgement {
    pub(super) change: QuantityChange,
    /// Probability of being better by as much without any change.
    pub(super) better: Option<f64>,
    /// Largest logarithm of a change for the worse that the runs allow, with probability 99 %.
    pub(super) worst: Option<f64>,
    /// Whether intervals within the runs lie apart; `None` where there are none.
    pub(super) apart: Option<bool>,
}

impl Quantity {
    pub(super) fn of(self, row: &AbstractRow) -> Option<f64> {
        let value = if self == Self::Throughput { row.rate } else { self.percentile(row)?.nanos as f64 };
        (value > 0.0).then_some(value)
    }

    /// Interval within a run.
    fn within(self, row: &AbstractRow) -> Option<(f64, f64)> {
        self.percentile(row).map(|known| (known.low.max(1) as f64, known.high.max(1) as f64))
    }

    fn percentile(self, row: &AbstractRow) -> Option<&KnownPercentile> {
        match self {
            Self::P50 => row.percentile(50.0),
            Self::P99 => row.percentile(99.0),
            Self::Throughput => None,
        }
    }

    pub(super) fn more_is_worse(self) -> bool {
        self != Self::Throughput
    }

    /// 1 where more is worse, -1 where less is.
    pub(super) fn worse(self) -> f64 {
        if self.more_is_worse() { 1.0 } else { -1.0 }
    }

    /// Whether a change is large enough to matter at all, whatever chance has to do with it.
    pub(super) fn matters(self, base: f64, run: f64) -> bool {
        match self {
            Self::Throughput => (run / base - 1.0).abs() >= LEAST_SHARE,
            Self::P50 | Self::P99 => (run - base).abs() >= LEAST_CHANGE.max(LEAST_STEPS * step(base)),
        }
    }
}

/// Width of a step of a histogram with three significant digits around a value.
fn step(nanos: f64) -> f64 {
    let doublings = (nanos.max(1.0).log2().floor() - 10.0).max(0.0);
    doublings.exp2()
}

/// Compares one quantity of a row. `level` is the probability of a false alarm that this test may spend by itself, `least` the
/// smallest change that is judged one, as a logarithm.
pub(super) fn compare_quantity(
    quantity: Quantity,
    base: &[(&Abstract, &AbstractRow)],
    run: (&Abstract, &AbstractRow),
    level: f64,
    least: f64,
) -> QuantityJudgement {
    let known: Vec<(f64, Option<f64>, &AbstractRow)> =
        base.iter().filter_map(|(whole, row)| Some((quantity.of(row)?.ln(), reference(whole), *row))).collect();
    let plain: Vec<f64> = known.iter().map(|(value, ..)| *value).collect();
    let sample = Sample::of(&plain);
    let value = quantity.of(run.1);
    let mut change = QuantityChange {
        quantity,
        verdict: None,
        base: sample.map(|sample| sample.mean.exp()),
        run: value,
        runs: known.len(),
        effect: None,
        spread: sample.and_then(|sample| sample.spread),
        calibrated: false,
    };
    let mut judged = QuantityJudgement { change: change.clone(), better: None, worst: None, apart: None };
    let Some(sample) = sample else { return judged };
    if quantity == Quantity::Throughput && value.is_none() {
        let expected = sample.mean.exp() * run.0.measured_ns as f64 / SECOND as f64;
        if expected >= ENOUGH_EXPECTED {
            // No logarithm shows it, and no spread is needed to.
            judged.change.run = Some(0.0);
            judged.change.effect = Some(Effect { ratio: Interval::unbounded(0.0), p: None, smallest_detectable: None });
            judged.change.verdict = Some(Verdict::Fail);
        }
        return judged;
    }
    let Some(value) = value else { return judged };
    let (mut used, mut at) = (sample, value.ln());
    if let Some((calibrated, shifted)) = calibrated(quantity, &known, run.0, value.ln())
        && known.len() >= ENOUGH_TO_CALIBRATE
        && calibrated.spread < sample.spread.map(|spread| spread * (1.0 - WORTH_CALIBRATING))
    {
        (used, at, change.calibrated) = (calibrated, shifted, true);
    }
    let difference = at - used.mean;
    change.spread = used.spread;
    let ends = if let [(.., row)] = known[..] {
        within(quantity, row, run.1)
    } else {
        used.reach(BEYOND_INTERVAL).map(|reach| ((difference - reach).exp(), (difference + reach).exp()))
    };
    let ratio = difference.exp();
    let ratio = ends.map_or(Interval::unbounded(ratio), |ends| Interval::between(ratio, ends));
    let mut effect = Effect { ratio, p: None, smallest_detectable: None };
    let worse = quantity.worse();
    if known.len() >= ENOUGH_RUNS {
        let above = used.chance_above(at);
        let below = above.map(|above| 1.0 - above);
        (effect.p, judged.better) = if worse > 0.0 { (above, below) } else { (below, above) };
        judged.worst = used.reach(ALARM).map(|reach| worse * difference + reach);
        effect.smallest_detectable = used
            .spread
            .and_then(|spread| smallest_effect(spread, used.runs, level, least))
            .map(|effect| share_of(effect, quantity.more_is_worse()));
    }
    change.effect = Some(effect);
    judged.apart = apart(quantity, &known, run.1, value.ln() > sample.mean);
    judged.change = change;
    judged
}

fn reference(of: &Abstract) -> Option<f64> {
    of.calibration.map(|calibration| calibration.nanos().ln())
}

/// The same with the machine's speed taken out: response times in references, throughput in requests per reference.
fn calibrated(
    quantity: Quantity,
    known: &[(f64, Option<f64>, &AbstractRow)],
    run: &Abstract,
    value: f64,
) -> Option<(Sample, f64)> {
    let worse = quantity.worse();
    let shifted: Option<Vec<f64>> =
        known.iter().map(|(value, reference, _)| Some(value - worse * (*reference)?)).collect();
    Some((Sample::of(&shifted?)?, value - worse * reference(run)?))
}

/// Interval of the ratio of two runs, from the intervals within each.
fn within(quantity: Quantity, base: &AbstractRow, run: &AbstractRow) -> Option<(f64, f64)> {
    let ((base_low, base_high), (run_low, run_high)) = (quantity.within(base)?, quantity.within(run)?);
    Some((run_low / base_high, run_high / base_low))
}

/// Whether the interval within the run lies beyond those of all runs of the baseline.
fn apart(
    quantity: Quantity,
    base: &[(f64, Option<f64>, &AbstractRow)],
    run: &AbstractRow,
    above: bool,
) -> Option<bool> {
    let (low, high) = quantity.within(run)?;
    let within: Option<Vec<(f64, f64)>> = base.iter().map(|(.., row)| quantity.within(row)).collect();
    Some(within?.into_iter().all(|(base_low, base_high)| if above { low > base_high } else { high < base_low }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_those_of_the_histogram() {
        let histogram = hdrhistogram::Histogram::<u64>::new(3).unwrap();
        for value in [1.0, 900.0, 2_047.0, 2_048.0, 70_000.0, 1e6, 5e9] {
            assert!((step(value) - histogram.equivalent_range(value as u64) as f64).abs() < 0.5, "{value}");
        }
    }

    #[test]
    fn little_does_not_matter() {
        assert!(!Quantity::P50.matters(60_000.0, 79_000.0) && Quantity::P50.matters(60_000.0, 80_000.0));
        assert!(
            !Quantity::P99.matters(50e6, 50.09e6) && Quantity::P99.matters(50e6, 50.1e6),
            "three steps of 32 768 ns"
        );
        assert!(!Quantity::Throughput.matters(1_000.0, 991.0) && Quantity::Throughput.matters(1_000.0, 990.0));
    }
}
