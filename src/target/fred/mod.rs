//! The client that applications use: [fred](https://docs.rs/fred), one client for each connection.

mod connection;
mod inline;
mod issue;

pub use connection::Connection;
pub(super) use connection::{Opened, Router};
pub(super) use inline::quoted;
pub(super) use issue::issue;
