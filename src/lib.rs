//! plimsoll: how much load a Redis or Valkey server can safely carry.

pub mod analysis;
pub mod cli;
pub mod dependency;
pub mod load;
pub mod measure;
pub mod metrics;
pub mod operation;
pub mod report;
pub mod results;
pub mod scenario;
pub mod server;
pub mod target;
pub mod workload;
