//! Adds up what was recorded, row by row and second by second.
//!
//! A long run holds tens of thousands of packed histograms, and reading them is most of the work of a report. So each is
//! read once: for the totals, and for coarse counts by second that show how bursty durations above the judged percentile
//! are, once that is known. Seconds are independent of each other and shared between two threads.

use std::thread;

use hdrhistogram::Histogram;

use super::{burstiness::burstiness, coarse::Coarse, layout::Outline};
use crate::measure::{Counts, Nanos, PackedHistogram, Recording, SECOND, SeriesSecond, Unpacker};

/// Response, service and wait time of successes, and response time of failures.
const KINDS: usize = 4;

/// Sum of one row.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) counts: Counts,
    pub(super) unfinished: u64,
    /// Requests that were answered per second of the measured period.
    pub(super) rate: f64,
    pub(super) response: Durations,
    pub(super) service_time: Durations,
    pub(super) wait: Durations,
    pub(super) failed: Durations,
    /// Successes that took longer than the objective allows.
    pub(super) late: u64,
    /// Burstiness of requests that were late or failed.
    pub(super) bad_burstiness: f64,
    /// Every second from the start of the measured period until the last request finished.
    pub(super) seconds: Vec<Tick>,
}

/// Durations of one kind.
#[derive(Debug)]
pub(super) struct Durations {
    pub(super) histogram: Histogram<u64>,
    /// At the judged percentile.
    pub(super) burstiness: f64,
}

/// One second of one row.
#[derive(Debug, Clone, Default)]
pub(super) struct Tick {
    pub(super) completed: u64,
    /// Completed, and left over by the warm-up.
    pub(super) answered: u64,
    pub(super) failed: u64,
    /// Of those the ones that the server refused with an error reply.
    pub(super) refused: u64,
    /// Response time at p50, p99 and the maximum.
    pub(super) response: Option<(Nanos, Nanos, Nanos)>,
    pub(super) late: u64,
    /// Durations of each kind above the judged percentile of the whole run, to the width of a coarse band.
    above: [u64; KINDS],
}

impl Tick {
    /// Requests that were late or failed.
    pub(super) fn bad(&self) -> u64 {
        self.late + self.failed
    }

    /// Requests that finished.
    pub(super) fn finished(&self) -> u64 {
        self.completed + self.failed
    }
}

/// Coarse counts of one second, by the position of the series.
type Bands = Vec<(usize, [Coarse; KINDS])>;

/// Objective of every request.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestLimit {
    /// Longest response time that is in time.
    pub(super) latency: Nanos,
    /// Percentile that is judged, in percent.
    pub(super) percentile: f64,
}

/// Records of one second, with the position of the series.
type Finished<'a> = Vec<(usize, &'a SeriesSecond)>;

/// Seconds of the measured period, the last perhaps a partial one.
pub(super) fn measured_seconds(recording: &Recording) -> usize {
    recording.period.measured_ns.div_ceil(SECOND) as usize
}

/// Whole seconds of the measured period: a partial last one is no point of a trend.
pub(super) fn whole_seconds(recording: &Recording) -> usize {
    (recording.period.measured_ns / SECOND) as usize
}

/// The tally of each row.
pub(super) fn tallies(recording: &Recording, rows: &[Outline], limit: RequestLimit) -> Vec<Tally> {
    let seconds = by_second(recording);
    let mut totals = blank_totals(recording.series.len());
    let mut ticks: Vec<Vec<Tick>> = Vec::with_capacity(seconds.len());
    let mut bands: Vec<Bands> = Vec::with_capacity(seconds.len());
    for (of_part, seconds_of_part) in in_two(&seconds, |part| add_up(part, rows, recording.series.len(), limit)) {
        for (total, part) in totals.iter_mut().flatten().zip(of_part.iter().flatten()) {
            add(total, part);
        }
        for (ticks_of_second, bands_of_second) in seconds_of_part {
            ticks.push(ticks_of_second);
            bands.push(bands_of_second);
        }
    }

    let of_rows: Vec<[Histogram<u64>; KINDS]> = rows.iter().map(|row| sum(&totals, &row.series)).collect();
    let thresholds: Vec<[Nanos; KINDS]> =
        of_rows.iter().map(|row| row.each_ref().map(|all| all.value_at_percentile(limit.percentile))).collect();
    for (ticks, bands) in ticks.iter_mut().zip(&bands) {
        for ((tick, row), thresholds) in ticks.iter_mut().zip(rows).zip(&thresholds) {
            for (_, bands) in bands.iter().filter(|(index, _)| row.series.contains(index)) {
                for ((above, coarse), threshold) in tick.above.iter_mut().zip(bands).zip(thresholds) {
                    *above += coarse.above(*threshold);
                }
            }
        }
    }

    let last_measured = measured_seconds(recording).saturating_sub(1);
    rows.iter()
        .zip(of_rows)
        .enumerate()
        .map(|(index, (row, histograms))| {
            let seconds = ticks.iter().map(|ticks| ticks[index].clone()).collect();
            Tally::new(recording, row, histograms, seconds, last_measured)
        })
        .collect()
}

