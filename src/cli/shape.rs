//! The scenario of one trial or slice: that of its variant at another rate, or with closed-loop clients, and of another length.

use std::time::Duration;

use crate::scenario::{Overrides, Scenario, ScenarioErrors};

/// The load that a scenario is brought to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// Operations per second of all open-loop services together; as the scenario says where it is `None`.
    pub(super) rate: Option<f64>,
    /// Closed-loop clients of all services together.
    pub(super) clients: Option<u32>,
    /// Load that is not measured.
    pub(super) warmup: Duration,
    /// Load that is.
    pub(super) duration: Duration,
    /// Root of all randomness.
    pub(super) seed: Option<u64>,
}

/// The scenario to carry out.
///
/// # Errors
///
/// Where it has no open loop although a rate is asked for.
pub(super) fn shaped(arm: &Scenario, shape: &Shape) -> Result<Scenario, ScenarioErrors> {
    let mut set = Vec::new();
    if let Some(clients) = shape.clients {
        for (service, share) in arm.services.iter().zip(shares(arm, clients)) {
            let mut field = |field: &str, value: String| set.push((format!("service.{}.{field}", service.name), value));
            field("load.model", "closed".to_owned());
            field("load.clients", share.to_string());
            // The model is of clients that find a connection; as many as there are connections change nothing.
            let each = share.div_ceil(service.instances);
            if each > service.pool.size {
                field("pool.size", each.to_string());
            }
        }
    }
    let overrides = Overrides {
        duration: Some(shape.duration),
        warmup: Some(shape.warmup),
        rate: shape.rate,
        seed: shape.seed,
        options: Vec::new(),
        pin: false,
        set,
        events: Vec::new(),
    };
    overrides.apply(&arm.source, &arm.name)
}

/// Clients of each service: one, and of the others a part in proportion to its connections.
fn shares(arm: &Scenario, clients: u32) -> Vec<u32> {
    let all = arm.connections().max(1);
    let others = clients.saturating_sub(arm.services.len() as u32);
    let exact = |connections: u64| u64::from(others) * connections;
    let mut shares: Vec<u32> =
        arm.services.iter().map(|service| 1 + (exact(service.connections()) / all) as u32).collect();
    // What rounding has left over goes to those that lost most by it.
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(exact(arm.services[*index].connections()) % all));
    let missing = clients.saturating_sub(shares.iter().sum());
    for index in order.into_iter().cycle().take(missing as usize) {
        shares[index] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Load, Service, load};

    fn shape(rate: Option<f64>, clients: Option<u32>) -> Shape {
        Shape { rate, clients, warmup: Duration::from_millis(1_500), duration: Duration::from_secs(20), seed: Some(7) }
    }

    #[test]
    fn services_keep_their_proportions() {
        let arm = load("workflow-engine").unwrap();
        let shaped = shaped(&arm, &shape(Some(25_000.0), None)).unwrap();
        let rates: Vec<_> = shaped.services.iter().filter_map(Service::offered_rate).collect();
        assert_eq!(rates, [10_000.0, 10_000.0, 5_000.0]);
        assert_eq!(shaped.run.duration, Duration::from_secs(20));
        assert_eq!(shaped.run.warmup, Duration::from_millis(1_500));
        assert_eq!((shaped.run.drain, shaped.seed), (arm.run.drain, 7));
    }

    #[test]
    fn clients_are_shared_out_and_find_connections() {
        let equal = load("workflow-engine").unwrap();
        let skewed = [("chat", 100), ("api", 1), ("ml", 1)];
        let set = skewed.map(|(name, size)| (format!("service.{name}.pool.size"), size.to_string())).to_vec();
        let skewed = Overrides { set, ..Overrides::default() }.apply(&equal.source, "x").unwrap();
        for clients in [3, 4, 8, 100] {
            assert_eq!(shares(&skewed, clients).iter().sum::<u32>(), clients);
        }
        let arm = equal;
        for clients in [3, 4, 7, 150, 200] {
            let shaped = shaped(&arm, &shape(None, Some(clients))).unwrap();
            let of = |service: &Service| match service.load {
                Load::Closed { clients, .. } => clients,
                Load::Open { .. } => panic!("{} is open", service.name),
            };
            assert_eq!(shaped.services.iter().map(of).sum::<u32>(), clients);
            assert!(shaped.services.iter().all(|service| of(service) <= service.pool.size), "{clients}");
            assert!(clients > 150 || shaped.connections() == 150, "pools are as written");
        }
    }
}
