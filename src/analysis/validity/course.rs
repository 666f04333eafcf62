//! Whether the run was in a steady state.

use super::known::Known;
use crate::{
    analysis::{
        Check, CheckKind, Level, Moment,
        evidence::Evidence,
        generators::silent_spans,
        spans::{total_until, without},
        tally::whole_seconds,
        trend::{chance_of, median, rank_correlation, slope},
    },
    measure::SECOND,
};

/// Seconds that it takes to distinguish a drift from chance.
const SECONDS_FOR_DRIFT: usize = 10;

/// Seconds that it takes to see a queue grow, and those from which on a trend is distinguished from chance.
const SECONDS_FOR_BACKLOG: usize = 3;
const SECONDS_FOR_TREND: usize = 6;

/// Growth in each of fewer seconds, as a share of the offered rate and in standard deviations of a Poisson count, that is no
/// chance.
const SURE_GROWTH: f64 = 0.05;
const CHANCE: f64 = 3.0;

/// A drift smaller than this share of the objective's latency never refuses a measurement.
const FELT: f64 = 0.01;

/// A trend that chance makes less often than this is one.
const SIGNIFICANT: f64 = 0.01;

/// Growth of the queue for connections of an open loop, per second, as a share of the offered rate: Theil-Sen slope of
/// the backlog at the end of each second, 0 unless Spearman's rank correlation says that it grows, or, in a run too short for
/// that, it grew much in every second. What fell due while nothing was answered, or at a generator that got no answers, is left out:
/// an outage is no overload.
pub(super) fn backlog(evidence: &Evidence<'_>, known: &Known<'_>) -> Option<Check> {
    let rate = known.service.offered_rate()?;
    let recording = &evidence.run.recording;
    let own = evidence.silences.iter().find(|silence| silence.service == known.record.name);
    let stalls = own.map_or(&[][..], |silence| &silence.stalls);
    let generators = &evidence.run.generators;
    let cut_off: Vec<_> =
        generators.iter().map(|generator| without(silent_spans(generator, known.service), stalls)).collect();
    let silent = |end| {
        let of_generators: u64 = cut_off.iter().map(|spans| total_until(spans, end)).sum();
        total_until(stalls, end) as f64 + of_generators as f64 / generators.len().max(1) as f64
    };
    let backlog = |moment: &Moment| {
        let end = (u64::from(moment.second) + 1) * SECOND;
        Some(moment.backlog? as f64 - rate * silent(end) / SECOND as f64)
    };
    let seconds = known.timeline.seconds.iter().take(whole_seconds(recording));
    let backlogs: Vec<f64> = seconds.filter_map(backlog).collect();
    if backlogs.len() < SECONDS_FOR_BACKLOG {
        return None;
    }
    let grows = if backlogs.len() < SECONDS_FOR_TREND {
        let before = [0.0].iter().chain(&backlogs);
        before.zip(&backlogs).all(|(before, after)| after - before > (SURE_GROWTH * rate).max(CHANCE * rate.sqrt()))
    } else {
        is_trend(&backlogs)
    };
    let growth = if grows { slope(&backlogs).max(0.0) } else { 0.0 };
    Some(known.check(CheckKind::Backlog, growth / rate))
}

/// Change of the per-second median response time over the run as a share of its own median: Theil-Sen slope times the
/// length of the run, 0 unless Spearman's rank correlation says that there is one.
pub(super) fn drift(evidence: &Evidence<'_>, known: &Known<'_>) -> Option<Check> {
    let whole = whole_seconds(&evidence.run.recording);
    let seconds = known.timeline.seconds.iter().take(whole);
    let mut medians: Vec<f64> = seconds.filter_map(|moment| moment.response).map(|(p50, ..)| p50 as f64).collect();
    if medians.len() < SECONDS_FOR_DRIFT {
        return None;
    }
    let change = if is_trend(&medians) { slope(&medians) * (medians.len() - 1) as f64 } else { 0.0 };
    let level = median(&mut medians).filter(|level| *level > 0.0)?;
    let check = known.check(CheckKind::Drift, change / level);
    // Of the objective's scale: a median that moves by microseconds against milliseconds is no other workload.
    let felt = change.abs() > FELT * evidence.scenario.objective.latency.as_nanos() as f64;
    let level = if felt { check.level } else { check.level.min(Level::Warn) };
    let per_minute = 60.0 * change / (medians.len() - 1) as f64;
    Some(Check { level, nanos: Some(per_minute), ..check })
}