impl Tally {
    fn new(
        recording: &Recording,
        row: &Outline,
        histograms: [Histogram<u64>; KINDS],
        seconds: Vec<Tick>,
        last_measured: usize,
    ) -> Self {
        let mut counts = Counts::default();
        let mut unfinished = 0;
        for &index in &row.series {
            counts.merge(&recording.series[index].totals());
            unfinished += recording.series[index].unfinished;
        }
        // What finished during the drain goes with the last second: only slow requests are left by then.
        let settled = settle(&seconds, last_measured);
        let at_percentile = |kind: usize, all: fn(&Tick) -> u64| {
            burstiness(settled.iter().map(move |tick| (tick.above[kind], all(tick))))
        };
        let burstiness_of = [
            at_percentile(0, |tick| tick.completed),
            at_percentile(1, |tick| tick.completed),
            at_percentile(2, |tick| tick.completed),
            at_percentile(3, |tick| tick.failed),
        ];
        let bad_burstiness = burstiness(settled.iter().map(|tick| (tick.bad(), tick.finished())));
        let mut durations = histograms
            .into_iter()
            .zip(burstiness_of)
            .map(|(histogram, burstiness)| Durations { histogram, burstiness });
        let mut next = || durations.next().expect("there are as many histograms as kinds");
        let (response, service_time, wait, failed) = (next(), next(), next(), next());
        let late = seconds.iter().map(|tick| tick.late).sum();
        let rate = rate(recording, &seconds, counts.completed);
        Self { counts, unfinished, rate, response, service_time, wait, failed, late, bad_burstiness, seconds }
    }
}

/// Requests per second that were answered in the whole seconds of the measured period, whenever they fell due: under a load that
/// is too much, work that was left over by the warm-up counts and work that is done in the drain does not.
fn rate(recording: &Recording, seconds: &[Tick], completed: u64) -> f64 {
    let whole = whole_seconds(recording);
    if whole > 0 {
        return seconds.iter().take(whole).map(|tick| tick.answered).sum::<u64>() as f64 / whole as f64;
    }
    let measured = recording.period.measured_ns;
    if measured > 0 { completed as f64 / (measured as f64 / 1e9) } else { 0.0 }
}

/// The seconds of the measured period, what came after it added to the last.
fn settle(seconds: &[Tick], last_measured: usize) -> Vec<Tick> {
    let mut settled = seconds.to_vec();
    let after = settled.split_off(seconds.len().min(last_measured + 1));
    if let Some(last) = settled.last_mut() {
        for tick in after {
            last.completed += tick.completed;
            last.failed += tick.failed;
            last.late += tick.late;
            for (sum, above) in last.above.iter_mut().zip(tick.above) {
                *sum += above;
            }
        }
    }
    settled
}

fn by_second(recording: &Recording) -> Vec<Finished<'_>> {
    let of_services = recording.services.iter().flat_map(|service| &service.seconds).map(|second| second.second);
    let of_series = recording.series.iter().flat_map(|series| &series.seconds).map(|second| second.second);
    let length = of_services.chain(of_series).max().map_or(0, |last| last as usize + 1);
    let mut seconds: Vec<Finished<'_>> = vec![Vec::new(); length.max(measured_seconds(recording))];
    for (index, series) in recording.series.iter().enumerate() {
        for second in &series.seconds {
            seconds[second.second as usize].push((index, second));
        }
    }
    seconds
}

