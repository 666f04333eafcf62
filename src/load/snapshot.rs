//! One second of the load, for people.

use super::api::ServiceProgress;
use crate::measure::{Latencies, Nanos, Series, ServiceInterval, ServiceRecord};

/// One second in the making.
pub(super) struct Snapshot {
    length: f64,
    services: Vec<(ServiceProgress, Latencies)>,
}

impl Snapshot {
    pub(super) fn new(services: &[ServiceRecord], connections: &[u64], length: Nanos) -> Self {
        let blank = |(service, connections): (&ServiceRecord, &u64)| {
            let progress =
                ServiceProgress { name: service.name.clone(), connections: *connections, ..ServiceProgress::default() };
            (progress, Latencies::default())
        };
        Self { length: length.max(1) as f64, services: services.iter().zip(connections).map(blank).collect() }
    }

    /// Adds a series of whole requests.
    pub(super) fn add_operation(&mut self, service: &str, series: &Series) {
        let own = self.services.iter_mut().find(|(progress, _)| progress.name == service);
        if let Some((progress, responses)) = own {
            progress.rate += series.counts.completed as f64 / (self.length / 1e9);
            progress.errors += series.counts.failed();
            responses.merge(&series.response);
        }
    }

    /// Adds what is known of the whole service, by its index in the scenario.
    pub(super) fn add_service(&mut self, index: usize, interval: &ServiceInterval) {
        self.services[index].0.in_system = interval.in_system_ns as f64 / self.length;
    }

    pub(super) fn into_progress(self) -> Vec<ServiceProgress> {
        let finish = |(mut progress, responses): (ServiceProgress, Latencies)| {
            if !responses.is_empty() {
                progress.p50 = responses.quantile(0.5);
                progress.p99 = responses.quantile(0.99);
            }
            progress
        };
        self.services.into_iter().map(finish).collect()
    }
}
