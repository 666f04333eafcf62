//! The recording in the making: takes the intervals of all workers, merges those of the same second, and packs each
//! second once it is complete.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    api::{OnSecond, Second, ServiceProgress},
    plan::Plan,
    pool::Opened,
    snapshot::Snapshot,
};
use crate::{
    measure::{
        Interval, Latencies, Nanos, Series, SeriesId, SeriesRecord, SeriesRole, SeriesSecond, ServiceInterval,
        ServiceRecord, ServiceSecond,
    },
    scenario::Scenario,
};

/// The recording in the making.
pub(super) struct Ledger {
    workers: usize,
    /// Seconds of which only some workers have reported.
    partial: BTreeMap<i64, Partial>,
    series: Vec<SeriesRecord>,
    /// Number of series before those of nodes.
    operations: usize,
    /// Number of series before those of reads by role.
    before_reads: usize,
    services: Vec<ServiceRecord>,
    connections: Vec<u64>,
    news: Option<Vec<ServiceProgress>>,
    on_second: Option<OnSecond>,
}

/// Times of opening the connections of a service.
#[derive(Debug, Clone, Default)]
pub(super) struct Openings {
    whole: Latencies,
    handshake: Latencies,
}

impl Openings {
    pub(super) fn record(&mut self, opened: Opened) {
        self.whole.record(opened.whole);
        if let Some(nanos) = opened.handshake {
            self.handshake.record(nanos);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.whole.len()
    }
}

/// Parts of one second that have arrived.
#[derive(Default)]
struct Partial {
    reports: usize,
    length: Nanos,
    series: BTreeMap<u16, Series>,
    services: BTreeMap<usize, ServiceInterval>,
}

impl Ledger {
    pub(super) fn new(scenario: &Scenario, plan: &Plan, workers: usize, on_second: Option<OnSecond>) -> Self {
        let series = plan.series.iter().map(|planned| SeriesRecord {
            key: planned.key.clone(),
            commands: planned.commands.clone(),
            expects_hits: planned.expects_hits,
            seconds: Vec::new(),
            unfinished: 0,
            messages: BTreeMap::new(),
        });
        let services = scenario.services.iter().enumerate().map(|(index, service)| ServiceRecord {
            name: service.name.clone(),
            connect: Latencies::default().pack(),
            handshake: None,
            connections: 0,
            parts: plan.parts_of(index),
            scheduled: 0,
            seconds: Vec::new(),
        });
        Self {
            workers,
            partial: BTreeMap::new(),
            series: series.collect(),
            operations: plan.operations,
            before_reads: plan.before_reads,
            services: services.collect(),
            connections: scenario.services.iter().map(crate::scenario::Service::connections).collect(),
            news: None,
            on_second,
        }
    }

    /// Enters one interval of one worker.
    pub(super) fn enter(&mut self, interval: &Interval) {
        if self.workers == 1 {
            let series = interval.series.iter().map(|(id, series)| (*id, series));
            let services = interval.services.iter().map(|(index, service)| (*index, service));
            self.close(interval.second, interval.length, series, services);
            return;
        }
        let partial = self.partial.entry(interval.second).or_default();
        partial.reports += 1;
        partial.length = partial.length.max(interval.length);
        for (id, series) in &interval.series {
            partial.series.entry(id.0).or_default().merge(series);
        }
        for (index, service) in &interval.services {
            match partial.services.entry(*index) {
                Entry::Vacant(entry) => drop(entry.insert(service.clone())),
                Entry::Occupied(mut entry) => entry.get_mut().merge(service),
            }
        }
        if partial.reports == self.workers
            && let Some(partial) = self.partial.remove(&interval.second)
        {
            self.close_partial(interval.second, &partial);
        }
    }

    /// Closes the seconds at the very end, of which workers that were done earlier do not report.
    pub(super) fn close_all(&mut self) {
        for (second, partial) in std::mem::take(&mut self.partial) {
            self.close_partial(second, &partial);
        }
    }

    /// The latest second for people, once.
    pub(super) fn take_news(&mut self) -> Option<Vec<ServiceProgress>> {
        self.news.take()
    }

