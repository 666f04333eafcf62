//! The recording of a short load boiled down to a slice.

use crate::{
    measure::{HostInterval, PackedHistogram, Recording, SeriesRecord, SeriesRole, merged},
    results::{GateSeries, GateSlice, GateTally, SliceKind},
};

/// The place of a slice in its gate.
#[derive(Debug, Clone, Copy)]
pub struct SlicePlace {
    /// 0 for A, 1 for B.
    pub arm: u32,
    /// What it compares.
    pub kind: SliceKind,
    /// Quad of its kind within the block.
    pub quad: u32,
    /// When it began, in nanoseconds since the gate did.
    pub began_ns: u64,
}

/// What the histograms of a slice are about.
pub fn series(recording: &Recording) -> Vec<GateSeries> {
    let key = |record: &SeriesRecord| GateSeries {
        service: record.key.service.clone(),
        operation: record.key.operation.clone(),
    };
    operations(recording).map(key).collect()
}

/// Boils a recording down.
pub fn slice(recording: &Recording, place: SlicePlace) -> GateSlice {
    let lag = merged(recording.services.iter().flat_map(|service| service.seconds.iter().map(|at| &at.lag)));
    let at = |quantile| if lag.is_empty() { 0 } else { lag.value_at_quantile(quantile) };
    let series: Vec<GateTally> = operations(recording).map(tally).collect();
    let completed: u64 = series.iter().map(|tally| tally.completed).sum();
    let measured_ns = recording.period.measured_ns;
    let most = |share: fn(&HostInterval) -> f64| recording.host.iter().map(share).fold(0.0, f64::max);
    let SlicePlace { arm, kind, quad, began_ns } = place;
    GateSlice {
        arm,
        kind,
        quad,
        began_ns,
        measured_ns,
        scheduled: recording.scheduled(),
        throughput: completed as f64 / (measured_ns.max(1) as f64 / 1e9),
        lag_p50: at(0.5),
        lag_p99: at(0.99),
        stolen: most(|interval| interval.stolen),
        throttled: most(|interval| interval.throttled),
        series,
    }
}

/// Steps of sequences and upkeep are parts of operations, or the harness's own.
fn operations(recording: &Recording) -> impl Iterator<Item = &SeriesRecord> {
    recording.series.iter().filter(|record| record.key.role == SeriesRole::Operation)
}

fn tally(record: &SeriesRecord) -> GateTally {
    let totals = record.totals();
    GateTally {
        completed: totals.completed,
        failed: totals.failed() + record.unfinished,
        response: PackedHistogram::sum(record.seconds.iter().map(|second| &second.response)),
    }
}
