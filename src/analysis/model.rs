//! What is concluded from a run: facts and judgements, without a word of prose.

use hdrhistogram::Histogram;

use super::{
    Answers, Check, DependencySide, Family, KeyspaceSide, Outage, Outcome, PoolUse, Scaling, ServerFinding, ServerSide,
    Verdict, audit::Ruling,
};
use crate::measure::{Counts, Nanos, SeriesRole, Span};

/// Everything that the reports say, computed once from a [`crate::results::Run`].
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The judgement of the whole run.
    pub verdict: Verdict,
    /// Why the numbers can be trusted, or not: every check of the validity table that applies.
    pub checks: Vec<Check>,
    /// One row per operation (steps and upkeep behind the operation that they belong to), then one per service, then
    /// the whole.
    pub rows: Vec<Row>,
    /// One timeline per row, in the same order.
    pub timelines: Vec<Timeline>,
    /// What the user should know or do, most important first.
    pub findings: Vec<Finding>,
    /// Stalls and bursts, and how the time outside of them went.
    pub events: Events,
    /// How much of each pool was used, in the scenario's order.
    pub pools: Vec<PoolUse>,
    /// The server's side.
    pub server: ServerSide,
    /// Response time by kind of command, all services together.
    pub families: Vec<Family>,
    /// What the server, its users and its machine are held against.
    pub audit: Vec<Ruling>,
    /// What services depend on besides the server, in the scenario's order.
    pub dependencies: Vec<DependencySide>,
    /// What lies in the keyspace; `None` where it was not looked at.
    pub keyspace: Option<KeyspaceSide>,
    /// Whether more connections or more servers are worth a thought.
    pub scaling: Scaling,
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Service; `None` stands for all.
    pub service: Option<String>,
    /// Operation; `None` stands for all.
    pub operation: Option<String>,
    /// Role of the operation; [`SeriesRole::Operation`] for sums.
    pub role: SeriesRole,
}

/// One line of the summary.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is about.
    pub scope: Scope,
    /// Counts over the measured period.
    pub counts: Counts,
    /// Requests that were never finished.
    pub unfinished: u64,
    /// Requests that were answered per second in the whole seconds of the measured period, whenever they fell due.
    pub rate: f64,
    /// Response time of successes.
    pub response: Distribution,
    /// Service time of successes.
    pub service_time: Distribution,
    /// Wait time of successes.
    pub wait: Distribution,
    /// Response time of failures.
    pub failed: Distribution,
    /// Share of keys, fields or members found; `None` where nothing was looked up.
    pub hit_ratio: Option<f64>,
    /// Share of requests that were late, failed or unfinished.
    pub bad: Proportion,
    /// Burstiness of those requests, at least 1.
    pub bad_burstiness: f64,
    /// Target divided by the mean response time; `None` where nothing succeeded.
    pub times_faster: Option<f64>,
    /// Response time at the percentile that the objective judges, which need not be one of [`PERCENTILES`].
    pub judged: Percentile,
    /// By the judged percentile, and [`Grade::Missed`] where more requests were late, failed or unfinished than the objective
    /// allows; `None` where the percentile cannot be printed.
    pub grade: Option<Grade>,
    /// The objective compared with this row alone.
    pub outcome: Outcome,
}

/// Distribution of a duration.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// All values, in nanoseconds.
    pub histogram: Histogram<u64>,
    /// Mean in nanoseconds; `None` when empty.
    pub mean: Option<f64>,
    /// Burstiness phi >= 1, at the judged percentile: the variance of the per-second counts of exceedances over the
    /// binomial variance.
    pub burstiness: f64,
    /// [`PERCENTILES`] in that order.
    pub percentiles: Vec<Percentile>,
}

/// Percentiles that every output offers.
pub const PERCENTILES: [f64; 6] = [50.0, 90.0, 95.0, 99.0, 99.9, 99.99];

/// One percentile with its confidence interval, or why it cannot be printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentile {
    /// In percent.
    pub percentile: f64,
    /// The value.
    pub value: PercentileValue,
}

