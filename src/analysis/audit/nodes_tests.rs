//! Rules that compare nodes, and rules of one server applied to several.

use std::collections::BTreeMap;

use super::*;
use crate::{
    measure::Recording,
    results::{
        NodeFacts, NodeInspection, NodeRecord, NodeRole, Run, SeenSentinel, SentinelInspection, ServerRecord,
        SlotSample, SlotShare, SlotUse, sample,
    },
};

/// Three primaries with a third of the slots each, and a replica of each on another host.
fn cluster() -> Run {
    let mut run = sample::run();
    run.target.address = "redis+cluster://10.0.0.1:7000".to_owned();
    run.target.private = false;
    run.inspection.nodes = (0..6).map(node).collect();
    run
}

fn address(number: usize) -> String {
    format!("redis://10.0.0.{}:7000", number + 1)
}

fn node(number: usize) -> NodeInspection {
    let replica = number >= 3;
    let mut node = NodeInspection {
        address: address(number),
        role: if replica { NodeRole::Replica } else { NodeRole::Primary },
        primary: replica.then(|| address(number - 3)),
        slots: if replica { 0 } else { 5_461 + u32::from(number == 0) },
        suspects: Vec::new(),
        busiest: Vec::new(),
        withheld: Vec::new(),
        ..sample::node()
    };
    let own = if replica { ("role", "slave") } else { ("role", "master") };
    let link: &[(&str, &str)] = if replica {
        &[("master_link_status", "up"), ("master_last_io_seconds_ago", "1")]
    } else {
        &[("connected_slaves", "1"), ("master_repl_offset", "1000")]
    };
    let view = [
        ("cluster_state", "ok"),
        ("cluster_slots_assigned", "16384"),
        ("cluster_slots_fail", "0"),
        ("cluster_slots_pfail", "0"),
    ];
    for (name, value) in link.iter().chain(&view).chain([&own]) {
        node.info.insert((*name).to_owned(), (*value).to_owned());
    }
    if !replica {
        let listed = format!("ip=10.0.0.{},port=7000,state=online,offset=990,lag=1", number + 4);
        node.info.insert("slave0".to_owned(), listed);
    }
    for (name, value) in
        [("cluster-require-full-coverage", "no"), ("min-replicas-to-write", "1"), ("repl-backlog-size", "1048576")]
    {
        node.settings.insert(name.to_owned(), value.to_owned());
    }
    node
}

/// A primary with two replicas, and three Sentinels.
fn watched() -> Run {
    let mut run = cluster();
    run.target.address = "redis+sentinel://10.0.0.1:26379/mymaster".to_owned();
    run.inspection.nodes = [0, 3, 4].map(node).into();
    run.inspection.nodes[2].primary = Some(address(0));
    let place = |number: usize| format!("redis://10.0.0.{}:26379", number + 1);
    let sentinel = |number: usize| {
        let mut sentinel = sample::sentinel();
        let seen = sentinel.others.remove(0);
        let others = (0..3).filter(|other| *other != number);
        sentinel.others = others.map(|other| SeenSentinel { address: place(other), ..seen.clone() }).collect();
        SentinelInspection { address: place(number), ..sentinel }
    };
    run.inspection.sentinels = (0..3).map(sentinel).collect();
    run
}

fn audited(run: &Run) -> Vec<Ruling> {
    let scenario = sample::scenario();
    let Run { target, inspection, dependencies, .. } = run;
    audit(&Subject { target, inspection, dependencies, scenario: Some(&scenario), measured: None })
}

fn held(run: &Run, rule: Rule) -> Vec<Ruling> {
    audited(run).into_iter().filter(|ruling| ruling.rule == rule).collect()
}

/// The worst of a rule.
fn worst(run: &Run, rule: Rule) -> Ruling {
    let rulings = held(run, rule);
    rulings.into_iter().max_by_key(|ruling| ruling.severity).unwrap_or_else(|| panic!("{rule:?} says nothing"))
}

