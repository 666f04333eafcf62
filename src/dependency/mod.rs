//! Dependencies of the services besides the server: probed before, during and after the load.
//!
//! A dependency that fails explains errors that no Redis server is to blame for. Each is asked by a thread of its own,
//! away from the workers, by standard sockets and a small blocking client: a hanging dependency delays no other.

mod error;
mod names;
mod prober;
mod watch;

pub use error::ProbeError;
pub use prober::Prober;
pub use watch::{Unreached, Watch};
