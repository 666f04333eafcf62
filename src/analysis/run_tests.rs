//! Known answers of whole runs.

use super::*;
use crate::{
    measure::{ErrorClass, Nanos, Recording, SECOND, SeriesRole, Span, WorkerRecord},
    results::{
        Verdict,
        sample::{self, Book, End, Request},
    },
    scenario,
};

/// A run of the requests that one service, `api`, sent in a number of seconds at a uniform rate of 1 000/s.
fn analysed(seconds: u32, of: impl Fn(Nanos) -> Request) -> Analysis {
    analysed_with(seconds, of, |_| ())
}

/// The same, of a recording that is changed before it is analysed.
fn analysed_with(seconds: u32, of: impl Fn(Nanos) -> Request, change: impl FnOnce(&mut Recording)) -> Analysis {
    let mut book = Book::new(seconds);
    let service = book.service("api", 50, true);
    let series = book.series(service, "GET", SeriesRole::Operation, false);
    for number in 0..u64::from(seconds) * 1_000 {
        book.enter(series, of(number * SECOND / 1_000));
    }
    let mut run = Run { recording: book.close(), ..sample::run() };
    change(&mut run.recording);
    let text = format!(
        r#"
            name = "known"
            seed = 1
            run = {{ duration = "{seconds}s" }}
            objective = {{ latency = "100ms", percentile = 99.0, max_error_rate = 0.001 }}
            [[service]]
            name = "api"
            load = {{ model = "open", rate = 1000, arrivals = "uniform" }}
            [[service.operation]]
            command = "GET"
        "#
    );
    analyse(&run, &scenario::parse(&text, "known.toml").unwrap())
}

fn whole(analysis: &Analysis) -> &Row {
    analysis.rows.last().unwrap()
}

#[test]
fn a_server_stopped_for_a_second_has_its_known_answer() {
    let stopped = 2 * SECOND..3 * SECOND;
    let analysis = analysed(5, |due| {
        let wait = if stopped.contains(&due) { stopped.end - due } else { 0 };
        Request { wait, ..Request::served(due, 100_000) }
    });
    let row = whole(&analysis);
    let seconds = |percentile| row.response.histogram.value_at_percentile(percentile) as f64 / 1e9;
    assert!((seconds(90.0) - 0.5).abs() < 0.005, "{}", seconds(90.0));
    assert!((seconds(99.0) - 0.95).abs() < 0.005, "{}", seconds(99.0));
    assert!(row.service_time.histogram.value_at_percentile(99.9) < 101_000);
    assert_eq!(row.bad.count, 901, "all that waited 100 ms or more before they were served in 0.1 ms");
    assert!(row.response.burstiness > 10.0, "one burst is no two hundred samples");
    let [stall] = &analysis.events.stalls[..] else { panic!("{:?}", analysis.events) };
    assert_eq!((stall.span.from_ns, stall.span.to_ns), (2 * SECOND, 3 * SECOND + 100_000));
    assert_eq!((stall.bad, stall.ended, &stall.services), (901, true, &Vec::new()));
    assert_eq!(analysis.events.outside.0, 0, "outside of it all were in time");
    assert!(matches!(analysis.findings[0], Finding::Stalls { .. }), "{:?}", analysis.findings);
    let known = |percentile| row.response.percentile(percentile).nanos().map(|nanos| nanos as f64 / 1e9);
    for (percentile, expected) in [(90.0, 0.5), (95.0, 0.75), (99.0, 0.95)] {
        let printed = known(percentile).expect("printed however bursty");
        assert!((printed - expected).abs() < 0.005, "p{percentile}: {printed}");
    }
    assert!(matches!(row.judged.value, PercentileValue::Known { support: Support::Bursts, .. }), "{:?}", row.judged);
    assert_eq!(analysis.conclusion.verdict, Verdict::Fail, "{:?}", analysis.conclusion);
}

