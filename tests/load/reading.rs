//! Reads from replicas under load: which node serves what, with each client and topology, also when nodes come and go.

use std::{thread, time::Duration};

use plimsoll::{
    load::Settings,
    measure::{Recording, SeriesRecord},
    target::{PrivateNode, PrivateRole, PrivateServer, Target},
};

use super::{
    bench::{Bench, Running, balance, counts, one_service},
    clusters::{by_node, finished},
    nodes::{OPEN, POOL, at_the_end, servers},
};
use crate::{
    support::{block_on, deployment, for_each_client, until},
    target::topologies::{ask, with_role},
};

for_each_client!(
    replicas_serve_all_reads_and_primaries_all_else,
    any_node_serves_reads,
    batches_are_divided_among_the_nodes,
    a_killed_replica_fails_its_reads_until_it_is_back,
    reads_follow_a_failover_of_sentinels,
    a_replica_of_a_cluster_that_takes_over_serves_no_reads_as_a_replica,
);

const PHASES: &str = "warmup = \"200ms\"\nduration = \"2s\"\ndrain = \"5s\"";
/// Ended early, as soon as there is enough to see.
const LONG: &str = "warmup = \"0s\"\nduration = \"60s\"\ndrain = \"5s\"";
/// The transaction only reads, and is the primary's all the same.
const MIX: &[&str] = &[
    "command = \"GET\"",
    "command = \"SET\"",
    "command = \"RAW\"\nargs = [\"strlen\", \"{key}\"]",
    "name = \"both\"\nsequence = [{ command = \"GET\" }, { command = \"SET\" }]",
    "name = \"together\"\ntransaction = true\nsequence = [{ command = \"GET\" }, { command = \"EXISTS\" }]",
];

/// A text of one service that reads from these nodes.
fn reading(from: &str, text: &str) -> String {
    text.replace("name = \"api\"", &format!("name = \"api\"\nread_from = \"{from}\""))
}

/// Requests that nodes of a role finished, by the roles that they started in.
fn of_role(recording: &Recording, server: &PrivateServer, is_primary: bool) -> u64 {
    let of = servers(server).filter(|node| (node.role() == PrivateRole::Primary) == is_primary);
    let addresses: Vec<String> = of.map(|node| node.endpoint().to_string()).collect();
    recording.nodes.iter().filter(|series| addresses.contains(&series.key.operation)).map(finished).sum()
}

/// Reads by the role of the node: of a primary, of replicas, others.
fn by_role(recording: &Recording) -> [u64; 3] {
    let of = |role: &str| -> u64 {
        let rows = recording.reads.iter().filter(|series: &&SeriesRecord| series.key.operation == role);
        rows.map(finished).sum()
    };
    ["primary", "replica", "other"].map(of)
}

