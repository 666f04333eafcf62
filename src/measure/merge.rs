//! Sum of the recordings of several processes that sent the load of one run together. Nothing is averaged: counts and histograms
//! add, so that the sum of the parts of a recording is the recording.

use std::{collections::BTreeMap, iter, num::NonZero, panic::resume_unwind, thread};

use super::{
    HostInterval, Period, Recording, SECOND, SeriesRecord, SeriesSecond, ServiceRecord, ServiceSecond, Span,
    adder::Adder, recorder::common,
};

impl Recording {
    /// A recording of a period with nothing in it.
    pub fn empty(period: Period) -> Self {
        Self {
            period,
            series: Vec::new(),
            nodes: Vec::new(),
            reads: Vec::new(),
            services: Vec::new(),
            workers: Vec::new(),
            host: Vec::new(),
        }
    }

    /// The sum of several recordings, which have to be of the same services and of periods that were planned alike.
    ///
    /// # Panics
    /// Where there is none.
    pub fn sum(parts: Vec<Self>) -> Self {
        let period = parts.iter().map(|part| part.period).reduce(Period::or).expect("a sum has parts");
        let mut whole = Self::empty(period);
        let (mut series, mut nodes, mut reads, mut services) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut host: BTreeMap<u32, HostInterval> = BTreeMap::new();
        for mut part in parts {
            for second in part.services.iter_mut().flat_map(|service| &mut service.seconds) {
                second.spread(part.period.length_of(second.second), period.length_of(second.second));
            }
            series.extend(part.series);
            nodes.extend(part.nodes);
            reads.extend(part.reads);
            services.extend(part.services);
            whole.workers.extend(part.workers);
            for interval in part.host {
                host.entry(interval.second).and_modify(|worst| *worst = worst.worse(interval)).or_insert(interval);
            }
        }
        whole.series = grouped(series, |record| record.key.clone(), SeriesRecord::sum);
        whole.nodes = grouped(nodes, |record| record.key.clone(), SeriesRecord::sum);
        whole.reads = grouped(reads, |record| record.key.clone(), SeriesRecord::sum);
        whole.services = grouped(services, |record| record.name.clone(), ServiceRecord::sum);
        whole.host = host.into_values().collect();
        whole
    }
}