fn say(run: &mut Run, node: usize, name: &str, value: &str) {
    run.inspection.nodes[node].info.insert(name.to_owned(), value.to_owned());
}

fn set(run: &mut Run, node: usize, name: &str, value: &str) {
    run.inspection.nodes[node].settings.insert(name.to_owned(), value.to_owned());
}

fn instruct(run: &mut Run, name: &str, values: [&str; 3]) {
    for (sentinel, value) in run.inspection.sentinels.iter_mut().zip(values) {
        sentinel.facts.insert(name.to_owned(), value.to_owned());
    }
}

fn silence(run: &mut Run, node: usize) {
    let NodeInspection { address, role, primary, slots, .. } = run.inspection.nodes[node].clone();
    let (fault, empty) = (Some("connection refused".to_owned()), self::node(node));
    run.inspection.nodes[node] = NodeInspection {
        address,
        role,
        primary,
        slots,
        fault,
        settings: BTreeMap::new(),
        info: BTreeMap::new(),
        ..empty
    };
}

/// One step of a rule from a topology in which everything is well.
type Case = (Rule, fn() -> Run, fn(&mut Run), Severity);

pub(super) const CASES: &[Case] = &[
    (Rule::NodesAnswer, cluster, |_| {}, Severity::Passed),
    (Rule::NodesAnswer, cluster, |run| silence(run, 0), Severity::Critical),
    (Rule::NodesAnswer, cluster, |run| silence(run, 4), Severity::Warning),
    (Rule::NodesAnswer, cluster, |run| run.inspection.nodes[0].suspects = vec![address(4)], Severity::Warning),
    (Rule::NodesAnswer, cluster, |run| run.inspection.nodes[0].suspects = vec![address(1)], Severity::Critical),
    // Where a replica has taken over, the primary that failed serves nothing.
    (
        Rule::NodesAnswer,
        cluster,
        |run| {
            silence(run, 0);
            run.inspection.nodes[0].slots = 0;
        },
        Severity::Warning,
    ),
    (Rule::NodesAnswer, watched, |run| silence(run, 0), Severity::Critical),
    (Rule::Replication, cluster, |_| {}, Severity::Passed),
    (Rule::Replication, cluster, without_replica, Severity::Warning),
    (
        Rule::Replication,
        cluster,
        |run| {
            without_replica(run);
            run.target.private = true;
        },
        Severity::Note,
    ),
    (Rule::Replication, watched, |_| {}, Severity::Passed),
    (Rule::ReplicaHost, cluster, |_| {}, Severity::Passed),
    (Rule::ReplicaHost, cluster, |run| place(run, 3, "redis://10.0.0.1:7001"), Severity::Warning),
    (Rule::ReplicaHost, cluster, on_loopback, Severity::Unknown),
    (Rule::ReplicaLink, cluster, |_| {}, Severity::Passed),
    (Rule::ReplicaLink, cluster, |run| say(run, 3, "master_link_status", "down"), Severity::Warning),
    (Rule::ReplicaLink, cluster, |run| replica(run, "state=online,offset=990,lag=11"), Severity::Warning),
    (Rule::ReplicaLink, cluster, |run| replica(run, "state=send_bulk,offset=0,lag=99"), Severity::Passed),
    (
        Rule::ReplicaLink,
        cluster,
        |run| {
            say(run, 0, "master_repl_offset", "2000000");
        },
        Severity::Warning,
    ),
    (Rule::MinReplicas, cluster, |_| {}, Severity::Passed),
    (Rule::MinReplicas, cluster, |run| set(run, 0, "min-replicas-to-write", "0"), Severity::Note),
    (Rule::MinReplicas, cluster, |run| set(run, 0, "min-replicas-to-write", "2"), Severity::Critical),
    (Rule::MinReplicas, cluster, |run| say(run, 0, "min_slaves_good_slaves", "0"), Severity::Critical),
    (Rule::SlotCoverage, cluster, |_| {}, Severity::Passed),
    (Rule::SlotCoverage, cluster, |run| say(run, 5, "cluster_slots_assigned", "16383"), Severity::Critical),
    (Rule::SlotCoverage, cluster, |run| say(run, 1, "cluster_slots_fail", "5461"), Severity::Critical),
    (Rule::SlotCoverage, cluster, |run| say(run, 1, "cluster_slots_pfail", "5461"), Severity::Warning),
    (Rule::SlotCoverage, cluster, |run| say(run, 1, "cluster_state", "fail"), Severity::Critical),
    (Rule::SlotBalance, cluster, |_| {}, Severity::Passed),
    (Rule::SlotBalance, cluster, |run| slots(run, [6_500, 4_942, 4_942]), Severity::Passed),
    (Rule::SlotBalance, cluster, |run| slots(run, [6_554, 4_915, 4_915]), Severity::Warning),
    (Rule::SlotBalance, cluster, |run| slots(run, [8_192, 8_192, 0]), Severity::Warning),
    (Rule::FullCoverage, cluster, |_| {}, Severity::Passed),
    (Rule::FullCoverage, cluster, |run| set(run, 2, "cluster-require-full-coverage", "yes"), Severity::Note),
    (Rule::SentinelCount, watched, |_| {}, Severity::Passed),
    (Rule::SentinelCount, watched, |run| run.inspection.sentinels.truncate(2), Severity::Warning),
    (Rule::SentinelQuorum, watched, |_| {}, Severity::Passed),
    (Rule::SentinelQuorum, watched, |run| instruct(run, "quorum", ["4"; 3]), Severity::Critical),
    (Rule::SentinelQuorum, watched, |run| instruct(run, "quorum", ["3"; 3]), Severity::Warning),
    (Rule::SentinelQuorum, watched, |run| instruct(run, "quorum", ["2", "2", "1"]), Severity::Warning),
    (Rule::SentinelQuorum, watched, |run| instruct(run, "quorum", ["1"; 3]), Severity::Note),
    (
        Rule::SentinelQuorum,
        watched,
        |run| run.inspection.sentinels[1].check = Some("NOQUORUM 1 usable Sentinels".to_owned()),
        Severity::Critical,
    ),
    (Rule::SentinelAgreement, watched, |_| {}, Severity::Passed),
    (Rule::SentinelAgreement, watched, |run| run.inspection.sentinels[0].others[1].answers = false, Severity::Warning),
    (
        Rule::SentinelAgreement,
        watched,
        |run| {
            run.inspection.sentinels[0].others.pop();
        },
        Severity::Warning,
    ),
    (
        Rule::SentinelAgreement,
        watched,
        |run| run.inspection.sentinels[2].fault = Some("connection refused".to_owned()),
        Severity::Warning,
    ),
    (
        Rule::SentinelAgreement,
        watched,
        |run| run.inspection.sentinels[2].primary = Some(address(3)),
        Severity::Critical,
    ),
    (Rule::SentinelDownAfter, watched, |_| {}, Severity::Passed),
    (Rule::SentinelDownAfter, watched, |run| instruct(run, "down-after-milliseconds", ["500"; 3]), Severity::Warning),
    (
        Rule::SentinelDownAfter,
        watched,
        |run| instruct(run, "down-after-milliseconds", ["5000", "5000", "6000"]),
        Severity::Warning,
    ),
    (Rule::SentinelDownAfter, watched, |run| instruct(run, "down-after-milliseconds", ["30000"; 3]), Severity::Note),
];

