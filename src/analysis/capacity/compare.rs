//! Two pool sizes at one rate, by blocks in which they took turns: what changes from the smaller to the larger one.

use std::cmp::Ordering;

use super::RateComparison;
use crate::{
    analysis::{
        mean::mean,
        paired::{Difference, Limits, Power, change, disturbance, estimate, median, p_above},
    },
    results::{BlockSide, PoolBlock, Sides},
    scenario::Objective,
};

/// One-sided level of every test. Two rates decide, in either direction, so that a chance of one in fifty is left of any false advice; eight
/// blocks that agree reach it (1 / 256), which is how many earlier versions made.
pub(super) const SIGNIFICANT: f64 = 0.004;

/// Share by which a time must change to matter.
const MARGIN: f64 = 0.1;

/// Share of the objective's latency below which a change of a time does not matter: the share that a wait may have
/// where a pool is large enough.
const NOTICED: f64 = super::erlang::WAIT;

/// Shorter waits, in nanoseconds, are no waits, and their ratio says nothing.
const LEAST_WAIT: f64 = 1e3;

/// Part of a turn that generators may be apart.
const ALIGNED: u64 = 10;

/// Whether the machine disturbed a block: then it says nothing, and is made again, once.
pub(super) fn is_disturbed(block: &PoolBlock) -> bool {
    // Both sizes have load at once for so long at each change.
    let is_apart = |turn: u64| block.misaligned_ns.is_some_and(|error| error > turn / ALIGNED);
    disturbance(block.stolen, block.throttled, Some(block.lag_p50)).is_some() || block.turn_ns.is_some_and(is_apart)
}

/// What matters of a time: a tenth of it, and what a user could notice beside the objective; `lag` is the part that the harness may
/// have had in it.
pub(super) fn limits(objective: &Objective, lag: f64) -> Limits {
    Limits {
        level: SIGNIFICANT,
        more_is_worse: true,
        threshold: MARGIN,
        floor: NOTICED * objective.latency.as_nanos() as f64,
        lag,
    }
}

/// Compares two sizes at one rate; `None` where no block shows.
pub(super) fn compare(blocks: &[&PoolBlock], objective: &Objective, power: &mut Power) -> Option<RateComparison> {
    let usable = last_of_each(blocks);
    let first = usable.first()?;
    let lag = 2.0 * median(&usable.iter().map(|block| block.lag_p50 as f64).collect::<Vec<_>>());
    let times = limits(objective, lag);
    let throughput = Limits { more_is_worse: false, floor: 0.0, lag: 0.0, ..times };
    let differences = |value: fn(&BlockSide) -> f64| -> Vec<Difference> {
        let of_block = |block: &&PoolBlock| Difference::of_pair(value(&block.sides.a), value(&block.sides.b));
        usable.iter().filter_map(of_block).collect()
    };
    let of = |value: fn(&BlockSide) -> f64| estimate(&differences(value), &times);
    let shares = Sides::each(|side| usable.iter().map(|block| failed(&block.sides[side])).collect::<Vec<f64>>());
    Some(RateComparison {
        rate: first.rate,
        decides: true,
        blocks: usable.len() as u32,
        turn_ns: first.turn_ns,
        lag,
        response_p50: of(|side| side.response.p50 as f64)?,
        response_p99: change(&differences(|side| side.response.p99 as f64), &times, power)?,
        wait_p99: of(|side| (side.wait.p99 as f64).max(LEAST_WAIT))?,
        service: of(|side| side.service.mean)?,
        throughput: estimate(&differences(|side| side.throughput), &throughput)?,
        server_busy: mean(usable.iter().filter_map(|block| block.server_busy)),
        errors: shares.as_ref().map(|shares| mean(shares.iter().copied()).unwrap_or(0.0)),
        failures: failures(&shares.a, &shares.b, objective),
    })
}

/// Of each block the last try, unless the machine disturbed it.
fn last_of_each<'a>(blocks: &[&'a PoolBlock]) -> Vec<&'a PoolBlock> {
    let is_last = |(index, block): &(usize, &&PoolBlock)| {
        !is_disturbed(block) && blocks[index + 1..].iter().all(|later| later.number != block.number)
    };
    blocks.iter().enumerate().filter(is_last).map(|(_, block)| *block).collect()
}

fn failed(side: &BlockSide) -> f64 {
    (side.failed + side.unfinished) as f64 / (side.scheduled as f64).max(1.0)
}

/// Which side fails more than the objective allows, and more than the other from block to block by more than chance: greater where
/// that is the larger pool.
fn failures(smaller: &[f64], larger: &[f64], objective: &Objective) -> Ordering {
    let more = |own: &[f64], other: &[f64]| {
        let differences: Vec<f64> = own.iter().zip(other).map(|(own, other)| own - other).collect();
        mean(own.iter().copied()) > Some(objective.max_error_rate) && p_above(&differences) <= SIGNIFICANT
    };
    if more(larger, smaller) {
        Ordering::Greater
    } else if more(smaller, larger) {
        Ordering::Less
    } else {
        Ordering::Equal
    }
}
