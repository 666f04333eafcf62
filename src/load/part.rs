//! Division of a service's load: into its instances, and of each instance into parts that several workers can carry.

use crate::scenario::{Load, Scenario, Service, Shard};

/// Requests per second of an open loop that one worker is given. With fred a worker is busy for all of its time at about three times
/// as many, so that at this rate it is free when a request falls due.
const CARRIED: f64 = 30_000.0;

/// Connections that a part of an open loop has at least: with few of them one more or less would be a large difference, and a
/// request would often wait although a connection of another part is free.
const CONNECTIONS: u32 = 10;

/// A part of one process of a service, with a pool and a share of the load of its own.
///
/// The parts of an instance are the cut of its requests: of p parts, part i has the requests i, i + p, i + 2p and so on, at the due
/// instants that they have in the whole. Clients and connections are dealt out. The requests of an instance are cut into those of
/// each shard first, and these again into the shard's own parts, whose number is its own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Index of the service in the scenario.
    pub(super) service: usize,
    /// Number of the instance within the service, from 0, and how many the service has.
    pub(super) instance: u32,
    pub(super) instances: u32,
    /// Process that sends it.
    pub(super) shard: Shard,
    /// Number within the instance on this shard, from 0, and how many it has there.
    pub(super) number: u32,
    pub(super) parts: u32,
}

impl Part {
    /// Every part of a service on a shard.
    pub(super) fn all(service: usize, instances: u32, parts: u32, shard: Shard) -> impl Iterator<Item = Self> {
        (0..instances).flat_map(move |instance| {
            (0..parts).map(move |number| Self { service, instance, instances, shard, number, parts })
        })
    }

    /// Its share of a number that belongs to the instance, the first parts taking what is left over.
    pub(super) fn of_instance(self, whole: u32) -> u32 {
        share(self.shard.share(whole), self.number, self.parts)
    }

    /// Number of its first request within the instance, and the distance to the next one.
    pub(super) fn cut(self) -> (u32, u32) {
        (self.shard.number() + self.shard.of() * self.number, self.shard.of() * self.parts)
    }

    /// What the instance has of a number that belongs to the service.
    pub(super) fn instance_of(self, whole: u32) -> u32 {
        share(whole, self.instance, self.instances)
    }

    /// Number of its first request in the service's stream, and the distance to the next one.
    pub(super) fn sequence(self) -> (u64, u64) {
        let (first, stride) = self.cut();
        let [instance, instances, first, stride] = [self.instance, self.instances, first, stride].map(u64::from);
        (instance + instances * first, instances * stride)
    }

    /// Number of sources that go through a cycle of operations on their own: parts of an open loop share the cycle of their instance,
    /// but those of a closed loop have each a pace of its own.
    pub(super) fn sources(self, service: &Service) -> u32 {
        match service.load {
            Load::Open { .. } => self.instances,
            Load::Closed { .. } => self.instances * self.cut().1,
        }
    }

    /// Name for people.
    pub(super) fn name(self, scenario: &Scenario) -> String {
        let several = |number: u32, text: String| if number > 1 { text } else { String::new() };
        let instance = several(self.instances, format!("#{}", self.instance));
        let part = several(self.parts, format!(" part {} of {}", self.number + 1, self.parts));
        format!("{}{instance}{part}", scenario.services[self.service].name)
    }
}

fn share(whole: u32, number: u32, of: u32) -> u32 {
    whole / of + u32::from(number < whole % of)
}

