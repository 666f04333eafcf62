//! Utilisation of each pool.

use super::evidence::Evidence;
use crate::{
    measure::{SECOND, ServiceRecord},
    scenario::{Checkout, Service},
};

/// One pool over the measured period, all instances of its service together.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolUse {
    /// Service.
    pub service: String,
    /// Connections, or with shared checkout the requests that may be under way on them at once.
    pub places: u64,
    /// Mean number of them in use.
    pub in_use: f64,
    /// Hold time over places x time, 0..=1.
    pub utilisation: f64,
    /// Requests per second that the service was offered; `None` in a closed loop.
    pub offered: Option<f64>,
    /// Mean number of requests waiting for one.
    pub waiting: f64,
    /// Connections lost.
    pub lost: u64,
    /// Connections that came back.
    pub recovered: u64,
    /// Idle connections that were asked for a sign of life.
    pub idle_checks: u64,
}

/// Every pool, in the scenario's order.
pub(super) fn pools(evidence: &Evidence<'_>) -> Vec<PoolUse> {
    let known = |service: &Service| {
        let record = evidence.run.recording.service(&service.name)?;
        Some(pool(service, record, evidence.run.recording.period.measured_ns))
    };
    evidence.scenario.services.iter().filter_map(known).collect()
}

fn pool(service: &Service, record: &ServiceRecord, measured: u64) -> PoolUse {
    // The last second of the measured period may be a partial one, and counts for as much; the drain does not count.
    let mut sums = (0.0, 0.0);
    for second in &record.seconds {
        let length = measured.saturating_sub(u64::from(second.second) * SECOND).min(SECOND) as f64;
        sums = (sums.0 + second.in_use * length, sums.1 + second.waiting * length);
    }
    let mean = |sum: f64| sum / measured.max(1) as f64;
    let places = match service.pool.checkout {
        Checkout::Exclusive => service.connections(),
        Checkout::Shared { in_flight } => service.connections() * u64::from(in_flight),
    };
    PoolUse {
        service: service.name.clone(),
        places,
        in_use: mean(sums.0),
        utilisation: (mean(sums.0) / places.max(1) as f64).min(1.0),
        offered: service.offered_rate(),
        waiting: mean(sums.1),
        lost: record.seconds.iter().map(|second| second.lost).sum(),
        recovered: record.seconds.iter().map(|second| second.recovered).sum(),
        idle_checks: record.seconds.iter().map(|second| second.idle_checks).sum(),
    }
}

#[cfg(test)]
mod tests {
    use crate::{analysis::analyse, results::sample};

    #[test]
    fn use_is_weighted_by_time() {
        let mut run = sample::run();
        let seconds = &mut run.recording.services[0].seconds;
        for second in seconds.iter_mut() {
            (second.in_use, second.waiting) = (if second.second == 0 { 50.0 } else { 0.0 }, 2.0);
        }
        let pools = analyse(&run, &sample::scenario()).pools;
        let api = &pools[0];
        assert_eq!((api.service.as_str(), api.places, api.lost), ("api", 50, 1));
        assert!((api.utilisation - 1.0 / 12.0).abs() < 1e-9, "{api:?}");
        assert!((api.waiting - 2.0).abs() < 1e-9, "the drain does not count: {api:?}");
    }
}
