//! Arguments that several commands have.

pub(super) mod comparison;
pub(super) mod harness;
pub(super) mod number;
pub(super) mod output;
pub(super) mod scenario;
pub(super) mod target;
