//! Reads of services that read from replicas, by the role of the node that served them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Finding,
    layout::Outline,
    nodes::{NodeLoad, loads},
    row::Scope,
    tally::RequestLimit,
};
use crate::{
    measure::{Counts, READS, SeriesRecord, SeriesRole},
    results::{NodeRole, Run},
    scenario::{Order, ReadFrom, Scenario, Service},
};

/// Seconds from which the spread of the differences between replicas and primaries is known well enough.
const SECONDS: usize = 10;

/// Standard errors from which such a difference is more than chance: with as few seconds, p is below 0.001.
const STANDARD_ERRORS: f64 = 5.0;

/// Share of lookups from which a difference matters.
const MATTERS: f64 = 0.001;

/// Reads of one service that nodes of one role served.
#[derive(Debug, Clone)]
pub struct ReadRow {
    /// Service.
    pub service: String,
    /// `primary`, `replica` or `other`.
    pub role: String,
    /// Its reads. The share is that of all reads of services that read from replicas.
    pub load: NodeLoad,
}

/// Rows of the reads; none where no service reads from replicas. Those without a request are left out.
pub(super) fn reads(run: &Run, limit: RequestLimit) -> Vec<ReadRow> {
    let series = &run.recording.reads;
    let outline = |at: usize| {
        let (service, operation) = (Some(series[at].key.service.clone()), Some(series[at].key.operation.clone()));
        Outline { scope: Scope { service, operation, role: SeriesRole::Operation }, series: vec![at] }
    };
    let outlines: Vec<Outline> = (0..series.len()).map(outline).collect();
    let rows = series.iter().zip(loads(run, series, &outlines, limit));
    let row = |(series, load): (&SeriesRecord, Option<NodeLoad>)| {
        let (service, role) = (series.key.service.clone(), series.key.operation.clone());
        load.filter(|load| load.share > 0.0).map(|load| ReadRow { service, role, load })
    };
    rows.filter_map(row).collect()
}

/// Services whose replicas found fewer keys than their primaries.
pub(super) fn missing(run: &Run, scenario: &Scenario) -> Vec<Finding> {
    // In turn, replicas and primaries get the same mix of requests: with a cycle of operations each may get its own.
    let is_comparable = |service: &&Service| service.read_from == ReadFrom::Any && service.order == Order::Weighted;
    if !has_equal_shares(run) {
        return Vec::new();
    }
    let finding = |service: &Service| {
        let (primary, replica) = miss_ratios(run, &service.name)?;
        Some(Finding::MissesOnReplicas { service: service.name.clone(), primary, replica })
    };
    scenario.services.iter().filter(is_comparable).filter_map(finding).collect()
}

/// Whether all primaries have as many replicas: else each has another part of the reads of its keys, which may be found more often.
fn has_equal_shares(run: &Run) -> bool {
    let nodes = &run.target.nodes;
    let of = |primary: &str| nodes.iter().filter(|node| node.primary.as_deref() == Some(primary)).count();
    let primaries = nodes.iter().filter(|node| node.role == NodeRole::Primary);
    primaries.map(|node| of(&node.address)).collect::<BTreeSet<_>>().len() == 1
}

