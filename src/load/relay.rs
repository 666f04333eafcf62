//! Seconds of several processes that send one load: what each reports of a second, and their sum.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    api::{OnSecond, Progress, Second, Settings},
    collector::progress,
    ledger::Ledger,
    plan::Plan,
};
use crate::{
    measure::{
        Counts, Interval, Latencies, Nanos, PackedHistogram, Period, Recording, SECOND, Series, SeriesId, SeriesRole,
        ServiceInterval, Timeframe, nanos,
    },
    scenario::{Phases, Scenario},
};

/// A second of one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondReport {
    second: i64,
    length: Nanos,
    series: Vec<SeriesReport>,
    services: Vec<ServiceReport>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SeriesReport {
    number: u16,
    counts: Counts,
    response: PackedHistogram,
    service: PackedHistogram,
    wait: PackedHistogram,
    failed: PackedHistogram,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ServiceReport {
    number: usize,
    scheduled: u64,
    lag: PackedHistogram,
    backlog: u64,
    in_system_ns: u64,
    waiting_ns: u64,
    in_use_ns: u64,
    lost: u64,
    recovered: u64,
}

impl SecondReport {
    /// What a process reports of a second.
    pub fn of(second: &Second<'_>) -> Self {
        let series = second.series.iter().filter(|(_, _, series)| !series.is_empty());
        let series = series.map(|(id, _, series)| SeriesReport {
            number: id.0,
            counts: series.counts.clone(),
            response: series.response.pack(),
            service: series.service.pack(),
            wait: series.wait.pack(),
            failed: series.failed.pack(),
        });
        let services = second.services.iter().map(|(number, service)| ServiceReport {
            number: *number,
            scheduled: service.scheduled,
            lag: service.lag.pack(),
            backlog: service.backlog,
            in_system_ns: service.in_system_ns,
            waiting_ns: service.waiting_ns,
            in_use_ns: service.in_use_ns,
            lost: service.lost,
            recovered: service.recovered,
        });
        Self { second: second.second, length: second.length, series: series.collect(), services: services.collect() }
    }

    /// Second from the start of the measured period; negative during the warm-up.
    pub fn second(&self) -> i64 {
        self.second
    }

    /// Requests that fell due in it.
    pub fn scheduled(&self) -> u64 {
        self.services.iter().map(|service| service.scheduled).sum()
    }

    /// The interval of a worker that recorded the same; those of series that nothing happened to are empty.
    fn interval(self, series: usize) -> Interval {
        let mut all: Vec<_> = (0..series).map(|number| (SeriesId(number as u16), Series::default())).collect();
        for report in self.series {
            let Some((_, own)) = all.get_mut(usize::from(report.number)) else { continue };
            own.counts = report.counts;
            own.response = Latencies::unpacked(&report.response);
            own.service = Latencies::unpacked(&report.service);
            own.wait = Latencies::unpacked(&report.wait);
            own.failed = Latencies::unpacked(&report.failed);
        }
        let services = self.services.into_iter().map(|report| {
            let interval = ServiceInterval {
                scheduled: report.scheduled,
                lag: Latencies::unpacked(&report.lag),
                backlog: report.backlog,
                in_system_ns: report.in_system_ns,
                waiting_ns: report.waiting_ns,
                in_use_ns: report.in_use_ns,
                lost: report.lost,
                recovered: report.recovered,
                ..ServiceInterval::default()
            };
            (report.number, interval)
        });
        Interval { second: self.second, length: self.length, series: all, services: services.collect() }
    }
}

/// The sum of the seconds that several processes report.
pub struct Relay {
    ledger: Ledger,
    plan: Arc<Plan>,
    run: Phases,
    tallies: Vec<Tally>,
}

/// What one of the processes has reported of the measured period.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Requests that fell due.
    pub scheduled: u64,
    /// Requests that succeeded.
    pub completed: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Response time of successes.
    pub response: Latencies,
    /// Schedule lag of open-loop requests.
    pub lag: Latencies,
}

impl Tally {
    /// Adds what was recorded of whole operations: their steps are not requests.
    fn add(&mut self, interval: &Interval, is_operation: impl Fn(SeriesId) -> bool) {
        for (_, series) in interval.series.iter().filter(|(id, _)| is_operation(*id)) {
            self.completed += series.counts.completed;
            self.failed += series.counts.failed();
            self.response.merge(&series.response);
        }
        for (_, service) in &interval.services {
            self.scheduled += service.scheduled;
            self.lag.merge(&service.lag);
        }
    }
}

impl Relay {
    /// The sum over a number of processes. `on_second` is called once all of them have reported a second.
    pub fn new(scenario: &Scenario, processes: usize, on_second: Option<OnSecond>) -> Self {
        let plan = Arc::new(Plan::new(scenario, Settings::default(), &[]));
        let ledger = Ledger::new(scenario, &plan, processes, on_second);
        let tallies = vec![Tally::default(); processes];
        Self { ledger, plan, run: scenario.run, tallies }
    }

    /// Adds what one of them, by its number, reports.
    pub fn add(&mut self, process: u32, report: SecondReport) {
        let interval = report.interval(self.plan.operations);
        let is_operation = |id: SeriesId| self.plan.series[usize::from(id.0)].key.role == SeriesRole::Operation;
        if let (true, Some(tally)) = (interval.second >= 0, self.tallies.get_mut(process as usize)) {
            tally.add(&interval, is_operation);
        }
        self.ledger.enter(&interval);
    }

