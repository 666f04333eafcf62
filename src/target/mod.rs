//! Where load goes: addresses, logins, fred connections, private servers.
//!
//! The load engine asks a [`Target`] for one [`Connector`] per instance of a service and issues requests through the
//! [`Connection`]s that it opens; it knows both by the traits [`Driver`] and [`DriverConnection`] alone. How requests are paced, and what their latencies mean, is decided elsewhere.

mod access;
mod address;
mod census;
mod claim;
mod clean;
mod connection;
mod connector;
mod data;
mod driver;
mod error;
mod failure;
mod fault;
mod inspection;
mod issue;
mod keyspace;
mod limits;
mod login;
mod observation;
mod outside;
mod permission;
mod phrases;
mod ports;
mod preflight;
mod private;
mod reference;
mod reply;
mod rights;
mod secret;
mod tls;
mod words;

pub use access::{Source, Target};
pub use address::{Endpoint, TargetUrl};
pub use claim::{Takeover, claimant};
pub use clean::{Holding, KeyGroup};
pub use connection::Connection;
pub use connector::Connector;
pub use driver::{Driver, DriverConnection, Losses};
pub use error::{INSTALL, TargetError};
pub use fault::Fault;
pub use observation::Observation;
pub use outside::Outside;
pub use preflight::Besides;
pub use private::{Listen, PrivateServer, RESERVED, ServerOptions};
pub use reference::reference;
pub use secret::Secret;
