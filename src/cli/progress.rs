//! Progress on standard error; none where that is no terminal.
//!
//! The load engine hands over snapshots; drawing them happens away from the measured path.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use super::stderr;
use crate::{
    load::{Phase, Progress, ServiceProgress},
    report::format::{count, counted, duration, plain, rate, setting},
};

/// Interval at which a progress line is redrawn.
const TICK: Duration = Duration::from_millis(100);

/// Lines that come and go: one for the phase, one per service.
#[derive(Debug, Clone)]
pub(super) struct Display {
    lines: MultiProgress,
    phase: ProgressBar,
    services: Vec<ProgressBar>,
    /// Width of the longest name of a service.
    names: usize,
}

impl Display {
    /// A display; one that is not visible, or whose standard error is no terminal, shows nothing.
    pub(super) fn new(visible: bool) -> Self {
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let lines = MultiProgress::with_draw_target(target);
        let phase = lines.add(ProgressBar::no_length().with_finish(ProgressFinish::AndClear));
        Self { lines, phase, services: Vec::new(), names: 0 }
    }

    /// Something of unknown length begins, and the services are none of its business.
    pub(super) fn step(&self, what: &str) {
        for line in &self.services {
            line.finish_and_clear();
        }
        self.spinner(what);
    }

    /// Something begins that takes so long at most; the line shows how much of that is over.
    pub(super) fn wait(&self, what: &str, at_most: Duration) {
        self.step(what);
        let of = plain(&setting(at_most));
        self.phase.set_style(style(&format!("{{spinner}} {{msg}}: {{elapsed}} of up to {of}")));
        self.phase.reset_elapsed();
    }

    /// `done` of `total` elements have been written.
    pub(super) fn prefilled(&self, done: u64, total: u64) {
        let elements = counted(total, "element", "elements");
        self.bar(format!("Prefilling: {} of {elements}", count(done)), done, total);
    }

    /// A snapshot of the load.
    pub(super) fn load(&mut self, progress: &Progress) {
        if self.services.is_empty() {
            self.names = progress.services.iter().map(|service| service.name.chars().count()).max().unwrap_or(0);
            let line = || self.lines.add(ProgressBar::no_length().with_style(style("{msg}")));
            self.services = progress.services.iter().map(|_| line()).collect();
        }
        let connecting = progress.phase == Phase::Connecting;
        let what = match progress.phase {
            Phase::Connecting => "Connecting",
            Phase::WarmUp => "Warming up",
            Phase::Measuring => "Measuring",
            Phase::Draining => "Waiting for the last replies",
        };
        let elapsed = |of: Duration| format!("{what}: {} of {} s", progress.elapsed.as_secs(), of.as_secs_f64());
        self.timed(progress.of.map_or_else(|| what.to_owned(), elapsed), progress);
        for (line, service) in self.services.iter().zip(&progress.services) {
            let name = format!("  {:width$}", service.name, width = self.names);
            let state = if connecting { connections(service) } else { last_second(service) };
            line.set_message(format!("{name}  {state}"));
        }
    }

    /// A snapshot of a load, with a line to itself.
    pub(super) fn timed(&self, what: String, progress: &Progress) {
        match progress.of {
            Some(of) => self.bar(what, progress.elapsed.as_millis() as u64, of.as_millis() as u64),
            None => self.spinner(&what),
        }
    }

    /// The result with this number, from 0, is read.
    pub(super) fn reading(&self, at: usize, of: usize) {
        let what = format!("Reading result {} of {}", count(at as u64 + 1), count(of as u64));
        self.bar(what, at as u64, of as u64);
    }

    /// Says something that stays, also where the display is not visible.
    pub(super) fn say(&self, text: &str) {
        self.lines.suspend(|| stderr::print(text));
    }

    /// Says what an end that was asked for waits for.
    pub(super) fn say_why_it_waits(&self) {
        let what = self.phase.message();
        if !what.is_empty() {
            self.say(&format!("still at work: {what}"));
        }
    }

    /// Takes all lines away.
    pub(super) fn clear(&self) {
        self.phase.finish_and_clear();
        for line in &self.services {
            line.finish_and_clear();
        }
    }

    fn spinner(&self, text: &str) {
        self.phase.set_style(style("{spinner} {msg}"));
        self.phase.set_message(text.to_owned());
        self.phase.enable_steady_tick(TICK);
    }

    /// Something of known length goes on.
    pub(super) fn bar(&self, text: String, at: u64, of: u64) {
        self.phase.disable_steady_tick();
        self.phase.set_style(style("{bar:30} {msg}"));
        self.phase.set_message(text);
        self.phase.set_length(of);
        self.phase.set_position(at);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("templates are written in this file")
}

fn connections(service: &ServiceProgress) -> String {
    counted(service.connections, "connection", "connections")
}

fn last_second(service: &ServiceProgress) -> String {
    format!(
        "{:>10}  p50 {:>8}  p99 {:>8}  {}  {} in flight",
        rate(service.rate),
        duration(service.p50 as f64),
        duration(service.p99 as f64),
        counted(service.errors, "error", "errors"),
        count(service.in_system.round() as u64),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_rate_latency_errors_and_requests_in_flight() {
        let service = ServiceProgress {
            name: "api".to_owned(),
            connections: 50,
            rate: 3998.0,
            p50: 152_000,
            p99: 1_310_000,
            errors: 1,
            in_system: 2.4,
        };
        assert_eq!(plain(&last_second(&service)), "   3 998/s  p50   152 µs  p99  1.31 ms  1 error  2 in flight");
        assert_eq!(plain(&connections(&service)), "50 connections");
    }
}
