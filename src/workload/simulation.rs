//! Whole services against the model of a server: the data neither grows nor dwindles, and what is read is there.

use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{
    Prefill, RequestStream,
    model::{Datum, Model},
    sample::{batch, command, laws, scenario, sequence, single},
};
use crate::{
    operation::{Access, DataType, Kind, Spec},
    scenario::{Action, Scenario, ValueSize},
};

const REQUESTS: u64 = 100_000;
/// Of [`command`].
const MEMBERS: usize = 50;
/// Of [`batch`], as used here.
const BATCH: usize = 3;

/// Commands that the model knows.
fn kinds() -> impl Iterator<Item = Kind> {
    Spec::in_scenarios().map(|spec| spec.kind).filter(|kind| !matches!(kind, Kind::Eval | Kind::Raw))
}

fn prefilled(scenario: &Scenario) -> Model {
    let mut model = Model::default();
    for request in Prefill::new(scenario, 0) {
        model.execute(&request);
    }
    model
}

/// Result of a number of requests.
#[derive(Debug, Default)]
struct Tally {
    hits: u64,
    misses: u64,
    upkeep: u64,
}

/// Sends requests and their upkeep, as the load engine does.
fn run(model: &mut Model, scenario: &Scenario, sequences: std::ops::Range<u64>) -> Tally {
    let stream = RequestStream::new(scenario, 0);
    let mut tally = Tally::default();
    for number in sequences {
        let mut upkeep = Vec::new();
        for step in 0..stream.steps(stream.operation(number)) {
            let request = stream.request(number, step);
            let reply = model.execute(&request);
            if request.kind.spec().access == Access::Read {
                tally.hits += u64::from(reply.hits);
                tally.misses += u64::from(reply.misses);
            }
            let follows = stream.upkeep(number, step, &reply);
            if let Some(follows) = &follows {
                assert_eq!(Some(follows.kind), request.kind.upkeep());
            }
            upkeep.extend(follows);
        }
        for request in upkeep {
            tally.upkeep += 1;
            model.execute(&request);
        }
    }
    tally
}

fn assert_bounded(model: &Model, scenario: &Scenario, before: &Model, what: &str) {
    for (key, datum) in &model.data {
        assert!(before.data.contains_key(key) || matches!(datum, Datum::List(_)), "{what}: {key:?} was not prefilled");
        let most = match datum {
            Datum::Text(_) | Datum::Counter(_) => 1,
            // Fields, and as many that hold integers.
            Datum::Hash(_) => 2 * MEMBERS,
            Datum::List(_) => 2 * MEMBERS + BATCH,
            Datum::Set(_) | Datum::Sorted(_) | Datum::Stream(_) => MEMBERS,
        };
        assert!(datum.elements() <= most, "{what}: {key:?} has {} elements", datum.elements());
        if let Datum::Text(length) = datum {
            let limit = super::text_limit(scenario.services[0].values);
            assert!(*length as u64 <= limit + 64, "{what}: {key:?} has {length} bytes");
        }
    }
}

#[test]
fn each_command_alone_leaves_the_data_as_large_as_it_was() {
    for kind in kinds() {
        let what = kind.spec().name;
        let size = if kind.spec().takes("batch") { BATCH as u32 } else { 1 };
        let scenario = scenario([single(batch(kind, size))]);
        let before = prefilled(&scenario);
        let mut model = prefilled(&scenario);
        // Reads change nothing, so that a few of them show as much.
        let requests = if kind.spec().access == Access::Write { REQUESTS } else { REQUESTS / 10 };
        run(&mut model, &scenario, 0..requests / 2);
        let settled = model.bytes().max(before.bytes());
        let tally = run(&mut model, &scenario, requests / 2..requests);

        assert_bounded(&model, &scenario, &before, what);
        assert!(model.bytes() <= settled + settled / 5, "{what}: {settled} bytes grew to {}", model.bytes());
        assert_eq!(tally.upkeep > 0, kind.upkeep().is_some(), "{what}: {tally:?}");
        assert_eq!(tally.misses, 0, "{what}: {tally:?}");
        assert_eq!(tally.hits > 0, kind.spec().access == Access::Read, "{what}: {tally:?}");
        // What is taken away comes back: most of it is there at any time, and lists that are only popped from hold a
        // quarter of their members on average.
        let least = if matches!(kind, Kind::LPop | Kind::RPop) { 6 } else { 2 };
        assert!(model.elements() >= before.elements() / least, "{what}: {} elements", model.elements());
    }
}

#[test]
fn all_commands_together_leave_the_data_as_large_as_it_was() {
    let mut scenario = scenario(kinds().map(|kind| single(command(kind))));
    scenario.services[0].values = ValueSize::Uniform { min: 16, max: 64 };
    let before = prefilled(&scenario);
    let mut model = prefilled(&scenario);
    run(&mut model, &scenario, 0..REQUESTS);
    let halfway = model.bytes();
    let tally = run(&mut model, &scenario, REQUESTS..2 * REQUESTS);
    assert_bounded(&model, &scenario, &before, "all");
    assert!(model.bytes() <= halfway + halfway / 10, "{halfway} bytes grew to {}", model.bytes());
    assert!(model.elements() >= before.elements() / 2, "{} elements", model.elements());
    assert!(tally.misses < tally.hits / 4, "{tally:?}");
}

