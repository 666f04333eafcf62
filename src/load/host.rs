//! The machine during the run: used and stolen CPU time, throttling of the container, memory of the harness.
//!
//! Read from `/proc` and the control groups; what cannot be read is `None`.

use std::{fs, path::Path};

use super::throttling::Throttling;
use crate::measure::{HostInterval, Nanos, SECOND};

/// Samples the machine at every full second of the measured period.
#[derive(Debug)]
pub(super) struct HostLog {
    start: Nanos,
    throttling: Option<Throttling>,
    previous: Option<Sample>,
    intervals: Vec<HostInterval>,
}

impl HostLog {
    /// A log of a measured period that starts at `start`.
    pub(super) fn new(start: Nanos) -> Self {
        Self { start, throttling: Throttling::find(Path::new("/")), previous: None, intervals: Vec::new() }
    }

    /// Takes a sample if a second has gone by.
    pub(super) fn glance(&mut self, now: Nanos, end: Nanos) {
        let due = self.start + self.intervals.len() as Nanos * SECOND;
        let sample = || Sample::take(now, self.throttling.as_ref());
        match &self.previous {
            None if now >= self.start => self.previous = Some(sample()),
            Some(previous) if now >= due + SECOND && now < end + SECOND => {
                let sample = sample();
                self.intervals.push(sample.since(previous, self.intervals.len() as u32));
                self.previous = Some(sample);
            }
            // Of a shorter period there is one interval, as long as it.
            Some(previous) if now >= end && self.intervals.is_empty() => {
                self.intervals.push(sample().since(previous, 0));
            }
            _ => {}
        }
    }

    pub(super) fn into_intervals(self) -> Vec<HostInterval> {
        self.intervals
    }
}

/// Counters of the machine at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Nanos,
    ticks: Option<Ticks>,
    throttled_us: Option<u64>,
    rss: Option<u64>,
}

/// CPU time, in ticks.
#[derive(Debug, Clone, Copy)]
struct Ticks {
    total: u64,
    idle: u64,
    stolen: u64,
}

impl Sample {
    /// Reads the counters.
    fn take(at: Nanos, throttling: Option<&Throttling>) -> Self {
        let stat = fs::read_to_string("/proc/stat").ok();
        Self {
            at,
            ticks: stat.and_then(|stat| Ticks::parse(&stat)),
            throttled_us: throttling.and_then(Throttling::total_us),
            rss: resident_bytes(),
        }
    }

    /// Difference from an earlier sample, as the interval of that second.
    fn since(&self, earlier: &Self, second: u32) -> HostInterval {
        let elapsed_us = (self.at.saturating_sub(earlier.at) as f64 / 1_000.0).max(1.0);
        let throttled = |now: u64, before: u64| (now.saturating_sub(before) as f64 / elapsed_us).min(1.0);
        let cpu = self.ticks.zip(earlier.ticks).map(|(now, before)| now.shares_since(before));
        HostInterval {
            second,
            busy: cpu.map(|(busy, _)| busy),
            stolen: cpu.map(|(_, stolen)| stolen),
            throttled: self.throttled_us.zip(earlier.throttled_us).map(|(now, before)| throttled(now, before)),
            harness_rss: self.rss,
        }
    }
}

impl Ticks {
    /// From `/proc/stat`.
    fn parse(stat: &str) -> Option<Self> {
        // user nice system idle iowait irq softirq steal (proc(5)); guest time is part of user time.
        let columns = stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace().take(8);
        let ticks: Vec<u64> = columns.map(|ticks| ticks.parse().ok()).collect::<Option<_>>()?;
        Some(Self { total: ticks.iter().sum(), idle: ticks.get(3)? + ticks.get(4)?, stolen: *ticks.get(7)? })
    }

    /// Shares of CPU time since an earlier moment: in use, and stolen.
    fn shares_since(self, earlier: Self) -> (f64, f64) {
        let total = self.total.saturating_sub(earlier.total).max(1) as f64;
        let share = |now: u64, before: u64| now.saturating_sub(before) as f64 / total;
        let stolen = share(self.stolen, earlier.stolen);
        let busy = 1.0 - share(self.idle, earlier.idle) - stolen;
        (busy.clamp(0.0, 1.0), stolen.clamp(0.0, 1.0))
    }
}

fn resident_bytes() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: &str = "cpu  400 0 100 450 10 0 0 40 0 0\ncpu0 1 2 3\n";

    fn sample(at: Nanos, stat: &str, throttled_us: Option<u64>) -> Sample {
        Sample { at, ticks: Ticks::parse(stat), throttled_us, rss: None }
    }

    #[test]
    fn shares_are_those_of_the_time_between_two_samples() {
        let before = sample(SECOND, CPU, Some(5_000_000));
        let after = sample(2 * SECOND, "cpu  440 0 110 490 10 0 0 50 0 0\n", Some(5_800_000));
        let interval = after.since(&before, 1);
        assert_eq!((interval.busy, interval.stolen, interval.throttled), (Some(0.5), Some(0.1), Some(0.8)));
        let longer = sample(3 * SECOND, CPU, Some(9_000_000));
        assert_eq!(longer.since(&after, 2).throttled, Some(1.0), "several CPUs were stopped at once");
    }

    #[test]
    fn what_cannot_be_read_is_not_known() {
        let known = sample(0, CPU, Some(0));
        for lacking in ["", "cpu 1 2 3 4\n", "cpu 1 2 3 4 5 6 7 x\n"].map(|stat| sample(SECOND, stat, None)) {
            let interval = lacking.since(&known, 0);
            assert_eq!((interval.busy, interval.stolen, interval.throttled), (None, None, None));
        }
    }
}