/// Shares of lookups without a result at primaries and at replicas, where that of replicas is higher by more than chance. Both are of the
/// same seconds: what is found may change over time, and so may the nodes that serve.
fn miss_ratios(run: &Run, service: &str) -> Option<(f64, f64)> {
    let lookups = |counts: &Counts| (counts.hits + counts.misses) as f64;
    let [primary, replica, _] = READS.map(|role| {
        let of_role = |record: &&SeriesRecord| record.key.service == service && record.key.operation == role;
        let seconds = run.recording.reads.iter().filter(of_role).flat_map(|record| &record.seconds);
        let looked = seconds.filter(|second| lookups(&second.counts) > 0.0);
        looked.map(|second| (second.second, &second.counts)).collect::<BTreeMap<_, _>>()
    });
    let ratio = |counts: &Counts| counts.misses as f64 / lookups(counts);
    let seconds: Vec<(f64, f64, f64)> = primary
        .iter()
        .filter_map(|(second, of_primary)| {
            let of_replica = replica.get(second)?;
            let (n, m) = (lookups(of_primary), lookups(of_replica));
            Some((n * m / (n + m), ratio(of_primary), ratio(of_replica)))
        })
        .collect();
    if seconds.len() < SECONDS {
        return None;
    }
    // Differences of strata with the weights of Mantel and Haenszel; their spread shows how far requests of a second depend on each other.
    let weight: f64 = seconds.iter().map(|(weight, ..)| weight).sum();
    let mean =
        |of: fn(&(f64, f64, f64)) -> f64| seconds.iter().map(|second| second.0 * of(second)).sum::<f64>() / weight;
    let (primary, replica) = (mean(|second| second.1), mean(|second| second.2));
    let difference = replica - primary;
    let count = seconds.len() as f64;
    let squares = seconds.iter().map(|(weight, one, other)| (weight * (other - one - difference)).powi(2)).sum::<f64>();
    let error = (squares * count / (count - 1.0)).sqrt() / weight;
    (difference >= MATTERS && difference > STANDARD_ERRORS * error).then_some((primary, replica))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        measure::SeriesKey,
        results::{NodeFacts, sample},
    };

    const SERVICE: &str = "api";

    /// The sample as if a primary and its replica had served the reads of a service, with these misses of 1 000 lookups in each second.
    fn read_from_any(primary: impl Fn(u64) -> u64, replica: impl Fn(u64) -> u64) -> (Run, Scenario) {
        let (mut run, mut scenario) = (sample::run(), sample::scenario());
        let address = |number: u16| format!("redis://127.0.0.1:{}", 7000 + number);
        let node = |number, role, primary| NodeFacts { address: address(number), role, slots: 0, primary };
        run.target.nodes = vec![node(0, NodeRole::Primary, None), node(1, NodeRole::Replica, Some(address(0)))];
        let record = run.recording.series.iter().find(|series| series.key.service == SERVICE).unwrap().clone();
        let misses: [&dyn Fn(u64) -> u64; 2] = [&primary, &replica];
        for (role, misses) in READS.iter().zip(misses) {
            let mut record = record.clone();
            record.key = SeriesKey { operation: (*role).to_owned(), ..record.key };
            for second in &mut record.seconds {
                second.counts.misses = misses(second.second.into());
                second.counts.hits = 1_000 - second.counts.misses;
            }
            run.recording.reads.push(record);
        }
        let service = scenario.services.iter_mut().find(|service| service.name == SERVICE).unwrap();
        (service.read_from, service.order) = (ReadFrom::Any, Order::Weighted);
        (run, scenario)
    }

    fn found((run, scenario): &(Run, Scenario)) -> Option<(f64, f64)> {
        match &missing(run, scenario)[..] {
            [] => None,
            [Finding::MissesOnReplicas { service, primary, replica }] if service == SERVICE => {
                Some((*primary, *replica))
            }
            findings => panic!("{findings:?}"),
        }
    }

    #[test]
    fn replicas_that_find_less_in_the_same_seconds_are_found() {
        let (primary, replica) = found(&read_from_any(|at| 10 + at % 3, |at| 30 + at % 5)).unwrap();
        assert!((0.010..0.012).contains(&primary) && (0.030..0.034).contains(&replica), "{primary} {replica}");
        assert_eq!(
            found(&read_from_any(|at| 30 + at % 5, |at| 10 + at % 3)),
            None,
            "primaries that find less are another matter"
        );
        assert_eq!(found(&read_from_any(|at| 20 + at % 3, |at| 20 + (at + 1) % 3)), None);
        assert_eq!(
            found(&read_from_any(|_| 10, |at| if at == 5 { 90 } else { 10 })),
            None,
            "a single second is chance"
        );
    }

    #[test]
    fn roles_that_served_at_different_times_or_other_keys_are_not_compared() {
        let mut sample = read_from_any(|_| 10, |_| 40);
        assert!(found(&sample).is_some());
        let lone = NodeFacts {
            address: "redis://127.0.0.1:7002".to_owned(),
            primary: None,
            ..sample.0.target.nodes[0].clone()
        };
        sample.0.target.nodes.push(lone);
        assert_eq!(found(&sample), None, "a primary without replicas");
        sample.0.target.nodes.pop();
        sample.0.recording.reads[1].seconds.retain(|second| second.second % 2 == 0);
        assert_eq!(found(&sample), None, "too few seconds of both");
        let (run, mut scenario) = read_from_any(|_| 10, |_| 40);
        scenario.services.iter_mut().for_each(|service| service.order = Order::Cycle);
        assert_eq!(found(&(run, scenario)), None);
    }
}
