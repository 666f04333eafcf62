//! Capacity runs as people start them, against servers whose capacity is known by construction. Without a server program
//! these tests fail and say how to get one.

mod bench;
mod ending;
mod limits;
mod pools;
mod proxy;
mod resuming;
mod usage;
