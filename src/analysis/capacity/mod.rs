//! From the trials of a capacity run to its answers: what can be carried, where the knee is, and whether a larger pool helps.

mod model;

pub use model::{
    Advice, ArmAnswer, CapacityAnalysis, Comparison, ErlangCheck, FailReason, Fleet, Headroom, Judgement, Limit, Next,
    RateComparison, Sustainable, TrialPlan, Undone, Usl,
};
