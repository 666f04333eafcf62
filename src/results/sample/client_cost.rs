//! Turns of fred and the wire client on operations of the sample.

use crate::{
    measure::Latencies,
    results::{ClientCost, CostSecond, CostTally, GateSeries},
};

/// Operations with their requests in a second and the median service time of the wire client in nanoseconds.
const OPERATIONS: [(&str, &str, u64, f64); 4] = [
    ("api", "GET", 300, 80_000.0),
    ("api", "SET", 150, 100_000.0),
    ("chat", "post", 30, 300_000.0),
    ("ml", "ZRANGE", 4, 2_400_000.0),
];

/// Turns in which the service time with fred is a multiple of that with the wire client, second by second.
pub(crate) fn client_cost(ratios: &[f64]) -> ClientCost {
    let tallies = |factor: f64| OPERATIONS.map(|(.., requests, median)| tally(requests, median * factor)).to_vec();
    let second = |ratio: &f64| CostSecond {
        lag_p50: 3_000,
        stolen: Some(0.0),
        throttled: Some(0.0),
        wire: tallies(1.0),
        fred: tallies(*ratio),
    };
    let operation = |(service, operation, ..): (&str, &str, u64, f64)| GateSeries {
        service: service.to_owned(),
        operation: operation.to_owned(),
    };
    ClientCost {
        turn_ns: 25_000_000,
        planned: 8,
        operations: OPERATIONS.map(operation).to_vec(),
        seconds: ratios.iter().map(second).collect(),
    }
}

fn tally(requests: u64, median: f64) -> CostTally {
    let mut service = Latencies::default();
    for request in 0..requests {
        // From 0.9 to 1.1 of the median.
        service.record((median * (0.9 + 0.2 * request as f64 / requests as f64)) as u64);
    }
    CostTally { completed: requests, failed: 0, service: service.pack() }
}
