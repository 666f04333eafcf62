//! The artifact of a gate: two arms under load in turns, slice by slice. Verdicts are concluded from it, never saved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ended, Environment, GateSeries, Side, Sides, Software, TargetFacts};
use crate::measure::PackedHistogram;

/// Version of the schema of [`Gate`] that this build writes and reads.
pub const GATE_VERSION: u32 = 2;

/// Two arms compared live: A is what is known, B is what is asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Gate of plimsoll")]
pub struct Gate {
    /// Version of this schema.
    #[schemars(extend("const" = GATE_VERSION))]
    pub schema_version: u32,
    /// What conducted it.
    pub software: Software,
    /// When it began, RFC 3339 in UTC with seconds.
    pub started: String,
    /// TOML text of the scenario with the overrides that hold for both arms.
    pub scenario: String,
    /// The machine of the harness.
    pub environment: Environment,
    /// A, then B.
    pub arms: Sides<GateArm>,
    /// Task.
    pub plan: GatePlan,
    /// Throughput of each arm in a closed loop before the first block, in operations per second; `None` where nothing
    /// falls due on a schedule.
    pub capacity: Option<Sides<f64>>,
    /// What the histograms of every slice are about, in their order.
    pub series: Vec<GateSeries>,
    /// Steps done, in order.
    pub blocks: Vec<GateBlock>,
    /// End.
    pub ended: Ended,
}

/// One side of the comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateArm {
    /// Name in reports: `io-threads=4`, `as written`.
    pub name: String,
    /// Differences as on the command line, for example `config:io-threads` and `4`; no password.
    pub differences: Vec<(String, String)>,
    /// TOML text of its scenario.
    pub scenario: String,
    /// Its server, as the first block found it.
    pub target: TargetFacts,
    /// Load generator.
    pub software: Software,
}

/// Plan of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GatePlan {
    /// Name of the profile: `quick` or `nightly`.
    pub profile: String,
    /// Smallest change that matters of median, mean and throughput, as a share.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub threshold: f64,
    /// The same of the 99th percentile, which is harder to measure.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub tail_threshold: f64,
    /// Smallest change of a response time that matters, in nanoseconds.
    pub floor_ns: u64,
    /// Blocks of a stage.
    pub blocks: u32,
    /// Quads of slices at the offered rate in a block.
    pub quads: u32,
    /// Length of the windows in which the arms take turns within one load, in nanoseconds; `None` where every slice is a load of its
    /// own.
    pub window_ns: Option<u64>,
    /// Length of a slice, in nanoseconds; where the arms take turns, a slice is the windows of one arm within this much time.
    pub slice_ns: u64,
    /// Load before each slice, or each load in which the arms take turns, that is not measured, in nanoseconds.
    pub warmup_ns: u64,
    /// Quads of closed-loop slices in a block, which compare throughput.
    pub saturated_quads: u32,
    /// Rate of both arms in operations per second of all open-loop services together; `None` where there are none.
    pub rate: Option<f64>,
    /// Threads that put on the load; `None` for as many as the machine has cores for.
    pub workers: Option<u16>,
    /// Root of the order of slices and of all requests.
    pub seed: u64,
    /// Reason why a regression does not count; `None` where it does.
    pub advisory: Option<Advisory>,
}

/// Why a regression of a gate does not count as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Advisory {
    /// The server of an arm was not started for the gate: its address.
    External(String),
    /// The reason in words, as format 1 had it; read and never written.
    Words(String),
}

/// The part of a gate that a block belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateStage {
    /// The first look.
    Screen,
    /// The second, after a first one that raised a suspicion; it alone decides.
    Confirm,
}

/// Slices on one pair of servers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateBlock {
    /// Its stage.
    pub stage: GateStage,
    /// Number within the stage, from 0.
    pub number: u32,
    /// Its slices, in order.
    pub slices: Vec<GateSlice>,
}

/// Quantity that a slice compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SliceKind {
    /// Response times, at the rate of the plan.
    Paced,
    /// Throughput, every client asking again at once.
    Saturated,
}

/// Load on one arm: its turns within a second over connections that last as long as the block, or a short load of its own where
/// another build makes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateSlice {
    /// 0 for A, 1 for B.
    #[schemars(with = "u32", range(max = 1))]
    pub arm: Side,
    /// Subject of the comparison.
    pub kind: SliceKind,
    /// Quad of its kind within the block, from 0.
    pub quad: u32,
    /// When it began, in nanoseconds since the gate did.
    pub began_ns: u64,
    /// Measured time in nanoseconds.
    pub measured_ns: u64,
    /// Requests that fell due.
    pub scheduled: u64,
    /// Answers to requests that fell due in the measured time, per second of it.
    pub throughput: f64,
    /// Schedule lag, in nanoseconds: median.
    pub lag_p50: u64,
    /// Schedule lag, in nanoseconds: 99th percentile.
    pub lag_p99: u64,
    /// Share of the machine's CPU time that the hypervisor took, 0..=1; `None` where it is not known.
    pub stolen: Option<f64>,
    /// Share of the time in which the container was throttled, 0..=1; `None` where it is not known.
    pub throttled: Option<f64>,
    /// Tallies of the series, in the order of [`Gate::series`].
    pub series: Vec<GateTally>,
}

/// One series in one slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateTally {
    /// Requests that were answered in its time; in the last slice of a load also those that were answered after its end.
    pub completed: u64,
    /// Requests that failed or never finished.
    pub failed: u64,
    /// Response times of those that were answered, in nanoseconds.
    pub response: PackedHistogram,
}
