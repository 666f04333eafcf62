//! Capacity runs as people start them, against servers whose capacity is known by construction.

mod bench;
mod ending;
mod generators;
mod limits;
mod pools;
mod proxy;
mod resuming;
mod usage;
