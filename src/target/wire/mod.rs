//! The client that is limited by the kernel alone: RESP2 or RESP3 over TCP, TLS or a Unix socket.
//!
//! Requests are encoded into one buffer for each connection, which is written with one system call in a turn of the worker;
//! replies are read with one and decoded in place. Nothing is allocated for a request, and a reply takes no memory.
//!
//! Whatever a server sends, a connection keeps less than `LONGEST_LINE` (64 KiB) of bytes that are not decoded yet, one read
//! (16 KiB) while it is decoded, and the text of one error (192 KiB at most). A violation of the protocol fails the request that it
//! answers, and the connection is opened anew.

#[cfg(any(test, fuzzing))]
mod alike;
mod cluster;
mod connection;
mod decode;
mod encode;
#[cfg(test)]
mod frames;
mod socket;

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

#[cfg(any(test, fuzzing))]
pub use alike::decodes_alike;
pub use cluster::ClusterConnector;
pub use connection::WireConnection;

use super::{
    TargetError,
    connector::Connector,
    driver::{Driver, Losses},
};

/// Opens connections of one service that speak the protocol themselves. Cheap to clone.
#[derive(Clone)]
pub struct WireConnector(Connector);

impl WireConnector {
    /// Opens connections to the same server, with the same login, as another.
    pub(super) fn like(connector: Connector) -> Self {
        Self(connector)
    }

    /// How its connections come about.
    pub(super) fn connector(&self) -> &Connector {
        &self.0
    }
}

impl Driver for WireConnector {
    type Connection = WireConnection;

    async fn open(&self) -> Result<WireConnection, TargetError> {
        let (socket, handshake) = socket::open(&self.0).await.map_err(|error| self.0.explain(&error))?;
        Ok(WireConnection::new(self.0.clone(), socket, handshake))
    }

    fn losses(&self) -> Arc<Losses> {
        self.0.losses()
    }
}

impl fmt::Debug for WireConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WireConnector").field(&self.0).finish()
    }
}