fn without_replica(run: &mut Run) {
    run.inspection.nodes.remove(3);
    say(run, 0, "connected_slaves", "0");
}

fn place(run: &mut Run, node: usize, address: &str) {
    run.inspection.nodes[node].address = address.to_owned();
}

fn on_loopback(run: &mut Run) {
    let local = |address: &str| format!("redis://127.0.0.1:70{}0", &address["redis://10.0.0.".len()..][..1]);
    for node in &mut run.inspection.nodes {
        node.address = local(&node.address);
        node.primary = node.primary.as_deref().map(local);
    }
}

fn replica(run: &mut Run, state: &str) {
    say(run, 0, "slave0", &format!("ip=10.0.0.4,port=7000,{state}"));
}

fn slots(run: &mut Run, slots: [u32; 3]) {
    for (node, slots) in run.inspection.nodes.iter_mut().zip(slots) {
        node.slots = slots;
    }
}

#[test]
fn every_rule_of_nodes_says_what_it_should() {
    for (number, (rule, topology, change, expected)) in CASES.iter().enumerate() {
        let mut run = topology();
        change(&mut run);
        let ruling = worst(&run, *rule);
        assert_eq!(ruling.severity, *expected, "case {number}: {ruling:?}");
        assert!(!ruling.evidence.is_empty(), "case {number}: {ruling:?}");
        assert_eq!(ruling.remedies.is_empty(), ruling.severity <= Severity::Unknown, "case {number}: {ruling:?}");
    }
}

