//! A load that generators send: what it is, who follows it, and what is left of it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    cli::progress::Display,
    load::{OnSecond, Progress},
    measure::Recording,
    results::{Generator, LoadFailure},
    scenario::Scenario,
    target::{ReferenceTime, Target},
};

/// A load that generators send together.
pub(in crate::cli) struct Load<'a> {
    /// All of it.
    pub(in crate::cli) scenario: &'a Scenario,
    /// Its scenario with the server, or two that take turns.
    pub(in crate::cli) halves: Vec<(&'a Scenario, &'a Target)>,
    /// Length of a turn, where two take turns.
    pub(in crate::cli) turn: Option<Duration>,
    /// Threads of each generator.
    pub(in crate::cli) workers: Option<usize>,
    /// Whether the generators measure the speed of their machines.
    pub(in crate::cli) calibrates: bool,
    /// The clock that all go by, and the run ID of the server.
    pub(in crate::cli) clock: (ReferenceTime, Option<String>),
}

/// Those who follow a load, and what ends it early.
pub(in crate::cli) struct Watchers<'a> {
    pub(in crate::cli) display: &'a Display,
    pub(in crate::cli) stop: &'a CancellationToken,
    pub(in crate::cli) on_progress: &'a mut dyn FnMut(Progress),
    pub(in crate::cli) on_second: Option<OnSecond>,
}

/// What generators recorded together.
pub(in crate::cli) struct Sent {
    pub(in crate::cli) recording: Recording,
    pub(in crate::cli) generators: Vec<Generator>,
    /// Why the load ended before its time.
    pub(in crate::cli) failure: Option<LoadFailure>,
}
