//! Connections of the whole fleet against what the server takes, and what they cost it.

use super::Fleet;
use crate::{
    results::{Capacity, ConnectionLevel},
    scenario::Scenario,
};

/// Numbers of connections whose cost is reported.
pub const MANY_CONNECTIONS: u64 = 10_000;

/// Connections of all services, for each arm, against `maxclients`, unless that is the harness's own choice for a private server.
pub(super) fn fleet(capacity: &Capacity, scenario: &Scenario, variants: &[Scenario]) -> Fleet {
    let services = scenario.services.iter().map(|service| (service.name.clone(), service.instances, service.pool.size));
    let limit = capacity.target.settings.iter().find(|(name, _)| name == "maxclients");
    Fleet {
        services: services.collect(),
        connections: variants.iter().map(Scenario::connections).collect(),
        max_clients: limit.filter(|_| !capacity.target.private).and_then(|(_, value)| value.parse().ok()),
    }
}

/// Bytes of clients' memory for each connection, the slope of a least-squares line through what was measured, and for ten
/// thousand of them.
pub(super) fn connection_cost(levels: &[ConnectionLevel]) -> Option<(f64, f64)> {
    let count = levels.len() as f64;
    let mean = |value: fn(&ConnectionLevel) -> u64| levels.iter().map(|level| value(level) as f64).sum::<f64>() / count;
    let (connections, memory) = (mean(|level| level.connections), mean(|level| level.client_memory));
    let spread: f64 = levels.iter().map(|level| (level.connections as f64 - connections).powi(2)).sum();
    let together =
        |level: &ConnectionLevel| (level.connections as f64 - connections) * (level.client_memory as f64 - memory);
    if levels.len() < 2 || spread <= 0.0 {
        return None;
    }
    let each = levels.iter().map(together).sum::<f64>() / spread;
    (each > 0.0).then_some((each, each * MANY_CONNECTIONS as f64))
}
