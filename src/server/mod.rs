//! What the server says of itself.
//!
//! Questions are asked through a client of their own, never through one that carries load. A server, or the user's
//! rights, may withhold any answer; what is not known is left out, and named.

mod facts;
mod info;
mod latency;
mod questions;
mod sample;
mod slowlog;
mod versions;
mod watch;

pub use facts::Facts;
pub use watch::watch;
