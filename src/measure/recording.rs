//! All that was recorded during a run, in the form that is kept and saved.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Counts, ErrorClass, Nanos, PackedHistogram, SeriesKey, Span, merged, outcome::by_class};

/// Everything that the load engine hands over at the end of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recording {
    /// When what happened.
    pub period: Period,
    /// One record per series, in the scenario's order.
    pub series: Vec<SeriesRecord>,
    /// One record per node and service, and one each for requests that were redirected, that several nodes served, and of other
    /// nodes. Every request is in one of them as well; none where the server is no cluster and no service reads from replicas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<SeriesRecord>,
    /// Reads by the role of the node that served them, three records per service that reads from replicas: `primary`, `replica`, and
    /// `other` for those that a node redirected, that nodes of both roles served, or no node. Every read is in one of them as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<SeriesRecord>,
    /// One record per service, in the scenario's order.
    pub services: Vec<ServiceRecord>,
    /// One record per worker thread.
    pub workers: Vec<WorkerRecord>,
    /// The machine that the harness ran on, second by second.
    pub host: Vec<HostInterval>,
}

/// Phases as they really were. Seconds of all other records count from the start of the measured period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Period {
    /// Length of the warm-up.
    pub warmup_ns: Nanos,
    /// Length of the measured period that the scenario asked for.
    pub planned_ns: Nanos,
    /// Length of the measured period as it was: shorter if the run was interrupted.
    pub measured_ns: Nanos,
    /// Time from the end of the period until the last request finished or was given up.
    pub drain_ns: Nanos,
    /// Whether the user ended the run early.
    pub interrupted: bool,
}

/// One series over the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesRecord {
    /// Subject.
    pub key: SeriesKey,
    /// Commands that it sends, for people.
    pub commands: Vec<String>,
    /// Whether it reads keys that the prefill wrote, so that a miss is a surprise.
    pub expects_hits: bool,
    /// Seconds in which something finished, in order; a second counts from the start of the measured period and
    /// requests belong to the second in which they finished, so some lie behind its end. Requests that fell due
    /// outside the measured period are not here.
    pub seconds: Vec<SeriesSecond>,
    /// Requests that fell due in the measured period and were still waiting or under way when the drain ended.
    pub unfinished: u64,
    /// First message of each class of failure.
    #[schemars(schema_with = "by_class::<String>")]
    pub messages: BTreeMap<ErrorClass, String>,
}

/// One second of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesSecond {
    /// Seconds since the start of the measured period.
    pub second: u32,
    /// Counts of what finished in it.
    pub counts: Counts,
    /// Response time of successes, in nanoseconds.
    pub response: PackedHistogram,
    /// Service time of successes.
    pub service: PackedHistogram,
    /// Wait time of successes.
    pub wait: PackedHistogram,
    /// Response time of failures.
    pub failed: PackedHistogram,
    /// From the first success in it to the last, whenever they fell due; in the records of nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<Span>,
}

/// One service over the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceRecord {
    /// Service.
    pub name: String,
    /// Time to open each connection, in nanoseconds.
    pub connect: PackedHistogram,
    /// Time of the TLS handshake of each connection, which is part of the time to open it; absent without TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<PackedHistogram>,
    /// Connections that were open at the start.
    pub connections: u64,
    /// Parts of each instance, each with a share of its connections and a queue of its own; absent where none is divided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
    /// Requests that fell due in the measured period; equals completed + failed + unfinished over its operations.
    pub scheduled: u64,
    /// Seconds of the measured period and the drain, in order.
    pub seconds: Vec<ServiceSecond>,
}

/// One second of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceSecond {
    /// Seconds since the start of the measured period.
    pub second: u32,
    /// Requests that were released in it.
    pub scheduled: u64,
    /// Schedule lag (released - due) of open-loop requests, in nanoseconds.
    pub lag: PackedHistogram,
    /// Requests waiting for a connection at its end.
    pub backlog: u64,
    /// Mean number of requests in the system (waiting or under way), from the integral over time.
    pub in_system: f64,
    /// Mean number of requests waiting for a connection, from the integral over time.
    pub waiting: f64,
    /// Mean number of connections (shared checkout: places on connections) in use.
    pub in_use: f64,
    /// Connections that were lost.
    pub lost: u64,
    /// Connections that came back.
    pub recovered: u64,
    /// Replies `MOVED` of a cluster's nodes that were followed; counted with the wire client only.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub moved: u64,
    /// Replies `ASK` that were followed; counted with the wire client only.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub asked: u64,
    /// Idle connections that were asked for a sign of life (`PING`).
    pub idle_checks: u64,
    /// Spans of 10 ms and more (of the objective's latency and more, where that is shorter, down to 1 ms) in which requests
    /// were under way and none was answered. A span that goes on in the next second is cut at the end of this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<Span>,
    /// Whether the load ended in this second and the last request to end, or to be left unfinished, had no answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
}

/// One worker thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerRecord {
    /// Services (`name` or `name#instance`, each with `part 1 of 2` where it is divided) that ran on it.
    pub services: Vec<String>,
    /// How it waited for due instants: `spin` or `adaptive`.
    pub pacing: String,
    /// Core that it was pinned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core: Option<u32>,
    /// CPU time of the thread over the measured period divided by the period, 0..=1.
    pub cpu: f64,
    /// Share of the measured period in which it had something to do, 0..=1: for a worker that spins the CPU time says
    /// nothing, so turns in which nothing was due and no reply came are left out.
    pub busy: f64,
    /// Spans of 10 ms and more in which the thread did not get through a turn of its loop: the process was stopped, the CPU
    /// was taken away, or the turn itself was long. What happened in them on connections was noticed at their end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Span>,
    /// Whether the worker panicked, which ended the run early: the counts of its requests may be incomplete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub panicked: bool,
}

/// One second of the machine that the harness ran on. What the system does not show is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostInterval {
    /// Seconds since the start of the measured period.
    pub second: u32,
    /// Share of CPU time in use by anyone, 0..=1.
    pub busy: Option<f64>,
    /// Share of CPU time taken by the hypervisor, 0..=1.
    pub stolen: Option<f64>,
    /// Share of the second in which CPU quotas stopped the container, 0..=1; summed over CPUs.
    pub throttled: Option<f64>,
    /// Resident memory of the harness, in bytes.
    pub harness_rss: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is that of serde")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Recording {
    /// Number of the first worker thread that panicked, which ended the run early.
    pub fn panicked(&self) -> Option<usize> {
        self.workers.iter().position(|worker| worker.panicked)
    }

    /// Record of the service with a name.
    pub fn service(&self, name: &str) -> Option<&ServiceRecord> {
        self.services.iter().find(|service| service.name == name)
    }

    /// Requests that fell due in the measured period.
    pub fn scheduled(&self) -> u64 {
        self.services.iter().map(|service| service.scheduled).sum()
    }
}

impl ServiceRecord {
    /// Schedule lag of several services together.
    pub fn lag(services: &[Self]) -> Histogram<u64> {
        merged(services.iter().flat_map(|service| service.seconds.iter().map(|second| &second.lag)))
    }
}

impl SeriesRecord {
    /// Counts of the whole run.
    pub fn totals(&self) -> Counts {
        let mut totals = Counts::default();
        for second in &self.seconds {
            totals.merge(&second.counts);
        }
        totals
    }
}
