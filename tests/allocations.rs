//! Allocations of the measured path, counted by the allocator of this program.

use std::alloc::System;

use plimsoll::{
    load::{self, Pacing, Settings},
    measure::SeriesRole,
    scenario::parse,
    target::{PrivateTopology, Source, Target},
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What a run of two seconds through the wire client took.
struct Taken {
    allocations: f64,
    completed: f64,
    /// Highest number of bytes in use.
    bytes: f64,
}

fn run(protocol: u8, operation: &str, rate: u32, connections: u32) -> Taken {
    let text = format!(
        "name = \"allocations\"\n[run]\nwarmup = \"0s\"\nduration = \"2s\"\n[[service]]\nname = \"api\"\nclient = \"wire\"\n\
         protocol = {protocol}\n[service.pool]\nsize = {connections}\n[service.load]\nrate = {rate}\narrivals = \"uniform\"\n[service.keys]\ncount = 1000\n\
         [[service.operation]]\n{operation}\n"
    );
    let scenario = parse(&text, "allocations.toml").unwrap_or_else(|errors| panic!("{errors}"));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (target, _server) = runtime.block_on(async {
        let private = Source::Embedded {
            server_bin: None,
            topology: PrivateTopology::Standalone,
            tls: false,
            config: Vec::new(),
        };
        let (target, server) = Target::prepare(private, &scenario).await.unwrap();
        target.prefill(&scenario, &mut |_, _| {}).await.unwrap();
        (target, server)
    });
    let settings = Settings { workers: Some(1), pacing: Some(Pacing::Adaptive), ..Settings::default() };
    let region = Region::new(ALLOCATOR);
    let mut bytes = 0.0_f64;
    let mut look = |_| {
        let Stats { bytes_allocated, bytes_deallocated, bytes_reallocated, .. } = region.change();
        bytes = bytes.max(bytes_allocated as f64 - bytes_deallocated as f64 + bytes_reallocated as f64);
    };
    let recording = load::run(&scenario, &target, settings, &CancellationToken::new(), &mut look).unwrap();
    let change = region.change();
    let operations = recording.series.iter().filter(|series| series.key.role == SeriesRole::Operation);
    let completed: u64 = operations.map(|series| series.totals().completed).sum();
    assert_eq!(completed, u64::from(2 * rate));
    Taken { allocations: (change.allocations + change.reallocations) as f64, completed: completed as f64, bytes }
}

/// What each further request of a run costs, so that connecting and packing the seconds do not count.
fn for_each_request(protocol: u8, operation: &str) -> f64 {
    let (few, many) = (run(protocol, operation, 500, 4), run(protocol, operation, 5_500, 4));
    (many.allocations - few.allocations) / (many.completed - few.completed)
}

// One test, since the allocator counts for all threads.
#[test]
fn a_request_of_the_wire_client_allocates_its_list_of_arguments_at_most_and_a_connection_keeps_little() {
    let (resp2, resp3) = (["GET", "SET", "HGET", "LRANGE"], ["HGETALL", "SMEMBERS"]);
    for (protocol, command) in resp2.map(|command| (2, command)).into_iter().chain(resp3.map(|command| (3, command))) {
        let operation = format!("command = \"{command}\"");
        let allocations = for_each_request(protocol, &operation);
        assert!(allocations < 0.1, "{operation}: {allocations} for each request");
    }
    for operation in ["command = \"HMGET\"", "command = \"ZADD\""] {
        let allocations = for_each_request(2, operation);
        assert!(allocations < 1.1, "{operation}: {allocations} for each request");
        assert!(allocations > 0.9, "the allocator counts: {operation}: {allocations} for each request");
    }
    let (few, many) = (run(2, "command = \"GET\"", 500, 50), run(2, "command = \"GET\"", 500, 1_050));
    let kept = (many.bytes - few.bytes) / 1_000.0;
    assert!((100.0..4.0 * 1024.0).contains(&kept), "{kept} bytes for each connection, with its lane");
}
