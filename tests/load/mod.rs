//! The load engine against real private servers: accounts, known answers and faults. Without a server program these
//! tests fail and say how to get one.

mod accounts;
pub(crate) mod bench;
mod changes;
mod clusters;
mod events;
mod faults;
mod models;
mod nodes;
mod observed;
mod reading;
mod turns;
