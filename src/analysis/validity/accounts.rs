//! Whether the counts agree with each other and say what they seem to say.

use super::known::Known;
use crate::{
    analysis::{Check, CheckKind, evidence::Evidence},
    measure::{ServiceRecord, Unpacker},
};

const SECOND: f64 = 1e9;

/// Scheduled requests must be completed, failed or unfinished, every one of them.
pub(super) fn balance(known: &Known<'_>) -> Check {
    let counted = known.row.bad.of;
    let difference = i128::from(known.record.scheduled) - i128::from(counted);
    known.check(CheckKind::Accounts, difference as f64)
}

/// Little's law (Little, "A proof for the queuing formula L = lambda W", 1961): the time integral of the number in the
/// system is the sum of the times that requests spend in it. Both are recorded on different ways, so what differs was
/// lost or counted twice on one of them. Taken to the end of the drain, where the system is empty again.
///
/// Requests of the warm-up reach into the measured period and are in the integral only. They add about
/// `rate * mean(W^2) / 2`; twice that is not compared with the run. Absent where requests were left unfinished: it is not known
/// knows how long those would have stayed.
pub(super) fn littles_law(evidence: &Evidence<'_>, known: &Known<'_>) -> Option<Check> {
    let row = known.row;
    let requests = (row.response.histogram.len() + row.failed.histogram.len()) as f64;
    if requests == 0.0 || row.unfinished > 0 {
        return None;
    }
    let period = &evidence.run.recording.period;
    let integral = integral(known.record, (period.measured_ns + period.drain_ns) as f64);
    let (mut stayed, mut squares) = (0.0, 0.0);
    for part in [&row.response, &row.failed] {
        let (count, mean) = (part.histogram.len() as f64, part.mean.unwrap_or(0.0));
        stayed += count * mean;
        squares += count * (mean.powi(2) + if count > 0.0 { part.histogram.stdev().powi(2) } else { 0.0 });
    }
    // Response time counts from the due instant, the system from the release.
    let stayed = stayed - total_lag(known.record);
    let edge = squares / period.measured_ns as f64;
    let difference = ((integral - stayed).abs() - edge).max(0.0);
    (stayed > 0.0).then(|| known.check(CheckKind::LittlesLaw, difference / stayed))
}

/// Request-nanoseconds in the system; the last second ends with the run.
fn integral(record: &ServiceRecord, end: f64) -> f64 {
    let length = |second: u32| (end - f64::from(second) * SECOND).clamp(0.0, SECOND);
    record.seconds.iter().map(|second| second.in_system * length(second.second)).sum()
}

fn total_lag(record: &ServiceRecord) -> f64 {
    let mut unpacker = Unpacker::default();
    let mut total = 0.0;
    for second in &record.seconds {
        unpacker.visit(&second.lag, |value, count| total += value as f64 * count as f64);
    }
    total
}

/// Reads that found nothing although their keys had been written: an answer that is cheaper than the one asked for.
pub(super) fn misses(evidence: &Evidence<'_>) -> Vec<Check> {
    let recording = &evidence.run.recording;
    let expecting = recording.series.iter().filter(|series| series.expects_hits);
    expecting
        .filter_map(|series| {
            let counts = series.totals();
            let asked = counts.hits + counts.misses;
            let subject = format!("{} {}", series.key.service, series.key.operation);
            (asked > 0).then(|| Check::new(CheckKind::Misses, Some(subject), counts.misses as f64 / asked as f64))
        })
        .collect()
}

/// Failed requests; how many are too many is for the objective to say.
pub(super) fn errors(evidence: &Evidence<'_>) -> Option<Check> {
    let whole = evidence.rows.last().filter(|whole| whole.bad.of > 0)?;
    Some(Check::new(CheckKind::Errors, None, whole.counts.failed() as f64 / whole.bad.of as f64))
}

/// Durations that no histogram can hold.
pub(super) fn beyond_range(evidence: &Evidence<'_>) -> Option<Check> {
    let whole = evidence.rows.last()?;
    (whole.counts.beyond_range > 0).then(|| Check::new(CheckKind::BeyondRange, None, whole.counts.beyond_range as f64))
}

#[cfg(test)]
mod tests {
    use super::super::tests::find;
    use crate::{
        analysis::{CheckKind, Level},
        results::sample,
    };

    #[test]
    fn a_single_lost_request_is_refused() {
        let mut run = sample::run();
        assert_eq!(find(&run, CheckKind::Accounts, Some("api")).unwrap().level, Level::Ok);
        run.recording.services[0].scheduled += 1;
        let check = find(&run, CheckKind::Accounts, Some("api")).unwrap();
        assert!((check.value - 1.0).abs() < f64::EPSILON && check.level == Level::Refuse);
    }

    #[test]
    fn littles_law_holds_in_open_and_closed_loops() {
        let run = sample::run();
        for service in ["api", "chat", "ml"] {
            let check = find(&run, CheckKind::LittlesLaw, Some(service)).unwrap();
            assert_eq!(check.level, Level::Ok, "{service}: {}", check.value);
        }
    }

    #[test]
    fn littles_law_finds_requests_that_stayed_unseen() {
        let mut run = sample::run();
        run.recording.services[2].seconds.iter_mut().for_each(|second| second.in_system *= 1.2);
        assert_eq!(find(&run, CheckKind::LittlesLaw, Some("ml")).unwrap().level, Level::Refuse);
        run.recording.series.last_mut().unwrap().unfinished = 1;
        assert_eq!(find(&run, CheckKind::LittlesLaw, Some("ml")), None);
    }

    #[test]
    fn misses_count_only_where_hits_are_expected() {
        let mut run = sample::run();
        assert_eq!(find(&run, CheckKind::Misses, Some("api SET")), None);
        for second in &mut run.recording.series[0].seconds {
            second.counts.misses = second.counts.hits / 5;
        }
        let check = find(&run, CheckKind::Misses, Some("api GET")).unwrap();
        assert!((check.value - 1.0 / 6.0).abs() < 0.01 && check.level == Level::Refuse, "{check:?}");
    }

    #[test]
    fn what_is_beyond_the_range_is_reported() {
        let mut run = sample::run();
        assert_eq!(find(&run, CheckKind::BeyondRange, None), None);
        run.recording.series[0].seconds[0].counts.beyond_range = 2;
        assert_eq!(find(&run, CheckKind::BeyondRange, None).unwrap().level, Level::Warn);
    }
}
