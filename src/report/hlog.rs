//! `histograms.hlog`: response time of every series, second by second, in the interval log format of HDR histograms,
//! which the log tools of every implementation read. Values are nanoseconds; the tag of an interval is
//! `service.operation`.
//!
//! A run keeps its histograms in the very form that the log holds, so they are copied as they are: packing them anew, as
//! `hdrhistogram`'s own writer would, takes longer than all the rest of a report.

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::serialization::{V2DeflateSerializer, interval_log::IntervalLogWriterBuilder};
use jiff::Timestamp;

use crate::{
    analysis::Analysis,
    measure::{PackedHistogram, SeriesKey, SeriesRecord},
    results::Run,
};

const IN_MEMORY: &str = "writing to memory does not fail";

/// Maxima, which stand in the log for people, are milliseconds.
const MAX_VALUE_DIVISOR: f64 = 1e6;

/// The interval log of a run.
pub(super) fn render(run: &Run, analysis: &Analysis) -> Vec<u8> {
    let mut lines: Vec<_> = run.recording.series.iter().flat_map(|series| lines(series, analysis)).collect();
    // Readers expect intervals in order of time; the sort is stable, so series keep their order within a second.
    lines.sort_by_key(|(second, _)| *second);
    let mut log = header(run);
    log.extend(lines.into_iter().flat_map(|(_, line)| line.into_bytes()));
    log
}

fn header(run: &Run) -> Vec<u8> {
    let mut builder = IntervalLogWriterBuilder::new();
    builder.add_comment(&format!("[Logged with plimsoll {}]", run.software.version));
    builder.add_comment("[Histogram log format version 1.3]");
    builder.add_comment("[Response time of successful requests in nanoseconds; maxima in milliseconds]");
    builder.with_max_value_divisor(MAX_VALUE_DIVISOR);
    // A run carries its start in RFC 3339. Without one the log still holds, counted from the epoch.
    let started = run.started.parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_second()).ok());
    if let Some(seconds) = started {
        let started = UNIX_EPOCH + Duration::from_secs(seconds);
        builder.with_start_time(started).with_base_time(started);
    }
    let mut log = Vec::new();
    builder.begin_log_with(&mut log, &mut V2DeflateSerializer::new()).expect(IN_MEMORY);
    log
}

/// Lines of a series, each behind its second.
fn lines(series: &SeriesRecord, analysis: &Analysis) -> Vec<(u32, String)> {
    let row = analysis.rows.iter().position(|row| {
        row.scope.service.as_ref() == Some(&series.key.service)
            && row.scope.operation.as_ref() == Some(&series.key.operation)
    });
    let timeline = row.and_then(|row| analysis.timelines.get(row));
    let tag = tag(&series.key);
    let line = |second: u32, histogram: &PackedHistogram| {
        let response = timeline.and_then(|timeline| timeline.at(second)?.response);
        let longest = response.map_or(0.0, |(.., max)| max as f64) / MAX_VALUE_DIVISOR;
        format!("Tag={tag},{second}.000,1.000,{longest:.3},{}\n", STANDARD.encode(histogram.bytes()))
    };
    let seconds = series.seconds.iter().filter(|second| !second.response.is_empty());
    seconds.map(|of| (of.second, line(of.second, &of.response))).collect()
}

/// `service.operation`, without what the format takes for the end of a tag.
fn tag(key: &SeriesKey) -> String {
    format!("{}.{}", key.service, key.operation)
        .chars()
        .map(|letter| if letter == ',' || letter.is_whitespace() || letter.is_control() { '_' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use hdrhistogram::{
        Histogram,
        serialization::{
            Deserializer,
            interval_log::{IntervalLogIterator, LogEntry},
        },
    };

    use super::*;
    use crate::{
        analysis::analyse,
        measure::{Recording, SeriesRole},
        results::sample,
    };

    #[test]
    fn tags_hold_no_separator() {
        let key = SeriesKey { service: "a,b".into(), operation: "FT.SEARCH x\n".into(), role: SeriesRole::Operation };
        assert_eq!(tag(&key), "a_b.FT.SEARCH_x_");
    }

    /// Second and tag of every interval of the log of a run, each of which has the maximum of its own histogram.
    fn logged(run: &Run) -> Vec<(u32, String)> {
        let log = render(run, &analyse(run, &sample::scenario()));
        let mut logged = Vec::new();
        for entry in IntervalLogIterator::new(&log) {
            if let LogEntry::Interval(interval) = entry.unwrap() {
                let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
                let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
                // Three decimals of a millisecond.
                assert!((interval.max() - histogram.max() as f64 / MAX_VALUE_DIVISOR).abs() <= 0.000_5);
                logged.push((interval.start_timestamp().as_secs() as u32, interval.tag().unwrap().to_string()));
            }
        }
        logged
    }

    /// Second and tag of every second of every series in which a request succeeded, in the order of the log.
    fn recorded(recording: &Recording) -> Vec<(u32, String)> {
        let seconds = recording.series.iter().flat_map(|series| {
            let answered = series.seconds.iter().filter(|second| second.counts.completed > 0);
            answered.map(|second| (second.second, tag(&series.key)))
        });
        let mut seconds: Vec<_> = seconds.collect();
        seconds.sort_by_key(|(second, _)| *second);
        seconds
    }

    #[test]
    fn every_interval_says_its_own_maximum() {
        let run = sample::run();
        assert_eq!(logged(&run), recorded(&run.recording));
    }

    #[test]
    fn a_long_series_with_gaps_keeps_its_seconds() {
        let mut run = sample::run();
        for (place, series) in run.recording.series.iter_mut().enumerate() {
            // Each series has gaps of its own, up to 660 seconds long.
            for second in &mut series.seconds {
                second.second *= 5 * (place as u32 % 11 + 1) * 12;
            }
        }
        assert!(recorded(&run.recording).last().unwrap().0 > 5_000);
        assert_eq!(logged(&run), recorded(&run.recording));
    }
}
