//! Outcome of the audit of writes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::measure::Nanos;

/// Counters that were incremented beside the load, compared with the replies to their increments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WriteAuditRecord {
    /// Number of counters.
    pub counters: u64,
    /// Increments that were sent; equals acknowledged + refused + unknown.
    pub sent: u64,
    /// Increments with a reply.
    pub acknowledged: u64,
    /// Increments with an error reply, which were not executed.
    pub refused: u64,
    /// Increments without a reply, which may have been executed.
    pub unknown: u64,
    /// Counters that could not be read at the end; losses of their last increments are not known.
    pub unread: u64,
    /// Losses of acknowledged increments, in the order in which they were found.
    pub losses: Vec<LostWrites>,
    /// Increments that were executed more often than they were sent.
    pub repeated: u64,
    /// First error of increments that were refused or had no reply, or of counters that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Acknowledged increments of one counter that were lost together. Their number lies between the bounds: those without a reply
/// may have been executed in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LostWrites {
    /// When the loss was found, in nanoseconds since the start of the measured period: by the next reply, or at the end.
    pub found_ns: Nanos,
    /// Lower bound.
    pub least: u64,
    /// Upper bound.
    pub most: u64,
}

impl WriteAuditRecord {
    /// Bounds of the number of acknowledged increments that were lost.
    pub fn lost(&self) -> (u64, u64) {
        self.losses.iter().fold((0, 0), |(least, most), lost| (least + lost.least, most + lost.most))
    }

    /// Adds what was observed of other counters.
    pub fn merge(&mut self, other: Self) {
        self.counters += other.counters;
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.unread += other.unread;
        self.losses.extend(other.losses);
        self.losses.sort_by_key(|lost| lost.found_ns);
        self.repeated += other.repeated;
        self.message = self.message.take().or(other.message);
    }
}
