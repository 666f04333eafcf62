//! From the slices of two arms to a verdict: is B worse than A, by how much, and is that certain?
//!
//! The way of a gate through this room: [`order`] says which arm is loaded when, [`blind`] which quads are left out,
//! [`values`] reads histograms, [`paired`](super::paired) makes differences of blocks and the change that they show, [`judge`] a
//! verdict of that; [`failures`] judges what no percentile holds; [`conclude`] does it for every row.

mod blind;
mod conclude;
mod course;
mod failures;
mod judge;
mod model;
mod order;
#[cfg(test)]
mod proof;
mod slice;
#[cfg(test)]
mod tests;
mod values;

pub use super::paired::{Change, FEWEST_BLOCKS, LEVEL, foreseen};
pub use conclude::{conclude, suspects};
pub use model::{
    ChangeShape, CoursePoint, CurvePoint, Dropped, FailedShares, Failures, GateAnalysis, GateMetric, GateRow,
    GateScope, Invalidity, MetricResult, Noise, TooFew,
};
pub use order::{first_arm, quad_of_arms, seed_of};
#[cfg(test)]
pub(crate) use proof::PROFILES;
pub use slice::{SlicePlace, series, slice, slices};
