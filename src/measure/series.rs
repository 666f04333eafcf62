//! Histograms and counts of one kind of request.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ErrorClass, Latencies, Nanos, Outcome, Span, outcome::by_class};

/// Index of a series within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SeriesId(pub u16);

/// One finished request, as a worker reports it.
#[derive(Debug, Clone)]
pub struct Completion {
    /// Series that it belongs to.
    pub series: SeriesId,
    /// When it should have started (open loop) or asked for a connection (closed loop).
    pub due: Nanos,
    /// When it was handed to the client library; `None` if it never got a connection.
    pub sent: Option<Nanos>,
    /// When its reply was decoded or it was given up.
    pub done: Nanos,
    /// Outcome.
    pub outcome: Outcome,
    /// Payload sent, in bytes.
    pub bytes_sent: u32,
}

/// Subject of a series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SeriesKey {
    /// Service.
    pub service: String,
    /// Operation, `operation/STEP` or `operation+UPKEEP`, by role; among the series of nodes the address of a node, and among those
    /// of reads the role of a node.
    pub operation: String,
    /// Whether the requests of the series count towards the load and the objective.
    pub role: SeriesRole,
}

/// Part that a series plays in the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeriesRole {
    /// Scheduled requests: these are judged and add up to the total.
    Operation,
    /// One step of a sequence; its requests are part of the operation.
    Step,
    /// Commands that keep the data bounded (trims and refills); extra load, in no total.
    Upkeep,
}

/// In the place of a node: requests that a node redirected, or whose slot moved while they were under way.
pub const REDIRECTED: &str = "redirected";

/// In the place of a node: requests whose commands were served by different nodes.
pub const SEVERAL: &str = "several nodes";

/// In the place of a node: requests of nodes that were not known before the load, and of nodes that are not known.
pub const OTHERS: &str = "other nodes";

/// Reads of a service that reads from replicas, by the role of the node that served them: a primary, replicas, and those that a node
/// redirected, that nodes of both roles served, or no node.
pub const READS: [&str; 3] = ["primary", "replica", "other"];

/// Counts of one series over some time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Counts {
    /// Requests that succeeded.
    pub completed: u64,
    /// Requests that failed, by class. Classes without a failure are absent.
    #[schemars(schema_with = "by_class::<u64>")]
    pub errors: BTreeMap<ErrorClass, u64>,
    /// Keys, fields or members found.
    pub hits: u64,
    /// Number of keys that were not found.
    pub misses: u64,
    /// Payload sent, in bytes.
    pub bytes_sent: u64,
    /// Payload received, in bytes.
    pub bytes_received: u64,
    /// Durations longer than a histogram can hold.
    pub beyond_range: u64,
    /// Requests of the warm-up that succeeded in the measured period: in no other number, but work that was done in it.
    pub carried_over: u64,
}

impl Counts {
    /// All failures.
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Requests that were answered meanwhile, whenever they fell due.
    pub fn answered(&self) -> u64 {
        self.completed + self.carried_over
    }

    /// Failures that are error replies of the server.
    pub fn refused(&self) -> u64 {
        self.errors.iter().filter(|(class, _)| class.is_reply()).map(|(_, count)| count).sum()
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        self.completed += other.completed;
        for (class, count) in &other.errors {
            *self.errors.entry(*class).or_default() += count;
        }
        self.hits += other.hits;
        self.misses += other.misses;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        self.beyond_range += other.beyond_range;
        self.carried_over += other.carried_over;
    }
}

/// Record of one series during one interval. Merging is associative and commutative.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Response time of successes.
    pub response: Latencies,
    /// Service time of successes.
    pub service: Latencies,
    /// Wait time of successes.
    pub wait: Latencies,
    /// Response time of failures.
    pub failed: Latencies,
    /// Counts.
    pub counts: Counts,
    /// First message of each class of failure.
    pub messages: BTreeMap<ErrorClass, String>,
    /// From the first success to the last; of nodes only.
    pub served: Option<Span>,
}

impl Series {
    /// Records one completion. Allocates only where a class of failure is met for the first time.
    #[inline]
    pub fn record(&mut self, completion: Completion) {
        let response = completion.done.saturating_sub(completion.due);
        self.counts.bytes_sent += u64::from(completion.bytes_sent);
        match completion.outcome {
            Outcome::Success { hits, misses, bytes } => {
                let sent = completion.sent.unwrap_or(completion.due);
                self.response.record(response);
                self.service.record(completion.done.saturating_sub(sent));
                self.wait.record(sent.saturating_sub(completion.due));
                self.counts.completed += 1;
                self.counts.hits += u64::from(hits);
                self.counts.misses += u64::from(misses);
                self.counts.bytes_received += u64::from(bytes);
            }
            Outcome::Failed(failure) => {
                self.failed.record(response);
                *self.counts.errors.entry(failure.class).or_default() += 1;
                self.messages.entry(failure.class).or_insert(failure.message);
            }
        }
    }

    /// Notes a success at an instant since the start of the measured period.
    #[inline]
    pub fn serve(&mut self, at: Nanos) {
        let at = Span { from_ns: at, to_ns: at };
        self.served = Some(self.served.map_or(at, |served| served.hull(at)));
    }

    /// Whether the record is empty.
    pub fn is_empty(&self) -> bool {
        self.counts.answered() == 0 && self.counts.errors.is_empty()
    }

    /// Adds another's record.
    pub fn merge(&mut self, other: &Self) {
        self.response.merge(&other.response);
        self.service.merge(&other.service);
        self.wait.merge(&other.wait);
        self.failed.merge(&other.failed);
        self.counts.merge(&other.counts);
        for (class, message) in &other.messages {
            self.messages.entry(*class).or_insert_with(|| message.clone());
        }
        if let Some(served) = other.served {
            self.served = Some(self.served.map_or(served, |own| own.hull(served)));
        }
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.response.clear();
        self.service.clear();
        self.wait.clear();
        self.failed.clear();
        self.counts = Counts::default();
        self.messages.clear();
        self.served = None;
    }
}
