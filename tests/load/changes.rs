//! Slots and roles that change under load, and a node that falls silent: which requests fail, and that every one is accounted for.

use std::{collections::BTreeSet, thread, time::Duration};

use plimsoll::{
    load::Settings,
    measure::{ErrorClass, OTHERS, Recording, SeriesRecord},
    report::{Document, RunReport},
    target::{PrivateNode, PrivateRole, PrivateServer},
};

use super::{
    bench::{Bench, balance, counts, one_service},
    clusters::{by_node, finished},
    nodes::{at_the_end, counted},
};
use crate::{
    support::{block_on, deployment, for_each_client, relay::Relay, until},
    target::topologies::{ask, port},
};

for_each_client!(
    no_increment_is_lost_or_counted_twice_while_its_slot_moves,
    commands_with_keys_on_both_nodes_are_refused_while_their_slot_moves_to_an_added_one,
    connections_that_were_forgotten_cost_requests_but_no_accounts,
    writes_are_refused_once_the_primary_is_a_replica,
    a_node_that_answers_no_more_costs_requests_but_no_accounts,
);

const OPEN: &str = "model = \"open\"\nrate = 1000\narrivals = \"uniform\"";
const POOL: &str = "size = 8\ncommand_timeout = \"500ms\"\ncheckout_timeout = \"500ms\"";
const MIX: &[&str] = &["command = \"GET\"", "command = \"SET\""];

/// A hash tag whose slot is 0, the first to move.
const TAG: &str = "{06S}:";

fn phases(duration: &str) -> String {
    format!("warmup = \"0s\"\nduration = \"{duration}\"\ndrain = \"5s\"")
}

/// A scenario whose keys are all in slot 0.
fn in_one_slot(duration: &str, operation: &str) -> String {
    one_service(&phases(duration), POOL, OPEN, &[operation]).replace("\"test:\"", &format!("\"{TAG}\""))
}

fn planned(text: &str, events: &[(&str, &str)]) -> String {
    let lines = events.iter().map(|(at, action)| format!("\n[[event]]\nat = \"{at}\"\ndo = \"{action}\"\n"));
    text.to_owned() + &lines.collect::<String>()
}

/// Classes of the failures of a run.
fn classes(recording: &Recording) -> BTreeSet<ErrorClass> {
    recording.series.iter().flat_map(|series| series.totals().errors.into_keys()).collect()
}

fn of_class(series: &SeriesRecord, class: ErrorClass) -> u64 {
    series.totals().errors.get(&class).copied().unwrap_or_default()
}

/// Requests of the rows of nodes.
fn sent(recording: &Recording) -> u64 {
    recording.nodes.iter().map(finished).sum()
}

/// Requests that waited in vain for connections, all of which waited for one node: they were sent to no node.
fn unsent(recording: &Recording) -> u64 {
    recording.series.iter().map(|series| of_class(series, ErrorClass::CheckoutTimeout)).sum()
}

/// Requests that a node sent on to another one, by which they were answered.
fn asked(recording: &Recording) -> u64 {
    recording.services[0].seconds.iter().map(|second| second.asked).sum()
}

/// The one failure by which fred, which does not reach the node that ASK names, differs from the wire client.
fn of_ask(client: &str) -> BTreeSet<ErrorClass> {
    (client == "fred").then_some(ErrorClass::Ask).into_iter().collect()
}

