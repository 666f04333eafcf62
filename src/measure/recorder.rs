//! The recorder of one worker thread. It takes completions, allocates nothing in the steady state, locks nothing, and
//! hands over an [`Interval`] at the end of every second.
//!
//! Intervals travel in a circle: the collector returns each one, cleared, so that the measured path never has to make
//! or clear a histogram.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::{Completion, Latencies, Nanos, Outcome, SECOND, Series, SeriesId, Span};

/// Series and timeframe of a recorder.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Series of the services on this worker.
    pub series: Vec<SeriesId>,
    /// Services on this worker, by their index in the scenario.
    pub services: Vec<usize>,
    /// Start of the measured period.
    pub start: Nanos,
    /// Length from which a span without an answer is recorded.
    pub silence: Nanos,
}

/// One second of one worker.
#[derive(Debug)]
pub struct Interval {
    /// Seconds since the start of the measured period; negative during the warm-up.
    pub second: i64,
    /// Length: a second, unless the run ended within it.
    pub length: Nanos,
    /// Series, each with its number in the run.
    pub series: Vec<(SeriesId, Series)>,
    /// Services, each with its index in the scenario.
    pub services: Vec<(usize, ServiceInterval)>,
}

/// One second of one service on one worker.
#[derive(Debug, Clone, Default)]
pub struct ServiceInterval {
    /// Requests released.
    pub scheduled: u64,
    /// Schedule lag of open-loop requests.
    pub lag: Latencies,
    /// Requests that waited for a connection at the end of the interval.
    pub backlog: u64,
    /// Integral over time of the number of requests in the system, in nanoseconds.
    pub in_system_ns: u64,
    /// Integral over time of the number of requests that waited for a connection, in nanoseconds.
    pub waiting_ns: u64,
    /// Integral over time of the number of connections in use, in nanoseconds.
    pub in_use_ns: u64,
    /// Connections lost.
    pub lost: u64,
    /// Connections that came back.
    pub recovered: u64,
    /// Replies `MOVED` that were followed.
    pub moved: u64,
    /// Replies `ASK` that were followed.
    pub asked: u64,
    /// Idle connections that were asked for a sign of life.
    pub idle_checks: u64,
    /// Spans in which requests were under way and none was answered.
    pub silences: Vec<Span>,
    /// Whether the load ended without an answer to the last request.
    pub unanswered: bool,
}

impl ServiceInterval {
    /// Adds what another worker recorded of the same service in the same second.
    pub fn merge(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.lag.merge(&other.lag);
        self.backlog += other.backlog;
        self.in_system_ns += other.in_system_ns;
        self.waiting_ns += other.waiting_ns;
        self.in_use_ns += other.in_use_ns;
        self.lost += other.lost;
        self.recovered += other.recovered;
        self.moved += other.moved;
        self.asked += other.asked;
        self.idle_checks += other.idle_checks;
        self.silences = common(&self.silences, &other.silences);
        self.unanswered &= other.unanswered;
    }

    fn clear(&mut self) {
        self.lag.clear();
        self.scheduled = 0;
        self.backlog = 0;
        self.in_system_ns = 0;
        self.waiting_ns = 0;
        self.in_use_ns = 0;
        self.lost = 0;
        self.recovered = 0;
        self.moved = 0;
        self.asked = 0;
        self.idle_checks = 0;
        self.silences.clear();
        self.unanswered = false;
    }
}

/// The time that is in a span of both lists, each in order and without overlaps.
pub(super) fn common(one: &[Span], other: &[Span]) -> Vec<Span> {
    let overlap = |a: &Span, b: &Span| Span { from_ns: a.from_ns.max(b.from_ns), to_ns: a.to_ns.min(b.to_ns) };
    let pairs = one.iter().flat_map(|a| other.iter().map(move |b| overlap(a, b)));
    pairs.filter(|span| span.length() > 0).collect()
}

impl Interval {
    fn new(plan: &Plan) -> Self {
        Self {
            second: 0,
            length: SECOND,
            series: plan.series.iter().map(|id| (*id, Series::default())).collect(),
            services: plan.services.iter().map(|index| (*index, ServiceInterval::default())).collect(),
        }
    }

    /// Makes it ready for the next second; done by the collector, away from the measured path.
    pub fn clear(&mut self) {
        for (_, series) in &mut self.series {
            series.clear();
        }
        for (_, service) in &mut self.services {
            service.clear();
        }
    }
}

/// Number of intervals in circulation: one being recorded, the others on their way to the collector or back.
const IN_CIRCULATION: usize = 3;

/// Records for one worker thread.
#[derive(Debug)]
pub struct Recorder {
    plan: Plan,
    series_slots: Vec<Option<usize>>,
    service_slots: Vec<Option<usize>>,
    levels: Vec<Levels>,
    current: Interval,
    ends: Nanos,
    full: Sender<Interval>,
    empty: Receiver<Interval>,
}

