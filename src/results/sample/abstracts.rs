//! Abstracts of runs that differ as runs of the same thing do, and by as much as a test asks.

use hdrhistogram::Histogram;

use super::run;
use crate::{
    measure::{PackedHistogram, SECOND},
    results::{Abstract, AbstractRow, Calibration, KnownPercentile, Reference, Stretch, Verdict, WorstSeconds},
};

/// Deviations of twelve runs, in standard deviations: drawn once, mean 0.05.
const DEVIATIONS: [f64; 12] = [0.3, -1.2, 0.8, 0.1, -0.5, 1.4, -0.2, 0.6, -0.9, 0.4, -1.1, 0.9];

/// A number of runs of one thing, one a day, whose response times vary by 3 %.
pub(crate) fn abstracts(count: usize) -> Vec<Abstract> {
    let factor = |number: usize| (0.03 * DEVIATIONS[number % DEVIATIONS.len()]).exp();
    (0..count).map(|number| abstracted(number as u32, factor(number))).collect()
}

/// A run of a day in which everything took `factor` times as long as it does on average.
pub(crate) fn abstracted(day: u32, factor: f64) -> Abstract {
    let run = run();
    let rows =
        [(Some("api"), Some("GET"), 1.0), (Some("api"), Some("SET"), 1.3), (Some("api"), None, 1.1), (None, None, 1.1)];
    let reference = Reference { median_ns: 50_000, round_trips: 1_000 };
    let second = |second: u32| Stretch {
        second,
        rate: Some(1_000.0),
        response: Some(WorstSeconds {
            p50: (400_000.0 * factor) as u64,
            p99: (900_000.0 * factor) as u64 + 40_000 * u64::from(second % 3),
        }),
    };
    Abstract {
        name: format!("sample-2025{:02}{:02}T020000Z", 3 + day / 28, 1 + day % 28),
        software: run.software,
        started: format!("2025-{:02}-{:02}T02:00:00Z", 3 + day / 28, 1 + day % 28),
        measured_ns: 12 * SECOND,
        scenario: run.scenario,
        target: run.target,
        environment: run.environment,
        generators: Vec::new(),
        pacing: "adaptive".into(),
        workers: Some(2),
        calibration: Some(Calibration { before: reference, after: reference }),
        verdict: Verdict::Pass,
        interrupted: false,
        rows: rows.map(|(service, operation, times)| row(service, operation, times * factor)).into(),
        course: (0..12).map(second).collect(),
    }
}

fn row(service: Option<&str>, operation: Option<&str>, times: f64) -> AbstractRow {
    let mut histogram = Histogram::<u64>::new(3).expect("three digits are accepted");
    for rank in 0..12_000_u32 {
        // A tail that grows by a third with every nine, and is ten times the median at its end.
        let beyond = 1.0 - (f64::from(rank) + 0.5) / 12_000.0;
        histogram.record((times * 260_000.0 * beyond.powf(-0.25)) as u64).expect("it grows");
    }
    let known = |percentile: f64| {
        let at = |shift: f64| histogram.value_at_percentile(percentile + shift);
        let reach = 1.96 * (percentile * (100.0 - percentile) / 12_000.0).sqrt();
        KnownPercentile { percentile, nanos: at(0.0), low: at(-reach), high: at(reach) }
    };
    AbstractRow {
        service: service.map(Into::into),
        operation: operation.map(Into::into),
        completed: 12_000,
        failed: 0,
        unfinished: 0,
        rate: 1_000.0,
        mean_ns: Some(histogram.mean()),
        burstiness: 1.0,
        percentiles: [50.0, 90.0, 99.0].map(known).into(),
        response: PackedHistogram::of(&histogram),
    }
}