#[test]
fn transactions_keep_the_data_bounded_though_their_replies_tell_nothing() {
    for kind in kinds().filter(|kind| kind.upkeep().is_some()) {
        let what = kind.spec().name;
        let scenario = scenario([sequence(&[kind], true)]);
        let before = prefilled(&scenario);
        let mut model = prefilled(&scenario);
        run(&mut model, &scenario, 0..REQUESTS);
        // On average twice the members or the limit; each key has its own luck.
        assert!(model.elements() <= 3 * before.elements(), "{what}: {} elements", model.elements());
        assert!(model.bytes() <= 3 * before.bytes(), "{what}: {} bytes", model.bytes());
        if !matches!(kind, Kind::LPop | Kind::RPop) {
            assert!(model.elements() >= before.elements() / 2, "{what}: {} elements", model.elements());
        }
    }
}

#[test]
fn sequences_find_what_their_commands_need() {
    let reads = [Kind::Get, Kind::HGet, Kind::LRange, Kind::SIsMember, Kind::ZScore, Kind::XRange, Kind::Ttl];
    let scenario = scenario([sequence(&reads, false), sequence(&[Kind::Incr, Kind::Expire, Kind::Ttl], false)]);
    let mut model = prefilled(&scenario);
    let tally = run(&mut model, &scenario, 0..10_000);
    assert_eq!(tally.misses, 0);
}

#[test]
fn prefill_writes_what_it_says_and_twice_is_no_more_than_once() {
    let all: Vec<Action> = kinds().map(|kind| single(command(kind))).collect();
    for actions in kinds().map(|kind| vec![single(command(kind))]).chain([all]) {
        let scenario = scenario(actions);
        let mut prefill = Prefill::new(&scenario, 0);
        let mut model = Model::default();
        for request in prefill.by_ref() {
            model.execute(&request);
        }
        assert_eq!(prefill.written(), prefill.elements());
        assert_eq!(model.elements() as u64, prefill.elements());
        for request in Prefill::new(&scenario, 0) {
            model.execute(&request);
        }
        assert_eq!(model.elements() as u64, prefill.elements());
    }
}

#[test]
fn prefill_is_as_large_as_the_largest_use_and_no_larger() {
    let mut large = command(Kind::HGet);
    large.parameters.keys = 3;
    large.parameters.members = 1234;
    let mut many = command(Kind::HSet);
    many.parameters.keys = 70;
    many.parameters.members = 5;
    let scenario = scenario([single(large), single(many)]);
    let model = prefilled(&scenario);
    assert_eq!(model.data.len(), 70);
    assert!(model.data.values().all(|datum| datum.elements() == 1234));
}

proptest! {
    #![proptest_config(laws())]

    #[test]
    fn prefill_covers_whatever_the_stream_can_read(
        reads in proptest::collection::vec((0..kinds().count(), 1_u64..30, 1_u64..300, 1_u32..150, 1_u32..50), 1..6),
        count in 1_u64..300,
    ) {
        let actions = reads.into_iter().filter_map(|(kind, keys, members, batch, range)| {
            let mut command = command(kinds().nth(kind)?);
            let parameters = &mut command.parameters;
            (parameters.keys, parameters.members, parameters.range) = (keys, members, range);
            parameters.batch = if command.kind.spec().takes("batch") { batch } else { 1 };
            (command.kind.spec().access == Access::Read).then_some(single(command))
        });
        let mut scenario = scenario(actions.chain([single(command(Kind::Get))]));
        scenario.services[0].keys.count = count;
        scenario.services[0].values = ValueSize::Fixed(8);
        let mut model = prefilled(&scenario);
        let tally = run(&mut model, &scenario, 0..200);
        prop_assert_eq!(tally.misses, 0);
        prop_assert!(tally.hits >= 200);
    }
}

#[test]
fn prefill_commands_stay_small() {
    let mut scenario = scenario(kinds().map(|kind| {
        let mut command = command(kind);
        command.parameters.members = 2000;
        single(command)
    }));
    for (size, most) in [(10, 500), (10_000, 104), (2_000_000, 1)] {
        scenario.services[0].values = ValueSize::Fixed(size);
        scenario.services[0].keys.count = 300;
        let lists = Prefill::new(&scenario, 0).filter(|request| request.kind == Kind::RPush).take(50);
        for request in lists {
            let crate::operation::Args::Values(values) = request.args else { panic!("RPUSH takes values") };
            assert!(values.len() <= most);
        }
    }
}

#[test]
fn commands_without_data_need_none() {
    let kinds = [Kind::Ping, Kind::Echo, Kind::Publish, Kind::Raw];
    assert!(kinds.iter().all(|kind| *kind == Kind::Raw || kind.spec().data == DataType::None));
    let scenario = scenario(kinds.map(|kind| single(command(kind))));
    assert_eq!(Prefill::new(&scenario, 0).elements(), 0);
    assert_eq!(Prefill::new(&scenario, 0).count(), 0);
}
