//! Both arms in one load that gives each its turns: the way for arms that this build loads itself.

use crate::scenario::Scenario;

/// The services of one arm and then those of the other. Only the load engine sees it; it is never saved.
pub(super) fn both(first: &Scenario, second: &Scenario) -> Scenario {
    let services = first.services.iter().chain(&second.services).cloned().collect();
    Scenario { services, ..first.clone() }
}