/// Whether a percentile can be printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PercentileValue {
    /// Enough samples.
    Known {
        /// The value.
        nanos: Nanos,
        /// Lower bound of the 95 % confidence interval.
        low: Nanos,
        /// Upper bound.
        high: Nanos,
        /// On how many independent samples it rests.
        support: Support,
    },
    /// Too few samples.
    TooFew {
        /// Samples that it needs.
        needed: u64,
        /// Samples that there are.
        have: u64,
    },
}

/// How many independent samples lie beyond a percentile: all of them, divided by their burstiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// A hundred or more.
    Ample,
    /// Ten to a hundred: printed with a mark.
    Few,
    /// Fewer than ten: the tail comes from few bursts, and another run may differ.
    Bursts,
}

/// A share with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    /// Cases.
    pub count: u64,
    /// Out of so many.
    pub of: u64,
    /// `count / of`, 0 when `of` is 0.
    pub share: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// Classification of the judged percentile against the target, as in a school report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Up to 5 % of the target.
    Excellent,
    /// Up to 25 %.
    Good,
    /// Up to the target.
    Acceptable,
    /// Above the target.
    Missed,
}

/// The time in which a service got no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// The service.
    pub service: String,
    /// Spans in which requests were under way and none was answered, without those in which the harness did not run. Empty for
    /// a service whose commands wait by design.
    pub spans: Vec<Span>,
    /// Share of the measured period at which whoever had come would have waited longer than the objective's latency, 0..=1.
    pub late_share: f64,
    /// Since when it has not been answered until the end of the run, in nanoseconds since the start of the measured period.
    pub gone_since: Option<Nanos>,
}

/// What stands out in the course of the run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Events {
    /// Spans in which nothing, or next to nothing, was answered, in order.
    pub stalls: Vec<Stall>,
    /// Spans in which the harness did not run, in order.
    pub pauses: Vec<Stall>,
    /// Clusters of late and failed requests outside of stalls and pauses, in order.
    pub bursts: Vec<Burst>,
    /// Late, failed and unfinished requests outside of all of these, and all requests there.
    pub outside: (u64, u64),
}

/// A span in which nothing, or next to nothing, was answered although requests were under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Stall {
    /// When.
    pub span: Span,
    /// The services that it concerned; empty where it was all of them.
    pub services: Vec<String>,
    /// Late, failed and unfinished requests that belong to it.
    pub bad: u64,
    /// Whether answers came again before the run ended.
    pub ended: bool,
}

/// Seconds in a row with many more late and failed requests than chance would put there.
#[derive(Debug, Clone, PartialEq)]
pub struct Burst {
    /// Its first second, counted from the start of the measured period.
    pub from: u32,
    /// Its last second.
    pub to: u32,
    /// Late and failed requests in it.
    pub bad: u64,
}

/// One row over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timeline {
    /// Seconds from the start of the measured period, without gaps.
    pub seconds: Vec<Moment>,
}

/// One second of a timeline.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moment {
    /// Seconds since the start of the measured period.
    pub second: u32,
    /// Requests that completed in it.
    pub completed: u64,
    /// The same with those that the warm-up left over.
    pub answered: u64,
    /// Requests that failed in it.
    pub failed: u64,
    /// Requests that completed in it, but later than the objective allows.
    pub late: u64,
    /// Response time at p50, p99 and the maximum, in nanoseconds; `None` where nothing completed.
    pub response: Option<(Nanos, Nanos, Nanos)>,
    /// Mean number in the system; only for services and the whole.
    pub in_system: Option<f64>,
    /// Requests waiting for a connection at its end; only for services and the whole.
    pub backlog: Option<u64>,
}

/// Something that a person should know or do.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Requests failed.
    Failures {
        /// Service and operation.
        scope: Scope,
        /// Class of failure, in its own word.
        class: String,
        /// How many.
        count: u64,
        /// The first message.
        message: String,
    },
    /// Requests were neither answered nor failed when the time to wait for them was over.
    Unfinished {
        /// Service.
        service: String,
        /// How many.
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
    Stalls(Vec<Stall>),
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
        outage: Outage,
        /// What went wrong the last time.
        reason: String,
    },
    /// Something about the server itself.
    Server(ServerFinding),
    /// A check of the validity table gave a warning or refused: the check and the advice that belongs to it.
    Trust(Check),
    /// The run was ended early by a person.
    Interrupted,
    /// The build is a debug build: its numbers are those of the harness.
    DebugBuild,
}