#[test]
fn a_pause_of_the_harness_is_no_stall_of_the_server() {
    let pause = SECOND / 2 * 3..SECOND / 2 * 9;
    let late = |due: Nanos| {
        let wait = if pause.contains(&due) { pause.end - due } else { 0 };
        Request { wait, ..Request::served(due, 100_000) }
    };
    let analysis = analysed_with(8, late, |recording| {
        let worker = sample::run().recording.workers.remove(0);
        let pauses = vec![Span { from_ns: pause.start, to_ns: pause.end }];
        recording.workers.push(WorkerRecord { pauses, ..worker });
    });
    let events = &analysis.events;
    assert!(events.stalls.is_empty() && events.bursts.is_empty(), "{events:?}");
    let [seen] = &events.pauses[..] else { panic!("{events:?}") };
    assert_eq!(seen.bad, 2_901, "all that waited 100 ms or more belong to it");
    assert_eq!(events.outside.0, 0);
    let blames_the_server =
        |finding: &Finding| matches!(finding, Finding::Stalls { .. } | Finding::Bursts(_) | Finding::PoolWait { .. });
    assert!(!analysis.findings.iter().any(blames_the_server), "{:?}", analysis.findings);
}

#[test]
fn a_pause_takes_no_requests_that_are_late_or_refused_anyway() {
    let pause = SECOND * 3 / 4..SECOND * 5 / 4;
    let paused = |seconds: u32, of: &dyn Fn(Nanos) -> Request| {
        let held = |due: Nanos| {
            let lag = if pause.contains(&due) { pause.end - due } else { 0 };
            let request = of(due);
            Request { lag, wait: request.wait + lag, ..request }
        };
        analysed_with(seconds, held, |recording| {
            let worker = sample::run().recording.workers.remove(0);
            let pauses = vec![Span { from_ns: pause.start, to_ns: pause.end }];
            recording.workers.push(WorkerRecord { pauses, ..worker });
        })
    };
    let slow = |due| Request::served(due, 110_000_000);
    let analysis = paused(1, &slow);
    let bad = |analysis: &Analysis| (analysis.events.pauses[0].bad, analysis.events.outside.0);
    assert_eq!(bad(&analysis), (500, 500), "no more than fell due in as long a time");
    assert_eq!(bad(&paused(8, &slow)), (0, 8_000), "late as everywhere");
    assert_eq!(
        analysis.conclusion.verdict,
        Verdict::Fail,
        "the fastest is late by its service time: {:?}",
        analysis.conclusion
    );
    let refused = |due| Request { end: End::Failed(ErrorClass::Noperm), ..Request::served(due, 100_000) };
    assert_eq!(bad(&paused(1, &refused)), (0, 1_000));
}

#[test]
fn a_worker_without_time_left_is_not_the_servers_fault() {
    // Served one after another in 1.25 ms each, by a worker that is busy all the time and so never stops answering.
    let overloaded = |due: Nanos| {
        let start = due / (SECOND / 1_000) * 1_250_000;
        Request { lag: 3_000_000, wait: start.saturating_sub(due).max(3_000_000), ..Request::served(due, 100_000) }
    };
    let stopped = |due: Nanos| {
        let wait = if (2 * SECOND..4 * SECOND).contains(&due) { 4 * SECOND - due } else { 3_000_000 };
        Request { lag: 3_000_000, wait: wait.max(3_000_000), ..Request::served(due, 100_000) }
    };
    let busy = |requests: &dyn Fn(Nanos) -> Request| {
        let worker = WorkerRecord {
            services: vec!["api".into()],
            pacing: "spin".into(),
            core: None,
            cpu: 1.0,
            busy: 0.99,
            pauses: Vec::new(),
            panicked: false,
        };
        analysed_with(12, requests, |recording| recording.workers = vec![worker]).conclusion
    };
    assert_eq!(busy(&overloaded).verdict, Verdict::Invalid, "{:?}", busy(&overloaded));
    let stall = busy(&stopped);
    assert_eq!((stall.verdict, stall.harness_late), (Verdict::Fail, Some(CheckKind::ScheduleLag)), "{stall:?}");
}

