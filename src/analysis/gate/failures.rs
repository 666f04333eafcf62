//! Whether more of B's requests fail than of A's, block by block: failures are in no percentile, so nothing else would show.

use super::{FailedShares, Failures, Invalidity, LEVEL};
use crate::{
    analysis::paired::p_above,
    results::{GateBlock, GateSlice, Side, Sides, Verdict},
};

/// Share of failed requests above which arm A is unusable, and a block of B alone is an outage.
const MOST_FAILED: f64 = 0.05;

/// What both stages show; `limit` is the share that the objective allows.
pub(super) fn failures<'b>(
    screen: impl Iterator<Item = &'b GateBlock>,
    confirm: impl Iterator<Item = &'b GateBlock>,
    limit: f64,
) -> Failures {
    let screen = shares(screen, limit).unwrap_or_default();
    let confirm = shares(confirm, limit);
    let is_suspicious = |shares: &FailedShares| shares.more || shares.outages > 0;
    let verdict = match &confirm {
        Some(confirm) if screen.more && confirm.more => Verdict::Fail,
        // What was there once and not again is neither certain nor nothing.
        _ if is_suspicious(&screen) || confirm.as_ref().is_some_and(is_suspicious) => Verdict::Inconclusive,
        _ => Verdict::Pass,
    };
    Failures { screen, confirm, verdict }
}

/// That A itself fails in one of the stages, and the share that does.
pub(super) fn of_baseline(failures: &Failures) -> Option<Invalidity> {
    let worst = failures.worst().a;
    (worst > MOST_FAILED).then_some(Invalidity::BaselineFails(worst))
}

/// `None` without a block.
fn shares<'b>(blocks: impl Iterator<Item = &'b GateBlock>, limit: f64) -> Option<FailedShares> {
    let counts: Vec<Sides<(u64, u64)>> = blocks.map(|block| Sides::each(|arm| counted(block, arm))).collect();
    if counts.is_empty() {
        return None;
    }
    let all = Sides::each(|arm| {
        let own = counts.iter().map(|block| block[arm]);
        share(own.fold((0, 0), |(failed, all), (more, of)| (failed + more, all + of)))
    });
    let of_blocks: Vec<Sides<f64>> = counts.iter().map(|block| block.map(share)).collect();
    let differences: Vec<f64> = of_blocks.iter().map(|of| of.b - of.a).collect();
    Some(FailedShares {
        shares: all,
        more: all.b > limit && p_above(&differences) <= LEVEL,
        outages: of_blocks.iter().filter(|of| of.b > MOST_FAILED && of.a <= MOST_FAILED).count() as u32,
    })
}

/// Requests of an arm that failed, and all that finished or should have.
fn counted(block: &GateBlock, arm: Side) -> (u64, u64) {
    let own = |slice: &&GateSlice| slice.arm == arm;
    let tallies = block.slices.iter().filter(own).flat_map(|slice| &slice.series);
    tallies.fold((0, 0), |(failed, all), tally| (failed + tally.failed, all + tally.failed + tally.completed))
}

fn share((failed, all): (u64, u64)) -> f64 {
    failed as f64 / (all as f64).max(1.0)
}
