//! From the change in each stage to a verdict.

use super::{Change, GateVerdict};
use crate::analysis::paired::Limits;

/// The verdict: of the first stage where it raised no suspicion, of the second alone where it did.
pub(super) fn verdict(limits: &Limits, screen: &Change, confirm: Option<&Change>) -> GateVerdict {
    let suspected = limits.is_worse(screen);
    match confirm {
        Some(confirm) if suspected && limits.is_worse(confirm) => GateVerdict::Regression,
        Some(confirm) if suspected => acquit(limits, confirm),
        // Without a second stage nothing is confirmed.
        None if suspected => GateVerdict::Inconclusive,
        _ => acquit(limits, screen),
    }
}

fn acquit(limits: &Limits, change: &Change) -> GateVerdict {
    if limits.is_better(change) {
        GateVerdict::Improved
    } else if limits.is_not_worse(change) {
        GateVerdict::Ok
    } else {
        GateVerdict::Inconclusive
    }
}