#[test]
fn a_stall_shorter_than_the_latency_makes_no_request_late() {
    let stopped = 2 * SECOND..2 * SECOND + SECOND / 20;
    // Every other request, so that others are answered meanwhile.
    let slow = |due: Nanos| {
        due > 2 * SECOND + SECOND / 2 && due < 2 * SECOND + SECOND * 9 / 10 && (due / 1_000_000).is_multiple_of(2)
    };
    let analysis = analysed(5, |due| {
        let wait = if stopped.contains(&due) { stopped.end - due } else { 0 };
        Request { wait, ..Request::served(due, if slow(due) { 150_000_000 } else { 100_000 }) }
    });
    let [stall] = &analysis.events.stalls[..] else { panic!("{:?}", analysis.events) };
    assert_eq!((stall.span.from_ns, stall.bad), (stopped.start, 0));
    assert_eq!(analysis.events.bursts, [Burst { from: 2, to: 3, bad: 199 }]);
}

#[test]
fn a_calm_run_meets_its_objective() {
    let analysis = analysed(12, |due| Request::served(due, 4_000_000));
    assert_eq!(analysis.conclusion.verdict, Verdict::Pass, "{:?}", analysis.conclusion);
    let row = whole(&analysis);
    assert_eq!((row.grade, row.verdict, row.bad.count), (Some(Grade::Excellent), Verdict::Pass, 0));
    assert!((row.times_faster.unwrap() - 25.0).abs() < 0.05);
    // 4 of 12 000 are answered after the measured period, and none of the warm-up within it.
    assert!((row.rate - 11_996.0 / 12.0).abs() < 1e-9, "{}", row.rate);
}

#[test]
fn a_short_run_without_late_requests_is_met() {
    let analysis = analysed(1, |due| Request::served(due, 4_000_000));
    assert_eq!(analysis.conclusion.verdict, Verdict::Pass, "none of 1 000: at most 0.37 %: {:?}", analysis.conclusion);
}

#[test]
fn a_burst_at_the_edge_leaves_it_open() {
    // 0.6 % of all are late, all of them in one second.
    let burst = 8 * SECOND..9 * SECOND;
    let analysis = analysed(12, |due| {
        let late = burst.contains(&due) && (due / (SECOND / 1_000)).is_multiple_of(14);
        Request::served(due, if late { 200_000_000 } else { 100_000 })
    });
    assert_eq!(analysis.conclusion.verdict, Verdict::Inconclusive, "{:?}", analysis.conclusion);
    assert!(matches!(analysis.conclusion.reasons[0], Reason::Undecided { why: Doubt::Bursts, .. }));
    assert_eq!(analysis.events.bursts, [Burst { from: 8, to: 9, bad: 71 }]);
    assert_eq!(analysis.events.outside.0, 0);
}

#[test]
fn failures_never_improve_the_result() {
    let failing = |due: Nanos| {
        let end =
            if due.is_multiple_of(SECOND / 50) { End::Failed(ErrorClass::Oom) } else { Request::served(0, 0).end };
        Request { end, ..Request::served(due, 50_000) }
    };
    let analysis = analysed(12, failing);
    let row = whole(&analysis);
    assert_eq!((analysis.conclusion.verdict, row.counts.failed(), row.bad.count), (Verdict::Fail, 600, 600));
    assert!(matches!(analysis.conclusion.reasons[0], Reason::Errors { .. }));
    assert_eq!(row.response.histogram.len(), 11_400);
    assert_eq!(row.failed.histogram.len(), 600);
}