    /// Enters requests that were not finished.
    pub(super) fn unfinished(&mut self, series: &[SeriesId]) {
        for id in series {
            self.series[usize::from(id.0)].unfinished += 1;
        }
    }

    /// Enters how long each service's connections took to open.
    pub(super) fn connected(&mut self, openings: &[Openings]) {
        for (service, Openings { whole, handshake }) in self.services.iter_mut().zip(openings) {
            service.connect = whole.pack();
            service.handshake = (!handshake.is_empty()).then(|| handshake.pack());
            service.connections = whole.len();
        }
    }

    /// Series of operations, of nodes, and of reads by role; services.
    pub(super) fn into_records(self) -> ([Vec<SeriesRecord>; 3], Vec<ServiceRecord>) {
        let Self { mut series, services, operations, before_reads, .. } = self;
        let reads = series.split_off(before_reads);
        let nodes = series.split_off(operations);
        ([series, nodes, reads], services)
    }

    fn close_partial(&mut self, second: i64, partial: &Partial) {
        let series = partial.series.iter().map(|(id, series)| (SeriesId(*id), series));
        let services = partial.services.iter().map(|(index, service)| (*index, service));
        self.close(second, partial.length, series, services);
    }

    fn close<'a>(
        &mut self,
        second: i64,
        length: Nanos,
        series: impl Iterator<Item = (SeriesId, &'a Series)>,
        services: impl Iterator<Item = (usize, &'a ServiceInterval)>,
    ) {
        let (series, services): (Vec<_>, Vec<_>) = (series.collect(), services.collect());
        if let Some(on_second) = &mut self.on_second {
            let named = |(id, series): &(SeriesId, &'a Series)| (*id, &self.series[usize::from(id.0)].key, *series);
            let is_operation = |(id, _): &&(SeriesId, &'a Series)| usize::from(id.0) < self.operations;
            let of_operations = series.iter().filter(is_operation).map(named);
            on_second(&Second { second, length, series: of_operations.collect(), services: &services });
        }
        let mut snapshot = Snapshot::new(&self.services, &self.connections, length);
        for (id, series) in series {
            let record = &mut self.series[usize::from(id.0)];
            if record.key.role == SeriesRole::Operation && usize::from(id.0) < self.operations {
                snapshot.add_operation(&record.key.service, series);
            }
            if let (Ok(second), false) = (u32::try_from(second), series.is_empty()) {
                enter_series(record, second, series);
            }
        }
        for (index, service) in services {
            snapshot.add_service(index, service);
            if let Ok(second) = u32::try_from(second) {
                enter_service(&mut self.services[index], second, length, service);
            }
        }
        self.news = Some(snapshot.into_progress());
    }
}

fn enter_series(record: &mut SeriesRecord, second: u32, series: &Series) {
    let mut counts = series.counts.clone();
    counts.beyond_range = [&series.response, &series.failed].map(Latencies::beyond_range).iter().sum();
    record.seconds.push(SeriesSecond {
        second,
        counts,
        response: series.response.pack(),
        service: series.service.pack(),
        wait: series.wait.pack(),
        failed: series.failed.pack(),
        served: series.served,
    });
    for (class, message) in &series.messages {
        record.messages.entry(*class).or_insert_with(|| message.clone());
    }
}

fn enter_service(record: &mut ServiceRecord, second: u32, length: Nanos, service: &ServiceInterval) {
    let length = length.max(1) as f64;
    record.scheduled += service.scheduled;
    record.seconds.push(ServiceSecond {
        second,
        scheduled: service.scheduled,
        lag: service.lag.pack(),
        backlog: service.backlog,
        in_system: service.in_system_ns as f64 / length,
        waiting: service.waiting_ns as f64 / length,
        in_use: service.in_use_ns as f64 / length,
        lost: service.lost,
        recovered: service.recovered,
        moved: service.moved,
        asked: service.asked,
        idle_checks: service.idle_checks,
        silences: service.silences.clone(),
        unanswered: service.unanswered,
    });
}
