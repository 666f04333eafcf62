//! Runs compared with stored ones: abstracts of runs, whether they are comparable, and what has changed.
//!
//! [`abstract_of`] summarises a run, [`differences`] compares two setups, `tolerance` computes the spread of runs of the
//! same thing lie, [`compare`] judges row by row, and [`history`] looks at many runs over time.

mod abstracting;
mod change_points;
mod comparable;
mod compare;
mod fields;
mod history;
mod model;
mod quantity;
mod spread;
#[cfg(test)]
mod tests;
mod tolerance;

pub use abstracting::abstract_of;
pub use change_points::{ChangePoint, LEAST_VALUES, change_points};
pub use comparable::{Difference, DifferenceKind, DifferenceName, Weight, differences, refusing_fields};
pub use compare::{CompareOptions, TAIL_FACTOR, compare};
pub use history::{History, QuantityCourse, history};
pub use model::{Comparison, Machine, Method, MethodName, Quantity, QuantityChange, RowChange};
pub use spread::{RowSpread, Spread, spreads};
pub use tolerance::ENOUGH_RUNS;
