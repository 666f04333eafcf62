//! The stream of requests: pure functions of a seed.
