//! The artifact of a capacity run: its plan and every trial that was made. Answers are concluded from it, never saved.

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Environment, HarnessLimit, Sides, Software, TargetFacts};

/// Version of the schema of [`Capacity`] that this build writes and reads.
pub const CAPACITY_VERSION: u32 = 3;

/// Response times, in nanoseconds, at which the sustainable rate is reported besides the objective's own.
pub const LIMITS: [u64; 6] = [1_000_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000];

/// A search for what a server can carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Capacity run of plimsoll")]
pub struct Capacity {
    /// Version of this schema.
    #[schemars(extend("const" = CAPACITY_VERSION))]
    pub schema_version: u32,
    /// What measured.
    pub software: Software,
    /// When it began, RFC 3339 in UTC with seconds.
    pub started: String,
    /// TOML text of the scenario with the overrides that hold for every arm.
    pub scenario: String,
    /// Target of the measurement.
    pub target: TargetFacts,
    /// The machine of the harness.
    pub environment: Environment,
    /// Task.
    pub plan: CapacityPlan,
    /// Steps done, in order.
    pub trials: Vec<Trial>,
    /// Blocks in which pool sizes next to each other were compared, in order.
    pub blocks: Vec<PoolBlock>,
    /// Memory that the server spends on connections, measured with different numbers of them.
    pub connections: Vec<ConnectionLevel>,
    /// Rate at which the server was used before any trial, in commands per second; `None` where it is private.
    pub current_rate: Option<f64>,
    /// End.
    pub ended: Ended,
}

/// Plan of a capacity run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CapacityPlan {
    /// Variants of the scenario; at least one. With `--pool` in ascending order of size.
    #[schemars(length(min = 1))]
    pub arms: Vec<Arm>,
    /// Numbers of closed-loop clients for the concurrency model; empty for none.
    pub clients: Vec<u32>,
    /// Rate of the first trial, in operations per second of all services together.
    pub start_rate: f64,
    /// Rate that is never exceeded.
    pub max_rate: Option<f64>,
    /// Load before each trial that is not measured, in nanoseconds.
    pub warmup_ns: u64,
    /// Length of a trial of the search, in nanoseconds.
    pub trial_ns: u64,
    /// Length of a trial that confirms, in nanoseconds.
    pub confirm_ns: u64,
    /// Time for all of it, in nanoseconds.
    pub budget_ns: u64,
    /// Width of the bracket at which a search ends, as a share of its lower end.
    pub tolerance: f64,
    /// Rate of today that the person states, in operations per second.
    pub current_rate: Option<f64>,
    /// Growth of that a month, as a share.
    pub growth: Option<f64>,
    /// Threads that put on the load, of each generator; `None` for as many as the machine has cores for.
    pub workers: Option<u16>,
    /// Generators that put on the load; `None` where it was one process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generators: Option<PlannedGenerators>,
    /// Root of the order of interleaved trials.
    pub seed: u64,
}

/// Generators that put on the load of each trial together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedGenerators {
    /// Their number.
    pub number: u32,
    /// Time from the moment at which all are ready until they begin, in nanoseconds.
    pub start_in_ns: u64,
    /// How they are started, as `--launcher` takes it; `None` in searches that did not save it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launcher: Option<String>,
}

/// One variant of the scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Arm {
    /// Name in reports: `pool 50`, `values.size=256`, `as written`.
    pub name: String,
    /// Fields of the scenario that it sets, with their values as `--set` takes them.
    pub settings: Vec<(String, String)>,
    /// Connections of each pool, where arms differ in just that.
    pub pool: Option<u32>,
    /// Place on the axes of a sweep: field and value.
    pub coordinates: Vec<(String, String)>,
}

/// One trial: a whole run at one rate, or with one number of clients, boiled down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// Its number, from 1.
    pub number: u32,
    /// Index of its arm.
    pub arm: u32,
    /// Purpose.
    pub purpose: Purpose,
    /// Repetition that it belongs to, of the curve or of the closed loops.
    pub block: Option<u32>,
    /// Offered rate in operations per second of all services; `None` in a closed loop.
    pub offered: Option<f64>,
    /// Closed-loop clients; `None` in an open loop.
    pub clients: Option<u32>,
    /// When it began, in nanoseconds since the capacity run did.
    pub began_ns: u64,
    /// Planned measured time in nanoseconds.
    pub planned_ns: u64,
    /// Measured time in nanoseconds.
    pub measured_ns: u64,
    /// Requests that fell due.
    pub scheduled: u64,
    /// Requests that were answered.
    pub completed: u64,
    /// Requests that were answered per second of the measured period, whenever they fell due.
    pub throughput: f64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests that never finished.
    pub unfinished: u64,
    /// Requests that were answered later than the objective allows.
    pub late: u64,
    /// Burstiness of late, failed and unfinished requests, at least 1.
    pub burstiness: f64,
    /// Requests that were answered within each of [`LIMITS`].
    #[schemars(length(equal = LIMITS.len()))]
    pub within: Vec<u64>,
    /// Response time.
    pub response: Quantiles,
    /// Service time.
    pub service: Quantiles,
    /// Wait time.
    pub wait: Quantiles,
    /// Share of the busiest pool in use, 0..=1.
    pub utilisation: f64,
    /// Mean number of requests waiting for a connection, all pools together.
    pub waiting: f64,
    /// Growth of the backlog per second as a share of the offered rate.
    pub backlog_growth: f64,
    /// Share of one core that the server's main thread used, 0..; `None` where the server does not report it.
    pub server_busy: Option<f64>,
    /// Largest share of its time in which a worker of the harness had something to do, 0..=1; `None` where it slept in between.
    pub worker_busy: Option<f64>,
    /// 99th percentile of the schedule lag, in nanoseconds.
    pub lag_p99: u64,
    /// The check that makes the harness the limit.
    pub client_limited: Option<HarnessLimit>,
    /// The check that would make the harness the limit, if the objective were not met in spite of it.
    pub waived: Option<HarnessLimit>,
    /// Each service by itself, in the scenario's order.
    pub services: Vec<ServiceTrial>,
    /// The command that took most of the server's time.
    pub most_expensive: Option<CommandCost>,
    /// Folder of the whole run, within that of the capacity run.
    pub folder: String,
}

