//! What the harness itself costs: on the measured path, beside it, and behind it. No server is needed.

use std::{
    future,
    hint::black_box,
    sync::mpsc,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::{
    analysis::analyse,
    load::{Pacer, Pacing},
    measure::{
        Clock, Completion, Interval, Latencies, Nanos, Outcome, PackedHistogram, Plan, Recorder, SECOND, SeriesId,
        merged,
    },
    report::{Document, RunReport},
    results::Run,
    scenario,
    workload::{Arrivals, RequestStream},
};
use tokio::runtime::Builder;

/// A run of twelve seconds, three services, twelve series.
const RUN: &str = include_str!("../tests/fixtures/run.json");

/// Requests that a worker carries out in a second where its intervals are merged.
const REQUESTS: u64 = 10_000;

/// Series and services of such a worker.
const SERIES: u16 = 8;
const SERVICES: usize = 3;

/// A recorder with its ways out and back.
struct Recording {
    recorder: Recorder,
    full: mpsc::Receiver<Interval>,
    give_back: mpsc::Sender<Interval>,
    spread: u64,
}

impl Recording {
    fn of(series: u16, services: usize) -> Self {
        let (sender, full) = mpsc::channel();
        let plan = Plan {
            series: (0..series).map(SeriesId).collect(),
            services: (0..services).collect(),
            start: 0,
            silence: 10_000_000,
        };
        let (recorder, give_back) = Recorder::new(plan, 0, sender);
        Self { recorder, full, give_back, spread: 1 }
    }

    /// One request as the engine records it: released, sent, done, recorded, gone. Latencies vary, so that the histograms'
    /// cache lines do as well.
    fn request(&mut self, series: u16, service: usize, due: Nanos) {
        self.spread = self.spread.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let sent = due + 300;
        let done = due + 20_000 + (self.spread >> 48);
        self.recorder.released(service, due, due, true);
        self.recorder.sent(service, 1, sent);
        let outcome = Outcome::Success { hits: 1, misses: 0, bytes: 256 };
        self.recorder.record(black_box(Completion {
            series: SeriesId(series),
            due,
            sent: Some(sent),
            done,
            outcome,
            bytes_sent: 30,
        }));
        self.recorder.left(service, done, true);
        self.recorder.freed(service, done);
    }
}

/// Recording one request.
fn recording(criterion: &mut Criterion) {
    let mut recording = Recording::of(1, 1);
    let mut now = 0;
    criterion.bench_function("record one request", |bencher| {
        bencher.iter(|| {
            recording.request(0, 0, now);
            now += 5_000;
        });
        // The collector's part, away from the measured path.
        for mut interval in recording.full.try_iter() {
            interval.clear();
            let _ = recording.give_back.send(interval);
        }
    });
}

/// One request out of the stream of the default scenario's services.
fn composing(criterion: &mut Criterion) {
    let scenario = scenario::load("workflow-engine").expect("the built-in scenario is valid");
    for (index, service) in scenario.services.iter().enumerate() {
        let stream = RequestStream::new(&scenario, index);
        let mut sequence = 0;
        criterion.bench_function(&format!("compose a request of {}", service.name), |bencher| {
            bencher.iter(|| {
                sequence += 1;
                black_box(stream.request(sequence, 0))
            });
        });
    }
}

/// The next due instant.
fn arrivals(criterion: &mut Criterion) {
    for (name, process) in
        [("Poisson", scenario::ArrivalProcess::Poisson), ("uniform", scenario::ArrivalProcess::Uniform)]
    {
        let mut arrivals = Arrivals::new(42, 0, 0, 10_000.0, process);
        criterion.bench_function(&format!("next {name} arrival"), |bencher| {
            bencher.iter(|| black_box(arrivals.next()));
        });
    }
}

/// How late a worker that waits for a due instant sees it: no cost, but an error that every response time contains.
fn pacing(criterion: &mut Criterion) {
    /// Time until the next request is due, as at 1 000/s: time enough to sleep.
    const GAP: Nanos = 1_000_000;
    let runtime = Builder::new_current_thread().enable_all().build().expect("a thread can have a runtime");
    let mut group = criterion.benchmark_group("lateness at a due instant");
    for pacing in [Pacing::Spin, Pacing::Adaptive] {
        group.bench_function(BenchmarkId::from_parameter(pacing.word()), |bencher| {
            bencher.iter_custom(|instants| {
                runtime.block_on(async {
                    let clock = Clock::start();
                    let mut pacer = Pacer::new(pacing).expect("a thread can have a timer");
                    let mut late = 0;
                    for _ in 0..instants {
                        let due = clock.now() + GAP;
                        let mut now = clock.now();
                        while now < due {
                            pacer.turn(clock, Some(due), future::pending()).await;
                            now = clock.now();
                        }
                        late += now - due;
                    }
                    Duration::from_nanos(late)
                })
            });
        });
    }
    group.finish();
}

/// What the collector does with a second of a worker: adds it to that of another, packs it, clears it.
fn intervals(criterion: &mut Criterion) {
    let mut whole = second();
    let part = second();
    let mut group = criterion.benchmark_group("a second of a worker");
    group.bench_function("merge", |bencher| {
        bencher.iter(|| {
            for ((_, whole), (_, part)) in whole.series.iter_mut().zip(&part.series) {
                whole.merge(black_box(part));
            }
            for ((_, whole), (_, part)) in whole.services.iter_mut().zip(&part.services) {
                whole.merge(black_box(part));
            }
        });
    });
    group.bench_function("pack", |bencher| {
        bencher.iter(|| part.series.iter().map(|(_, series)| black_box(series.response.pack())).collect::<Vec<_>>());
    });
    group.bench_function("clear", |bencher| {
        bencher.iter_custom(|times| {
            let mut taken = Duration::ZERO;
            for _ in 0..times {
                let mut filled = Interval { series: part.series.clone(), services: part.services.clone(), ..part };
                let began = Instant::now();
                black_box(&mut filled).clear();
                taken += began.elapsed();
            }
            taken
        });
    });
    group.finish();
}

/// One second of a worker with [`REQUESTS`] requests.
fn second() -> Interval {
    let mut recording = Recording::of(SERIES, SERVICES);
    let mut due = 0;
    for number in 0..REQUESTS {
        recording.request((number % u64::from(SERIES)) as u16, number as usize % SERVICES, due);
        due += SECOND / (REQUESTS + 10);
    }
    recording.recorder.advance(SECOND);
    recording.full.try_recv().expect("a second is handed over when it has ended")
}

/// From a minute of packed seconds to a percentile, and a percentile of what is not packed.
fn percentiles(criterion: &mut Criterion) {
    let second = second();
    let response = &second.series[0].1.response;
    let packed: Vec<PackedHistogram> = (0..60).map(|_| response.pack()).collect();
    let mut group = criterion.benchmark_group("p99");
    group.bench_function("of one histogram", |bencher| bencher.iter(|| black_box(response).quantile(0.99)));
    group.throughput(Throughput::Elements(packed.len() as u64));
    group.bench_function("of 60 packed seconds", |bencher| {
        bencher.iter(|| merged(black_box(&packed)).value_at_quantile(0.99));
    });
    group.finish();
    let mut latencies = Latencies::default();
    let mut nanos = 0;
    criterion.bench_function("record one duration", |bencher| {
        bencher.iter(|| {
            nanos = (nanos + 7_919) % 1_000_000;
            latencies.record(black_box(nanos));
        });
    });
}

/// What `plimsoll report` makes of a saved run.
fn rendering(criterion: &mut Criterion) {
    let run = Run::from_json(RUN).unwrap_or_else(|error| panic!("{error}"));
    let scenario = scenario::parse(&run.scenario, "run.json").unwrap_or_else(|errors| panic!("{errors}"));
    let report = RunReport::new(run.clone()).unwrap_or_else(|errors| panic!("{errors}"));
    let mut group = criterion.benchmark_group("report on a run of 12 s");
    // A chart takes a thousand times as long as a record.
    group.sample_size(10);
    group.bench_function("analyse", |bencher| bencher.iter(|| analyse(black_box(&run), &scenario)));
    group.bench_function("tables and interval log", |bencher| bencher.iter(|| black_box(&report).tables()));
    group.bench_function("charts as SVG and PNG", |bencher| bencher.iter(|| black_box(&report).charts()));
    group.finish();
}

criterion_group!(
    name = benches;
    // Some twenty benches in a minute.
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = recording, composing, arrivals, pacing, intervals, percentiles, rendering
);
criterion_main!(benches);
