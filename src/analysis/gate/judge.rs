//! From the change in each stage to a verdict.

use super::Change;
use crate::{analysis::paired::Limits, results::Verdict};

/// The verdict: of the first stage where it raised no suspicion, of the second alone where it did.
pub(super) fn verdict(limits: &Limits, screen: &Change, confirm: Option<&Change>) -> Verdict {
    let suspected = limits.is_worse(screen);
    match confirm {
        Some(confirm) if suspected && limits.is_worse(confirm) => Verdict::Fail,
        Some(confirm) if suspected => acquit(limits, confirm),
        // Without a second stage nothing is confirmed.
        None if suspected => Verdict::Inconclusive,
        _ => acquit(limits, screen),
    }
}

fn acquit(limits: &Limits, change: &Change) -> Verdict {
    if limits.is_better(change) {
        Verdict::Improved
    } else if limits.is_not_worse(change) {
        Verdict::Pass
    } else {
        Verdict::Inconclusive
    }
}
