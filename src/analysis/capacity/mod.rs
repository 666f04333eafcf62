//! From the trials of a capacity run to its answers: what can be carried, where the knee is, and whether a larger pool helps.

mod advice;
#[cfg(test)]
mod answers;
mod block;
mod compare;
#[cfg(test)]
mod comparing;
mod conclude;
mod curve;
mod design;
mod erlang;
mod evidence;
mod fleet;
mod headroom;
mod judge;
mod limit;
mod model;
#[cfg(test)]
mod order;
mod planner;
#[cfg(test)]
mod proof;
mod queueing;
mod search;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod trust;
mod usl;
mod variant;
mod verdict;

use super::draw;

pub use block::pool_block;
pub use conclude::conclude;
pub use design::{BLOCKS, first_of_block, seed_of, seed_of_block};
pub use fleet::MANY_CONNECTIONS;
pub use judge::judge;
pub use model::{
    Advice, AdviceName, Apart, ArmAnswer, BlockPlan, CapacityAnalysis, Comparison, ErlangCheck, Estimate, FailReason,
    FailReasonName, Fleet, Headroom, Judgement, Limit, LimitName, Next, RateComparison, Sustainable, TrialPlan, Undone,
    Usl,
};
pub use planner::Planner;
pub use verdict::verdict;