/// Server time of a command in a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandCost {
    /// Command, in capitals.
    pub name: String,
    /// Share of the trial in which the server carried it out, 0..=1.
    pub share: f64,
    /// Mean time in the command itself, in nanoseconds.
    pub mean_ns: f64,
}

/// One service in a trial.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServiceTrial {
    /// Its name.
    pub name: String,
    /// Requests that fell due.
    pub scheduled: u64,
    /// Requests that were answered.
    pub completed: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests that never finished.
    pub unfinished: u64,
    /// Requests that were answered later than the objective allows.
    pub late: u64,
    /// Burstiness of late, failed and unfinished requests, at least 1.
    pub burstiness: f64,
    /// Requests that were answered within each of [`LIMITS`].
    pub within: Vec<u64>,
    /// Mean service time, in nanoseconds; 0 where nothing was answered.
    pub hold_mean: f64,
    /// 99th percentile of the wait for a connection, in nanoseconds.
    pub wait_p99: u64,
    /// Parts of each instance, each with a share of its connections and a queue of its own; absent where none is divided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
}

/// Purpose of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To find the bracket: doubling, then bisection.
    Search,
    /// To confirm its lower end.
    Confirm,
    /// Its upper end, mixed in at random.
    Above,
    /// To draw throughput against latency, at a share of the closed-loop maximum.
    Curve,
    /// A closed loop, for its maximum or for the concurrency model.
    Closed,
}

/// One block of a comparison: two pool sizes, both connected at once, that took turns under the same load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PoolBlock {
    /// Index of the arm with the smaller pool.
    pub from: u32,
    /// Index of the arm with the larger one.
    pub to: u32,
    /// Rate of either, in operations per second of all services.
    pub rate: f64,
    /// Number of the block at this rate, from 0. One that the machine disturbed is made again under the same number.
    pub number: u32,
    /// Length of a turn, in nanoseconds; `None` where the sizes were loaded one after the other, as earlier versions did.
    pub turn_ns: Option<u64>,
    /// When it began, in nanoseconds since the capacity run did.
    pub began_ns: u64,
    /// How long it measured, in nanoseconds: half of it is the smaller pool's, half of it the larger one's.
    pub measured_ns: u64,
    /// Median schedule lag of the side whose lag was longer, in nanoseconds.
    pub lag_p50: u64,
    /// Largest share of the machine's CPU time that the hypervisor took in a second, 0..=1; `None` where it is not known.
    pub stolen: Option<f64>,
    /// Largest share of a second in which the container was throttled, 0..=1; `None` where it is not known.
    pub throttled: Option<f64>,
    /// Share of one core that the server's main thread used under both, 0..; `None` where the server does not report it.
    pub server_busy: Option<f64>,
    /// Largest error of a generator's start, in nanoseconds; `None` where the load came from one process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misaligned_ns: Option<u64>,
    /// The smaller pool, then the larger one.
    pub sides: Sides<BlockSide>,
}

/// One pool size in a block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlockSide {
    /// Requests that fell due.
    pub scheduled: u64,
    /// Requests that were answered.
    pub completed: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests that never finished.
    pub unfinished: u64,
    /// Requests that were answered per second of its turns.
    pub throughput: f64,
    /// Response time.
    pub response: Quantiles,
    /// Service time.
    pub service: Quantiles,
    /// Wait time.
    pub wait: Quantiles,
}

/// Quantiles of a duration in nanoseconds; 0 where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: u64,
    /// 99th percentile.
    pub p99: u64,
    /// 99.9th percentile.
    pub p999: u64,
    /// Largest.
    pub max: u64,
}

impl Quantiles {
    /// Quantiles of the values of a histogram.
    pub fn of(values: &Histogram<u64>) -> Self {
        let at = |quantile| values.value_at_quantile(quantile);
        Self { mean: values.mean(), p50: at(0.5), p99: at(0.99), p999: at(0.999), max: values.max() }
    }
}

/// Memory of connections in the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionLevel {
    /// Connections.
    pub connections: u64,
    /// Memory of all clients' buffers in bytes, by `mem_clients_normal`.
    pub client_memory: u64,
    /// All memory of the server in bytes.
    pub used_memory: u64,
}

/// End of a capacity run: finished, interrupted, out of budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// It has not; what there is was saved after each trial.
    Running,
    /// Everything was done.
    Finished,
    /// The budget was reached.
    Budget,
    /// The user ended it.
    Interrupted,
    /// Errors exceeded their limit, and the load was stopped.
    Errors,
    /// The server could not be used any more.
    Lost,
    /// The load of several generators failed: one of them was lost, or their parts are no whole.
    LoadFailed,
}
