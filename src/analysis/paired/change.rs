//! From the values of slices to differences of blocks, and from those to the change that they show. Knows neither histograms nor
//! files.

use super::{
    power::{Power, deviation},
    signed_rank::{LEVEL, location, median},
};
use crate::{
    analysis::{Effect, Interval, worsening},
    results::{Side, Sides},
};

/// Values of one metric in one quad, in order of time within each arm: A, A, B, B.
pub(in crate::analysis) type Quad = [f64; 4];

/// Typical value of each arm and the logarithm of B over A, of one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::analysis) struct Difference {
    pub(in crate::analysis) levels: Sides<f64>,
    pub(in crate::analysis) log: f64,
}

impl Difference {
    /// Of the quads of a block: the median of each quad's mean logarithm. `None` where there is no quad, or a value that has no
    /// logarithm.
    pub(in crate::analysis) fn of_quads(quads: &[Quad]) -> Option<Self> {
        let logs: Vec<f64> = quads.iter().map(log_of).collect();
        if logs.is_empty() || logs.iter().any(|log| !log.is_finite()) {
            return None;
        }
        let level = |side| median(&quads.iter().flat_map(|quad| own(quad, side)).collect::<Vec<_>>());
        Some(Self { levels: Sides::each(level), log: median(&logs) })
    }

    /// Of one value of each arm.
    pub(in crate::analysis) fn of_pair(a: f64, b: f64) -> Option<Self> {
        let log = (b / a).ln();
        log.is_finite().then_some(Self { levels: Sides { a, b }, log })
    }
}

/// Values of a side in a quad, in order of time.
pub(in crate::analysis) fn own(&[first, second, third, fourth]: &Quad, side: Side) -> [f64; 2] {
    if side == Side::A { [first, second] } else { [third, fourth] }
}

/// Mean logarithm of B over A in a quad.
pub(in crate::analysis) fn log_of(quad: &Quad) -> f64 {
    let [first, second, third, fourth] = quad.map(f64::ln);
    (third + fourth - first - second) / 2.0
}

/// B over A, from the differences of some blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Typical value of each arm: median over the blocks; nanoseconds, or operations per second.
    pub levels: Sides<f64>,
    /// B over A: Hodges-Lehmann estimate, one-sided p-value, and the worsening that both stages of 95 of 100 such gates would
    /// have found.
    pub effect: Effect,
    /// One-sided p-value of being as much better by chance.
    pub p_better: f64,
    /// Blocks that it would take to see what matters; `None` where no sensible number does.
    pub blocks_needed: Option<u32>,
    /// Natural logarithm of B over A in each block.
    pub blocks: Vec<f64>,
}

impl Change {
    /// One-sided p-value of being as much worse by chance.
    pub fn p_worse(&self) -> f64 {
        self.effect.p.unwrap_or(1.0)
    }

    /// Whether it is significant in either direction, at the level of a suspicion.
    pub fn is_significant(&self) -> bool {
        self.p_worse().min(self.p_better) <= LEVEL
    }
}

/// Thresholds for a change of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::analysis) struct Limits {
    /// One-sided level of the test.
    pub(in crate::analysis) level: f64,
    /// Whether a higher value of the metric is worse.
    pub(in crate::analysis) more_is_worse: bool,
    /// Smallest worsening that matters, as a share.
    pub(in crate::analysis) threshold: f64,
    /// The same in the unit of the metric.
    pub(in crate::analysis) floor: f64,
    /// Possible share of the harness, in the unit of the metric: a change within it raises no suspicion, and yet
    /// is no reason to say that there is none.
    pub(in crate::analysis) lag: f64,
}

impl Limits {
    /// The least worsening that matters, as a share.
    pub(in crate::analysis) fn least(&self, level: f64) -> f64 {
        if level > 0.0 { self.threshold.max(self.floor / level) } else { self.threshold }
    }

    /// The estimated logarithm of a worsening below which there is no suspicion: half of what matters as a share, and no less than the
    /// floor or what the harness may have had a part in.
    fn suspicious_from(&self, level: f64) -> f64 {
        let floor = if level > 0.0 { self.floor.max(self.lag) / level } else { 0.0 };
        self.log_of(self.threshold / 2.0).max(self.log_of(floor))
    }

    fn log_of(&self, share: f64) -> f64 {
        worsening::log_of(share, self.more_is_worse)
    }

    /// Estimate of the worsening and the upper end of its interval, on the logarithmic scale.
    fn worsening(&self, change: &Change) -> (f64, Option<f64>) {
        let Interval { point, low, high } = change.effect.ratio.map(f64::ln);
        if self.more_is_worse { (point, high) } else { (-point, low.map(|low| -low)) }
    }

    /// Whether B is worse: the change is significant, at least half of what matters as a share, and no less than the floor and the lag.
    pub(in crate::analysis) fn is_worse(&self, change: &Change) -> bool {
        self.is_change(change.p_worse(), self.worsening(change).0, change.levels.a)
    }

    /// Whether B is better, by the same rule: what B has gained is compared with what B would lose.
    pub(in crate::analysis) fn is_better(&self, change: &Change) -> bool {
        self.is_change(change.p_better, -self.worsening(change).0, change.levels.b)
    }

    /// Whether the interval leaves room for no worsening that matters.
    pub(in crate::analysis) fn is_not_worse(&self, change: &Change) -> bool {
        let matters = self.log_of(self.least(change.levels.a));
        self.worsening(change).1.is_some_and(|high| high < matters)
    }

    /// Whether the interval leaves room for no gain that matters.
    pub(in crate::analysis) fn is_not_better(&self, change: &Change) -> bool {
        let Interval { low, high, .. } = change.effect.ratio.map(f64::ln);
        let gain = if self.more_is_worse { low.map(|low| -low) } else { high };
        gain.is_some_and(|gain| gain < self.log_of(self.least(change.levels.b)))
    }

    fn is_change(&self, p: f64, log: f64, level: f64) -> bool {
        p <= self.level && log >= self.suspicious_from(level)
    }
}

/// The change that some blocks show, with what they could have shown; `None` where there is none.
pub(in crate::analysis) fn change(blocks: &[Difference], limits: &Limits, power: &mut Power) -> Option<Change> {
    let mut change = estimate(blocks, limits)?;
    let level = change.levels.a;
    let (suspicious_from, matters) = (limits.suspicious_from(level), limits.log_of(limits.least(level)));
    let detectable = Some(power.detectable(&change.blocks, suspicious_from)).filter(|log| log.is_finite());
    change.effect.smallest_detectable = detectable.map(|log| worsening::share_of(log, limits.more_is_worse));
    // More blocks make no harness faster.
    let needed = power.blocks_for(matters, deviation(&change.blocks));
    change.blocks_needed = needed.filter(|_| suspicious_from < matters);
    Some(change)
}

/// The change alone.
pub(in crate::analysis) fn estimate(blocks: &[Difference], limits: &Limits) -> Option<Change> {
    if blocks.is_empty() {
        return None;
    }
    let logs: Vec<f64> = blocks.iter().map(|block| block.log).collect();
    let natural = location(&logs);
    let (p_worse, p_better) =
        if limits.more_is_worse { (natural.p_above, natural.p_below) } else { (natural.p_below, natural.p_above) };
    let level = |side| median(&blocks.iter().map(|block| block.levels[side]).collect::<Vec<_>>());
    Some(Change {
        levels: Sides::each(level),
        effect: Effect { ratio: natural.estimate.map(f64::exp), p: Some(p_worse), smallest_detectable: None },
        p_better,
        blocks_needed: None,
        blocks: logs,
    })
}