/// The sums of what has the same key, in the order in which the keys come first. All cores take part.
fn grouped<T: Send, K: PartialEq>(
    parts: Vec<T>,
    key: impl Fn(&T) -> K,
    sum: impl Fn(&mut Adder, Vec<T>) -> T + Sync,
) -> Vec<T> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for part in parts {
        let own = key(&part);
        match groups.iter_mut().find(|(key, _)| *key == own) {
            Some((_, group)) => group.push(part),
            None => groups.push((own, vec![part])),
        }
    }
    let mut groups = groups.into_iter().map(|(_, group)| group);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let each = groups.len().div_ceil(cores);
    let of_core = |groups: Vec<Vec<T>>| -> Vec<T> {
        let mut adder = Adder::default();
        groups.into_iter().map(|group| sum(&mut adder, group)).collect()
    };
    let shares =
        iter::from_fn(|| Some(groups.by_ref().take(each).collect::<Vec<_>>()).filter(|share| !share.is_empty()));
    thread::scope(|scope| {
        let of_core = &of_core;
        let threads: Vec<_> = shares.map(|share| scope.spawn(move || of_core(share))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// What has the same second, in order.
fn by_second<T>(parts: impl Iterator<Item = T>, second: impl Fn(&T) -> u32) -> BTreeMap<u32, Vec<T>> {
    let mut seconds: BTreeMap<u32, Vec<T>> = BTreeMap::new();
    for part in parts {
        seconds.entry(second(&part)).or_default().push(part);
    }
    seconds
}

impl Period {
    /// The period of two: what was measured by both, and everything that either needed besides.
    fn or(self, other: Self) -> Self {
        Self {
            warmup_ns: self.warmup_ns.max(other.warmup_ns),
            planned_ns: self.planned_ns.max(other.planned_ns),
            measured_ns: self.measured_ns.min(other.measured_ns),
            drain_ns: self.drain_ns.max(other.drain_ns),
            interrupted: self.interrupted || other.interrupted,
        }
    }
}

impl Period {
    /// How long a second was: the last one ends with the drain.
    fn length_of(&self, second: u32) -> f64 {
        let end = self.measured_ns + self.drain_ns;
        end.saturating_sub(u64::from(second) * SECOND).min(SECOND) as f64
    }
}

impl HostInterval {
    /// The worse of two machines in each respect; memory adds up.
    fn worse(self, other: Self) -> Self {
        let worst = |of: fn(&Self) -> Option<f64>| [of(&self), of(&other)].into_iter().flatten().reduce(f64::max);
        let memory = [self.harness_rss, other.harness_rss].into_iter().flatten();
        Self {
            second: self.second,
            busy: worst(|host| host.busy),
            stolen: worst(|host| host.stolen),
            throttled: worst(|host| host.throttled),
            harness_rss: memory.reduce(|sum, rss| sum + rss),
        }
    }
}

impl SeriesRecord {
    fn sum(adder: &mut Adder, parts: Vec<Self>) -> Self {
        let mut whole = Self { seconds: Vec::new(), unfinished: 0, messages: BTreeMap::new(), ..parts[0].clone() };
        let mut seconds = Vec::new();
        for part in parts {
            whole.unfinished += part.unfinished;
            for (class, message) in part.messages {
                // The least, so that the order of the parts does not matter.
                let kept = whole.messages.entry(class).or_insert_with(|| message.clone());
                if message < *kept {
                    *kept = message;
                }
            }
            seconds.extend(part.seconds);
        }
        let sum = |(second, parts): (u32, Vec<SeriesSecond>)| {
            let mut counts = parts[0].counts.clone();
            parts[1..].iter().for_each(|part| counts.merge(&part.counts));
            SeriesSecond {
                second,
                counts,
                response: adder.sum(parts.iter().map(|part| &part.response)),
                service: adder.sum(parts.iter().map(|part| &part.service)),
                wait: adder.sum(parts.iter().map(|part| &part.wait)),
                failed: adder.sum(parts.iter().map(|part| &part.failed)),
                served: parts.iter().filter_map(|part| part.served).reduce(Span::hull),
            }
        };
        whole.seconds = by_second(seconds.into_iter(), |part| part.second).into_iter().map(sum).collect();
        whole
    }
}

impl ServiceRecord {
    fn sum(adder: &mut Adder, parts: Vec<Self>) -> Self {
        let handshakes: Vec<_> = parts.iter().filter_map(|part| part.handshake.as_ref()).collect();
        let divided = parts.iter().map(|part| part.parts.unwrap_or(1)).sum();
        let mut whole = Self {
            name: parts[0].name.clone(),
            connect: adder.sum(parts.iter().map(|part| &part.connect)),
            handshake: (!handshakes.is_empty()).then(|| adder.sum(handshakes)),
            connections: parts.iter().map(|part| part.connections).sum(),
            parts: Some(divided).filter(|parts| *parts > 1),
            scheduled: parts.iter().map(|part| part.scheduled).sum(),
            seconds: Vec::new(),
        };
        let seconds = parts.into_iter().flat_map(|part| part.seconds);
        whole.seconds = by_second(seconds, |part| part.second)
            .into_values()
            .map(|parts| ServiceSecond::sum(adder, parts))
            .collect();
        whole
    }
}

impl ServiceSecond {
    /// Turns means over `own` nanoseconds into means over `whole`: a process that was done earlier had nothing in its system afterwards.
    fn spread(&mut self, own: f64, whole: f64) {
        if whole > 0.0 {
            for mean in [&mut self.in_system, &mut self.waiting, &mut self.in_use] {
                *mean *= own / whole;
            }
        }
    }

    fn sum(adder: &mut Adder, parts: Vec<Self>) -> Self {
        let lag = adder.sum(parts.iter().map(|part| &part.lag));
        let mut parts = parts.into_iter();
        let mut whole = parts.next().expect("a group has members");
        for part in parts {
            whole.scheduled += part.scheduled;
            whole.backlog += part.backlog;
            whole.in_system += part.in_system;
            whole.waiting += part.waiting;
            whole.in_use += part.in_use;
            whole.lost += part.lost;
            whole.recovered += part.recovered;
            whole.moved += part.moved;
            whole.asked += part.asked;
            whole.idle_checks += part.idle_checks;
            // As between workers: nobody had an answer.
            whole.silences = common(&whole.silences, &part.silences);
            whole.unanswered &= part.unanswered;
        }
        Self { lag, ..whole }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::measure::{Counts, Latencies, PackedHistogram, SeriesKey, SeriesRole};

    fn histogram(values: &[u64]) -> PackedHistogram {
        let mut latencies = Latencies::default();
        for value in values {
            latencies.record(*value);
        }
        latencies.pack()
    }

    /// A recording of one operation with these response times in each second.
    fn recording(seconds: &[Vec<u64>]) -> Recording {
        let key = SeriesKey { service: "api".to_owned(), operation: "GET".to_owned(), role: SeriesRole::Operation };
        let second = |(second, values): (usize, &Vec<u64>)| SeriesSecond {
            second: second as u32,
            counts: Counts { completed: values.len() as u64, bytes_sent: values.iter().sum(), ..Counts::default() },
            response: histogram(values),
            service: histogram(values),
            wait: histogram(&[]),
            failed: histogram(&[]),
            served: values.iter().map(|at| Span { from_ns: *at, to_ns: *at }).reduce(Span::hull),
        };
        let of_service = |(second, values): (usize, &Vec<u64>)| ServiceSecond {
            second: second as u32,
            scheduled: values.len() as u64,
            lag: histogram(values),
            backlog: values.len() as u64,
            in_system: values.len() as f64,
            waiting: 0.0,
            in_use: values.len() as f64,
            lost: 0,
            recovered: 1,
            moved: 0,
            asked: 0,
            idle_checks: 0,
            silences: Vec::new(),
            unanswered: false,
        };
        let length = SECOND * seconds.len() as u64;
        let period = Period { warmup_ns: 0, planned_ns: length, measured_ns: length, drain_ns: 0, interrupted: false };
        let series = SeriesRecord {
            key,
            commands: vec!["GET".to_owned()],
            expects_hits: false,
            seconds: seconds.iter().enumerate().filter(|(_, values)| !values.is_empty()).map(second).collect(),
            unfinished: 1,
            messages: BTreeMap::new(),
        };
        let service = ServiceRecord {
            name: "api".to_owned(),
            connect: histogram(&[1]),
            handshake: None,
            connections: 1,
            parts: None,
            scheduled: seconds.iter().map(|values| values.len() as u64).sum(),
            seconds: seconds.iter().enumerate().map(of_service).collect(),
        };
        Recording { series: vec![series], services: vec![service], ..Recording::empty(period) }
    }

    proptest! {
        #[test]
        fn the_order_and_the_grouping_of_parts_do_not_matter(
            parts in vec(vec(vec(1_u64..4_000_000_000, 0..20), 3), 3..6),
        ) {
            let parts: Vec<_> = parts.iter().map(|seconds| recording(seconds)).collect();
            let whole = Recording::sum(parts.clone());
            prop_assert_eq!(&Recording::sum(parts.iter().rev().cloned().collect()), &whole);
            let (first, second) = parts.split_at(2);
            let grouped = vec![Recording::sum(first.to_vec()), Recording::sum(second.to_vec())];
            prop_assert_eq!(&Recording::sum(grouped), &whole);
        }

        #[test]
        fn the_parts_of_a_recording_add_up_to_it(
            seconds in vec(vec(1_u64..4_000_000_000, 0..40), 3),
            parts in 1_usize..9,
        ) {
            let cut = |part: usize| -> Vec<Vec<u64>> {
                seconds.iter().map(|values| values.iter().copied().skip(part).step_by(parts).collect()).collect()
            };
            let whole = Recording::sum((0..parts).map(|part| recording(&cut(part))).collect());
            let expected = recording(&seconds);
            prop_assert_eq!(&whole.series[0].seconds, &expected.series[0].seconds);
            prop_assert_eq!(whole.services[0].scheduled, expected.services[0].scheduled);
            for (sum, second) in whole.services[0].seconds.iter().zip(&expected.services[0].seconds) {
                prop_assert_eq!(&sum.lag, &second.lag);
                prop_assert!((sum.in_system - second.in_system).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_process_that_was_done_earlier_had_nothing_in_its_system_afterwards() {
        let drained = |nanos: u64, in_system: f64| {
            let mut part = recording(&[vec![1], vec![1]]);
            (part.period.measured_ns, part.period.drain_ns) = (SECOND, nanos);
            part.services[0].seconds[1].in_system = in_system;
            part
        };
        // Request-nanoseconds of the last second: 2 ms with three requests, 800 ms with one.
        let sum = Recording::sum(vec![drained(2_000_000, 3.0), drained(800_000_000, 1.0)]);
        let expected = (2e6 * 3.0 + 8e8) / 8e8;
        assert!((sum.services[0].seconds[1].in_system - expected).abs() < 1e-9);
        assert!((sum.services[0].seconds[0].in_system - 2.0).abs() < 1e-9);
    }

    #[test]
    fn an_answer_to_one_process_ends_the_silence_of_the_service() {
        let silent = |spans: &[(u64, u64)]| {
            let mut part = recording(&[vec![1]]);
            part.services[0].seconds[0].silences =
                spans.iter().map(|(from_ns, to_ns)| Span { from_ns: *from_ns, to_ns: *to_ns }).collect();
            part
        };
        let sum = Recording::sum(vec![silent(&[(10, 50), (60, 90)]), silent(&[(30, 70)])]);
        let expected = [Span { from_ns: 30, to_ns: 50 }, Span { from_ns: 60, to_ns: 70 }];
        assert_eq!(sum.services[0].seconds[0].silences, expected);
    }

    #[test]
    fn the_worst_machine_of_a_second_counts() {
        let host = |stolen, harness_rss| {
            let interval = HostInterval { second: 0, busy: None, stolen, throttled: None, harness_rss };
            Recording { host: vec![interval], ..recording(&[vec![1]]) }
        };
        let sum = Recording::sum(vec![host(Some(0.1), Some(5)), host(None, Some(6)), host(Some(0.3), None)]);
        let worst = HostInterval { second: 0, busy: None, stolen: Some(0.3), throttled: None, harness_rss: Some(11) };
        assert_eq!(sum.host, [worst]);
    }
}
