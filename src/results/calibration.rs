//! Speed of the machine during a run, measured by work without the server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Nanos;

/// The reference before and after the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// Just before the load.
    pub before: Reference,
    /// Just after it.
    pub after: Reference,
}

/// Round trips through the client library to a responder within the harness, one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// Median of the round trips, in nanoseconds.
    pub median_ns: Nanos,
    /// Number.
    pub round_trips: u32,
}

impl Calibration {
    /// One number for the machine, in nanoseconds: the geometric mean of both medians.
    pub fn nanos(&self) -> f64 {
        (self.before.median_ns.max(1) as f64 * self.after.median_ns.max(1) as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_the_geometric_mean_of_before_and_after() {
        let reference = |median_ns| Reference { median_ns, round_trips: 9 };
        let calibration = Calibration { before: reference(40_000), after: reference(90_000) };
        assert!((calibration.nanos() - 60_000.0).abs() < 1e-6);
    }
}
