//! Number of requests that fall due in the measured period.

use super::Arrivals;
use crate::{
    measure::nanos,
    scenario::{Load, Scenario},
};

/// Number of requests of each service that fall due in the measured period, in the scenario's order; `None` in a closed loop, which
/// has no schedule.
pub fn scheduled(scenario: &Scenario) -> Vec<Option<u64>> {
    let start = nanos(scenario.run.warmup);
    let end = start + nanos(scenario.run.duration);
    let of_service = |(index, service): (usize, &crate::scenario::Service)| match service.load {
        Load::Closed { .. } => None,
        Load::Open { rate, arrivals } => {
            let rate = rate / f64::from(service.instances);
            let of_instance = |instance| {
                let due = Arrivals::new(scenario.seed, index, instance, rate, arrivals);
                due.skip_while(|due| *due < start).take_while(|due| *due < end).count() as u64
            };
            Some((0..service.instances).map(of_instance).sum())
        }
    };
    scenario.services.iter().enumerate().map(of_service).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::scenario::{ArrivalProcess, load};

    #[test]
    fn equal_gaps_give_the_rate_times_the_length() {
        let mut scenario = load("mixed").unwrap();
        scenario.services.truncate(1);
        scenario.services[0].instances = 3;
        scenario.services[0].load = Load::Open { rate: 3_000.0, arrivals: ArrivalProcess::Uniform };
        scenario.run.warmup = Duration::from_secs(1);
        scenario.run.duration = Duration::from_secs(4);
        assert_eq!(scheduled(&scenario), [Some(12_000)]);
        scenario.services[0].load = Load::Closed { clients: 3, think_time: Duration::ZERO };
        assert_eq!(scheduled(&scenario), [None]);
    }
}
