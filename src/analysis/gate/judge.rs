//! From the values of slices to differences of blocks, and from those to a verdict. Knows neither histograms nor files.

use super::{
    Change, GateMetric, GateVerdict, LEVEL,
    power::{Power, deviation},
    signed_rank::{location, median},
};
use crate::analysis::worsening;

/// Values of one metric in one quad, in order of time within each arm: A, A, B, B.
pub(super) type Quad = [f64; 4];

/// Typical value of each arm and the logarithm of B over A, of one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Difference {
    pub(super) levels: [f64; 2],
    pub(super) log: f64,
}

impl Difference {
    /// Of the quads of a block: the median of each quad's mean logarithm. `None` where there is no quad, or a value that has no
    /// logarithm.
    pub(super) fn of_quads(quads: &[Quad]) -> Option<Self> {
        let logs: Vec<f64> = quads.iter().map(log_of).collect();
        if logs.is_empty() || logs.iter().any(|log| !log.is_finite()) {
            return None;
        }
        let level =
            |arm: usize| median(&quads.iter().flat_map(|quad| [quad[2 * arm], quad[2 * arm + 1]]).collect::<Vec<_>>());
        Some(Self { levels: [level(0), level(1)], log: median(&logs) })
    }

    /// Of one value of each arm.
    pub(super) fn of_pair(a: f64, b: f64) -> Option<Self> {
        let log = (b / a).ln();
        log.is_finite().then_some(Self { levels: [a, b], log })
    }
}

/// Mean logarithm of B over A in a quad.
pub(super) fn log_of(quad: &Quad) -> f64 {
    let [first, second, third, fourth] = quad.map(f64::ln);
    (third + fourth - first - second) / 2.0
}

/// What counts as a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    pub(super) metric: GateMetric,
    /// Smallest worsening that matters, as a share.
    pub(super) threshold: f64,
    /// The same in the unit of the metric.
    pub(super) floor: f64,
    /// What the harness may have had a part in, in the unit of the metric: a change within it raises no suspicion, and yet
    /// is no reason to say that there is none.
    pub(super) lag: f64,
}

impl Limits {
    /// The least worsening that matters, as a share.
    pub(super) fn least(&self, level: f64) -> f64 {
        if level > 0.0 { self.threshold.max(self.floor / level) } else { self.threshold }
    }

    /// The estimated logarithm of a worsening below which there is no suspicion: half of what matters as a share, and no less than the
    /// floor or what the harness may have had a part in.
    fn suspicious_from(&self, level: f64) -> f64 {
        let floor = if level > 0.0 { self.floor.max(self.lag) / level } else { 0.0 };
        self.log_of(self.threshold / 2.0).max(self.log_of(floor))
    }

    fn log_of(&self, share: f64) -> f64 {
        worsening::log_of(share, self.metric.more_is_worse())
    }

    /// Estimate of the worsening and the upper end of its interval, on the logarithmic scale.
    fn worsening(&self, change: &Change) -> (f64, f64) {
        let (estimate, low, high) = (change.ratio.ln(), change.low.ln(), change.high.ln());
        if self.metric.more_is_worse() { (estimate, high) } else { (-estimate, -low) }
    }

    /// Whether a change is significant, at least half of what matters as a share, and no less than the floor and the lag.
    pub(super) fn suspects(&self, change: &Change) -> bool {
        self.is_change(change.p_worse, self.worsening(change).0, change.levels[0])
    }

    fn is_change(&self, p: f64, log: f64, level: f64) -> bool {
        p <= LEVEL && log >= self.suspicious_from(level)
    }

    /// The verdict: of the first stage where it raised no suspicion, of the second alone where it did.
    pub(super) fn verdict(&self, screen: &Change, confirm: Option<&Change>) -> GateVerdict {
        let suspected = self.suspects(screen);
        match confirm {
            Some(confirm) if suspected && self.suspects(confirm) => GateVerdict::Regression,
            Some(confirm) if suspected => self.acquit(confirm),
            // Without a second stage nothing is confirmed.
            None if suspected => GateVerdict::Inconclusive,
            _ => self.acquit(screen),
        }
    }

    fn acquit(&self, change: &Change) -> GateVerdict {
        let (estimate, high) = self.worsening(change);
        // What B has gained is held against what B would lose.
        if self.is_change(change.p_better, -estimate, change.levels[1]) {
            GateVerdict::Improved
        } else if high < self.log_of(self.least(change.levels[0])) {
            GateVerdict::Ok
        } else {
            GateVerdict::Inconclusive
        }
    }
}

/// The change that some blocks show; `None` where there is none.
pub(super) fn change(blocks: &[Difference], limits: &Limits, power: &mut Power) -> Option<Change> {
    if blocks.is_empty() {
        return None;
    }
    let logs: Vec<f64> = blocks.iter().map(|block| block.log).collect();
    let natural = location(&logs);
    let more_is_worse = limits.metric.more_is_worse();
    let (p_worse, p_better) =
        if more_is_worse { (natural.p_above, natural.p_below) } else { (natural.p_below, natural.p_above) };
    let level = |arm: usize| median(&blocks.iter().map(|block| block.levels[arm]).collect::<Vec<_>>());
    let levels = [level(0), level(1)];
    let (suspicious_from, matters) = (limits.suspicious_from(levels[0]), limits.log_of(limits.least(levels[0])));
    let detectable = power.detectable(&logs, suspicious_from);
    Some(Change {
        levels,
        ratio: natural.estimate.exp(),
        low: natural.low.exp(),
        high: natural.high.exp(),
        p_worse,
        p_better,
        detectable: if detectable.is_finite() { worsening::share_of(detectable, more_is_worse) } else { f64::INFINITY },
        // More blocks make no harness faster.
        blocks_needed: power.blocks_for(matters, deviation(&logs)).filter(|_| suspicious_from < matters),
        blocks: logs,
    })
}