fn is_trend(values: &[f64]) -> bool {
    chance_of(rank_correlation(values), values.len()) < SIGNIFICANT
}

#[cfg(test)]
mod tests {
    use super::super::tests::find;
    use crate::{
        analysis::{CheckKind, Level, Reason, analyse},
        measure::{Latencies, SECOND, Span},
        results::{Run, ServiceSilence, Verdict, sample},
    };

    fn with_backlogs(of_second: impl Fn(u64) -> u64) -> Run {
        let mut run = sample::run();
        for second in &mut run.recording.services[0].seconds {
            second.backlog = of_second(u64::from(second.second));
        }
        run
    }

    #[test]
    fn a_backlog_that_comes_and_goes_does_not_grow() {
        let run = with_backlogs(|second| if second == 4 { 900 } else { second % 2 });
        let check = find(&run, CheckKind::Backlog, Some("api")).unwrap();
        assert!(check.value.abs() < f64::EPSILON, "{check:?}");
    }

    #[test]
    fn a_growing_backlog_is_an_overload_that_cannot_be_met() {
        let run = with_backlogs(|second| 200 * (second + 1));
        let check = find(&run, CheckKind::Backlog, Some("api")).unwrap();
        assert!((check.value - 0.2).abs() < 1e-9 && check.level == Level::Refuse, "{check:?}");
        assert_eq!(find(&run, CheckKind::Drift, Some("api")), None);
        assert_eq!(find(&run, CheckKind::LittlesLaw, Some("api")), None);

        let analysis = analyse(&run, &sample::scenario());
        assert_eq!(analysis.conclusion.verdict, Verdict::Inconclusive, "its requests were in time so far");
        assert!(matches!(analysis.conclusion.reasons[0], Reason::Overloaded { .. }));
        let of = |service: &str| {
            let mut rows = analysis.rows.iter().filter(|row| row.scope.operation.is_none());
            rows.find(|row| row.scope.service.as_deref() == Some(service)).unwrap().verdict
        };
        assert_eq!(of("api"), Verdict::Inconclusive);
    }

    #[test]
    fn a_backlog_at_a_generator_without_answers_is_no_overload() {
        // A quarter of 1 000 requests a second, from the third second on.
        let mut run = with_backlogs(|second| 250 * (second + 1).saturating_sub(3));
        run.generators = sample::scaled(4, |_| 1_000_000).generators;
        let level = |run: &Run| find(run, CheckKind::Backlog, Some("api")).unwrap().level;
        assert_eq!(level(&run), Level::Refuse);
        let span = Span { from_ns: 3 * SECOND, to_ns: 14 * SECOND };
        run.generators[2].silences = vec![ServiceSilence { service: "api".to_owned(), spans: vec![span] }];
        assert_eq!(level(&run), Level::Ok);
    }

    fn with_medians(of_second: impl Fn(u32) -> u64) -> Run {
        let mut run = sample::run();
        for series in &mut run.recording.series[..3] {
            for second in &mut series.seconds {
                let mut latencies = Latencies::default();
                (0..second.counts.completed).for_each(|_| latencies.record(of_second(second.second)));
                second.response = latencies.pack();
            }
        }
        run
    }

    #[test]
    fn drift_is_the_change_over_the_run() {
        // From 100 to 122 us over twelve seconds: 22 of 111 us.
        let check = find(&with_medians(|second| 100_000 + 2_000 * u64::from(second)), CheckKind::Drift, Some("api"));
        let check = check.unwrap();
        assert!((check.value - 22.0 / 111.0).abs() < 0.002 && check.level == Level::Warn, "{check:?}");
        let falling = find(&with_medians(|second| 200_000 - 9_000 * u64::from(second)), CheckKind::Drift, Some("api"));
        let falling = falling.unwrap();
        assert!(falling.value < 0.0 && falling.level == Level::Warn, "99 us are nothing against 100 ms: {falling:?}");
        let falling =
            find(&with_medians(|second| 20_000_000 - 900_000 * u64::from(second)), CheckKind::Drift, Some("api"));
        let falling = falling.unwrap();
        assert!(falling.value < 0.0 && falling.level == Level::Refuse, "{falling:?}");
    }

    #[test]
    fn ups_and_downs_are_no_drift() {
        let run = with_medians(|second| 100_000 + 30_000 * u64::from(second % 3));
        let check = find(&run, CheckKind::Drift, Some("api")).unwrap();
        assert!(check.value.abs() < f64::EPSILON, "{check:?}");
    }
}