/// Calls of a command that a node has counted.
fn calls(server: &PrivateServer, node: &PrivateNode, command: &str) -> u64 {
    let stats = ask(server, node, "INFO commandstats");
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

fn reads(recording: &Recording) -> u64 {
    ["GET", "RAW"].iter().map(|name| counts(recording, name)).map(|counts| counts.completed + counts.failed()).sum()
}

fn replicas_serve_all_reads_and_primaries_all_else(client: &str) {
    for topology in ["replica", "sentinel", "cluster:3x1"] {
        let bench = Bench::on(topology, client, &reading("replica", &one_service(PHASES, POOL, OPEN, MIX)));
        for node in servers(&bench.server) {
            assert!(ask(&bench.server, node, "CONFIG RESETSTAT").starts_with("+OK"));
        }
        let recording = bench.run();
        let (completed, failed, unfinished) = balance(&recording);
        by_node(&recording);
        assert_eq!((failed, unfinished), (0, 0), "{topology}");
        let reads = reads(&recording);
        assert!(reads > 0 && by_role(&recording) == [0, reads, 0], "{topology}: {:?}", by_role(&recording));
        let of_replicas = of_role(&recording, &bench.server, false);
        assert_eq!((of_replicas, of_role(&recording, &bench.server, true)), (reads, completed - reads), "{topology}");
        for node in servers(&bench.server) {
            let [get, strlen, exists] = ["get", "strlen", "exists"].map(|name| calls(&bench.server, node, name) > 0);
            let is_primary = node.role() == PrivateRole::Primary;
            assert_eq!((get, strlen, exists), (true, !is_primary, is_primary), "{topology} {}", node.endpoint());
        }
    }
}

fn any_node_serves_reads(client: &str) {
    for topology in ["replica", "sentinel", "cluster:2x1"] {
        let bench = Bench::on(topology, client, &reading("any", &one_service(PHASES, POOL, OPEN, MIX)));
        let recording = bench.run();
        let (_, failed, unfinished) = balance(&recording);
        by_node(&recording);
        assert_eq!((failed, unfinished), (0, 0), "{topology}");
        let [primary, replica, other] = by_role(&recording);
        assert_eq!((primary + replica, other), (reads(&recording), 0), "{topology}");
        // In turn: with two replicas two of three.
        let share = replica as f64 / (primary + replica) as f64;
        let expected = if topology == "sentinel" { 2.0 / 3.0 } else { 0.5 };
        assert!((share - expected).abs() < 0.1, "{topology}: {share} of the reads by replicas");
    }
}

fn batches_are_divided_among_the_nodes(client: &str) {
    let closed = "model = \"closed\"\nclients = 16";
    for topology in ["sentinel", "cluster:2x1"] {
        let pool = "size = 2\npipeline = 8\ncommand_timeout = \"2s\"";
        let bench = Bench::on(topology, client, &reading("any", &one_service(PHASES, pool, closed, &MIX[..4])));
        let recording = bench.run();
        let (_, failed, unfinished) = balance(&recording);
        by_node(&recording);
        assert_eq!((failed, unfinished), (0, 0), "{topology}");
        let [primary, replica, other] = by_role(&recording);
        assert!(primary > 0 && replica > 0 && other == 0, "{topology}: {primary}, {replica}, {other}");
        let missed: u64 = recording.series.iter().map(|series| series.totals().misses).sum();
        assert_eq!(missed, 0, "{topology}: answers are those to the requests");
    }
}

/// Ends a run after three further seconds.
fn ended(running: Running) -> Recording {
    thread::sleep(Duration::from_secs(3));
    running.stop.cancel();
    running.finish()
}

fn a_killed_replica_fails_its_reads_until_it_is_back(client: &str) {
    for topology in ["replica", "sentinel"] {
        let bench = Bench::on(topology, client, &reading("replica", &one_service(LONG, POOL, OPEN, &MIX[..2])));
        let replica = servers(&bench.server).find(|node| node.role() != PrivateRole::Primary).unwrap();
        let running = bench.start(Settings::default());
        running.wait_until_measuring();
        replica.kill();
        thread::sleep(Duration::from_secs(1));
        if topology == "replica" {
            replica.restart().unwrap();
        }
        let recording = ended(running);
        let (_, failed, unfinished) = balance(&recording);
        by_node(&recording);
        let of_reads = counts(&recording, "GET").failed();
        assert_eq!((failed, unfinished), (of_reads, 0), "{topology}: writes do not notice");
        if topology == "replica" {
            assert!(of_reads > 0);
        } else {
            // The other replica serves the reads, so that at most those under way fail.
            assert!(of_reads <= 8, "{of_reads} failed");
        }
        let [primary, replica, _] = by_role(&recording);
        assert!(primary == 0 && replica > 0, "{topology}: {primary} reads by the primary");
        let (completed, failed) = at_the_end(&recording);
        assert!(completed > 0 && failed == 0, "{topology}: {completed} completed, {failed} failed in the last second");
    }
}

fn reads_follow_a_failover_of_sentinels(client: &str) {
    let bench = Bench::on("sentinel", client, &reading("replica", &one_service(LONG, POOL, OPEN, &MIX[..2])));
    let sentinel = bench.server.nodes().iter().find(|node| node.role() == PrivateRole::Sentinel).unwrap();
    let primary = || ask(&bench.server, sentinel, "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster");
    let (before, running) = (primary(), bench.start(Settings::default()));
    running.wait_until_measuring();
    bench.server.kill();
    until("the Sentinels name another primary", || primary() != before);
    until("it is one", || with_role(&bench.server, "master").len() == 1);
    let promoted = with_role(&bench.server, "master")[0];
    let gets = || calls(&bench.server, promoted, "get");
    // The roster is read once a second, and later on a busy machine.
    until("the new primary serves no reads", || {
        let before = gets();
        thread::sleep(Duration::from_millis(300));
        gets() == before
    });
    let gets = gets();
    let recording = ended(running);
    assert_eq!(calls(&bench.server, promoted, "get"), gets, "the new primary serves no reads");
    let (_, _, unfinished) = balance(&recording);
    by_node(&recording);
    let (completed, failed) = at_the_end(&recording);
    assert!(
        completed > 0 && failed == 0 && unfinished == 0,
        "{completed} completed, {failed} failed in the last second"
    );
}

fn a_replica_of_a_cluster_that_takes_over_serves_no_reads_as_a_replica(client: &str) {
    let bench = Bench::on("cluster:3x1", client, &reading("any", &one_service(LONG, POOL, OPEN, &MIX[..2])));
    let running = bench.start(Settings::default());
    running.wait_until_measuring();
    let replicas: Vec<_> = servers(&bench.server).filter(|node| node.role() != PrivateRole::Primary).collect();
    assert!(ask(&bench.server, replicas[0], "CLUSTER FAILOVER").starts_with("+OK"));
    until("it is a primary", || ask(&bench.server, replicas[0], "ROLE").contains("master"));
    let recording = ended(running);
    let (completed, failed, unfinished) = balance(&recording);
    by_node(&recording);
    assert!(unfinished == 0 && failed * 10 < completed, "{completed} completed, {failed} failed");
    let (completed, failed) = at_the_end(&recording);
    assert!(completed > 0 && failed == 0, "{completed} completed, {failed} failed in the last second");
    let [primary, replica, _] = by_role(&recording);
    assert!(primary > 0 && replica > 0);
}

#[test]
fn the_audit_proposes_the_rights_that_reads_from_replicas_need() {
    let needs = |from: &str| {
        let text = reading(from, &one_service(PHASES, POOL, OPEN, &MIX[..2]));
        let scenario = plimsoll::scenario::parse(&text, "test.toml").unwrap();
        block_on(async {
            let server = deployment("cluster:1x1").await;
            let target = Target::of_private(&server, &scenario).unwrap().found().await.unwrap();
            let inspection = target.inspect(Some(&scenario), true, false).await;
            inspection.logins.into_iter().flat_map(|login| login.needs).collect::<Vec<_>>()
        })
    };
    assert_eq!(needs("primary"), ["~test:*", "+cluster|slots", "+get", "+ping", "+set"]);
    assert_eq!(needs("replica"), ["~test:*", "+cluster|slots", "+get", "+ping", "+readonly", "+set"]);
}

#[test]
fn a_target_without_the_replicas_that_it_needs_is_refused() {
    let refusal = |topology: &str, from: &str| {
        let text = reading(from, &one_service(PHASES, POOL, OPEN, MIX));
        let scenario = plimsoll::scenario::parse(&text, "test.toml").unwrap();
        block_on(async {
            let server = deployment(topology).await;
            let target = Target::of_private(&server, &scenario).unwrap().found().await.unwrap();
            target.preflight(&scenario).await.map(drop).map_err(|error| error.to_string())
        })
    };
    for topology in ["standalone", "cluster:2x0"] {
        for from in ["replica", "any"] {
            let error = refusal(topology, from).unwrap_err();
            let expected = format!("has no replica in sync, which read_from = \"{from}\" needs");
            assert!(error.contains(&expected), "{topology}: {error}");
        }
    }
    assert_eq!(refusal("replica", "replica"), Ok(()));
}
