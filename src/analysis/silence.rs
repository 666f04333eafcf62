//! The time in which a service got no answer although its requests were under way, less the time in which the harness itself
//! did not run.

use super::spans::{total_until, union, without};
use crate::{
    measure::{Nanos, Recording, SeriesRecord, SeriesRole, ServiceRecord, Span},
    scenario::{Scenario, Service},
};

/// The time in which a service got no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// The service.
    pub service: String,
    /// Spans in which requests were under way and none was answered, without those in which the harness did not run, unless it
    /// stood still for less of such a span than it ran. Empty for a service whose commands wait by design.
    pub spans: Vec<Span>,
    /// Those of the spans that are stalls.
    pub stalls: Vec<Span>,
    /// Share of the measured period at which a user who had come would have waited longer than the objective's latency, 0..=1.
    pub late_share: f64,
    /// Since when it has not been answered until the end of the run, in nanoseconds since the start of the measured period.
    pub gone_since: Option<Nanos>,
}

/// The shortest silence that is recorded: less is left of one at the edges of pauses and of the period.
const TELLING: Nanos = 1_000_000;

/// Shortest silence that is a stall.
pub(super) const SHORTEST: Nanos = 10_000_000;

/// Factor by which a stall is longer than the usual time between two answers.
const UNUSUAL: f64 = 10.0;

/// The silences of each service of the recording, in its order.
pub(super) fn silences(recording: &Recording, scenario: &Scenario, pauses: &[Span]) -> Vec<Silence> {
    let latency = scenario.objective.latency.as_nanos() as Nanos;
    let of = |record: &ServiceRecord| {
        let service = scenario.services.iter().find(|service| service.name == record.name);
        silence(recording, record, service, pauses, latency)
    };
    recording.services.iter().map(of).collect()
}

/// Spans in which some worker of the harness did not run.
pub(super) fn pauses(recording: &Recording) -> Vec<Span> {
    union(recording.workers.iter().flat_map(|worker| worker.pauses.iter().copied()).collect())
}

/// The worker that paused longest, by its place, and the share of the measured period in which it did not run.
pub(super) fn paused(recording: &Recording) -> Option<(usize, f64)> {
    let measured = recording.period.measured_ns;
    let of_worker = |pauses: &Vec<Span>| total_until(pauses, measured);
    let workers = recording.workers.iter().enumerate();
    let (worker, longest) =
        workers.map(|(number, worker)| (number, of_worker(&worker.pauses))).max_by_key(|(_, length)| *length)?;
    (measured > 0).then(|| (worker, longest as f64 / measured as f64))
}

/// Pauses of the harness without those within an outage: where it found no answer before and after a pause, and ran for most
/// of the time, the server was silent meanwhile as well.
fn outside_of_outages(pauses: &[Span], recorded: &[Span]) -> Vec<Span> {
    let outage = |span: &Span| {
        let silent = without(&[*span], pauses);
        let outage = Span { from_ns: silent.first()?.from_ns, to_ns: silent.last()?.to_ns };
        (2 * total_until(&silent, Nanos::MAX) > outage.length()).then_some(outage)
    };
    without(pauses, &recorded.iter().filter_map(outage).collect::<Vec<_>>())
}

fn silence(
    recording: &Recording,
    record: &ServiceRecord,
    service: Option<&Service>,
    pauses: &[Span],
    latency: Nanos,
) -> Silence {
    let period = &recording.period;
    let measured = period.measured_ns;
    let recorded = union(record.seconds.iter().flat_map(|second| second.silences.iter().copied()).collect());
    let last = recorded.last().filter(|_| record.seconds.iter().any(|second| second.unanswered));
    let open_ended = |span: &Span| last.is_some_and(|last| span.to_ns == last.to_ns);
    let waits = service.is_some_and(Service::waits_by_design);
    let pauses = &outside_of_outages(pauses, &recorded);
    let spans = if waits { Vec::new() } else { without(&recorded, pauses) };
    // Who comes at an instant of a span waits until its end: longer than the latency in all of it but the last part. Of a
    // span that did not end nobody knows the end.
    let late = |span: &Span| {
        let until = if open_ended(span) { measured } else { span.to_ns.saturating_sub(latency).min(measured) };
        Span { to_ns: until.max(span.from_ns), ..*span }
    };
    let late: Vec<Span> = if waits { Vec::new() } else { recorded.iter().map(late).collect() };
    let late_ns: Nanos = without(&late, pauses).iter().map(Span::length).sum();
    let (gone, back) =
        record.seconds.iter().fold((0, 0), |(gone, back), second| (gone + second.lost, back + second.recovered));
    // After the period nothing more is sent, so that one late request alone is no sign that nobody answers.
    let all_lost = record.connections > 0 && gone.saturating_sub(back) >= record.connections;
    let unanswered = |span: &Span| measured.saturating_sub(span.from_ns);
    let is_gone = |span: &&Span| unanswered(span) > 0 && (all_lost || (!waits && unanswered(span) > latency));
    // What is late after the period is of single requests: nothing more is sent.
    let within = |span: Span| Span { to_ns: span.to_ns.min(measured), ..span };
    let spans: Vec<Span> = spans.into_iter().map(within).filter(|span| span.length() >= TELLING).collect();
    Silence {
        service: record.name.clone(),
        late_share: if measured > 0 { late_ns as f64 / measured as f64 } else { 0.0 },
        gone_since: last.filter(is_gone).map(|span| span.from_ns.min(measured)),
        stalls: stalls(recording, &record.name, &spans),
        spans,
    }
}

