//! The load of today against what can be carried.

use super::{Headroom, Sustainable};
use crate::results::Capacity;

/// Share of the sustainable rate at which to run.
pub(super) const RECOMMENDED: f64 = 0.8;

/// How many times the load of today can be carried, and for how long at the growth that was stated: months until the
/// recommended rate is reached, `ln(recommended / current) / ln(1 + growth)`.
///
/// What the server counted itself was there beside the trials as well: what they found comes on top of it.
pub(super) fn headroom(capacity: &Capacity, arm: u32, sustainable: Option<Sustainable>) -> Option<Headroom> {
    let stated = capacity.plan.current_rate;
    let current = stated.or(capacity.current_rate).filter(|rate| *rate > 0.0)?;
    let sustainable = sustainable?;
    let carried = sustainable.rate + if stated.is_some() { 0.0 } else { current };
    let recommended = RECOMMENDED * carried;
    let growth = capacity.plan.growth;
    let months = |growth: f64| {
        if current >= recommended {
            return Some(0.0);
        }
        (growth > 0.0).then(|| (recommended / current).ln() / growth.ln_1p())
    };
    Some(Headroom {
        arm,
        current,
        stated: stated.is_some(),
        times: carried / current,
        bounded: sustainable.above.is_some(),
        growth,
        months: growth.and_then(months).filter(|_| sustainable.above.is_some()),
    })
}
