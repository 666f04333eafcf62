//! The target room against real private servers. Without a server program these tests fail and say how to get one.

mod around;
mod claims;
mod clients;
mod clusters;
mod commands;
mod data;
mod encrypted;
mod errors;
pub(crate) mod fake;
mod faults;
mod hostile;
mod inspection;
mod keyspace;
mod plan;
mod preflight;
mod private;
mod protocols;
mod tls;
pub(crate) mod topologies;
