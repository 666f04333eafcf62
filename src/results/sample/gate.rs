//! Synthetic gates whose difference is known, the same every time, for the tests of the rooms that report on one.

use statrs::distribution::{ContinuousCDF as _, Normal};

use super::super::{
    Ended, GATE_VERSION, Gate, GateArm, GateBlock, GatePlan, GateSeries, GateSlice, GateStage, GateTally, Side, Sides,
    SliceKind,
};
use crate::measure::Latencies;

/// Median of A's requests, in nanoseconds.
const MEDIAN: f64 = 400_000.0;

/// Requests of each series in a slice.
const REQUESTS: u32 = 300;

/// Quantiles of the requests of a series, and how far each lies from the median on the logarithmic scale.
fn spreads() -> Vec<(f64, f64)> {
    let quantiles = (0..REQUESTS).map(|request| (f64::from(request) + 0.5) / f64::from(REQUESTS));
    quantiles.map(|quantile| (quantile, 0.3 * Normal::standard().inverse_cdf(quantile))).collect()
}

/// What B is like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Worsening {
    /// As A.
    None,
    /// All requests take longer by this share.
    Uniform(f64),
    /// The slowest in a hundred take longer by a number of nanoseconds.
    Tail(f64),
}

/// A finished gate of eight blocks in each stage that it takes; `noise` is the deviation of a slice.
pub(crate) fn gate(worsening: Worsening, noise: f64, stages: &[GateStage]) -> Gate {
    let run = super::run();
    let arm = |name: &str, differences: &[(&str, &str)]| GateArm {
        name: name.to_owned(),
        differences: differences.iter().map(|(what, value)| ((*what).to_owned(), (*value).to_owned())).collect(),
        scenario: run.scenario.clone(),
        target: run.target.clone(),
        software: run.software.clone(),
    };
    let series = [("api", "GET"), ("api", "SET"), ("chat", "LPUSH")];
    let mut began_ns = 2_000_000_000;
    let mut slices = 0;
    let spreads = spreads();
    let mut block = |stage: GateStage, number: u32| {
        let kinds = [(SliceKind::Paced, 2), (SliceKind::Saturated, 1)];
        let quads = kinds.into_iter().flat_map(|(kind, quads)| (0..quads).map(move |quad| (kind, quad)));
        let order = if number.is_multiple_of(2) {
            [Side::A, Side::B, Side::B, Side::A]
        } else {
            [Side::B, Side::A, Side::A, Side::B]
        };
        let slices = quads
            .flat_map(|(kind, quad)| order.map(|arm| (kind, quad, arm)))
            .map(|(kind, quad, arm)| {
                began_ns += 800_000_000;
                slices += 1;
                let of = if arm == Side::B { worsening } else { Worsening::None };
                slice((kind, quad, arm), began_ns, of, noise * wave(slices), (series.len(), &spreads))
            })
            .collect();
        GateBlock { stage, number, slices }
    };
    let blocks = stages.iter().flat_map(|stage| (0..8).map(|number| (*stage, number))).collect::<Vec<_>>();
    Gate {
        schema_version: GATE_VERSION,
        software: run.software.clone(),
        started: run.started.clone(),
        scenario: run.scenario.clone(),
        environment: run.environment.clone(),
        arms: Sides {
            a: arm("io-threads=1", &[("config:io-threads", "1")]),
            b: arm("io-threads=4", &[("config:io-threads", "4")]),
        },
        plan: GatePlan {
            profile: "quick".to_owned(),
            threshold: 0.1,
            tail_threshold: 0.25,
            floor_ns: 20_000,
            blocks: 8,
            quads: 2,
            window_ns: Some(100_000_000),
            slice_ns: 1_000_000_000,
            warmup_ns: 150_000_000,
            saturated_quads: 1,
            rate: Some(40_000.0),
            workers: None,
            seed: 42,
            advisory: None,
        },
        capacity: Some(Sides { a: 81_234.0, b: 80_456.0 }),
        series: series
            .map(|(service, operation)| GateSeries { service: service.to_owned(), operation: operation.to_owned() })
            .to_vec(),
        blocks: blocks.into_iter().map(|(stage, number)| block(stage, number)).collect(),
        ended: Ended::Finished,
    }
}

/// Something between -1 and 1 that differs from slice to slice.
fn wave(number: u32) -> f64 {
    let spread = number.wrapping_mul(0x9e37_79b1) ^ (number.wrapping_mul(0x85eb_ca6b) >> 13);
    f64::from(spread) / f64::from(u32::MAX) * 2.0 - 1.0
}

fn slice(
    (kind, quad, arm): (SliceKind, u32, Side),
    began_ns: u64,
    worsening: Worsening,
    noise: f64,
    (series, spreads): (usize, &[(f64, f64)]),
) -> GateSlice {
    let share = if let Worsening::Uniform(share) = worsening { share } else { 0.0 };
    let tally = |number: usize| {
        let mut response = Latencies::default();
        for (quantile, spread) in spreads.iter().copied() {
            let base = MEDIAN * (1.0 + 0.1 * number as f64) * (1.0 + share);
            let tail = match worsening {
                Worsening::Tail(nanos) if quantile > 0.985 => nanos,
                _ => 0.0,
            };
            response.record((base * (spread + noise).exp() + tail) as u64);
        }
        GateTally { completed: u64::from(REQUESTS), failed: 0, response: response.pack() }
    };
    GateSlice {
        arm,
        kind,
        quad,
        began_ns,
        measured_ns: 500_000_000,
        scheduled: u64::from(REQUESTS) * series as u64,
        throughput: 80_000.0 / (1.0 + share) * noise.exp(),
        lag_p50: 300,
        lag_p99: 12_000,
        stolen: Some(0.0),
        throttled: Some(0.0),
        series: (0..series).map(tally).collect(),
    }
}
