//! Hash slots that the commands of a run went to, counted from a sample of its requests: servers before Valkey 8.0 and Redis 8.2 do
//! not count them. The requests are made again, so the load pays nothing for it.

use std::collections::BTreeMap;

use super::{Connector, Target, Topology, slots::SlotTable};
use crate::{
    measure::Recording,
    results::{SlotSample, SlotShare},
    scenario::Scenario,
    workload::RequestStream,
};

/// Requests of the sample.
const REQUESTS: u64 = 20_000;

/// Slots that are kept.
const BUSIEST: usize = 5;

/// Commands of a slot from which it is listed: the standard deviation of that number is then 14 % of it.
const LEAST: u64 = 50;

/// Fraction by whose multiples, modulo 1, sequence numbers are taken: they are spread evenly and fall into step with no cycle of
/// operations.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

impl Target {
    /// Busiest slots of a load; `None` where the target is no cluster, or commands had no keys.
    pub fn sample_slots(&self, scenario: &Scenario, recording: &Recording) -> Option<SlotSample> {
        if self.site.topology != Topology::Cluster {
            return None;
        }
        let scheduled: Vec<u64> = recording.services.iter().map(|service| service.scheduled).collect();
        let counts = counts(scenario, &scheduled);
        let commands = counts.values().sum();
        let mut slots: Vec<(u16, u64)> = counts.into_iter().filter(|(_, commands)| *commands >= LEAST).collect();
        slots.sort_by_key(|(slot, commands)| (std::cmp::Reverse(*commands), *slot));
        let table = self.connectors.iter().find_map(Connector::slots);
        let node = |slot| table.and_then(|table| table.node(table.owner(slot)?)).map(|node| node.to_string());
        let share = |(slot, commands)| SlotShare { slot, commands, node: node(slot) };
        let busiest = slots.into_iter().take(BUSIEST).map(share).collect();
        (commands > 0).then_some(SlotSample { commands, least: LEAST, busiest })
    }
}

/// Commands of a sample by slot. Each service has as many requests in it as in the load, in proportion.
fn counts(scenario: &Scenario, scheduled: &[u64]) -> BTreeMap<u16, u64> {
    let mut counts = BTreeMap::new();
    let all: u64 = scheduled.iter().sum();
    for (service, &scheduled) in scheduled.iter().enumerate() {
        let stream = RequestStream::new(scenario, service);
        let sampled = scheduled.min((REQUESTS as f64 * scheduled as f64 / all.max(1) as f64).round() as u64);
        for nth in 0..sampled {
            let sequence =
                if sampled == scheduled { nth } else { ((nth as f64 * GOLDEN).fract() * scheduled as f64) as u64 };
            for step in 0..stream.steps(stream.operation(sequence)) {
                if let Some(slot) = SlotTable::slot_of(&stream.request(sequence, step).key) {
                    *counts.entry(slot).or_default() += 1;
                }
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Order, parse};

    fn scenario(services: &[&str]) -> Scenario {
        let services = services.iter().enumerate().map(|(number, lines)| {
            format!("[[service]]\nname = \"s{number}\"\n[service.load]\nmodel = \"open\"\nrate = 10\n{lines}")
        });
        let text = format!("name = \"t\"\n{}", services.collect::<String>());
        parse(&text, "t.toml").unwrap_or_else(|errors| panic!("{errors}\n{text}"))
    }

    const GETS: &str = "[service.keys]\nprefix = \"{a}:\"\n[[service.operation]]\ncommand = \"GET\"\n";
    const WIDE: &str = "[service.keys]\nprefix = \"b:\"\ncount = 100000\n[[service.operation]]\ncommand = \"SET\"\n\
                        [[service.operation]]\ncommand = \"PING\"\n";

    fn in_a_cycle() -> Scenario {
        let operations = "[service.keys]\nprefix = \"{c}:\"\n[[service.operation]]\ncommand = \"GET\"\n\
                          [[service.operation]]\ncommand = \"PING\"\n";
        let mut scenario = scenario(&[operations]);
        scenario.services[0].order = Order::Cycle;
        scenario
    }

    #[test]
    fn services_have_their_shares_of_the_sample() {
        let counts = counts(&scenario(&[GETS, WIDE]), &[1_000_000, 3_000_000]);
        let sampled: u64 = counts.values().sum();
        assert_eq!(counts[&SlotTable::slot(b"{a}")], 5_000);
        // A half of the other service's commands has no key.
        assert!((12_000..13_000).contains(&sampled), "{sampled}");
        assert!(counts.iter().all(|(slot, count)| *slot == SlotTable::slot(b"{a}") || *count < LEAST));
    }

    #[test]
    fn a_short_run_is_counted_whole() {
        let scenario = in_a_cycle();
        assert_eq!(counts(&scenario, &[300]), BTreeMap::from([(SlotTable::slot(b"{c}"), 150)]));
        assert_eq!(counts(&scenario, &[0]), BTreeMap::new());
    }

    #[test]
    fn a_cycle_of_operations_is_sampled_evenly() {
        let sampled: u64 = counts(&in_a_cycle(), &[1_000_000]).values().sum();
        assert!((9_900..=10_100).contains(&sampled), "{sampled}");
    }
}
