//! The stream of one service's requests.

use std::sync::Arc;

use rand::distr::{Distribution, weighted::WeightedIndex};

use super::{
    draw::{Purpose, Root},
    keyspace::Names,
    step::Step,
    value::{Values, text_limit, typical},
};
use crate::{
    operation::{Reply, Request},
    scenario::{Order, Scenario, Service},
};

/// Requests of one service, by sequence number.
///
/// Of n sources, instances or parts of them, source i uses the numbers i, i + n, i + 2n and so on. Clones share their tables and count references to them:
/// clone within a thread, but build one stream for each thread, or the threads will wait for each other's caches.
#[derive(Debug, Clone)]
pub struct RequestStream {
    plan: Arc<Plan>,
    names: Names,
}

/// Everything that is known before the first request.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) root: Root,
    pub(super) values: Values,
    /// Length in bytes from which on a text is set back.
    pub(super) text_limit: u64,
    /// Median size of values, in bytes.
    pub(super) typical: u64,
    /// Number of its sources.
    sources: u64,
    order: Choice,
    operations: Vec<Vec<Step>>,
}

#[derive(Debug)]
enum Choice {
    Weighted(WeightedIndex<f64>),
    Cycle,
}

impl RequestStream {
    /// The stream of the service at this index of the scenario.
    ///
    /// # Panics
    /// Where the index is out of range.
    pub fn new(scenario: &Scenario, service: usize) -> Self {
        Self::rooted(scenario, service, service, scenario.services[service].instances)
    }

    /// The stream with the randomness of the service at another index, so that two services make the same requests. Each of its
    /// `sources` goes through a cycle of operations at its own pace.
    ///
    /// # Panics
    /// Where the first index is out of range.
    pub fn rooted(scenario: &Scenario, service: usize, root: usize, sources: u32) -> Self {
        let root = Root::new(scenario.seed, root);
        Self { plan: Arc::new(Plan::new(&scenario.services[service], root, sources)), names: Names::default() }
    }

    /// The operation that this sequence number asks for: an index into the service's operations.
    #[inline]
    pub fn operation(&self, sequence: u64) -> usize {
        self.plan.operation(sequence)
    }

    /// Number of requests that an operation takes one after another, `MULTI` and `EXEC` included.
    #[inline]
    pub fn steps(&self, operation: usize) -> usize {
        self.plan.operations[operation].len()
    }

    /// One request of the operation that this sequence number asks for. All steps of an operation use the same key of a
    /// type of data, and the same first member or field.
    ///
    /// # Panics
    /// Where the operation has fewer steps.
    #[inline]
    pub fn request(&self, sequence: u64, step: usize) -> Request {
        self.plan.request(&self.names, self.plan.step(sequence, step), sequence, step)
    }

    /// What has to follow this reply to that request so that the data neither grows nor dwindles. Its command is the
    /// one that [`crate::operation::Kind::upkeep`] names; its own reply asks for nothing more.
    ///
    /// # Panics
    /// Where the operation has fewer steps.
    #[inline]
    pub fn upkeep(&self, sequence: u64, step: usize, reply: &Reply) -> Option<Request> {
        self.plan.upkeep(self.plan.step(sequence, step), sequence, step, reply)
    }
}

impl Plan {
    fn new(service: &Service, root: Root, sources: u32) -> Self {
        let order = match service.order {
            Order::Weighted => Choice::Weighted(
                WeightedIndex::new(service.operations.iter().map(|operation| operation.weight))
                    .expect("a validated service has operations, all of them with a weight above 0"),
            ),
            Order::Cycle => Choice::Cycle,
        };
        Self {
            root,
            values: Values::new(service.values, 0, root),
            text_limit: text_limit(service.values),
            typical: typical(service.values),
            sources: u64::from(sources).max(1),
            order,
            operations: service.operations.iter().map(|operation| Step::all(service, operation)).collect(),
        }
    }

    #[inline]
    fn operation(&self, sequence: u64) -> usize {
        match &self.order {
            Choice::Weighted(weights) => weights.sample(&mut self.root.generator(Purpose::Operation, sequence, 0)),
            Choice::Cycle => ((sequence / self.sources) % self.operations.len() as u64) as usize,
        }
    }

