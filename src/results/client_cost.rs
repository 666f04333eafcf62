//! What the client library costs: the load of a run with fred and with the wire client in turns, second by second. Shares are
//! concluded from it, never saved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GateSeries;
use crate::measure::{Nanos, PackedHistogram, Unpacker};

/// The scenario with fred and with the wire client in turns, on the server of the run, after its measured period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientCost {
    /// Length of a turn, in nanoseconds.
    pub turn_ns: Nanos,
    /// Seconds that were planned.
    pub planned: u32,
    /// Operations, in the order of the tallies.
    pub operations: Vec<GateSeries>,
    /// Seconds that were measured; each has as many turns of either client.
    pub seconds: Vec<CostSecond>,
}

/// One second of the turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostSecond {
    /// Median schedule lag, in nanoseconds; 0 of closed loops.
    pub lag_p50: Nanos,
    /// Share of the machine's CPU time that the hypervisor took, 0..=1; `None` where it is not known.
    pub stolen: Option<f64>,
    /// Share of the time in which the container was throttled, 0..=1; `None` where it is not known.
    pub throttled: Option<f64>,
    /// Operations with the wire client.
    pub wire: Vec<CostTally>,
    /// Operations with fred.
    pub fred: Vec<CostTally>,
}

/// One operation with one client in one second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostTally {
    /// Requests that were answered; in the last second also those that were answered after its end.
    pub completed: u64,
    /// Requests that failed or never finished.
    pub failed: u64,
    /// Service times of those that were answered, in nanoseconds.
    pub service: PackedHistogram,
}

impl ClientCost {
    /// What contradicts itself, or cannot be read.
    pub(super) fn fault(&self) -> Option<String> {
        let mut unpacker = Unpacker::default();
        self.seconds.iter().enumerate().find_map(|(second, at)| {
            if [&at.wire, &at.fred].into_iter().any(|tallies| tallies.len() != self.operations.len()) {
                return Some(format!("second {second} of its client cost does not have all operations"));
            }
            let fault = at.wire.iter().chain(&at.fred).find_map(|tally| unpacker.check(&tally.service).err());
            fault.map(|fault| format!("a histogram in second {second} of its client cost cannot be read: {fault}"))
        })
    }
}
