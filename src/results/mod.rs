//! The run artifact: what it holds, how it is saved, found and read back.

mod run;

pub use run::{Environment, Run, SCHEMA_VERSION, Software, TargetFacts};
