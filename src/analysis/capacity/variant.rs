//! The scenario of one arm, and what it offers.

use crate::{
    results::Arm,
    scenario::{Overrides, Scenario, Service},
};

/// The scenario with the settings of an arm. They were applied before the trials were made; where they no longer can be, the
/// scenario as it is.
pub(super) fn scenario(scenario: &Scenario, arm: &Arm) -> Scenario {
    if arm.settings.is_empty() {
        return scenario.clone();
    }
    let overrides = Overrides { set: arm.settings.clone(), ..Overrides::default() };
    overrides.apply(&scenario.source, &scenario.name).unwrap_or_else(|_| scenario.clone())
}

/// Operations per second of all open-loop services; `None` where there are none.
pub(super) fn offered(scenario: &Scenario) -> Option<f64> {
    let total: f64 = scenario.services.iter().filter_map(Service::offered_rate).sum();
    (total > 0.0).then_some(total)
}
