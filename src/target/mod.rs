//! Where load goes: addresses, logins, connections, private servers.
//!
//! A service's connections are made by one of two clients: `fred`, as applications use it, or `wire`, plimsoll's own. The
//! load engine knows both by the traits [`Driver`] and [`DriverConnection`] alone. Preparation and questions about the server
//! go through fred. How requests are paced, and what their latencies mean, is decided elsewhere.

mod access;
mod address;
mod around;
mod ask;
mod catching_up;
mod census;
mod claim;
mod clean;
mod connector;
mod crossing;
mod data;
mod driver;
mod error;
mod failure;
mod fault;
mod fred;
mod guarded;
mod handshake;
mod inspection;
mod invitation;
mod keeper;
mod keyspace;
mod limits;
mod link;
mod login;
mod nodes;
mod observation;
mod outside;
mod permission;
mod phrases;
mod ports;
mod preflight;
mod private;
mod reading;
mod reference;
mod reply;
mod rights;
mod roster;
mod secret;
mod server_time;
mod slot_sample;
mod slots;
mod survey;
mod survey_sentinels;
mod tls;
mod wire;
mod words;
mod write_audit;

#[cfg(test)]
mod sample;

pub use access::{Source, Target};
pub use address::{Endpoint, Scheme, Site, TargetUrl, Topology};
pub use claim::{Takeover, claimant};
pub use clean::{Holding, KeyGroup};
pub use connector::Connector;
pub use driver::{Answer, Driver, DriverConnection, Losses, Served};
pub use error::{INSTALL, TargetError};
pub use fault::Fault;
pub use fred::Connection;
pub use invitation::Invitation;
pub use observation::{Observation, Observed};
pub use outside::Outside;
pub use preflight::Besides;
pub use private::{
    Execution, Listen, PrivateNode, PrivateRole, PrivateServer, PrivateTopology, RESERVED, ServerOptions, Timetable,
};
pub use reading::{Reading, ReadingConnector};
pub use reference::reference;
pub use secret::Secret;
pub use server_time::ReferenceTime;
#[cfg(any(test, fuzzing))]
pub use wire::decodes_alike;
pub use wire::{ClusterConnector, WireConnection, WireConnector};
pub use write_audit::WriteAudit;
