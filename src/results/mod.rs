//! The run artifact: what it holds, how it is saved, found and read back.

mod error;
mod folder;
mod json;
mod run;
#[cfg(test)]
pub(crate) mod sample;

pub use error::ResultsError;
pub use folder::{Entry, ResultFolder, list, load, rewrite};
pub use run::{Environment, Run, SCHEMA_VERSION, Software, TargetFacts};

/// stub
pub fn schema() -> serde_json::Value {
    serde_json::json!({})
}
