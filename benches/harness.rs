//! What the harness itself costs per request: recording a completion, and composing a request.

use std::{hint::black_box, sync::mpsc};

use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll::{
    measure::{Completion, Outcome, Plan, Recorder, SeriesId},
    scenario,
    workload::{Arrivals, RequestStream},
};

/// One request as the engine records it: released, sent, done, recorded, gone. Latencies vary, so that the histograms'
/// cache lines do as well.
fn recording(criterion: &mut Criterion) {
    let (full, intervals) = mpsc::channel();
    let plan = Plan { series: vec![SeriesId(0)], services: vec![0], start: 0 };
    let (mut recorder, give_back) = Recorder::new(plan, 0, full);
    let mut now = 0;
    let mut spread: u64 = 1;
    criterion.bench_function("record one request", |bencher| {
        bencher.iter(|| {
            spread = spread.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let service = 20_000 + (spread >> 48);
            let (due, sent) = (now, now + 300);
            now += 5_000;
            let done = now + service;
            recorder.released(0, due, due, true);
            recorder.sent(0, sent);
            let outcome = Outcome::Success { hits: 1, misses: 0, bytes: 256 };
            recorder.record(black_box(Completion {
                series: SeriesId(0),
                due,
                sent: Some(sent),
                done,
                outcome,
                bytes_sent: 30,
            }));
            recorder.left(0, done);
            recorder.freed(0, done);
        });
        // The collector's part, away from the measured path.
        for mut interval in intervals.try_iter() {
            interval.clear();
            let _ = give_back.send(interval);
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
    let process = scenario::ArrivalProcess::Poisson;
    let mut arrivals = Arrivals::new(42, 0, 0, 10_000.0, process);
    criterion.bench_function("next Poisson arrival", |bencher| bencher.iter(|| black_box(arrivals.next())));
}

criterion_group!(benches, recording, composing, arrivals);
criterion_main!(benches);
