//! `histograms.hlog`: response time of every series, second by second, in the interval log format of HDR
//! histograms, which the log tools of every implementation read. Values are nanoseconds; the tag of an interval is
//! `service.operation`.

use std::time::{Duration, UNIX_EPOCH};

use hdrhistogram::serialization::{
    V2DeflateSerializer,
    interval_log::{IntervalLogWriterBuilder, Tag},
};
use jiff::Timestamp;

use crate::{
    measure::{SeriesKey, SeriesRecord, SeriesSecond},
    results::Run,
};

/// The interval log of a run.
pub(super) fn render(run: &Run) -> Vec<u8> {
    let mut intervals: Vec<(&SeriesSecond, &SeriesRecord)> = run
        .recording
        .series
        .iter()
        .flat_map(|series| series.seconds.iter().map(move |second| (second, series)))
        .filter(|(second, _)| !second.response.is_empty())
        .collect();
    // Readers expect intervals in order of time; the sort is stable, so series keep their order within a second.
    intervals.sort_by_key(|(second, _)| second.second);

    let mut builder = IntervalLogWriterBuilder::new();
    builder.add_comment(&format!("[Logged with plimsoll {}]", run.software.version));
    builder.add_comment("[Histogram log format version 1.3]");
    builder.add_comment("[Response time of successful requests in nanoseconds; maxima in milliseconds]");
    builder.with_max_value_divisor(1e6);
    // A run carries its start in RFC 3339. Without one the log still holds, counted from the epoch.
    let started = run.started.parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_second()).ok());
    if let Some(seconds) = started {
        let started = UNIX_EPOCH + Duration::from_secs(seconds);
        builder.with_start_time(started).with_base_time(started);
    }

    let mut log = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut writer = builder.begin_log_with(&mut log, &mut serializer).expect("writing to memory does not fail");
    for (second, series) in intervals {
        let tag = tag(&series.key);
        writer
            .write_histogram(
                &second.response.unpack(),
                Duration::from_secs(u64::from(second.second)),
                Duration::from_secs(1),
                Tag::new(&tag),
            )
            .expect("histograms of this program serialise, and writing to memory does not fail");
    }
    log
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
    use super::*;
    use crate::measure::SeriesRole;

    #[test]
    fn tags_hold_no_separator() {
        let key = SeriesKey { service: "a,b".into(), operation: "FT.SEARCH x\n".into(), role: SeriesRole::Operation };
        assert_eq!(tag(&key), "a_b.FT.SEARCH_x_");
    }
}
