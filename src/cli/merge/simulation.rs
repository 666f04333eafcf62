//! The merge of many shards, on recordings that are made here: neither memory nor the work for one more shard grows with their
//! number.
//!
//! A shard is one of those of a run of 1 000 requests a second for each of them: in every second, each of ten series has a hundred
//! response times around 200 µs, which take some seventy buckets of a histogram.
//!
//! `PLIMSOLL_PROOF=N` merges N shards of one hour instead, and prints time and memory, which takes an optimised build: `make proof`.

use std::{collections::BTreeMap, env, fs, time::Instant};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, LogNormal};

use crate::{
    analysis::{BATCH, Merger},
    measure::{
        Counts, HostInterval, Latencies, PackedHistogram, Period, Recording, SECOND, SeriesKey, SeriesRecord,
        SeriesRole, SeriesSecond, ServiceRecord, ServiceSecond, merged,
    },
    results::{Run, sample},
};

/// Requests of one series in one second of one shard.
const REQUESTS: u64 = 100;

/// Recordings that differ: shards take turns with them, since each takes as long to make as to merge many.
const VARIANTS: usize = 4;

/// What is merged.
#[derive(Debug, Clone, Copy)]
struct Case {
    shards: u32,
    series: usize,
    seconds: u32,
}

impl Case {
    /// That of the environment, if it asks for one.
    fn full() -> Option<Self> {
        let shards = env::var("PLIMSOLL_PROOF").ok()?.parse().ok()?;
        Some(Self { shards, series: 10, seconds: 3_600 })
    }
}

/// The recording of one shard.
fn recording(case: Case, seed: u64) -> Recording {
    let mut random = StdRng::seed_from_u64(seed);
    let times = LogNormal::new(200_000.0_f64.ln(), 0.3).unwrap();
    let [mut response, mut service, mut wait, mut lag] = [(); 4].map(|()| Latencies::default());
    let mut lags: Vec<PackedHistogram> = Vec::new();
    let series = (0..case.series).map(|series| {
        let seconds = (0..case.seconds).map(|second| {
            for _ in 0..REQUESTS {
                let served = times.sample(&mut random) as u64;
                let waited = if random.random_bool(0.1) { random.random_range(1_000..50_000) } else { 0 };
                response.record(served + waited);
                service.record(served);
                wait.record(waited);
                lag.record(random.random_range(500..5_000));
            }
            if series == 0 {
                lags.push(lag.pack());
            }
            let second = SeriesSecond {
                second,
                counts: Counts { completed: REQUESTS, bytes_sent: 40 * REQUESTS, ..Counts::default() },
                response: response.pack(),
                service: service.pack(),
                wait: wait.pack(),
                failed: PackedHistogram::default(),
                served: None,
            };
            [&mut response, &mut service, &mut wait, &mut lag].into_iter().for_each(Latencies::clear);
            second
        });
        let name = format!("operation {series}");
        SeriesRecord {
            key: SeriesKey { service: "api".to_owned(), operation: name, role: SeriesRole::Operation },
            commands: vec!["GET".to_owned()],
            expects_hits: false,
            seconds: seconds.collect(),
            unfinished: 0,
            messages: BTreeMap::new(),
        }
    });
    let series = series.collect();
    let service = ServiceRecord {
        name: "api".to_owned(),
        connect: lags[0].clone(),
        handshake: None,
        connections: 10,
        parts: None,
        scheduled: case.series as u64 * u64::from(case.seconds) * REQUESTS,
        seconds: lags.into_iter().zip(0..).map(|(lag, second)| of_service(lag, second)).collect(),
    };
    let length = u64::from(case.seconds) * SECOND;
    let period = Period { warmup_ns: 0, planned_ns: length, measured_ns: length, drain_ns: 0, interrupted: false };
    let host = |second| HostInterval {
        second,
        busy: Some(0.2),
        stolen: Some(0.0),
        throttled: None,
        harness_rss: Some(50_000_000),
    };
    Recording {
        series,
        services: vec![service],
        workers: sample::run().recording.workers[..1].to_vec(),
        host: (0..case.seconds).map(host).collect(),
        ..Recording::empty(period)
    }
}

fn of_service(lag: PackedHistogram, second: u32) -> ServiceSecond {
    ServiceSecond {
        second,
        scheduled: 10 * REQUESTS,
        lag,
        backlog: 0,
        in_system: 0.2,
        waiting: 0.01,
        in_use: 0.2,
        lost: 0,
        recovered: 0,
        moved: 0,
        asked: 0,
        idle_checks: 0,
        silences: Vec::new(),
        unanswered: false,
    }
}

