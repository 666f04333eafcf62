//! Prediction of Erlang C for a pool, beside the measurement.

use super::{
    ErlangCheck,
    erlang::{Queue, smallest},
    evidence::same_rate,
    judge::is_limited,
};
use crate::{
    results::{ServiceTrial, Trial},
    scenario::{Checkout, Scenario, Service},
};

/// Erlang-C at each of these rates (operations per second of the scenario) at which something was measured, each once.
pub(super) fn checks(scenario: &Scenario, trials: &[&Trial], rates: &[f64]) -> Vec<ErlangCheck> {
    let first = |(index, rate): &(usize, &f64)| !rates[..*index].iter().any(|earlier| same_rate(*earlier, **rate));
    let at = |rate: f64| {
        let sound = trials.iter().filter(|trial| !is_limited(trial, &scenario.objective));
        // The longest, since it knows the tail best, and of several the last.
        sound
            .filter(|trial| trial.offered.is_some_and(|offered| same_rate(offered, rate)))
            .max_by_key(|trial| trial.measured_ns)
    };
    rates.iter().enumerate().filter(first).filter_map(|(_, rate)| check(scenario, at(*rate)?, *rate)).collect()
}

/// One instance of the service whose pool is in use most; `None` where all share their connections, for then they are no servers
/// in the sense of the theory.
fn check(scenario: &Scenario, trial: &Trial, rate: f64) -> Option<ErlangCheck> {
    let total = scenario.offered_rate()?;
    let of_instance = |service: &Service| Some(rate * service.offered_rate()? / total / f64::from(service.instances));
    let load = |(service, measured, rate): &(&Service, &ServiceTrial, f64)| {
        rate * measured.hold_mean / f64::from(service.pool.size)
    };
    let (service, measured, rate) = scenario
        .services
        .iter()
        .zip(&trial.services)
        .filter(|(service, measured)| {
            // Parts are several queues, whose arrivals are not those of Poisson.
            service.pool.checkout == Checkout::Exclusive
                && service.pool.pipeline == 1
                && measured.parts.is_none()
                && measured.hold_mean > 0.0
        })
        .filter_map(|(service, measured)| Some((service, measured, of_instance(service)?)))
        .max_by(|a, b| load(a).total_cmp(&load(b)))?;
    let hold = measured.hold_mean;
    let queue = Queue::new(service.pool.size, rate, hold);
    Some(ErlangCheck {
        service: service.name.clone(),
        rate,
        hold,
        connections: service.pool.size,
        utilisation: queue.utilisation(),
        predicted_p99: queue.wait_quantile(0.99),
        measured_p99: measured.wait_p99 as f64,
        smallest: smallest(rate, hold, scenario.objective.latency.as_nanos() as f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        analysis::capacity::simulated::{scenario, trial},
        scenario::parse,
    };

    const MILLI: f64 = 1e6;

    /// `often` has the higher rate, `long` holds its connections ten times as long.
    fn two(checkout: &str) -> Scenario {
        let service = |name: &str, rate: u32, pool: &str| {
            format!(
                "[[service]]\nname = \"{name}\"\n[service.pool]\nsize = 50\n{pool}[service.load]\nrate = {rate}\n\
                 [[service.operation]]\ncommand = \"GET\"\n"
            )
        };
        let (often, long) = (service("often", 4_000, ""), service("long", 2_000, checkout));
        parse(&format!("name = \"two\"\n{often}{long}"), "two").unwrap()
    }

    fn measured(rate: f64) -> Trial {
        let of = |hold: f64| ServiceTrial { hold_mean: hold, wait_p99: 7, ..ServiceTrial::default() };
        Trial { services: vec![of(0.1 * MILLI), of(MILLI)], ..trial(0, rate) }
    }

    #[test]
    fn the_pool_that_is_in_use_most_is_reported_and_not_the_one_with_the_highest_rate() {
        let trial = measured(12_000.0);
        let checked = checks(&two(""), &[&trial], &[12_000.0]);
        assert_eq!((checked.len(), checked[0].service.as_str()), (1, "long"));
        assert!(
            (checked[0].rate - 4_000.0).abs() < 1e-6 && (checked[0].utilisation - 0.08).abs() < 1e-9,
            "{checked:?}"
        );
        let checked = checks(&two("checkout = \"shared\"\n"), &[&trial], &[12_000.0]);
        assert_eq!(checked[0].service, "often", "shared connections are not modelled by Erlang");
    }

    #[test]
    fn every_rate_that_was_measured_is_reported_once() {
        let (own, most) = (measured(6_000.0), measured(12_000.0));
        let checked = |rates: &[f64]| -> Vec<f64> {
            checks(&two(""), &[&own, &most], rates).iter().map(|check| check.rate.round()).collect()
        };
        assert_eq!(checked(&[6_000.0, 12_000.0]), [2_000.0, 4_000.0]);
        assert_eq!(checked(&[12_000.0, 12_000.0, 9_000.0]), [4_000.0]);
        assert!(checks(&scenario(), &[&trial(0, 1_000.0)], &[1_000.0]).is_empty(), "no service was measured by itself");
    }
}
