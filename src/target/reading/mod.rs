//! Connections of a service that reads from replicas, for either client: one as without replicas, and one to each replica.
//!
//! Reads go to the replicas of the primary that has the key, in turn, and to the primary as well where the service asks for that;
//! everything else takes the connection that there is without replicas. A replica is left out while its connection is lost. A request is
//! not sent a second time, unless a node of a cluster redirects it. The connections follow the roster: a replica that is promoted is
//! left, and one that joins is read from once it is connected.

mod batch;
mod client;
mod connection;
mod connector;
mod replicas;

#[cfg(test)]
mod tests;

pub use client::Reading;
pub use connector::ReadingConnector;