    /// Closes the seconds at the very end, of which those that were done earlier do not report.
    pub fn close_all(&mut self) {
        self.ledger.close_all();
    }

    /// What each of them has reported, in the order of their numbers.
    pub fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    /// The measured period up to the last second that all have reported; `None` where there is none. Which requests were left
    /// unfinished is not known then, and nothing of the threads.
    pub fn into_recording(self) -> Option<Recording> {
        let ([series, nodes, reads], services) = self.ledger.into_records();
        let last = services.iter().flat_map(|service| &service.seconds).map(|at| at.second).max()?;
        let planned_ns = nanos(self.run.duration);
        let period = Period {
            warmup_ns: nanos(self.run.warmup),
            planned_ns,
            measured_ns: planned_ns.min((u64::from(last) + 1) * SECOND),
            drain_ns: 0,
            interrupted: false,
        };
        Some(Recording { period, series, nodes, reads, services, workers: Vec::new(), host: Vec::new() })
    }

    /// The state of the load, once for each second that is whole.
    pub fn news(&mut self, frame: &Timeframe) -> Option<Progress> {
        let services = self.ledger.take_news()?;
        Some(progress(frame.clock.now(), frame.start, frame.end(), nanos(self.run.drain), services))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::load::fake;

    #[test]
    fn the_sum_of_a_second_has_every_request_of_each_process() {
        let scenario = fake::scenario("size = 8", "rate = 1000", &["command = \"GET\""]);
        let report = |values: &[u64], second| {
            let mut series = Series::default();
            for value in values {
                series.response.record(*value);
            }
            series.counts.completed = values.len() as u64;
            let interval = ServiceInterval {
                scheduled: values.len() as u64,
                in_system_ns: 500_000_000,
                ..ServiceInterval::default()
            };
            let key = crate::measure::SeriesKey {
                service: "api".to_owned(),
                operation: "GET".to_owned(),
                role: SeriesRole::Operation,
            };
            let second = Second {
                second,
                length: 1_000_000_000,
                series: vec![(SeriesId(0), &key, &series)],
                services: &[(0, &interval)],
            };
            let text = serde_json::to_string(&SecondReport::of(&second)).unwrap();
            serde_json::from_str::<SecondReport>(&text).unwrap()
        };
        let (sender, seconds) = mpsc::channel();
        let on_second: OnSecond = Box::new(move |second| {
            let (_, _, series) = second.series[0];
            let service = second.services[0].1;
            let _ = sender.send((series.counts.completed, series.response.quantile(1.0), service.in_system_ns));
        });
        let mut relay = Relay::new(&scenario, 2, Some(on_second));
        relay.add(0, report(&[100, 200], 0));
        assert!(seconds.try_recv().is_err(), "the other process has not reported it");
        relay.add(1, report(&[700], 0));
        assert_eq!(seconds.try_recv().unwrap(), (3, 700, 1_000_000_000));

        relay.add(0, report(&[300], 1));
        assert!(seconds.try_recv().is_err());
        let tallies = relay.tallies();
        assert_eq!((tallies[0].completed, tallies[0].response.quantile(1.0)), (3, 300));
        assert_eq!((tallies[1].scheduled, tallies[1].response.quantile(1.0)), (1, 700));
        let recording = relay.into_recording().unwrap();
        assert_eq!(recording.period.measured_ns, SECOND, "the other process did not report the last second");
        assert_eq!((recording.scheduled(), recording.series[0].totals().completed), (3, 3));
    }

    #[test]
    fn steps_of_an_operation_are_no_requests() {
        let sequence = "name = \"pair\"\nsequence = [{ command = \"GET\" }, { command = \"SET\" }]";
        let scenario = fake::scenario("size = 8", "rate = 1000", &[sequence]);
        let series = |number| SeriesReport {
            number,
            counts: Counts { completed: 1, ..Counts::default() },
            response: PackedHistogram::default(),
            service: PackedHistogram::default(),
            wait: PackedHistogram::default(),
            failed: PackedHistogram::default(),
        };
        let mut relay = Relay::new(&scenario, 1, None);
        assert!(relay.plan.operations > 1);
        let series = (0..relay.plan.operations as u16).map(series).collect();
        relay.add(0, SecondReport { second: 0, length: SECOND, series, services: Vec::new() });
        assert_eq!(relay.tallies()[0].completed, 1);
    }

    #[test]
    fn the_last_second_is_passed_on_although_some_were_done_before() {
        let scenario = fake::scenario("size = 8", "rate = 1000", &["command = \"GET\""]);
        let (sender, seconds) = mpsc::channel();
        let on_second: OnSecond = Box::new(move |second| {
            let _ = sender.send(second.second);
        });
        let mut relay = Relay::new(&scenario, 2, Some(on_second));
        relay.add(1, SecondReport { second: 7, length: 9, series: Vec::new(), services: Vec::new() });
        relay.close_all();
        assert_eq!(seconds.try_iter().collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn before_the_first_whole_second_there_is_no_recording() {
        let scenario = fake::scenario("size = 8", "rate = 1000", &["command = \"GET\""]);
        assert!(Relay::new(&scenario, 2, None).into_recording().is_none());
    }
}
