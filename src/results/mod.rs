//! The run artifact: what it holds, how it is saved, found and read back.

mod error;
mod folder;
mod json;
mod run;
#[cfg(test)]
pub(crate) mod sample;
mod saved;
mod schema;
mod server;

pub use error::ResultsError;
pub use folder::ResultFolder;
pub use run::{Environment, Run, SCHEMA_VERSION, Software, TargetFacts};
pub use saved::{Entry, list, load, rewrite};
pub use schema::schema;
pub use server::{
    CommandUse, DatabaseKeys, ErrorUse, LatencyEvent, Levels, NamedClients, Persistence, ServerRecord, ServerSecond,
    SlowCommand, SlowLog, Withheld,
};
