//! The program as people and scripts use it, against real private servers.

mod addresses;
mod audit;
mod baseline;
mod ci;
mod client_cost;
mod container;
mod dependencies;
mod events;
mod faults;
mod gate;
mod interrupts;
mod journey;
mod kubernetes;
mod metrics;
mod modules;
mod network;
mod outages;
mod prometheus;
mod reading;
mod readme;
mod saved;
pub(crate) mod scale;
mod sites;
mod slurm;
mod tls;
mod topologies;
mod unsaved;
mod usage;

use crate::support::{Desk, Outcome, Server, Turn, USER, files};

/// A scenario that takes a second, with so little load that any machine serves it.
const SHORT: &str = r#"
name = "short"
description = "One service, one second"
seed = 7

[run]
warmup = "100ms"
duration = "1s"
drain = "2s"

[objective]
latency = "1s"
percentile = 90.0
max_error_rate = 0.01

[[service]]
name = "shop"

[service.pool]
size = 4
checkout = "exclusive"
checkout_timeout = "1s"
command_timeout = "1s"

[service.load]
model = "open"
rate = 1000
arrivals = "poisson"

[service.keys]
prefix = "shop:"
count = 100

[[service.operation]]
command = "GET"
weight = 3

[[service.operation]]
command = "SET"
weight = 1
"#;

/// Verdicts of a run, as its report begins, with their exit codes.
const VERDICTS: [(&str, i32); 4] = [("Objective met", 0), ("Objective missed", 1), ("Invalid", 3), ("Inconclusive", 4)];

impl Desk {
    /// A folder with [`SHORT`] in it.
    fn new() -> Self {
        Self::with("short.toml", SHORT, Turn::beside())
    }
}

impl Outcome {
    /// Fails unless it ended with a verdict, whichever: on a busy machine a measurement may well be invalid. What is printed and the
    /// exit code are of one verdict.
    #[track_caller]
    fn measured(self) -> Self {
        assert_eq!(self.stderr, "", "no error, and no progress where there is no terminal");
        let said = VERDICTS.iter().find(|(verdict, _)| self.stdout.starts_with(verdict)).map(|(_, code)| *code);
        let codes = said.map_or_else(|| VERDICTS.map(|(_, code)| code).to_vec(), |code| vec![code]);
        assert!(codes.iter().any(|code| self.code == Some(*code)), "{:?}\n{}", self.code, self.stdout);
        self
    }
}
