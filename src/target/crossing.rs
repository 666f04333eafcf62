//! Operations that a cluster refuses, since their keys are in several slots.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{TargetError, permission::sequences, slots::SlotTable};
use crate::{
    operation::{Args, Reply, Request},
    scenario::{Action, Scenario},
    workload::RequestStream,
};

/// A reply that found nothing, and after which upkeep may follow.
const GONE: Reply = Reply { hits: 0, misses: 1, integer: None, bytes: 0 };

/// Requests of each operation that are looked at: keys may be in one slot by chance.
const EXAMPLES: usize = 20;

/// An error for each operation of a service whose commands, or whose transactions, have keys in several slots.
pub(super) fn crossing(scenario: &Scenario, service: usize) -> Vec<TargetError> {
    let stream = RequestStream::new(scenario, service);
    let operations = &scenario.services[service].operations;
    let mut crosses = vec![false; operations.len()];
    for (number, sequence) in sequences(&stream, operations.len(), EXAMPLES) {
        let steps = || 0..stream.steps(number);
        let requests = steps().map(|step| stream.request(sequence, step));
        // What follows where the keys were gone.
        let upkeep = steps().filter_map(|step| stream.upkeep(sequence, step, &GONE));
        let slots: Vec<BTreeSet<u16>> = requests.chain(upkeep).map(|request| slots(&request)).collect();
        crosses[number] |= match operations[number].action {
            Action::Sequence { transaction: true, .. } => {
                slots.into_iter().flatten().collect::<BTreeSet<_>>().len() > 1
            }
            Action::Single(_) | Action::Sequence { .. } => slots.iter().any(|slots| slots.len() > 1),
        };
    }
    let crossing = operations.iter().zip(crosses).filter(|(_, crosses)| *crosses);
    crossing.map(|(operation, _)| TargetError::CrossSlot { operation: operation.name.clone() }).collect()
}

/// Slots of the keys of a request.
fn slots(request: &Request) -> BTreeSet<u16> {
    let others: &[Bytes] = match &request.args {
        Args::Values(values) if request.kind.spec().keys.is_batch() => values,
        _ => &[],
    };
    let pairs: &[(Bytes, Bytes)] = match &request.args {
        Args::Pairs(pairs) if request.kind.spec().keys.is_batch() => pairs,
        _ => &[],
    };
    let keys = [&request.key].into_iter().filter(|key| !key.is_empty());
    keys.chain(others).chain(pairs.iter().map(|(key, _)| key)).map(|key| SlotTable::slot(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{BUILTIN, load, parse};

    fn crossing_of(prefix: &str, operations: &str) -> Vec<String> {
        let text = format!(
            "name = \"t\"\n[[service]]\nname = \"s\"\n[service.load]\nmodel = \"open\"\nrate = 10\n\
             [service.keys]\nprefix = \"{prefix}\"\n{operations}"
        );
        let scenario = parse(&text, "t.toml").unwrap();
        crossing(&scenario, 0).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn several_keys_are_in_one_slot_by_a_hash_tag_only() {
        let several =
            "[[service.operation]]\ncommand = \"MGET\"\nbatch = 3\n[[service.operation]]\ncommand = \"GET\"\n";
        let errors = crossing_of("app:", several);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains("`MGET`") && errors[0].contains("hash tag"), "{errors:?}");
        assert!(crossing_of("{app}:", several).is_empty());
        assert!(crossing_of("app:", "[[service.operation]]\ncommand = \"MGET\"\nbatch = 1\n").is_empty());
        assert!(crossing_of("app:\"\nhash_tag = 5\n#", several).is_empty());
        let removed = "[[service.operation]]\ncommand = \"DEL\"\n";
        assert_eq!(crossing_of("app:", removed).len(), 1, "its upkeep writes several keys");
        assert!(crossing_of("app:\"\nhash_tag = 5\n#", removed).is_empty());
    }

    #[test]
    fn every_builtin_fits_a_cluster() {
        for (name, _) in BUILTIN {
            let scenario = load(name).unwrap();
            let errors = (0..scenario.services.len()).flat_map(|service| crossing(&scenario, service));
            assert_eq!(errors.map(|error| error.to_string()).collect::<Vec<_>>(), [""; 0], "{name}");
        }
    }

    #[test]
    fn a_transaction_has_one_slot_and_a_sequence_has_any() {
        let steps = |transaction: bool| {
            format!(
                "[[service.operation]]\nname = \"post\"\ntransaction = {transaction}\n\
                 sequence = [{{ command = \"HSET\" }}, {{ command = \"ZADD\" }}]\n"
            )
        };
        assert!(crossing_of("app:", &steps(true))[0].contains("`post`"));
        assert!(crossing_of("app:", &steps(false)).is_empty());
        assert!(crossing_of("{app}:", &steps(true)).is_empty());
        // The key of each type has the same number where there are as many of each.
        let tagged = |keys: u64| steps(true).replace("\"ZADD\"", &format!("\"ZADD\", keys = {keys}, members = 9"));
        assert!(crossing_of("app:\"\nhash_tag = 1\n#", &tagged(10_000)).is_empty());
        assert!(crossing_of("app:\"\nhash_tag = 1\n#", &tagged(9_000))[0].contains("`post`"));
    }
}
