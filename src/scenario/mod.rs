//! Scenario files: TOML text in, validated [`Scenario`] out.
//!
//! What a file may hold is declared once, in tables ([`document`], [`commands`]); the reader, the overrides of the
//! command line and the JSON Schema for editors all go by them. Nothing here runs anything.

mod action;
#[cfg(test)]
mod agreement;
mod appended;
mod builtin;
mod commands;
mod dependency;
mod document;
mod duration;
mod errors;
mod event;
mod field;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod messages;
mod model;
mod operations;
mod option;
mod overrides;
mod placeholders;
mod read;
mod reader;
mod schema;
mod shard;
mod shown;
mod text;
mod tls;
mod write_audit;

pub use action::{EventAction, NodeChoice};
pub use builtin::{BUILTIN, Source, builtin, load, nearest_builtin, source};
pub use dependency::{Address, Dependency};
pub use document::service_default;
pub use duration::{format_duration, parse_duration};
pub use errors::{Path, ScenarioError, ScenarioErrors};
pub use event::Event;
pub use model::{
    Access, Action, ArrivalProcess, Checkout, Client, Command, Keys, Load, Objective, Operation, Order, PasswordSource,
    Phases, Pool, Protocol, ReadFrom, Scenario, Service, ValueSize, Words,
};
pub use option::ServiceOption;
pub use overrides::Overrides;
pub use read::{parse, uses};
pub use schema::schema;
pub use shard::Shard;
pub use shown::{shown_field, shown_setting};
pub use tls::TlsOptions;
pub use write_audit::WriteAuditPlan;