/// Number of requests of a service in each state at this moment.
#[derive(Debug, Clone, Copy, Default)]
struct Levels {
    in_system: u64,
    waiting: u64,
    in_use: u64,
    since: Nanos,
    silence: Silence,
}

/// The time since the last answer.
#[derive(Debug, Clone, Copy, Default)]
struct Silence {
    /// The last answer, or the first request after it if nothing was under way in between.
    since: Nanos,
    /// The end of the part that is recorded.
    recorded: Option<Nanos>,
    /// Whether a request has ended without an answer meanwhile.
    failed: bool,
}

impl Levels {
    /// Whether a request is under way, or the last one has ended without an answer.
    fn is_unanswered(&self) -> bool {
        self.in_system > 0 || self.silence.failed
    }
}

impl Recorder {
    /// A recorder that starts at `now`, and the way back for its intervals. Full intervals go to `full`.
    pub fn new(plan: Plan, now: Nanos, full: Sender<Interval>) -> (Self, Sender<Interval>) {
        let (give_back, empty) = channel();
        for _ in 1..IN_CIRCULATION {
            // The receiver lives in this function; sending cannot fail.
            let _ = give_back.send(Interval::new(&plan));
        }
        let second = (now as i64 - plan.start as i64).div_euclid(SECOND as i64);
        let mut current = Interval::new(&plan);
        current.second = second;
        let recorder = Self {
            series_slots: slots(plan.series.iter().map(|id| usize::from(id.0))),
            service_slots: slots(plan.services.iter().copied()),
            levels: vec![Levels { since: now, ..Levels::default() }; plan.services.len()],
            current,
            ends: end_of(second, plan.start),
            plan,
            full,
            empty,
        };
        (recorder, give_back)
    }

    /// A request of a service was released: from now on it is in the system. Its lag counts only if a schedule (open
    /// loop) said when it was due.
    #[inline]
    pub fn released(&mut self, service: usize, due: Nanos, now: Nanos, scheduled: bool) {
        self.advance(now);
        let slot = self.service_slot(service);
        self.accumulate(slot, now);
        let levels = &mut self.levels[slot];
        // What fails at once and leaves nothing under way is no answer: the silence goes on.
        if levels.in_system == 0 && !levels.silence.failed {
            levels.silence = Silence { since: now, ..Silence::default() };
        }
        self.levels[slot].in_system += 1;
        self.levels[slot].waiting += 1;
        let interval = &mut self.current.services[slot].1;
        if due >= self.plan.start {
            interval.scheduled += 1;
            if scheduled {
                interval.lag.record(now.saturating_sub(due));
            }
        }
    }

    /// Requests got a connection, which they use together.
    #[inline]
    pub fn sent(&mut self, service: usize, requests: u64, now: Nanos) {
        self.advance(now);
        let slot = self.service_slot(service);
        self.accumulate(slot, now);
        self.levels[slot].waiting -= requests;
        self.levels[slot].in_use += 1;
    }

    /// A connection is free again.
    #[inline]
    pub fn freed(&mut self, service: usize, now: Nanos) {
        self.advance(now);
        let slot = self.service_slot(service);
        self.accumulate(slot, now);
        self.levels[slot].in_use -= 1;
    }

    /// A request gave up waiting for a connection; it still has to leave.
    pub fn gave_up(&mut self, service: usize, now: Nanos) {
        self.advance(now);
        let slot = self.service_slot(service);
        self.accumulate(slot, now);
        self.levels[slot].waiting -= 1;
    }

    /// A request left the system: answered, be it by an error, or given up.
    #[inline]
    pub fn left(&mut self, service: usize, now: Nanos, answered: bool) {
        self.advance(now);
        let slot = self.service_slot(service);
        self.accumulate(slot, now);
        // A reply may be handed out later than it came, together with others: its request was not in the system meanwhile.
        let late = self.levels[slot].since.saturating_sub(now);
        let interval = &mut self.current.services[slot].1;
        interval.in_system_ns = interval.in_system_ns.saturating_sub(late);
        if answered {
            self.record_silence(slot, now);
            self.levels[slot].silence = Silence { since: now, ..Silence::default() };
        } else {
            self.levels[slot].silence.failed = true;
        }
        self.levels[slot].in_system -= 1;
    }

    /// Records the time without an answer up to now, if it is long enough and not recorded yet.
    #[inline]
    fn record_silence(&mut self, slot: usize, now: Nanos) {
        let silence = &mut self.levels[slot].silence;
        let is_long = silence.recorded.is_some() || now.saturating_sub(silence.since) >= self.plan.silence;
        if !is_long {
            return;
        }
        let from = silence.recorded.replace(now).unwrap_or(silence.since);
        if now > self.plan.start {
            let since_start = |at: Nanos| at.saturating_sub(self.plan.start);
            let span = Span { from_ns: since_start(from), to_ns: since_start(now) };
            self.current.services[slot].1.silences.push(span);
        }
    }

