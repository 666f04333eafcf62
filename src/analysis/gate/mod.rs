//! From the slices of two arms to a verdict: is B worse than A, by how much, and is that certain?
//!
//! The way of a gate through this room: [`order`] says which arm is loaded when, [`blind`] which quads are left out,
//! [`values`] reads histograms, [`judge`] makes differences of blocks and verdicts of those, by [`signed_rank`] and [`power`];
//! [`failures`] judges what no percentile holds;
//! [`conclude`] does it for every row. The block is the unit of inference, never the request.

mod blind;
mod conclude;
mod course;
mod failures;
mod judge;
mod model;
mod order;
mod power;
#[cfg(test)]
mod proof;
mod signed_rank;
mod slice;
#[cfg(test)]
mod tests;
mod values;

pub use conclude::{conclude, suspects};
pub use model::{
    Change, ChangeShape, CoursePoint, CurvePoint, Dropped, FailedShares, Failures, GateAnalysis, GateMetric, GateRow,
    GateScope, GateVerdict, Invalidity, MetricResult, Noise, TooFew,
};
pub use order::{first_arm, quad_of_arms, seed_of};
pub use power::{FEWEST_BLOCKS, foreseen};
#[cfg(test)]
pub(crate) use proof::PROFILES;
pub use signed_rank::LEVEL;
pub use slice::{SlicePlace, series, slice, slices};