/// Number of parts of each instance of a service on the workers of a shard.
///
/// A closed loop sends what the workers can carry, so it gets them all. An open loop gets as many as its rate needs: with several
/// short queues in place of one, a request can wait although a connection of another part is free.
pub(super) fn parts(service: &Service, workers: usize, shard: Shard) -> u32 {
    let instances = service.instances;
    let pool = shard.share(service.pool.size);
    let (rate, clients, spread) = match service.load {
        Load::Open { rate, .. } => (rate, u32::MAX, pool / CONNECTIONS),
        Load::Closed { clients, think_time } => {
            let together = f64::from(clients) * f64::from(service.pool.pipeline);
            (together / think_time.as_secs_f64(), shard.share(clients / instances), u32::MAX)
        }
    };
    let rate = rate / f64::from(shard.of());
    let needed = || {
        let spare = u32::try_from(workers).unwrap_or(u32::MAX) / instances;
        ((rate / f64::from(instances) / CARRIED).ceil() as u32).min(spare).min(spread)
    };
    service.parts.unwrap_or_else(needed).min(pool).min(clients).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::fake, Part};
    use crate::{
        scenario::{ArrivalProcess, Load, Order, Scenario, Service, Shard},
        workload::RequestStream,
    };

    fn scenario() -> Scenario {
        fake::scenario("size = 50", "rate = 1", &["command = \"GET\""])
    }

    fn parts(service: &Service, workers: usize) -> u32 {
        super::parts(service, workers, Shard::WHOLE)
    }

    fn service(load: Load) -> Service {
        Service { load, ..scenario().services.remove(0) }
    }

    fn open(rate: f64) -> Service {
        service(Load::Open { rate, arrivals: ArrivalProcess::Poisson })
    }

    fn closed(clients: u32, think_time: Duration) -> Service {
        service(Load::Closed { clients, think_time })
    }

    #[test]
    fn an_open_loop_is_divided_only_where_one_worker_cannot_carry_its_rate() {
        let parts = |rate, workers| parts(&open(rate), workers);
        assert_eq!([parts(30_000.0, 8), parts(30_001.0, 8), parts(100_000.0, 8)], [1, 2, 4]);
        assert_eq!(parts(1e6, 3), 3, "there are no more workers");
        assert_eq!(parts(1e6, 8), 5, "each has ten connections");
        assert_eq!(super::parts(&Service { instances: 3, ..open(1e6) }, 8, Shard::WHOLE), 2);
    }

    #[test]
    fn a_closed_loop_has_a_part_for_each_worker_connection_and_client() {
        assert_eq!(parts(&closed(50, Duration::ZERO), 4), 4);
        assert_eq!(parts(&closed(3, Duration::ZERO), 4), 3);
        assert_eq!(parts(&Service { instances: 2, ..closed(3, Duration::ZERO) }, 4), 1);
        let mut single = closed(50, Duration::ZERO);
        single.pool.size = 1;
        assert_eq!(parts(&single, 4), 1);
        let thinking = closed(1_000, Duration::from_millis(100));
        assert_eq!(parts(&thinking, 4), 1, "10 000 requests per second at most");
        let mut batches = thinking;
        batches.pool.pipeline = 16;
        assert_eq!(parts(&batches, 4), 4, "160 000 requests per second");
    }

    #[test]
    fn a_scenario_decides_the_number_of_parts() {
        assert_eq!(parts(&Service { parts: Some(1), ..closed(50, Duration::ZERO) }, 4), 1);
        assert_eq!(parts(&Service { parts: Some(6), ..open(10.0) }, 1), 6);
        assert_eq!(parts(&Service { parts: Some(60), ..open(10.0) }, 1), 50, "a part needs a connection");
    }

    #[test]
    fn each_part_of_a_closed_loop_goes_through_the_whole_cycle() {
        let mut scenario = fake::scenario("size = 50", "rate = 1", &["command = \"GET\"", "command = \"PING\""]);
        scenario.services[0].order = Order::Cycle;
        let operations = |scenario: &Scenario, part: Part| -> Vec<usize> {
            let stream = RequestStream::rooted(scenario, 0, 0, part.sources(&scenario.services[0]));
            let (first, stride) = part.sequence();
            (0..4).map(|number| stream.operation(first + number * stride)).collect()
        };
        let of_open: Vec<_> = Part::all(0, 1, 2, Shard::WHOLE).map(|part| operations(&scenario, part)).collect();
        assert_eq!(of_open, [[0; 4], [1; 4]], "together they are the whole, at its instants");
        scenario.services[0].load = Load::Closed { clients: 50, think_time: Duration::ZERO };
        for (instances, parts) in [(1, 2), (3, 4)] {
            for part in Part::all(0, instances, parts, Shard::WHOLE) {
                assert_eq!(operations(&scenario, part), [0, 1, 0, 1], "{part:?}");
            }
        }
    }

    #[test]
    fn numbers_are_dealt_out_completely() {
        for number in [8, 50, 61] {
            let (mut of_instances, mut of_parts) = (0, 0);
            for part in Part::all(0, 3, 2, Shard::WHOLE) {
                of_instances += if part.number == 0 { part.instance_of(number) } else { 0 };
                of_parts += if part.instance == 0 { part.of_instance(number) } else { 0 };
            }
            assert_eq!([of_instances, of_parts], [number; 2]);
        }
    }

    #[test]
    fn names_have_what_there_is_more_than_one_of() {
        let scenario = scenario();
        let name = |instances, parts| Part::all(0, instances, parts, Shard::WHOLE).last().unwrap().name(&scenario);
        assert_eq!([name(1, 1), name(2, 1), name(1, 3)], ["api", "api#1", "api part 3 of 3"]);
        assert_eq!(name(2, 3), "api#1 part 3 of 3");
    }
}
