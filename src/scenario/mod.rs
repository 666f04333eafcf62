//! Scenario files: TOML text in, validated [`Scenario`] out.

mod model;

pub use model::{
    Access, Action, ArrivalProcess, Checkout, Command, Keys, Load, Objective, Operation, Order, PasswordSource, Phases,
    Pool, Scenario, Service, ValueSize,
};