fn no_increment_is_lost_or_counted_twice_while_its_slot_moves(client: &str) {
    let text = planned(&in_one_slot("2200ms", "command = \"INCR\""), &[("300ms", "reshard:3")]);
    let bench = Bench::on("cluster:2x0", client, &text);
    let [from, to] = bench.server.nodes() else { panic!("{:?}", bench.server.nodes()) };
    let before = counted(&bench.server, TAG);
    let (recording, events) = bench.start(Settings::default()).finish_with_events();
    let (completed, failed, unfinished) = balance(&recording);
    by_node(&recording);
    assert_eq!(events[0].failure, None);
    let expected = format!("3 slots with 1000 keys moved from {} to {}", from.endpoint(), to.endpoint());
    assert_eq!((&events[0].outcome, &events[0].node), (&Some(expected), &Some(from.endpoint().to_string())));
    assert!(ask(&bench.server, from, "DBSIZE").starts_with(":0\n"));
    let (increments, sent) = (counted(&bench.server, TAG) - before, completed + failed + unfinished);
    assert!(
        (completed..=sent).contains(&increments),
        "{increments} on the servers, {sent} sent, {completed} acknowledged"
    );
    assert_eq!((classes(&recording), unfinished), (of_ask(client), 0));
    assert_eq!(asked(&recording) > 0, client == "wire", "{} requests followed ASK", asked(&recording));
    let (completed, failed) = at_the_end(&recording);
    assert!(completed > 0 && failed == 0, "{completed} completed, {failed} failed in the last whole second");
}

/// A slot on its way from one node to another, by hand.
struct Moving<'a> {
    server: &'a PrivateServer,
    from: &'a PrivateNode,
    to: &'a PrivateNode,
}

impl Moving<'_> {
    fn says(&self, node: &PrivateNode, line: &str) -> String {
        ask(self.server, node, line)
    }

    fn set_slot(&self, node: &PrivateNode, state: &str, named: &PrivateNode) {
        let name = self.says(named, "CLUSTER MYID").lines().nth(1).unwrap().to_owned();
        let reply = self.says(node, &format!("CLUSTER SETSLOT 0 {state} {name}"));
        assert!(reply.starts_with("+OK"), "{reply}");
    }

    /// Moves this number of its keys at most.
    fn keys(&self, count: u64) {
        let reply = self.says(self.from, &format!("CLUSTER GETKEYSINSLOT 0 {count}"));
        let keys: Vec<_> = reply.lines().filter(|line| line.starts_with(TAG)).collect();
        let password = self.server.password("plimsoll").unwrap().expose();
        let address = format!("127.0.0.1 {}", port(self.to.endpoint()));
        let reply = self.says(
            self.from,
            &format!("MIGRATE {address} \"\" 0 4000 AUTH2 plimsoll {password} KEYS {}", keys.join(" ")),
        );
        assert!(reply.starts_with("+OK"), "{reply}");
    }
}

/// A node that joins a cluster, without slots.
fn added_to(server: &PrivateServer) -> PrivateServer {
    let (first, added) = (&server.nodes()[0], block_on(deployment("cluster:1x0")));
    let node = &added.nodes()[0];
    let password = server.password("plimsoll").unwrap().expose();
    for line in [&format!("ACL SETUSER plimsoll >{password}"), "CLUSTER RESET HARD"] {
        let reply = ask(&added, node, line);
        assert!(reply.starts_with("+OK"), "{line}: {reply}");
    }
    let meet = format!("CLUSTER MEET 127.0.0.1 {}", port(node.endpoint()));
    assert!(ask(server, first, &meet).starts_with("+OK"));
    until("both serve in one cluster", || {
        let is_serving = |node| {
            let info = ask(server, node, "CLUSTER INFO");
            info.contains("cluster_state:ok\n") && info.contains("\ncluster_known_nodes:2\n")
        };
        is_serving(first) && is_serving(node)
    });
    added
}

