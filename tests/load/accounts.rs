//! Nothing is lost, nothing is counted twice, and data stays bounded.

use plimsoll::load::{Pacing, Settings};

use super::bench::{Bench, balance, counts, one_service, series};
use crate::support::{block_on, for_each_client};

for_each_client!(a_run_that_is_stopped_early_keeps_its_accounts);

const SHORT: &str = "warmup = \"300ms\"\nduration = \"1500ms\"\ndrain = \"2s\"";

#[test]
fn an_open_loop_completes_what_fell_due() {
    let text = one_service(
        SHORT,
        "size = 8",
        "model = \"open\"\nrate = 2000\narrivals = \"uniform\"",
        &["command = \"GET\"\nweight = 3", "command = \"SET\""],
    );
    let recording = Bench::new(&text, &[]).run();
    let (completed, failed, unfinished) = balance(&recording);
    assert_eq!((failed, unfinished), (0, 0));
    assert_eq!(completed, 3000, "2 000/s for 1.5 s, no more and no less");
    assert_eq!(counts(&recording, "GET").misses, 0, "the prefill wrote every key");
    assert!(series(&recording, "GET").expects_hits);
    assert!(!recording.period.interrupted);
}

#[test]
fn adaptive_pacing_keeps_the_same_schedule() {
    let text =
        one_service(SHORT, "size = 4", "model = \"open\"\nrate = 500\narrivals = \"uniform\"", &["command = \"GET\""]);
    let bench = Bench::new(&text, &[]);
    let settings =
        Settings { pacing: Some(Pacing::Adaptive), same_machine: true, workers: Some(1), ..Settings::default() };
    let recording = bench.start(settings).finish();
    assert_eq!(balance(&recording).0, 750);
    assert_eq!(recording.workers[0].pacing, "adaptive");
}

#[test]
fn instances_on_several_workers_share_the_load() {
    let text = one_service(
        SHORT,
        "size = 2",
        "model = \"open\"\nrate = 1000\narrivals = \"uniform\"",
        &["command = \"GET\"", "command = \"LPUSH\""],
    )
    .replace("name = \"api\"", "name = \"api\"\ninstances = 3");
    let bench = Bench::new(&text, &[]);
    let recording = bench
        .start(Settings { workers: Some(2), pacing: Some(Pacing::Adaptive), same_machine: true, ..Settings::default() })
        .finish();
    let (completed, failed, unfinished) = balance(&recording);
    assert_eq!((failed, unfinished), (0, 0));
    // Each of three schedules may begin or end within its own gap.
    assert!((1497..=1503).contains(&completed), "{completed}");
    assert_eq!(recording.workers.len(), 2);
    assert_eq!(recording.services[0].connections, 6);
    let seconds: Vec<_> = recording.services[0].seconds.iter().map(|second| second.second).collect();
    let expected: Vec<_> = (0..seconds.len() as u32).collect();
    assert_eq!(seconds, expected, "seconds of all workers are merged, in order");
}

#[test]
fn lists_and_streams_do_not_grow_for_ever() {
    let text = one_service(
        "warmup = \"200ms\"\nduration = \"2s\"\ndrain = \"2s\"",
        "size = 4",
        "model = \"closed\"\nclients = 4",
        &["command = \"LPUSH\"\nmembers = 50\nkeys = 3", "command = \"XADD\"\nmembers = 50\nkeys = 3"],
    );
    let bench = Bench::new(&text, &[]);
    let recording = bench.run();
    balance(&recording);
    assert!(counts(&recording, "LPUSH").completed > 300, "many times the bound was pushed");
    assert!(counts(&recording, "LPUSH+LTRIM").completed > 0, "trims are accounted for");
    let longest = block_on(async {
        use plimsoll::operation::{Args, Kind, Request};
        let connection = bench.target.connector(0).open().await.unwrap();
        let script = "local n = 0 for _, k in ipairs(redis.call('KEYS', 'test:*')) do \
                      local t = redis.call('TYPE', k).ok \
                      if t == 'list' then n = math.max(n, redis.call('LLEN', k)) end \
                      if t == 'stream' then n = math.max(n, redis.call('XLEN', k)) end end return n";
        let words = ["EVAL", script, "0"].map(|word| bytes::Bytes::copy_from_slice(word.as_bytes())).to_vec();
        let request = Request::new(Kind::Raw, bytes::Bytes::new(), Args::Raw(words));
        connection.issue(request).await.unwrap().integer.unwrap()
    });
    // Twice the members, plus what four lanes may push before a trim is through; a stream is trimmed by whole nodes of
    // 100 entries.
    assert!((50..=250).contains(&longest), "{longest}");
}

fn a_run_that_is_stopped_early_keeps_its_accounts(client: &str) {
    let text = one_service(
        "warmup = \"200ms\"\nduration = \"60s\"\ndrain = \"2s\"",
        "size = 4",
        "model = \"open\"\nrate = 1000\narrivals = \"poisson\"",
        &["command = \"GET\""],
    );
    let bench = Bench::of(client, &text, &[]);
    let running = bench.start(Settings { same_machine: true, ..Settings::default() });
    running.wait_until_measuring();
    running.stop.cancel();
    let recording = running.finish();
    balance(&recording);
    assert!(recording.period.interrupted);
    assert!(recording.period.measured_ns < recording.period.planned_ns / 4);
}
