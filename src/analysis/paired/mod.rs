//! Two arms under the same load in turns, compared block by block: the statistics of a gate, and of pool sizes next to each other.
//!
//! [`halves`] divides what a load recorded, [`change`] makes differences of blocks and the change that they show, by [`signed_rank`] and [`power`]; [`disturbance`] says which
//! blocks are left out. The block is the unit of inference, never the request.

mod change;
mod disturbance;
mod halves;
mod power;
mod signed_rank;

pub use change::Change;
pub(in crate::analysis) use change::{Difference, Limits, Quad, change, estimate, log_of, own};
pub(in crate::analysis) use disturbance::{Disturbance, disturbance};
pub(in crate::analysis) use halves::{FEWEST_IN_SLICE, Half, belongs, halves, operations};
pub use power::{FEWEST_BLOCKS, foreseen};
pub(in crate::analysis) use power::{Power, deviation};
pub use signed_rank::LEVEL;
pub(in crate::analysis) use signed_rank::{median, p_above};
