//! From the trials of a capacity run to its answers: what can be carried, where the knee is, and whether a larger pool helps.

mod advice;
#[cfg(test)]
mod answers;
mod compare;
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
mod queueing;
mod search;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod trust;
mod usl;
mod variant;

use super::draw;

pub use conclude::conclude;
pub use design::seed_of;
pub use fleet::MANY_CONNECTIONS;
pub use judge::judge;
pub use model::{
    Advice, AdviceName, ArmAnswer, CapacityAnalysis, Comparison, ErlangCheck, Estimate, FailReason, FailReasonName,
    Fleet, Headroom, Judgement, Limit, LimitName, Next, RateComparison, Sustainable, TrialPlan, Undone, Usl,
};
pub use planner::Planner;
