//! What trials say of rates, and where they put the line between those that can be sustained and those that cannot.

use super::{FailReason, Judgement};

/// Rates that differ by less, as a share, are one and the same.
const SAME: f64 = 1e-9;

/// Whether two rates are one and the same, but for rounding.
pub(super) fn same_rate(one: f64, other: f64) -> bool {
    (one / other - 1.0).abs() <= SAME
}

/// Whether a rate is below another one, and not the same.
pub(super) fn is_below(rate: f64, other: f64) -> bool {
    rate < other * (1.0 - SAME)
}

/// Passes that a lower end must have more than failures before it is confirmed: three of three, or four of five where one
/// trial contradicts the others.
pub(super) const CONFIRMED: i32 = 3;

/// Failed confirmations after which a rate is not tried again.
const REJECTED: i32 = 4;

/// Evidence on one rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    /// Operations per second.
    pub(super) rate: f64,
    /// Trials that passed less those that failed.
    pub(super) lead: i32,
    /// The same for trials that were to confirm it.
    pub(super) confirmed: i32,
    /// Trials that were to confirm it.
    pub(super) confirmations: u32,
    /// Trials of it as the upper end.
    pub(super) above: u32,
    /// Error of the first failure.
    pub(super) failure: Option<FailReason>,
}

/// Evidence on all rates, in ascending order.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    levels: Vec<Level>,
}

/// The line between rates: the highest below it, the lowest above it, and the lowest of those that evidence for and against
/// keeps on it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bracket {
    pub(super) low: Option<Level>,
    pub(super) high: Option<Level>,
    pub(super) torn: Option<Level>,
}

impl Level {
    /// Whether four trials that were to confirm it failed without three more passes to outweigh them: what can be sustained now
    /// and then cannot be sustained.
    pub(super) fn rejected(&self) -> bool {
        let failed = (self.confirmations as i32 - self.confirmed) / 2;
        failed >= REJECTED && self.confirmed < CONFIRMED
    }

    /// What it counts for where the line is drawn.
    fn weight(&self) -> i32 {
        if self.rejected() { self.lead.min(-1) } else { self.lead }
    }
}

impl Evidence {
    /// The level of a rate, for news of it.
    pub(super) fn level(&mut self, rate: f64) -> &mut Level {
        let at = self.levels.partition_point(|level| is_below(level.rate, rate));
        if self.levels.get(at).is_none_or(|level| !same_rate(level.rate, rate)) {
            let new = Level { rate, lead: 0, confirmed: 0, confirmations: 0, above: 0, failure: None };
            self.levels.insert(at, new);
        }
        &mut self.levels[at]
    }

    /// Enters a trial that passed (`None`) or failed.
    pub(super) fn enter(&mut self, rate: f64, failure: Option<FailReason>) -> &mut Level {
        let level = self.level(rate);
        level.lead += if failure.is_none() { 1 } else { -1 };
        level.failure = level.failure.or(failure);
        level
    }

    /// Enters what a judgement says; one that says nothing of the rate is left out.
    pub(super) fn take(&mut self, rate: f64, judgement: &Judgement) {
        match judgement {
            Judgement::Pass => _ = self.enter(rate, None),
            Judgement::Fail(reason) => _ = self.enter(rate, Some(*reason)),
            Judgement::Undecided | Judgement::ClientLimited(_) => {}
        }
    }

    pub(super) fn lowest(&self) -> Option<Level> {
        self.levels.first().copied()
    }

    pub(super) fn highest(&self) -> Option<Level> {
        self.levels.last().copied()
    }

    /// Where the line lies: at the place with the fewest trials that contradict it.
    ///
    /// If each trial lies with the same probability below one half, independently, this is the place of the greatest
    /// likelihood. Without contradictions it lies between the highest that passed and the lowest that failed. Of several
    /// places that are as good the lowest counts, and what lies between them is `torn`. Rates from `wall` on do not count.
    pub(super) fn bracket(&self, wall: f64) -> Bracket {
        let levels = &self.levels[..self.levels.partition_point(|level| is_below(level.rate, wall))];
        let all: i32 = levels.iter().map(Level::weight).sum();
        let (mut best, mut first, mut last) = (-all, 0, 0);
        let mut score = -all;
        for (index, level) in levels.iter().enumerate() {
            score += 2 * level.weight();
            if score > best {
                (best, first, last) = (score, index + 1, index + 1);
            } else if score == best {
                last = index + 1;
            }
        }
        Bracket {
            low: first.checked_sub(1).map(|index| levels[index]),
            high: levels.get(first).copied(),
            torn: (first < last).then(|| levels[first]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(trials: &[(f64, bool)]) -> (Option<f64>, Option<f64>, Option<f64>) {
        let mut evidence = Evidence::default();
        for (rate, passed) in trials {
            evidence.enter(*rate, (!passed).then_some(FailReason::Unclear));
        }
        let bracket = evidence.bracket(f64::INFINITY);
        let rate = |level: Option<Level>| level.map(|level| level.rate);
        (rate(bracket.low), rate(bracket.high), rate(bracket.torn))
    }

    #[test]
    fn lies_between_what_passed_and_what_failed() {
        assert_eq!(ends(&[]), (None, None, None));
        assert_eq!(ends(&[(1.0, true)]), (Some(1.0), None, None));
        assert_eq!(ends(&[(1.0, false)]), (None, Some(1.0), None));
        assert_eq!(ends(&[(4.0, false), (1.0, true), (2.0, true)]), (Some(2.0), Some(4.0), None));
    }

    #[test]
    fn one_contradiction_is_outvoted() {
        let lied = [(1.0, true), (2.0, false), (2.0, true), (2.0, true), (4.0, true), (8.0, false)];
        assert_eq!(ends(&lied), (Some(4.0), Some(8.0), None));
        let lied = [(1.0, true), (2.0, false), (2.0, false), (4.0, true), (8.0, false)];
        assert_eq!(ends(&lied), (Some(1.0), Some(2.0), None));
    }

    #[test]
    fn what_is_as_likely_either_way_is_torn() {
        assert_eq!(ends(&[(1.0, true), (2.0, true), (2.0, false), (4.0, false)]), (Some(1.0), Some(2.0), Some(2.0)));
        assert_eq!(ends(&[(1.0, true), (2.0, false), (4.0, true), (8.0, false)]), (Some(1.0), Some(2.0), Some(2.0)));
    }

    #[test]
    fn a_rate_is_known_again_by_its_value() {
        let mut evidence = Evidence::default();
        evidence.enter(0.1 + 0.2, None);
        assert_eq!(evidence.enter(0.3, None).lead, 2);
    }
}