    #[inline]
    fn step(&self, sequence: u64, step: usize) -> &Step {
        &self.operations[self.operation(sequence)][step]
    }

    /// How far the walk through the keyspace has come. In a cycled order a full cycle of a source is one turn:
    /// otherwise each operation would only ever meet every so manieth key.
    #[inline]
    pub(super) fn turn(&self, sequence: u64) -> u64 {
        match self.order {
            Choice::Weighted(_) => sequence,
            Choice::Cycle => {
                let cycle = sequence / self.sources / self.operations.len() as u64;
                cycle * self.sources + sequence % self.sources
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use bytes::Bytes;
    use proptest::{prop_assert_eq, proptest};
    use statrs::distribution::{ChiSquared, ContinuousCDF};

    use super::RequestStream;
    use crate::{
        operation::{Args, Kind, Reply, Spec},
        scenario::{Access, Action, Order, Scenario},
        workload::sample::{batch, command, scenario, sequence, single},
    };

    fn everything() -> Scenario {
        let mut actions: Vec<Action> = Spec::in_scenarios().map(|spec| single(batch(spec.kind, 3))).collect();
        actions.push(sequence(&[Kind::Get, Kind::Set], false));
        actions.push(sequence(&[Kind::LPush, Kind::HIncrBy], true));
        scenario(actions)
    }

    fn key(stream: &RequestStream, sequence: u64, step: usize) -> Bytes {
        stream.request(sequence, step).key
    }

    #[test]
    fn a_seed_means_the_same_requests_for_ever() {
        let stream = RequestStream::new(&scenario([single(command(Kind::Set)), single(command(Kind::HGet))]), 0);
        let sent: Vec<_> = (0..6)
            .map(|sequence| {
                let request = stream.request(sequence, 0);
                let key = String::from_utf8(request.key.to_vec()).unwrap();
                match request.args {
                    Args::Value(value) => format!("{key} {}", str::from_utf8(&value[..value.len().min(6)]).unwrap()),
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        assert_eq!(
            sent,
            [
                "api:hash:7 f0",
                "api:hash:14 f34",
                "api:str:84 8GKqdF",
                "api:str:295 VhFtgu",
                "api:hash:2 f2",
                "api:str:416 a9HM6R"
            ]
        );
    }

    #[test]
    fn operations_come_as_often_as_their_weights_say() {
        let weights = [60.0, 25.0, 0.5, 10.0, 4.5];
        let mut scenario =
            scenario([Kind::Get, Kind::Set, Kind::Ping, Kind::Incr, Kind::Del].map(|kind| single(command(kind))));
        for (operation, weight) in scenario.services[0].operations.iter_mut().zip(weights) {
            operation.weight = weight;
        }
        let stream = RequestStream::new(&scenario, 0);
        let mut seen = [0.0_f64; 5];
        for sequence in 0..100_000 {
            seen[stream.operation(sequence)] += 1.0;
        }
        let statistic: f64 =
            seen.iter().zip(weights).map(|(seen, weight)| (seen - weight * 1000.0).powi(2) / (weight * 1000.0)).sum();
        assert!(ChiSquared::new(4.0).unwrap().sf(statistic) > 0.001, "{seen:?}");
    }

    #[test]
    fn a_cycle_takes_every_instance_through_all_operations_in_order() {
        let mut scenario = scenario([Kind::Ping, Kind::Set, Kind::Get].map(|kind| single(command(kind))));
        scenario.services[0].order = Order::Cycle;
        scenario.services[0].instances = 3;
        let stream = RequestStream::new(&scenario, 0);
        for instance in 0..3 {
            let met: Vec<_> = (0..7).map(|turn| stream.operation(instance + 3 * turn)).collect();
            assert_eq!(met, [0, 1, 2, 0, 1, 2, 0]);
        }
    }

    #[test]
    fn each_operation_of_a_cycle_walks_through_all_keys() {
        let mut scenario = scenario([Kind::Set, Kind::Get].map(|kind| single(command(kind))));
        let service = &mut scenario.services[0];
        service.order = Order::Cycle;
        service.instances = 2;
        service.keys.count = 10;
        service.keys.access = Access::Sequential;
        let stream = RequestStream::new(&scenario, 0);
        let mut met: HashMap<_, Vec<_>> = HashMap::new();
        for sequence in 0..40 {
            met.entry(stream.operation(sequence)).or_default().push(key(&stream, sequence, 0));
        }
        let walk: Vec<_> = (0..20).map(|turn| Bytes::from(format!("api:str:{}", turn % 10))).collect();
        assert_eq!(met[&0], walk);
        assert_eq!(met[&1], walk);
    }

    #[test]
    fn steps_of_a_sequence_share_key_and_member() {
        let steps = [Kind::Get, Kind::Set, Kind::ZScore, Kind::ZRem, Kind::SIsMember, Kind::Incr, Kind::Expire];
        let stream = RequestStream::new(&scenario([sequence(&steps, false)]), 0);
        for sequence in 0..100 {
            assert_eq!(key(&stream, sequence, 0), key(&stream, sequence, 1));
            assert_eq!(key(&stream, sequence, 2), key(&stream, sequence, 3));
            let member = stream.request(sequence, 2).args;
            let Args::Value(member) = member else { panic!("{member:?}") };
            assert_eq!(stream.request(sequence, 3).args, Args::Values(vec![member.clone()]));
            assert_eq!(stream.request(sequence, 4).args, Args::Value(member));
            assert_eq!(key(&stream, sequence, 5), key(&stream, sequence, 6), "an expiry follows its counter");
        }
    }

    #[test]
    fn transactions_are_framed() {
        let stream = RequestStream::new(&scenario([sequence(&[Kind::Get, Kind::Set], true)]), 0);
        let kinds: Vec<_> = (0..stream.steps(0)).map(|step| stream.request(5, step).kind).collect();
        assert_eq!(kinds, [Kind::Multi, Kind::Get, Kind::Set, Kind::Exec]);
    }

    #[test]
    fn services_and_seeds_have_streams_of_their_own() {
        let mut scenario = scenario([single(command(Kind::Get))]);
        scenario.services.push(scenario.services[0].clone());
        let keys = |scenario: &Scenario, service| {
            let stream = RequestStream::new(scenario, service);
            (0..100).map(|sequence| key(&stream, sequence, 0)).collect::<Vec<_>>()
        };
        let mut other = scenario.clone();
        other.seed += 1;
        assert_eq!(keys(&scenario, 0), keys(&scenario, 0));
        assert_ne!(keys(&scenario, 0), keys(&scenario, 1));
        assert_ne!(keys(&scenario, 0), keys(&other, 0));
    }

    #[test]
    fn types_of_data_never_share_a_key() {
        let scenario = everything();
        let stream = RequestStream::new(&scenario, 0);
        let mut types: HashMap<Bytes, HashSet<_>> = HashMap::new();
        for sequence in 0..20_000 {
            for step in 0..stream.steps(stream.operation(sequence)) {
                let request = stream.request(sequence, step);
                if matches!(request.kind, Kind::Multi | Kind::Exec) {
                    // Their key is another command's, and is not sent.
                    continue;
                }
                types.entry(request.key).or_default().insert(request.kind.spec().data);
            }
        }
        // Commands without a key share the empty one; channels are no keys.
        types.retain(|key, _| !key.is_empty() && !key.starts_with(b"api:channel:"));
        assert!(types.values().all(|types| types.len() == 1));
        assert!(types.keys().all(|key| key.starts_with(b"api:")));
    }

    #[test]
    fn raw_commands_and_scripts_are_filled_in() {
        let mut raw = command(Kind::Raw);
        raw.parameters.args = ["FT.SEARCH", "idx", "{key}", "@m:{member}"].map(String::from).to_vec();
        let mut script = command(Kind::Eval);
        script.parameters.script = Some("return redis.call('GET', KEYS[1])".into());
        script.parameters.args = vec!["{value}".into()];
        let mut bare = command(Kind::Raw);
        bare.parameters.args = vec!["DBSIZE".into()];
        let stream = RequestStream::new(&scenario([sequence(&[], false)]), 0);
        assert_eq!(stream.steps(0), 0);

        let steps = Action::Sequence { steps: vec![raw, script, bare], transaction: false };
        let stream = RequestStream::new(&scenario([steps]), 0);
        let request = stream.request(3, 0);
        let Args::Raw(words) = request.args else { panic!("{:?}", request.args) };
        assert_eq!(words[..2], ["FT.SEARCH", "idx"]);
        assert_eq!(words[2], request.key);
        assert!(words[3].starts_with(b"@m:m"));
        assert!(request.key.starts_with(b"api:str:"));
        let request = stream.request(3, 1);
        let Args::Script { source, argv } = request.args else { panic!("{:?}", request.args) };
        assert_eq!(source, "return redis.call('GET', KEYS[1])");
        assert_eq!(argv[0].len(), 64);
        assert!(request.key.starts_with(b"api:str:"));
        let request = stream.request(3, 2);
        assert_eq!((request.key, request.args), (Bytes::new(), Args::Raw(vec!["DBSIZE".into()])));
    }

    #[test]
    fn the_key_of_a_raw_command_is_its_first_word_under_the_prefix() {
        let key = |args: &[&str]| {
            let mut raw = command(Kind::Raw);
            raw.parameters.args = args.iter().map(|word| (*word).to_owned()).collect();
            let steps = Action::Sequence { steps: vec![raw], transaction: true };
            let stream = RequestStream::new(&scenario([steps]), 0);
            let [frame, request] = [0, 1].map(|step| stream.request(3, step).key);
            assert_eq!(frame, request, "the frame of a transaction goes where its keys are");
            String::from_utf8(request.to_vec()).unwrap()
        };
        let drawn = key(&["GET", "{key}"]);
        assert!(drawn.starts_with("api:str:"), "{drawn}");
        for (args, expected) in [
            (&["LRANGE", "api:l", "0", "-1"][..], "api:l".to_owned()),
            (&["EVAL", "return 1", "1", "api:x"], "api:x".to_owned()),
            (&["LPUSH", "api:l", "{key}"], "api:l".to_owned()),
            (&["GET", "{key}:copy"], format!("{drawn}:copy")),
            (&["SET", "api:{value}", "x"], String::new()),
            (&["FT.SEARCH", "idx", "{key}"], drawn.clone()),
            (&["DBSIZE"], String::new()),
            (&["api:x"], String::new()),
        ] {
            assert_eq!(key(args), expected, "{args:?}");
        }
        assert!(key(&["GET", "api:{member}"]).starts_with("api:m"));
    }

    #[test]
    fn streams_travel_between_threads() {
        let stream = RequestStream::new(&everything(), 0);
        let copy = stream.clone();
        let there = std::thread::spawn(move || copy.request(9, 0)).join().unwrap();
        assert_eq!(there, stream.request(9, 0));
    }

    proptest! {
        #![proptest_config(crate::workload::sample::laws())]

        #[test]
        fn requests_do_not_depend_on_the_order_in_which_they_are_asked_for(
            seed: u64,
            sequences in proptest::collection::vec(0..u64::MAX, 1..50),
        ) {
            let mut scenario = everything();
            scenario.seed = seed;
            let ask = |stream: &RequestStream, sequence: u64| {
                let steps = 0..stream.steps(stream.operation(sequence));
                let missed = Reply { misses: 1, integer: Some(i64::MAX), ..Reply::default() };
                let both = steps.map(|step| (stream.request(sequence, step), stream.upkeep(sequence, step, &missed)));
                both.collect::<Vec<_>>()
            };
            let stream = RequestStream::new(&scenario, 0);
            let forwards: Vec<_> = sequences.iter().map(|sequence| ask(&stream, *sequence)).collect();
            let fresh = RequestStream::new(&scenario, 0);
            let mut backwards: Vec<_> = sequences.iter().rev().map(|sequence| ask(&fresh, *sequence)).collect();
            backwards.reverse();
            prop_assert_eq!(forwards, backwards);
        }
    }
}
