//! What the machine did meanwhile: CPU time that was used or stolen, throttling of the container, memory of the harness.
//!
//! Read from `/proc` and the control group; where those do not exist everything is 0.

use std::fs;

use crate::measure::{HostInterval, Nanos, SECOND};

/// Samples the machine at every full second of the measured period.
#[derive(Debug)]
pub(super) struct HostLog {
    start: Nanos,
    previous: Option<Sample>,
    intervals: Vec<HostInterval>,
}

impl HostLog {
    /// A log of a measured period that starts at `start`.
    pub(super) fn new(start: Nanos) -> Self {
        Self { start, previous: None, intervals: Vec::new() }
    }

    /// Takes a sample if a second has gone by.
    pub(super) fn glance(&mut self, now: Nanos, end: Nanos) {
        let due = self.start + self.intervals.len() as Nanos * SECOND;
        match &self.previous {
            None if now >= self.start => self.previous = Some(Sample::take(now)),
            Some(previous) if now >= due + SECOND && now < end + SECOND => {
                let sample = Sample::take(now);
                self.intervals.push(sample.since(previous, self.intervals.len() as u32));
                self.previous = Some(sample);
            }
            // Of a shorter period there is one interval, as long as it.
            Some(previous) if now >= end && self.intervals.is_empty() => {
                self.intervals.push(Sample::take(now).since(previous, 0));
            }
            _ => {}
        }
    }

    pub(super) fn into_intervals(self) -> Vec<HostInterval> {
        self.intervals
    }
}

/// Counters of the machine at one moment.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    at: Nanos,
    total: u64,
    idle: u64,
    stolen: u64,
    throttled_us: u64,
    rss: u64,
}

impl Sample {
    /// Reads the counters.
    fn take(at: Nanos) -> Self {
        // user nice system idle iowait irq softirq steal, in ticks (proc(5)); guest time is part of user time.
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let ticks: Vec<u64> = stat
            .lines()
            .next()
            .unwrap_or_default()
            .split_ascii_whitespace()
            .skip(1)
            .take(8)
            .filter_map(|ticks| ticks.parse().ok())
            .collect();
        let tick = |column: usize| ticks.get(column).copied().unwrap_or_default();
        Self {
            at,
            total: ticks.iter().sum(),
            idle: tick(3) + tick(4),
            stolen: tick(7),
            throttled_us: throttled_us(),
            rss: resident_bytes(),
        }
    }

    /// What happened since an earlier sample, as the interval of that second.
    fn since(&self, earlier: &Self, second: u32) -> HostInterval {
        let total = self.total.saturating_sub(earlier.total).max(1) as f64;
        let share = |now: u64, before: u64| now.saturating_sub(before) as f64 / total;
        let elapsed_us = (self.at.saturating_sub(earlier.at) as f64 / 1_000.0).max(1.0);
        let throttled = self.throttled_us.saturating_sub(earlier.throttled_us) as f64 / elapsed_us;
        let unused = share(self.idle, earlier.idle);
        let stolen = share(self.stolen, earlier.stolen);
        HostInterval {
            second,
            busy: (1.0 - unused - stolen).clamp(0.0, 1.0),
            stolen: stolen.clamp(0.0, 1.0),
            throttled: throttled.clamp(0.0, 1.0),
            harness_rss: self.rss,
        }
    }
}

fn throttled_us() -> u64 {
    fs::read_to_string("/sys/fs/cgroup/cpu.stat")
        .ok()
        .and_then(|stat| stat.lines().find_map(|line| line.strip_prefix("throttled_usec ")?.trim().parse().ok()))
        .unwrap_or_default()
}

fn resident_bytes() -> u64 {
    let pages: u64 = fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|statm| statm.split_ascii_whitespace().nth(1)?.parse().ok())
        .unwrap_or_default();
    pages * rustix::param::page_size() as u64
}