#[test]
fn rules_of_one_server_are_applied_to_each_node_and_said_once() {
    let mut run = cluster();
    let [limit] = &held(&run, Rule::MemoryLimit)[..] else { panic!("alike at all nodes") };
    let scope = limit.scope.as_ref().unwrap();
    assert_eq!((scope.nodes.len(), scope.judged, scope.known), (6, 6, 6));
    set(&mut run, 4, "maxmemory", "0");
    let [limited, unlimited] = &held(&run, Rule::MemoryLimit)[..] else { panic!("two kinds") };
    assert_eq!((limited.severity, limited.scope.as_ref().unwrap().nodes.len()), (Severity::Passed, 5));
    assert_eq!(unlimited.severity, Severity::Warning);
    assert_eq!(unlimited.scope.as_ref().unwrap().nodes, [address(4)]);
    // What only one server of the target knows is said of the target.
    assert_eq!(held(&run, Rule::LeastPrivilege)[0].scope, None);
}

#[test]
fn figures_that_differ_are_those_of_a_node_that_is_named() {
    let mut run = cluster();
    let named = |run: &Run| {
        let evidence = held(run, Rule::MemoryLimit).remove(0).evidence;
        evidence.into_iter().find(|fact| fact.what == "figures of").map(|fact| fact.value)
    };
    assert_eq!(named(&run), None);
    say(&mut run, 2, "uptime_in_seconds", "7");
    assert_eq!(named(&run), Some(Quantity::Text(address(0))));
}

#[test]
fn a_node_that_does_not_answer_is_one_finding_and_the_others_are_checked() {
    let mut run = cluster();
    silence(&mut run, 4);
    let limit = worst(&run, Rule::MemoryLimit);
    let scope = limit.scope.unwrap();
    assert_eq!((scope.nodes.len(), scope.judged, scope.known), (5, 5, 6));
    let silent = worst(&run, Rule::NodesAnswer);
    let said = format!("{:?}", silent.evidence);
    assert!(said.contains(&address(4)) && said.contains("connection refused"), "{said}");
    let others = audited(&run).into_iter().filter(|ruling| ruling.severity > Severity::Unknown);
    let blamed = |ruling: &Ruling| ruling.scope.as_ref().is_some_and(|scope| scope.nodes.contains(&address(4)));
    assert!(others.into_iter().all(|ruling| !blamed(&ruling)), "nothing is known of it");
}

#[test]
fn versions_are_those_of_the_nodes() {
    let mut run = cluster();
    run.inspection.nodes[5].version = Some("7.2.16".to_owned());
    let rulings = held(&run, Rule::Version);
    let of_node: Vec<_> = rulings.iter().filter(|ruling| ruling.severity == Severity::Passed).collect();
    assert_eq!(of_node.len(), 1, "{rulings:?}");
    assert_eq!(of_node[0].scope.as_ref().unwrap().nodes, [address(5)]);
}

