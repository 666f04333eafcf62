//! The recording of a short load boiled down to a slice.

use hdrhistogram::Histogram;

use crate::{
    analysis::paired::{belongs, halves, operations},
    measure::{HostInterval, Nanos, PackedHistogram, Recording, SECOND, SeriesRecord, ServiceRecord, merged},
    results::{GateSeries, GateSlice, GateTally, Side, SliceKind},
};

/// The place of a slice in its gate.
#[derive(Debug, Clone, Copy)]
pub struct SlicePlace {
    /// Loaded arm.
    pub arm: Side,
    /// Subject of the comparison.
    pub kind: SliceKind,
    /// Quad of its kind within the block.
    pub quad: u32,
    /// When it began, in nanoseconds since the gate did.
    pub began_ns: u64,
}

/// What the histograms of a slice are about; of a load in which the arms took turns, the first half.
pub fn series(recording: &Recording, turns: bool) -> Vec<GateSeries> {
    let all: Vec<_> = operations(recording).map(|record| GateSeries::of(&record.key)).collect();
    let own = if turns { all.len() / 2 } else { all.len() };
    all.into_iter().take(own).collect()
}

/// Cuts a load in which two arms took turns into slices: the windows of one arm in one second. Two seconds make a quad, in which
/// either arm has as many windows before the other as behind it.
///
/// `first` is the arm whose services come first; `place` that of the first slice.
pub fn slices(recording: &Recording, first: Side, kind: SliceKind, began_ns: u64) -> Vec<GateSlice> {
    let seconds = (recording.period.measured_ns / SECOND) as u32;
    let [one, other] = halves(recording);
    let halves = [(first, &one), (first.other(), &other)];
    (0..seconds)
        .flat_map(|second| halves.map(|half| (second, half)))
        .map(|(second, (arm, half))| {
            let services = half.services;
            let within = |at: u32| belongs(at, second, seconds);
            let of_services = || services.iter().flat_map(|service| &service.seconds).filter(|at| within(at.second));
            let lag = merged(of_services().map(|at| &at.lag));
            let host = recording.host.iter().find(|interval| interval.second == second);
            let series: Vec<GateTally> =
                half.operations.iter().map(|record| tally_of(record, within, second + 1 == seconds)).collect();
            let place = SlicePlace { arm, kind, quad: second / 2, began_ns: began_ns + u64::from(second) * SECOND };
            let disturbed = host.map_or((None, None), |interval| (interval.stolen, interval.throttled));
            // Either arm has half of the turns of a second.
            made(place, (SECOND / 2, of_services().map(|at| at.scheduled).sum()), disturbed, &lag, series)
        })
        .collect()
}

/// Summarises a recording.
pub fn slice(recording: &Recording, place: SlicePlace) -> GateSlice {
    let lag = ServiceRecord::lag(&recording.services);
    let series: Vec<GateTally> = operations(recording).map(|record| tally_of(record, |_| true, true)).collect();
    let most = |share: fn(&HostInterval) -> Option<f64>| recording.host.iter().filter_map(share).reduce(f64::max);
    let disturbed = (most(|interval| interval.stolen), most(|interval| interval.throttled));
    made(place, (recording.period.measured_ns, recording.scheduled()), disturbed, &lag, series)
}

/// A slice with what follows from its tallies.
fn made(
    place: SlicePlace,
    (measured_ns, scheduled): (Nanos, u64),
    (stolen, throttled): (Option<f64>, Option<f64>),
    lag: &Histogram<u64>,
    series: Vec<GateTally>,
) -> GateSlice {
    let completed: u64 = series.iter().map(|tally| tally.completed).sum();
    let SlicePlace { arm, kind, quad, began_ns } = place;
    GateSlice {
        arm,
        kind,
        quad,
        began_ns,
        measured_ns,
        scheduled,
        throughput: completed as f64 / (measured_ns.max(1) as f64 / 1e9),
        lag_p50: lag.value_at_quantile(0.5),
        lag_p99: lag.value_at_quantile(0.99),
        stolen,
        throttled,
        series,
    }
}

fn tally_of(record: &SeriesRecord, within: impl Fn(u32) -> bool, is_last: bool) -> GateTally {
    let seconds = || record.seconds.iter().filter(|at| within(at.second));
    let (completed, failed) = seconds()
        .fold((0, 0), |(completed, failed), at| (completed + at.counts.completed, failed + at.counts.failed()));
    GateTally {
        completed,
        failed: failed + if is_last { record.unfinished } else { 0 },
        response: PackedHistogram::sum(seconds().map(|at| &at.response)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    /// The load of the sample, twice: the services of one arm and then those of the other.
    fn twice() -> Recording {
        let mut recording = sample::run().recording;
        recording.series.extend(recording.series.clone());
        recording.services.extend(recording.services.clone());
        recording
    }

    fn completed<'a>(slices: impl Iterator<Item = &'a GateSlice>) -> u64 {
        slices.flat_map(|slice| &slice.series).map(|tally| tally.completed).sum()
    }

    #[test]
    fn a_load_in_turns_is_cut_by_arms_and_seconds() {
        use Side::{A, B};

        let (single, both) = (sample::run().recording, twice());
        let cut = slices(&both, Side::B, SliceKind::Paced, 7 * SECOND);
        let seconds = single.period.measured_ns / SECOND;
        assert_eq!(cut.len() as u64, 2 * seconds);
        let order: Vec<_> = cut.iter().take(6).map(|slice| (slice.arm, slice.quad, slice.began_ns / SECOND)).collect();
        assert_eq!(order, [(B, 0, 7), (A, 0, 7), (B, 0, 8), (A, 0, 8), (B, 1, 9), (A, 1, 9)]);
        let whole = slice(&single, SlicePlace { arm: A, kind: SliceKind::Paced, quad: 0, began_ns: 0 });
        for arm in [A, B] {
            let own = || cut.iter().filter(move |slice| slice.arm == arm);
            assert_eq!(completed(own()), completed([&whole].into_iter()), "what came late is in the last second");
            assert_eq!(own().map(|slice| slice.scheduled).sum::<u64>(), whole.scheduled);
            let failed = |slice: &GateSlice| slice.series.iter().map(|tally| tally.failed).sum::<u64>();
            assert_eq!(own().map(failed).sum::<u64>(), failed(&whole));
        }
        let (first, second) = (&cut[0], &cut[1]);
        assert_eq!(first.series, second.series);
        // Each had half of the second.
        let answered: u64 = first.series.iter().map(|tally| tally.completed).sum();
        assert!((first.throughput - 2.0 * answered as f64).abs() < 1e-9);
        assert_eq!(series(&both, true), series(&single, false));
    }
}
