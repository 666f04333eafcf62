//! The scenario of one arm, and what it offers.

use crate::{
    results::Arm,
    scenario::{Overrides, Scenario},
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
