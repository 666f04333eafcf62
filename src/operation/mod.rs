//! The table of operations: everything that is said about a command is said here, once.
//!
//! Below the scenario, which needs the names and parameters, below the workload, which composes requests, and below the
//! target, which issues them through the client library. Both have one line per command, by a `match` over every [`Kind`].

mod facts;
mod reads;
mod request;
mod table;

pub use facts::{Access, DataType, HitRule, Hits, Keys, Removal, Upkeep};
pub use reads::only_reads;
pub use request::{Args, Reply, Request, Route};
pub use table::{Kind, Parameters, Spec, TABLE};