/// The silences of a service that are stalls.
fn stalls(recording: &Recording, service: &str, spans: &[Span]) -> Vec<Span> {
    let measured = recording.period.measured_ns;
    let own = |series: &&SeriesRecord| series.key.service == service && series.key.role == SeriesRole::Operation;
    let seconds = recording.series.iter().filter(own).flat_map(|series| &series.seconds);
    let answers: u64 = seconds.map(|second| second.counts.completed).sum();
    let shortest = (UNUSUAL * measured as f64 / answers.max(1) as f64).max(SHORTEST as f64);
    let is_long = |span: &&Span| span.from_ns < measured && span.length() as f64 > shortest;
    spans.iter().filter(is_long).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measure::SECOND,
        results::{Run, sample},
    };

    const MS: Nanos = SECOND / 1_000;

    fn with(run: &mut Run, spans: &[(Nanos, Nanos)]) {
        for &(from_ns, to_ns) in spans {
            let second = (from_ns / SECOND) as usize;
            run.recording.services[0].seconds[second].silences.push(Span { from_ns, to_ns });
        }
    }

    fn first(run: &Run) -> Silence {
        silences(&run.recording, &sample::scenario(), &pauses(&run.recording)).remove(0)
    }

    #[test]
    fn the_last_part_of_a_span_is_in_time() {
        let mut run = sample::run();
        with(&mut run, &[(2_500 * MS, 3 * SECOND), (3 * SECOND, 3_200 * MS), (5 * SECOND, 5_090 * MS)]);
        let silence = first(&run);
        assert_eq!(silence.spans.len(), 2, "cut at the second, and joined: {silence:?}");
        assert!((silence.late_share - 0.6 / 12.0).abs() < 1e-4, "700 ms less the 100 allowed: {silence:?}");
        assert_eq!(silence.gone_since, None);
    }

    #[test]
    fn a_pause_of_the_harness_is_no_silence_of_the_server() {
        let mut run = sample::run();
        with(&mut run, &[(2 * SECOND, 3 * SECOND)]);
        run.recording.workers[1].pauses.push(Span { from_ns: 2 * SECOND + MS / 2, to_ns: 3 * SECOND });
        let silence = first(&run);
        assert_eq!(silence.spans, [], "{silence:?}");
        assert!((paused(&run.recording).unwrap().1 - 0.9995 / 12.0).abs() < 1e-9);
    }

    #[test]
    fn a_short_pause_of_the_harness_does_not_split_an_outage() {
        let mut run = sample::run();
        with(&mut run, &[(2_600 * MS, 3 * SECOND), (3 * SECOND, 4 * SECOND), (4 * SECOND, 4_400 * MS)]);
        for (from, to) in [(2_590, 2_605), (2_900, 2_912), (3_500, 3_556), (4_380, 4_400)] {
            run.recording.workers[0].pauses.push(Span { from_ns: from * MS, to_ns: to * MS });
        }
        let silence = first(&run);
        assert_eq!(silence.spans, [Span { from_ns: 2_605 * MS, to_ns: 4_380 * MS }], "one of its whole length");
        assert!((silence.late_share - 1.695 / 12.0).abs() < 1e-4, "1.8 s less 100 ms, and 5 ms before: {silence:?}");
        run.recording.workers[0].pauses.push(Span { from_ns: 3 * SECOND, to_ns: 4 * SECOND });
        assert_eq!(first(&run).spans.len(), 3, "the harness stood still for most of it");
    }

    #[test]
    fn a_silence_without_an_end_is_one_until_the_end() {
        let mut run = sample::run();
        run.recording.services[0].seconds[12].unanswered = true;
        with(&mut run, &[(11 * SECOND, 12 * SECOND), (12 * SECOND, 13 * SECOND)]);
        let silence = first(&run);
        assert_eq!(silence.gone_since, Some(11 * SECOND));
        assert!((silence.late_share - 1.0 / 12.0).abs() < 1e-4, "{silence:?}");
    }
}
