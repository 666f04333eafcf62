//! The run artifact: what it holds, how it is saved, found and read back.

mod error;
mod json;
mod run;
#[cfg(test)]
pub(crate) mod sample;

pub use error::ResultsError;
pub use run::{Environment, Run, SCHEMA_VERSION, Software, TargetFacts};
