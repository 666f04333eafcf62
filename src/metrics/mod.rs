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

use std::io;

pub use address::Address;
pub use board::Board;
pub use endpoint::Endpoint;

/// Reason why metrics cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The address cannot be listened on.
    #[error("could not listen on {address} for scrapes of metrics; give another address or port")]
    Listen {
        /// Where.
        address: Address,
        /// Reason.
        #[source]
        source: io::Error,
    },
    /// The thread that answers could not be set up.
    #[error("could not set up the thread that serves metrics")]
    Thread(#[source] io::Error),
}