#[test]
fn unfinished_requests_miss_the_objective() {
    let hanging = |due: Nanos| {
        let end = if due >= 11 * SECOND { End::Unfinished } else { Request::served(0, 0).end };
        Request { end, ..Request::served(due, 50_000) }
    };
    let analysis = analysed(12, hanging);
    let row = whole(&analysis);
    assert_eq!((row.unfinished, row.bad.count, row.bad.of), (1_000, 1_000, 12_000));
    assert_eq!(analysis.conclusion.verdict, Verdict::Fail);
}

#[test]
fn a_load_above_capacity_is_an_overload() {
    // Served one after another in 1.25 ms: capacity is 800/s of the 1 000/s offered.
    let analysis = analysed(12, |due| {
        let start = due / (SECOND / 1_000) * 1_250_000;
        Request { wait: start.saturating_sub(due), ..Request::served(due, 1_250_000) }
    });
    assert_eq!(analysis.conclusion.verdict, Verdict::Fail, "{:?}", analysis.conclusion);
    let Reason::Overloaded { growth, .. } = analysis.conclusion.reasons[0] else { panic!("{:?}", analysis.conclusion) };
    assert!((growth - 0.2).abs() < 0.01, "{growth}");
}

#[test]
fn an_overload_is_seen_in_a_few_seconds() {
    let overloaded = |per_second: Nanos| {
        analysed(4, |due| {
            let start = due / (SECOND / 1_000) * (SECOND / per_second);
            Request { wait: start.saturating_sub(due), ..Request::served(due, SECOND / per_second) }
        })
    };
    let reasons = overloaded(800).conclusion.reasons;
    let Reason::Overloaded { service, growth } = &reasons[0] else { panic!("{reasons:?}") };
    assert!(service == "api" && (growth - 0.2).abs() < 0.01, "{growth}");
    let reasons = overloaded(1_000).conclusion.reasons;
    assert!(!reasons.iter().any(|reason| matches!(reason, Reason::Overloaded { .. })), "{reasons:?}");
}

#[test]
fn a_backlog_behind_a_server_that_is_gone_is_no_overload() {
    let analysis = analysed(12, |due| match due {
        due if due < 5 * SECOND => Request::served(due, 100_000),
        due => Request { wait: 17 * SECOND - due, end: End::Unfinished, ..Request::served(due, 0) },
    });
    let Reason::Gone { since, .. } = analysis.conclusion.reasons[0] else { panic!("{:?}", analysis.conclusion) };
    assert_eq!(since, 5 * SECOND);
    let backlog = analysis.checks.iter().find(|check| check.kind == CheckKind::Backlog).unwrap();
    assert!(backlog.value.abs() < f64::EPSILON, "{backlog:?}");
}

#[test]
fn nothing_measured_is_invalid() {
    let mut run = sample::run();
    for series in &mut run.recording.series {
        series.seconds.clear();
    }
    for service in &mut run.recording.services {
        service.seconds.clear();
        service.scheduled = 0;
    }
    run.recording.period.measured_ns = 0;
    let analysis = analyse(&run, &sample::scenario());
    assert_eq!(analysis.conclusion.verdict, Verdict::Invalid);
    assert_eq!(analysis.conclusion.reasons[0], Reason::Empty);
}

#[test]
fn an_interrupted_run_is_taken_for_what_there_is() {
    let mut run = sample::run();
    run.recording.period.interrupted = true;
    run.recording.period.planned_ns = 60 * SECOND;
    let analysis = analyse(&run, &sample::scenario());
    assert_eq!(analysis.conclusion.verdict, Verdict::Pass, "{:?}", analysis.conclusion);
    assert!(analysis.findings.contains(&Finding::Interrupted));
}

#[test]
fn rows_and_timelines_go_together() {
    let analysis = analyse(&sample::run(), &sample::scenario());
    assert_eq!(analysis.rows.len(), analysis.timelines.len());
    let sum: u64 = analysis.rows.iter().rev().skip(1).take(3).map(|row| row.bad.of).sum();
    assert_eq!(sum, whole(&analysis).bad.of);
}
