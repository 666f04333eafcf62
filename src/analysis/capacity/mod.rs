//! From the trials of a capacity run to its answers: what can be carried, where the knee is, and whether a larger pool helps.

mod curve;
mod design;
mod draw;
mod evidence;
mod judge;
mod model;
mod planner;
mod search;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod trust;
mod variant;

pub use judge::judge;
pub use model::{
    Advice, ArmAnswer, CapacityAnalysis, Comparison, ErlangCheck, FailReason, Fleet, Headroom, Judgement, Limit, Next,
    RateComparison, Sustainable, TrialPlan, Undone, Usl,
};
pub use planner::Planner;