/// Does the same with both halves at once; results in order.
fn in_two<'a, T: Send>(seconds: &[Finished<'a>], work: impl Fn(&[Finished<'a>]) -> T + Sync) -> [T; 2] {
    let (first, second) = seconds.split_at(seconds.len() / 2);
    thread::scope(|scope| {
        let first = scope.spawn(|| work(first));
        let second = work(second);
        [first.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), second]
    })
}

type Totals = Vec<[Histogram<u64>; KINDS]>;

fn add_up(
    seconds: &[Finished<'_>],
    rows: &[Outline],
    series: usize,
    limit: RequestLimit,
) -> (Totals, Vec<(Vec<Tick>, Bands)>) {
    let mut unpacker = Unpacker::default();
    let mut totals = blank_totals(series);
    let mut responses: Vec<Vec<(Nanos, u64)>> = vec![Vec::new(); series];
    let mut together = Vec::new();
    let ticks = seconds
        .iter()
        .map(|finished| {
            responses.iter_mut().for_each(Vec::clear);
            let mut bands = Bands::with_capacity(finished.len());
            for &(index, second) in finished {
                let [response, rest @ ..] = &mut totals[index];
                let [of_response, of_rest @ ..] = kinds(second);
                let mut coarse: [Coarse; KINDS] = Default::default();
                let [coarse_response, coarse_rest @ ..] = &mut coarse;
                let values = &mut responses[index];
                unpacker.visit(of_response, |value, count| {
                    record(response, value, count);
                    coarse_response.add(value, count);
                    values.push((value, count));
                });
                for ((total, packed), coarse) in rest.iter_mut().zip(of_rest).zip(coarse_rest) {
                    unpacker.visit(packed, |value, count| {
                        record(total, value, count);
                        coarse.add(value, count);
                    });
                }
                bands.push((index, coarse));
            }
            let tick = |row: &Outline| {
                together.clear();
                row.series.iter().for_each(|&index| together.extend_from_slice(&responses[index]));
                if row.series.len() > 1 {
                    together.sort_by_key(|&(value, _)| value);
                }
                let mut tick = Tick { response: spread(&together), ..Tick::default() };
                for (_, second) in finished.iter().filter(|(index, _)| row.series.contains(index)) {
                    tick.completed += second.counts.completed;
                    tick.answered += second.counts.answered();
                    tick.failed += second.counts.failed();
                    tick.refused += second.counts.refused();
                }
                // Whatever is not in the histogram took longer than it can hold.
                let in_time: u64 = counts_up_to(&together, limit.latency);
                tick.late = tick.completed.saturating_sub(in_time);
                tick
            };
            (rows.iter().map(tick).collect(), bands)
        })
        .collect();
    (totals, ticks)
}

fn kinds(second: &SeriesSecond) -> [&PackedHistogram; KINDS] {
    [&second.response, &second.service, &second.wait, &second.failed]
}

fn blank_totals(series: usize) -> Totals {
    let blank = || [(); KINDS].map(|()| PackedHistogram::default().unpack());
    (0..series).map(|_| blank()).collect()
}

fn sum(totals: &Totals, series: &[usize]) -> [Histogram<u64>; KINDS] {
    let mut sum = [(); KINDS].map(|()| PackedHistogram::default().unpack());
    for &index in series {
        for (sum, part) in sum.iter_mut().zip(&totals[index]) {
            add(sum, part);
        }
    }
    sum
}

fn add(sum: &mut Histogram<u64>, part: &Histogram<u64>) {
    sum.add(part).expect("a growing histogram takes every value");
}

fn record(histogram: &mut Histogram<u64>, value: Nanos, count: u64) {
    histogram.record_n(value, count).expect("a growing histogram takes every value");
}

/// p50, p99 and maximum of ascending values.
fn spread(values: &[(Nanos, u64)]) -> Option<(Nanos, Nanos, Nanos)> {
    let &(max, _) = values.last()?;
    let all: u64 = values.iter().map(|(_, count)| count).sum();
    let at = |percent: u64| {
        let rank = (all * percent).div_ceil(100);
        let mut passed = 0;
        let found = values.iter().find(|(_, count)| {
            passed += count;
            passed >= rank
        });
        found.map_or(max, |(value, _)| *value)
    };
    Some((at(50), at(99), max))
}

fn counts_up_to(values: &[(Nanos, u64)], limit: Nanos) -> u64 {
    values.iter().take_while(|(value, _)| *value <= limit).map(|(_, count)| count).sum()
}
