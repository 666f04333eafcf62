//! The server's own figures: `INFO`, settings, latency, slow log, keys.
//!
//! Questions are asked through a client of their own, never through one that carries load. A server, or the user's
//! rights, may withhold any answer; what is not known is left out, and named.

mod census;
mod facts;
mod info;
mod inspect;
mod key_groups;
mod keyspace;
mod latency;
mod machine;
mod node;
mod questions;
mod sample;
mod slowlog;
mod versions;
mod watch;

pub use census::{command_rate, connection_level};
pub use facts::Facts;
pub use inspect::{inspect, is_common_password};
pub use keyspace::{SampleLimits, sample_keyspace};
pub use machine::machine;
pub use node::inspect_node;
pub use questions::Questions;
pub use watch::watch;
