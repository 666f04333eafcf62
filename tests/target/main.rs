//! The target room against real private servers. Without a server program these tests fail and say how to get one.

mod commands;
mod data;
mod faults;
mod inspection;
mod keyspace;
mod plan;
mod preflight;
mod private;
