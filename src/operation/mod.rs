//! The table of operations: everything that is said about a command is said here, once.
//!
//! Below the scenario, which needs the names and parameters, and below the target, which issues requests through the
//! client library (one line per command there; the compiler holds it against [`Kind`]).

mod request;
mod table;

pub use request::{Args, Reply, Request};
pub use table::{Access, DataType, Kind, Parameters, Spec, TABLE};
