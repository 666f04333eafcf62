//! The program and its rooms against real private servers. Without a server program these tests fail and say how to get one.

mod capacity;
mod cli;
mod load;
mod support;
mod target;
