//! Findings: facts of a run that call for action.

use super::{
    dependencies::{Answers, DependencyOutage},
    events::{Burst, Stall},
    generators::GeneratorFinding,
    judgement::Check,
    nodes::Lag,
    row::Scope,
    server_findings::ServerFinding,
};
use crate::measure::Nanos;

/// Something that the user should know or do.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Requests failed.
    Failures {
        /// Service, and the operation where it is a single one.
        scope: Scope,
        /// Number of operations.
        operations: u64,
        /// Class of failure, in its own word.
        class: String,
        /// Number.
        count: u64,
        /// The first message.
        message: String,
        /// Events of the scenario that these failures follow.
        event: Option<String>,
    },
    /// Requests were neither answered nor failed when the time to wait for them was over.
    Unfinished {
        /// Service.
        service: String,
        /// Number.
        count: u64,
        /// As a share of all that were due, 0..=1.
        share: f64,
    },
    /// Most of the response time was spent waiting for a connection: the pool, not the server, is the limit.
    PoolWait {
        /// Service.
        service: String,
        /// Pool size.
        pool: u64,
        /// p99 of the wait time.
        wait_p99: Nanos,
        /// p99 of the response time.
        response_p99: Nanos,
        /// Mean share of connections in use, 0..=1.
        utilisation: f64,
    },
    /// One operation is much slower than the rest of its service.
    SlowOperation {
        /// Service and operation.
        scope: Scope,
        /// Its median service time.
        p50: Nanos,
        /// Median service time of the rest of the service.
        rest_p50: Nanos,
    },
    /// Nothing, or next to nothing, was answered for a while; as often as there are spans.
    Stalls {
        /// When, in order.
        stalls: Vec<Stall>,
        /// Events of the scenario that they follow.
        event: Option<String>,
    },
    /// Late and failed requests came in clusters.
    Bursts(Vec<Burst>),
    /// Response times moved all through the run.
    Trend {
        /// The service.
        service: String,
        /// By how much the median changed, in nanoseconds per minute.
        per_minute: f64,
    },
    /// Reads found nothing, or less than they should.
    Misses {
        /// Service and operation.
        scope: Scope,
        /// Lookups without a result.
        misses: u64,
        /// All lookups.
        lookups: u64,
    },
    /// Connections were lost and came back.
    Reconnects {
        /// Service.
        service: String,
        /// Lost.
        lost: u64,
        /// Came back.
        recovered: u64,
        /// Events of the scenario that the losses follow.
        event: Option<String>,
    },
    /// Extra commands kept the data bounded; they took a share of the server that no application would.
    Upkeep {
        /// Commands.
        count: u64,
        /// As a share of all commands.
        share: f64,
    },
    /// A dependency did not always answer as it should.
    Dependency {
        /// Its name.
        name: String,
        /// All its probes.
        answers: Answers,
        /// When it failed.
        outage: DependencyOutage,
        /// Last error.
        reason: String,
    },
    /// One primary of a cluster served many more requests than the others.
    UnevenLoad {
        /// Its address.
        node: String,
        /// Its share of the requests, 0..=1.
        share: f64,
        /// That over an even share.
        factor: f64,
    },
    /// Processes that sent the load differ.
    Generators(GeneratorFinding),
    /// A replica that served reads was further behind than its primary's last second.
    StaleReads {
        /// Its address.
        node: String,
        /// How far it was behind.
        lag: Lag,
    },
    /// Replicas found fewer keys than primaries that served the same reads in turn with them.
    MissesOnReplicas {
        /// Service.
        service: String,
        /// Share of lookups without a result at primaries, 0..=1.
        primary: f64,
        /// The same at replicas.
        replica: f64,
    },
    /// Acknowledged writes were lost, or writes were executed more often than they were sent.
    LostWrites {
        /// Bounds of the number of those that were lost.
        lost: (u64, u64),
        /// Number of acknowledged writes.
        acknowledged: u64,
        /// Number of those that were executed too often.
        repeated: u64,
        /// When the first loss was found, in nanoseconds since the start of the measured period.
        found_ns: Option<Nanos>,
    },
    /// Something about the server itself.
    Server(ServerFinding),
    /// A check of the validity table gave a warning or refused: the check and the advice that belongs to it.
    Trust(Check),
    /// The run was ended early by the user.
    Interrupted,
    /// The build is a debug build: its numbers are those of the harness.
    DebugBuild,
}