/// Bytes of the packed histograms of recordings, and how many there are.
fn packed<'a>(recordings: impl IntoIterator<Item = &'a Recording>) -> (usize, usize) {
    let recordings = recordings.into_iter().flat_map(|recording| &recording.series);
    let histograms = recordings
        .flat_map(|series| &series.seconds)
        .flat_map(|second| [&second.response, &second.service, &second.wait])
        .map(|histogram| histogram.bytes().len());
    histograms.fold((0, 0), |(bytes, histograms), length| (bytes + length, histograms + 1))
}

/// What a merge took.
#[derive(Debug, Default)]
struct Cost {
    /// Largest number of recordings, and of bytes of histograms, that were held at once after a shard was added.
    recordings: usize,
    bytes: usize,
    /// Histograms that were added up.
    work: usize,
    seconds: f64,
}

fn merge(case: Case, variants: &[Recording]) -> (Run, Cost) {
    let (mut merger, mut cost) = (Merger::default(), Cost::default());
    let (base, counts) = (sample::run(), Case::full().is_none());
    for number in 0..case.shards {
        let recording = variants[number as usize % variants.len()].clone();
        let shard = Some(sample::shard(number, case.shards));
        let part = Run { recording, shard, server: base.server.clone(), ..base.clone() };
        let before = if counts { packed(merger.held()).1 + packed([&part.recording]).1 } else { 0 };
        let held = merger.held().len();
        let begin = Instant::now();
        merger.add("shard", part);
        cost.seconds += begin.elapsed().as_secs_f64();
        assert!(merger.held().len() < BATCH);
        cost.recordings = cost.recordings.max(merger.held().len());
        if counts {
            cost.bytes = cost.bytes.max(packed(merger.held()).0);
            // They were added up, all that were there.
            if merger.held().len() <= held {
                cost.work += before;
            }
        }
    }
    let begin = Instant::now();
    let run = merger.finish(|_| Vec::new()).unwrap();
    cost.seconds += begin.elapsed().as_secs_f64();
    (run, cost)
}

/// Nothing is lost, however many shards there are.
fn assert_whole(case: Case, run: &Run) {
    let shards = u64::from(case.shards);
    assert_eq!(run.generators.len() as u64, shards);
    assert_eq!(run.recording.workers.len() as u64, shards);
    let due = shards * case.series as u64 * u64::from(case.seconds) * REQUESTS;
    assert_eq!(run.recording.scheduled(), due);
    let completed: u64 = run.recording.series.iter().map(|series| series.totals().completed).sum();
    assert_eq!(completed, due);
    let of_seconds = || run.recording.series.iter().flat_map(|series| &series.seconds);
    assert_eq!(merged(of_seconds().map(|second| &second.response)).len(), due);
    assert_eq!(merged(of_seconds().map(|second| &second.wait)).len(), due);
}

#[test]
fn memory_and_work_for_one_more_shard_do_not_grow_with_their_number() {
    if let Some(case) = Case::full() {
        let variants: Vec<_> = (0..VARIANTS).map(|seed| recording(case, seed as u64)).collect();
        let (bytes, histograms) = packed(&variants);
        let (run, cost) = merge(case, &variants);
        assert_whole(case, &run);
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown");
        println!(
            "{} shards of {} s and {} series, {} bytes each histogram: {:.1} s, {:.3} s each shard; peak memory {}, with {} \
             recordings that shards are copied from",
            case.shards,
            case.seconds,
            case.series,
            bytes / histograms,
            cost.seconds,
            cost.seconds / f64::from(case.shards),
            peak.trim(),
            variants.len(),
        );
        return;
    }
    let few = Case { shards: 2 * BATCH as u32, series: 2, seconds: 3 };
    let many = Case { shards: 8 * BATCH as u32, ..few };
    let variants: Vec<_> = (0..VARIANTS).map(|seed| recording(few, seed as u64)).collect();
    let [few, many] = [few, many].map(|case| {
        let (run, cost) = merge(case, &variants);
        assert_whole(case, &run);
        (f64::from(case.shards), cost)
    });
    assert_eq!(few.1.recordings, many.1.recordings);
    // The same values come again: no bucket is new, only the counts become longer.
    assert!((many.1.bytes as f64) < 1.1 * few.1.bytes as f64, "{few:?} {many:?}");
    // Each shard once, and the sum of those before it with every batch.
    let histograms = packed(&variants).1 as f64 / variants.len() as f64;
    for (shards, cost) in [few, many] {
        let each = cost.work as f64 / shards / histograms;
        assert!((0.8..1.0 + 1.0 / (BATCH as f64 - 2.0)).contains(&each), "{each}");
    }
}