    /// Records a completion. One that fell due before the measured period goes with the warm-up; once that is over it is counted,
    /// and nothing else.
    #[inline]
    pub fn record(&mut self, completion: Completion) {
        self.advance(completion.done);
        let slot = self.series_slots[usize::from(completion.series.0)].expect("a worker records its own series only");
        let series = &mut self.current.series[slot].1;
        if completion.due < self.plan.start && self.current.second >= 0 {
            series.counts.carried_over += u64::from(matches!(completion.outcome, Outcome::Success { .. }));
            return;
        }
        series.record(completion);
    }

    /// Records a completion in the series of the node that served it as well, with the instant of a success.
    #[inline]
    pub fn record_of_node(&mut self, completion: Completion) {
        self.advance(completion.done);
        if matches!(completion.outcome, Outcome::Success { .. })
            && let Some(slot) = self.series_slots[usize::from(completion.series.0)]
        {
            self.current.series[slot].1.serve(completion.done.saturating_sub(self.plan.start));
        }
        self.record(completion);
    }

    /// Adds lost and recovered connections of a service.
    pub fn reconnected(&mut self, service: usize, lost: u64, recovered: u64) {
        let slot = self.service_slot(service);
        let interval = &mut self.current.services[slot].1;
        interval.lost += lost;
        interval.recovered += recovered;
    }

    /// Adds redirections of a service that were followed.
    pub fn redirected(&mut self, service: usize, moved: u64, asked: u64) {
        let slot = self.service_slot(service);
        let interval = &mut self.current.services[slot].1;
        interval.moved += moved;
        interval.asked += asked;
    }

    /// An idle connection is asked for a sign of life.
    pub fn idle_check(&mut self, service: usize) {
        let slot = self.service_slot(service);
        self.current.services[slot].1.idle_checks += 1;
    }

    /// Whether no request is in the system.
    pub fn is_idle(&self) -> bool {
        self.levels.iter().all(|levels| levels.in_system == 0)
    }

    /// Hands over every interval that has ended by `now`. Called by every other method and, where nothing happens, by
    /// the worker's clock.
    #[inline]
    pub fn advance(&mut self, now: Nanos) {
        while now >= self.ends {
            self.hand_over(self.ends);
        }
    }

    /// Hands over the last, unfinished interval.
    pub fn finish(mut self, now: Nanos) {
        self.advance(now);
        for (slot, levels) in self.levels.iter().enumerate() {
            self.current.services[slot].1.unanswered = levels.is_unanswered();
        }
        self.hand_over(now);
    }

    fn hand_over(&mut self, end: Nanos) {
        for slot in 0..self.levels.len() {
            self.accumulate(slot, end);
            if self.levels[slot].is_unanswered() {
                self.record_silence(slot, end);
            }
            self.current.services[slot].1.backlog = self.levels[slot].waiting;
        }
        self.current.length = end.saturating_sub(self.ends.saturating_sub(SECOND));
        // The collector is late only when the machine has no time for it; then memory is the lesser evil.
        let mut next = self.empty.try_recv().unwrap_or_else(|_| Interval::new(&self.plan));
        next.second = self.current.second + 1;
        self.ends = end_of(next.second, self.plan.start);
        // A collector that is gone has no use for the interval.
        let _ = self.full.send(std::mem::replace(&mut self.current, next));
    }

    #[inline]
    fn accumulate(&mut self, slot: usize, now: Nanos) {
        let levels = &mut self.levels[slot];
        let elapsed = now.saturating_sub(levels.since);
        let interval = &mut self.current.services[slot].1;
        interval.in_system_ns += levels.in_system * elapsed;
        interval.waiting_ns += levels.waiting * elapsed;
        interval.in_use_ns += levels.in_use * elapsed;
        levels.since = levels.since.max(now);
    }

    fn service_slot(&self, service: usize) -> usize {
        self.service_slots[service].expect("a worker records its own services only")
    }
}

fn end_of(second: i64, start: Nanos) -> Nanos {
    (start as i64 + (second + 1) * SECOND as i64) as Nanos
}

/// Position of each number in the list that is given.
fn slots(numbers: impl Iterator<Item = usize>) -> Vec<Option<usize>> {
    let mut slots = Vec::new();
    for (slot, number) in numbers.enumerate() {
        if slots.len() <= number {
            slots.resize(number + 1, None);
        }
        slots[number] = Some(slot);
    }
    slots
}

#[cfg(test)]
mod tests;
