//! Rights and data of scenarios on a server.

use crate::scenario::Scenario;

/// Whether two variants work on the same data.
pub(super) fn same_data(one: &Scenario, other: &Scenario) -> bool {
    let data = |scenario: &Scenario| {
        let services = scenario.services.iter().map(|service| {
            let operations: Vec<_> = service.operations.iter().map(|operation| operation.action.clone()).collect();
            let around = (service.setup.clone(), service.cleanup.clone());
            (service.database, service.keys.clone(), service.values, operations, around)
        });
        (scenario.seed, services.collect::<Vec<_>>())
    };
    data(one) == data(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Overrides, load};

    #[test]
    fn only_another_keyspace_takes_other_data() {
        let scenario = load("workflow-engine").unwrap();
        let with = |field: &str, value: &str| {
            let set = vec![(format!("service.api.{field}"), value.to_owned())];
            Overrides { set, ..Overrides::default() }.apply(&scenario.source, "x").unwrap()
        };
        for (field, value, same) in [
            ("pool.size", "3", true),
            ("pool.checkout", "shared", true),
            ("load.rate", "3", true),
            ("operation.GET.weight", "3", true),
            ("values.size", "3", false),
            ("keys.count", "3", false),
            ("operation.HGET.members", "3", false),
        ] {
            assert_eq!(same_data(&scenario, &with(field, value)), same, "{field}");
        }
    }
}
