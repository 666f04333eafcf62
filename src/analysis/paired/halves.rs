//! The recording of a load in which two arms took turns, divided between them.

use crate::measure::{Recording, SeriesRecord, SeriesRole, ServiceRecord};

/// Requests that each slice, the turns of an arm in a second, has to have on average for its median and mean to be compared.
pub(in crate::analysis) const FEWEST_IN_SLICE: u64 = 30;

/// Recording of one arm.
#[derive(Debug, Clone)]
pub(in crate::analysis) struct Half<'a> {
    /// Its operations.
    pub(in crate::analysis) operations: Vec<&'a SeriesRecord>,
    /// Its services.
    pub(in crate::analysis) services: &'a [ServiceRecord],
}

/// The arm whose services come first, and the other one.
pub(in crate::analysis) fn halves(recording: &Recording) -> [Half<'_>; 2] {
    let all: Vec<&SeriesRecord> = operations(recording).collect();
    let (one, other) = all.split_at(all.len() / 2);
    let (of_one, of_other) = recording.services.split_at(recording.services.len() / 2);
    [(one, of_one), (other, of_other)].map(|(operations, services)| Half { operations: operations.to_vec(), services })
}

/// Series of whole operations. Steps of sequences and upkeep are parts of those, or the harness's own.
pub(in crate::analysis) fn operations(recording: &Recording) -> impl Iterator<Item = &SeriesRecord> {
    recording.series.iter().filter(|record| record.key.role == SeriesRole::Operation)
}

/// Whether what finished in a second counts in one of the `seconds` of a load: what finished after the last belongs to the last.
pub(in crate::analysis) fn belongs(finished: u32, second: u32, seconds: u32) -> bool {
    finished == second || second + 1 == seconds && finished > second
}
