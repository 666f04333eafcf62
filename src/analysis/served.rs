//! Times in which a node completed no request.

use std::collections::{BTreeMap, btree_map::Entry};

use crate::measure::{Nanos, SECOND, SeriesRecord, SeriesSecond, Span};

/// Successes of a second of a node: bounds of the first and of the last one.
struct Successes {
    first: Span,
    last: Span,
}

/// The time between two successes of a node that follow each other, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// Bounds of the success before it, or the start of the measured period.
    pub(super) began: Span,
    /// Bounds of the success after it; `None` where there is none in the measured period.
    pub(super) ended: Option<Span>,
}

impl Gap {
    /// Its length at least.
    pub(super) fn least(&self, measured_ns: Nanos) -> Nanos {
        self.ended.map_or(measured_ns, |ended| ended.from_ns).saturating_sub(self.began.to_ns)
    }
}

/// Gaps of a node between its seconds, in order; those within a second are not known.
pub(super) fn gaps(nodes: &[SeriesRecord], address: &str, measured_ns: Nanos) -> Vec<Gap> {
    let mut began = Span { from_ns: 0, to_ns: 0 };
    let mut gaps = Vec::new();
    for Successes { first, last } in successes(nodes, address) {
        if first.from_ns >= measured_ns {
            break;
        }
        gaps.push(Gap { began, ended: Some(Span { to_ns: first.to_ns.min(measured_ns), ..first }) });
        began = last;
    }
    gaps.push(Gap { began, ended: None });
    gaps
}

/// Bounds of the first success of a node.
pub(super) fn first(nodes: &[SeriesRecord], address: &str) -> Option<Span> {
    successes(nodes, address).next().map(|successes| successes.first)
}

/// Successes of a node, second by second, of all services together.
fn successes(nodes: &[SeriesRecord], address: &str) -> impl Iterator<Item = Successes> {
    let mut seconds: BTreeMap<u32, Option<Span>> = BTreeMap::new();
    let of_node = nodes.iter().filter(|record| record.key.operation == address);
    let answered = |second: &&SeriesSecond| second.counts.answered() > 0;
    for second in of_node.flat_map(|record| &record.seconds).filter(answered) {
        match seconds.entry(second.second) {
            Entry::Vacant(entry) => drop(entry.insert(second.served)),
            Entry::Occupied(mut entry) => {
                let both = entry.get().zip(second.served);
                entry.insert(both.map(|(one, other)| one.hull(other)));
            }
        }
    }
    seconds.into_iter().map(|(second, served)| {
        let exactly = |at: Nanos| Span { from_ns: at, to_ns: at };
        // Earlier builds did not record the instants.
        let from_ns = Nanos::from(second) * SECOND;
        let whole = Span { from_ns, to_ns: from_ns + SECOND };
        let bounds = |served: Span| Successes { first: exactly(served.from_ns), last: exactly(served.to_ns) };
        served.map_or(Successes { first: whole, last: whole }, bounds)
    })
}
