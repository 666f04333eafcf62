//! Spans of time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Nanos;

/// A span of time, in nanoseconds since the start of the measured period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// Its beginning.
    pub from_ns: Nanos,
    /// Its end.
    pub to_ns: Nanos,
}

impl Span {
    /// Its length in nanoseconds.
    pub fn length(&self) -> Nanos {
        self.to_ns.saturating_sub(self.from_ns)
    }

    /// The shortest span that has both in it.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self { from_ns: self.from_ns.min(other.from_ns), to_ns: self.to_ns.max(other.to_ns) }
    }
}
