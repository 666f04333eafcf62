//! Live metrics: what a run does, for Prometheus and whatever else reads `OpenMetrics`, while it goes on.
//!
//! The [`Board`] adds up what the load engine shows second by second, in the thread that packs those seconds anyway; the
//! [`Endpoint`] renders it on a thread of its own when the user asks. Neither is ever on the measured path, and the load
//! engine knows nothing of either.

mod address;
mod board;
mod buckets;
mod endpoint;
mod exposition;
#[cfg(test)]
mod tests;

pub use address::Address;
pub use board::Board;
pub use endpoint::{Endpoint, MetricsError};
