//! Database of each service, and one that is free for it.

use crate::{results::Inspection, scenario::Scenario};

/// Databases that a server has by default.
const USUAL: u8 = 16;

/// One service with its database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUse<'a> {
    /// Service.
    pub service: &'a str,
    /// Database that it selected.
    pub now: u8,
    /// Database that it would have for itself; `None` where the server has too few.
    pub proposed: Option<u8>,
}

/// The databases of a scenario's services. Of several that share one the first keeps it, the others get the lowest that is
/// free; a service that has its own keeps it.
pub fn databases<'a>(scenario: &'a Scenario, inspection: &Inspection) -> Vec<DatabaseUse<'a>> {
    let now: Vec<_> = scenario
        .services
        .iter()
        .map(|service| inspection.login_of(&service.name).map_or(service.database, |(_, database)| database))
        .collect();
    let limit = inspection.settings.get("databases").and_then(|count| count.parse().ok()).unwrap_or(USUAL);
    let mut free = (0..limit).filter(|database| !now.contains(database));
    let mut seen = Vec::new();
    let proposal = |(service, now): (&'a crate::scenario::Service, &u8)| {
        let proposed = if seen.contains(now) { free.next() } else { Some(*now) };
        seen.push(*now);
        DatabaseUse { service: &service.name, now: *now, proposed }
    };
    scenario.services.iter().zip(&now).map(proposal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample;

    fn layout(now: [u8; 3], databases_of_server: &str) -> Vec<(u8, Option<u8>)> {
        let mut run = sample::run();
        for (service, database) in run.inspection.logins[0].services.iter_mut().zip(now) {
            service.database = database;
        }
        run.inspection.settings.insert("databases".into(), databases_of_server.into());
        databases(&sample::scenario(), &run.inspection).iter().map(|use_of| (use_of.now, use_of.proposed)).collect()
    }

    #[test]
    fn who_has_a_database_of_its_own_keeps_it() {
        assert_eq!(layout([0, 5, 2], "16"), [(0, Some(0)), (5, Some(5)), (2, Some(2))]);
        assert_eq!(layout([0, 0, 1], "16"), [(0, Some(0)), (0, Some(2)), (1, Some(1))]);
        assert_eq!(layout([0, 0, 0], "2"), [(0, Some(0)), (0, Some(1)), (0, None)]);
    }
}
