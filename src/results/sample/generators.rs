//! The synthetic run as if several processes had sent its load.

use super::{Environment, Run, run};
use crate::{
    measure::{Latencies, PackedHistogram},
    results::{ClockRecord, ClockReference, Generator, ShardRecord},
};

/// The run with a number of generators, each with its own response time.
pub(crate) fn scaled(generators: u32, response: impl Fn(u32) -> u64) -> Run {
    let whole = run();
    let environment = whole.environment.clone();
    let worker = whole.recording.workers[0].clone();
    let generator = |number| generator(number, generators, response(number), environment.clone());
    let mut run = Run { generators: (0..generators).map(generator).collect(), ..whole };
    run.recording.workers = vec![worker; generators as usize];
    run
}

/// A shard as it says who it is.
pub(crate) fn shard(number: u32, of: u32) -> ShardRecord {
    ShardRecord {
        number,
        of,
        host: format!("node{number}"),
        start: "2025-03-14T09:26:50Z".to_owned(),
        clock: ClockRecord {
            reference: ClockReference::Server,
            offset_ns: -1_200_000,
            uncertainty_ns: Some(60_000),
            drift_ns: Some(4_000),
        },
        late_ns: 30_000,
        server: Some("5f0c".to_owned()),
    }
}

fn generator(number: u32, of: u32, response: u64, environment: Environment) -> Generator {
    let times = |nanos: u64| -> PackedHistogram {
        let mut latencies = Latencies::default();
        (0..5_000).for_each(|_| latencies.record(nanos));
        latencies.pack()
    };
    Generator {
        shard: shard(number, of),
        environment,
        same_machine: false,
        workers: 1,
        scheduled: 5_000,
        completed: 5_000,
        failed: 0,
        unfinished: 0,
        response: times(response),
        lag: times(5_000),
        host: run().recording.host,
        silences: Vec::new(),
        calibration: None,
    }
}