fn commands_with_keys_on_both_nodes_are_refused_while_their_slot_moves_to_an_added_one(client: &str) {
    let bench = Bench::on("cluster:1x0", client, &in_one_slot("3200ms", "command = \"MGET\"\nbatch = 10"));
    let added = added_to(&bench.server);
    let (from, to) = (&bench.server.nodes()[0], &added.nodes()[0]);
    let running = bench.start(Settings::default());
    running.wait_until_measuring();
    let moving = Moving { server: &bench.server, from, to };
    moving.set_slot(to, "IMPORTING", from);
    moving.set_slot(from, "MIGRATING", to);
    moving.keys(500);
    thread::sleep(Duration::from_millis(500));
    moving.keys(1_000);
    moving.set_slot(to, "NODE", to);
    moving.set_slot(from, "NODE", to);
    let (recording, server) = running.finish_with_server();
    let (completed, failed, unfinished) = balance(&recording);
    let refused = counts(&recording, "MGET").errors.get(&ErrorClass::Tryagain).copied().unwrap_or_default();
    assert!(refused > 100, "{refused} of {failed} failures");
    let mut others = classes(&recording);
    others.remove(&ErrorClass::Tryagain);
    // A connection of fred that ASK refers to a node which it does not know answers nothing more.
    let silent = [ErrorClass::Ask, ErrorClass::Timeout, ErrorClass::CheckoutTimeout, ErrorClass::ConnectionLost];
    let expected = if client == "fred" { BTreeSet::from(silent) } else { BTreeSet::new() };
    assert!(others.is_subset(&expected) && unfinished == 0, "{others:?}");
    assert_eq!(sent(&recording) + unsent(&recording), completed + failed);
    let of_added = recording.nodes.iter().find(|series| series.key.operation == OTHERS).unwrap();
    assert!(finished(of_added) > 0, "it was not known before the load");
    if client == "wire" {
        let (completed, failed) = at_the_end(&recording);
        assert!(completed > 0 && failed == 0, "{completed} completed, {failed} failed in the last whole second");
    }
    let files = RunReport::new(bench.saved(recording, server)).unwrap().files();
    let (_, errors) = files.iter().find(|(name, _)| name == "errors.csv").unwrap();
    let errors = String::from_utf8(errors.clone()).unwrap();
    assert!(errors.contains(&format!("TRYAGAIN,{refused},TRYAGAIN ")), "{errors}");
    let (_, report) = files.iter().find(|(name, _)| name == "report.md").unwrap();
    let report = String::from_utf8(report.clone()).unwrap();
    assert!(report.contains("Hash slots of the cluster were moving"), "{report}");
}

fn writes_are_refused_once_the_primary_is_a_replica(client: &str) {
    let bench = Bench::on("replica", client, &one_service(&phases("60s"), POOL, OPEN, MIX));
    let [primary, replica] = bench.server.nodes() else { panic!("{:?}", bench.server.nodes()) };
    let running = bench.start(Settings::default());
    running.wait_until_measuring();
    assert!(ask(&bench.server, replica, "REPLICAOF NO ONE").starts_with("+OK"));
    let follow = format!("REPLICAOF 127.0.0.1 {}", port(replica.endpoint()));
    assert!(ask(&bench.server, primary, &follow).starts_with("+OK"));
    thread::sleep(Duration::from_millis(2_200));
    running.stop.cancel();
    let recording = running.finish();
    let (_, failed, unfinished) = balance(&recording);
    let of = |operation| counts(&recording, operation).errors;
    let refused = of("SET").get(&ErrorClass::Readonly).copied().unwrap_or_default();
    assert!(refused > 0 && unfinished == 0, "{refused} of {failed} failures");
    assert!(!of("GET").contains_key(&ErrorClass::Readonly), "{:?}", of("GET"));
    let last = |operation: &str| at_the_end(&only(&recording, operation));
    assert_eq!(last("SET").0, 0);
    assert!(last("GET").0 > 0 && last("GET").1 == 0, "{:?}", of("GET"));
}

/// The part of a recording that is of one operation.
fn only(recording: &Recording, operation: &str) -> Recording {
    let mut part = recording.clone();
    part.series.retain(|series| series.key.operation == operation);
    part
}

