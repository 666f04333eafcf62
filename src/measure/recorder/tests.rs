//! Tests of the intervals that a recorder hands over.

use super::*;
use crate::measure::{ErrorClass, Failure, Outcome};

fn recorder(now: Nanos) -> (Recorder, Receiver<Interval>) {
    let (full, intervals) = channel();
    let plan = Plan { series: vec![SeriesId(3)], services: vec![1], start: 2 * SECOND, silence: SECOND / 100 };
    (Recorder::new(plan, now, full).0, intervals)
}

fn success(due: Nanos, sent: Nanos, done: Nanos) -> Completion {
    let outcome = Outcome::Success { hits: 1, misses: 0, bytes: 10 };
    Completion { series: SeriesId(3), due, sent: Some(sent), done, outcome, bytes_sent: 20 }
}

#[test]
fn hands_over_one_interval_per_second() {
    let (mut recorder, intervals) = recorder(0);
    recorder.record(success(100, 200, 300));
    recorder.record(success(2 * SECOND, 2 * SECOND + 50, 2 * SECOND + 100));
    recorder.finish(4 * SECOND + 1);
    let seen: Vec<_> = intervals.iter().map(|i| (i.second, i.series[0].1.counts.completed)).collect();
    assert_eq!(seen, [(-2, 1), (-1, 0), (0, 1), (1, 0), (2, 0)]);
}

#[test]
fn leaves_out_what_fell_due_before_the_measured_period() {
    let (mut recorder, intervals) = recorder(0);
    recorder.record(success(2 * SECOND - 1, 2 * SECOND - 1, 2 * SECOND + 5));
    recorder.finish(3 * SECOND);
    let seen: Vec<_> =
        intervals.iter().map(|i| (i.series[0].1.counts.completed, i.series[0].1.counts.carried_over)).collect();
    assert_eq!(seen, [(0, 0), (0, 0), (0, 1), (0, 0)], "it is work that was done, and nothing else");
}

#[test]
fn integrates_levels_exactly_across_seconds() {
    let (mut recorder, intervals) = recorder(2 * SECOND);
    recorder.released(1, 2 * SECOND, 2 * SECOND, true);
    recorder.sent(1, 1, 2 * SECOND + SECOND / 2);
    recorder.freed(1, 3 * SECOND + SECOND / 4);
    recorder.left(1, 3 * SECOND + SECOND / 4, true);
    recorder.finish(4 * SECOND);
    let seen: Vec<_> = intervals.iter().map(|i| (i.services[0].1.in_system_ns, i.services[0].1.in_use_ns)).collect();
    assert_eq!(seen, [(SECOND, SECOND / 2), (SECOND / 4, SECOND / 4), (0, 0)]);
}

#[test]
fn notes_the_first_and_the_last_success_of_a_node_in_each_second() {
    let (mut recorder, intervals) = recorder(2 * SECOND);
    let refused = || Outcome::Failed(Failure { class: ErrorClass::Readonly, message: String::new() });
    for (at, succeeds) in [(10, false), (20, true), (30, true), (40, false), (SECOND + 5, true), (2 * SECOND, false)] {
        let completion = success(0, 0, 2 * SECOND + at);
        let outcome = if succeeds { completion.outcome } else { refused() };
        recorder.record_of_node(Completion { outcome, ..completion });
    }
    recorder.finish(5 * SECOND);
    let span = |from_ns, to_ns| Some(Span { from_ns, to_ns });
    let mut seen = intervals.iter().map(|interval| interval.series[0].1.served);
    let expected = [span(20, 30), span(SECOND + 5, SECOND + 5), None];
    assert_eq!(seen.by_ref().take(3).collect::<Vec<_>>(), expected, "of the warm-up as well");
    let mut one = Series { served: expected[0], ..Series::default() };
    one.merge(&Series { served: span(10, 25), ..Series::default() });
    one.merge(&Series::default());
    assert_eq!(one.served, span(10, 30));
}

fn silences(intervals: &Receiver<Interval>) -> Vec<(Nanos, Nanos)> {
    let spans = intervals.iter().flat_map(|interval| interval.services[0].1.silences.clone());
    spans.map(|span| (span.from_ns, span.to_ns)).collect()
}

#[test]
fn records_when_nothing_was_answered_although_requests_were_under_way() {
    let (mut recorder, intervals) = recorder(0);
    let ms = SECOND / 1_000;
    // In the warm-up, and answered there.
    recorder.released(1, 0, 0, true);
    recorder.left(1, SECOND, true);
    // Idle until 100 ms, then a request that is answered after 1.5 s, and one after 5 ms.
    for (asked, answered) in [(100 * ms, 1_600 * ms), (1_700 * ms, 1_705 * ms)] {
        recorder.released(1, 0, 2 * SECOND + asked, true);
        recorder.left(1, 2 * SECOND + answered, true);
    }
    recorder.finish(4 * SECOND);
    assert_eq!(silences(&intervals), [(100 * ms, SECOND), (SECOND, 1_600 * ms)], "cut at the second");
}

#[test]
fn a_failure_without_an_answer_ends_no_silence() {
    let (mut recorder, intervals) = recorder(2 * SECOND);
    for at in [SECOND / 4, SECOND / 2] {
        recorder.released(1, 0, 2 * SECOND + at, false);
        recorder.left(1, 2 * SECOND + at + 1, false);
    }
    recorder.finish(3 * SECOND - 1);
    assert_eq!(silences(&intervals), [(SECOND / 4, SECOND - 1)], "until the end, though nothing was under way");
}

#[test]
fn workers_are_silent_together_only_where_each_is() {
    let spans = |spans: &[(Nanos, Nanos)]| -> Vec<Span> {
        spans.iter().map(|&(from_ns, to_ns)| Span { from_ns, to_ns }).collect()
    };
    let mut one = ServiceInterval { silences: spans(&[(0, 30), (50, 90)]), ..ServiceInterval::default() };
    one.merge(&ServiceInterval { silences: spans(&[(10, 20), (25, 60)]), ..ServiceInterval::default() });
    assert_eq!(one.silences, spans(&[(10, 20), (25, 30), (50, 60)]));
}

#[test]
fn response_counts_from_the_due_instant() {
    let (mut recorder, intervals) = recorder(2 * SECOND);
    recorder.record(success(2 * SECOND, 2 * SECOND + 1_000, 2 * SECOND + 3_000));
    recorder.finish(2 * SECOND + 4_000);
    let series = &intervals.recv().unwrap().series[0].1;
    let at = |latencies: &Latencies| latencies.quantile(0.5);
    // Three digits: up to one part in 1 000 above.
    assert!((3_000..=3_003).contains(&at(&series.response)));
    assert!((2_000..=2_002).contains(&at(&series.service)));
    assert!((1_000..=1_001).contains(&at(&series.wait)));
}