#[test]
fn what_was_measured_at_a_node_counts_there() {
    let mut run = cluster();
    let record = |number: usize, evicted| {
        let mut server: ServerRecord = sample::run().server;
        server.seconds[2].counts.evicted = Some(evicted);
        let before = NodeFacts { address: address(number), role: NodeRole::Primary, slots: 1, primary: None };
        NodeRecord { before, after: None, server }
    };
    run.nodes = vec![record(0, 0), record(1, 9)];
    let recording: &Recording = &run.recording;
    let (record, nodes, side) = (&run.server, &run.nodes[..], &crate::analysis::ServerSide::default());
    let measured = Some(Measured { record, nodes, side, recording, rows: &[] });
    let scenario = sample::scenario();
    let Run { target, inspection, dependencies, .. } = &run;
    let rulings = audit(&Subject { target, inspection, dependencies, scenario: Some(&scenario), measured });
    let evicting = rulings.iter().filter(|ruling| ruling.rule == Rule::Evictions && ruling.severity > Severity::Passed);
    let nodes: Vec<_> = evicting.flat_map(|ruling| ruling.scope.clone().unwrap().nodes).collect();
    assert_eq!(nodes, [address(1)]);
    assert!(rulings.iter().any(|ruling| ruling.rule == Rule::ExpensiveCommands && ruling.scope.is_some()));
}

#[test]
fn one_busiest_slot_of_all_primaries_comes_first() {
    let mut run = cluster();
    let slot = |slot, keys, cpu_us| SlotUse { slot, keys, cpu_us };
    run.inspection.nodes[0].busiest = vec![slot(7, 3, Some(10)), slot(8, 1, Some(9))];
    run.inspection.nodes[1].busiest = vec![slot(9_000, 1, Some(70)), slot(9_001, 50, Some(1))];
    let busiest = |run: &Run| {
        let evidence = worst(run, Rule::SlotBalance).evidence;
        let fact = evidence.into_iter().find(|fact| fact.what == "busiest slots").unwrap();
        let Quantity::Text(text) = fact.value else { panic!("{fact:?}") };
        text
    };
    assert!(busiest(&run).starts_with("9000 at redis://10.0.0.2:7000 (CPU 70 µs, keys 1), 7 at "), "{}", busiest(&run));
    run.inspection.nodes[1].busiest[1].cpu_us = None;
    assert!(busiest(&run).starts_with("9001 at redis://10.0.0.2:7000 (keys 50), "), "{}", busiest(&run));
    // A server without statistics of slots.
    run.inspection.nodes.iter_mut().for_each(|node| node.busiest.clear());
    let share = |slot, commands| SlotShare { slot, commands, node: Some(address(1)) };
    run.inspection.slots = Some(SlotSample { commands: 2_000, least: 50, busiest: vec![share(7, 300), share(9, 51)] });
    let expected = format!("7 at {0} (15.0 %), 9 at {0} (2.5 %) of a sample of 2000 commands", address(1));
    assert_eq!(busiest(&run), expected);
}

#[test]
fn rules_of_a_topology_are_silent_without_one() {
    let alone = audited(&sample::run());
    let between = |ruling: &&Ruling| (Rule::NodesAnswer..=Rule::SentinelDownAfter).contains(&ruling.rule);
    assert_eq!(alone.iter().filter(between).count(), 0);
    assert!(alone.iter().all(|ruling| ruling.scope.is_none()));
    assert!(held(&cluster(), Rule::SentinelCount).is_empty() && held(&watched(), Rule::SlotBalance).is_empty());
}

#[test]
fn encryption_is_judged_by_the_scheme_of_a_cluster_too() {
    let mut run = sample::run();
    run.target.address = "rediss+cluster://h:1".to_owned();
    assert_eq!(held(&run, Rule::Encryption)[0].severity, Severity::Passed);
    let mut run = cluster();
    for node in &mut run.inspection.nodes {
        node.address = node.address.replace("redis:", "rediss:");
    }
    assert_eq!(worst(&run, Rule::Encryption).severity, Severity::Passed);
}