fn a_node_that_answers_no_more_costs_requests_but_no_accounts(client: &str) {
    let text = planned(&one_service(&phases("1500ms"), POOL, OPEN, MIX), &[("500ms", "stop:1:1m")]);
    let bench = Bench::on("cluster:3x0", client, &text);
    let (recording, events) = bench.start(Settings::default()).finish_with_events();
    assert!(events[0].ended_ns.is_some() && events[0].failure.is_none(), "{events:?}");
    let (completed, failed, unfinished) = balance(&recording);
    let stopped = bench.server.nodes()[0].endpoint().to_string();
    let row = recording.nodes.iter().find(|series| series.key.operation == stopped).unwrap();
    let timeouts = of_class(row, ErrorClass::Timeout);
    assert!(timeouts > 0 && unfinished == 0, "{timeouts} of {failed} failures, {unfinished} unfinished");
    assert_eq!(sent(&recording) + unsent(&recording), completed + failed);
    let silent = [ErrorClass::Timeout, ErrorClass::CheckoutTimeout, ErrorClass::ConnectionLost];
    assert!(classes(&recording).is_subset(&BTreeSet::from(silent)), "{:?}", classes(&recording));
}

/// Puts a relay before the first server of a deployment, for all who ask its nodes where it is.
fn relayed(server: &PrivateServer) -> Relay {
    let (first, others) = server.nodes().split_first().unwrap();
    let relay = Relay::before(port(first.endpoint()));
    let says = |node, line: &str| {
        let reply = ask(server, node, line);
        assert!(reply.starts_with("+OK"), "{line}: {reply}");
    };
    let sentinels: Vec<_> = others.iter().filter(|node| node.role() == PrivateRole::Sentinel).collect();
    let password = server.password("plimsoll").unwrap().expose();
    for sentinel in &sentinels {
        says(sentinel, "SENTINEL REMOVE mymaster");
        says(sentinel, &format!("SENTINEL MONITOR mymaster 127.0.0.1 {} 2", relay.port));
        // Their connections are forgotten as well.
        let options = format!("auth-user plimsoll auth-pass {password} down-after-milliseconds 60000");
        says(sentinel, &format!("SENTINEL SET mymaster {options}"));
    }
    if sentinels.is_empty() {
        says(first, &format!("CONFIG SET cluster-announce-port {}", relay.port));
        until("the others know it", || {
            ask(server, &others[0], "CLUSTER SLOTS").contains(&format!(":{}\n", relay.port))
        });
    }
    relay
}

fn connections_that_were_forgotten_cost_requests_but_no_accounts(client: &str) {
    for topology in ["cluster:2x0", "sentinel"] {
        let text = one_service(&phases("60s"), POOL, OPEN, &["command = \"INCR\""]);
        let mut relay = None;
        let bench = Bench::behind(topology, client, &text, |server| relay = Some(relayed(server)));
        let (relay, before) = (relay.unwrap(), counted(&bench.server, "test:"));
        let running = bench.start(Settings::default());
        running.wait_until_measuring();
        relay.forget();
        thread::sleep(Duration::from_secs(4));
        running.stop.cancel();
        let recording = running.finish();
        let (completed, failed, unfinished) = balance(&recording);
        let (increments, sent) = (counted(&bench.server, "test:") - before, completed + failed + unfinished);
        assert!(
            (completed..=sent).contains(&increments),
            "{topology}: {increments} on the servers, {sent} sent, {completed} acknowledged"
        );
        let classes = classes(&recording);
        let silent = [ErrorClass::Timeout, ErrorClass::CheckoutTimeout, ErrorClass::ConnectionLost];
        assert!(classes.contains(&ErrorClass::Timeout) && classes.is_subset(&BTreeSet::from(silent)), "{classes:?}");
        assert_eq!(unfinished, 0, "{topology}");
        // fred does not look for a connection to a node of a cluster that answers no more.
        if topology == "sentinel" || client == "wire" {
            let (completed, failed) = at_the_end(&recording);
            assert!(completed > 0 && failed == 0, "{topology}: {completed} completed, {failed} failed at the end");
        }
    }
}
