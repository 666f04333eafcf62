//! Clusters and Sentinels: both clients, against servers of the harness's own.

use std::time::Duration;

use plimsoll::{
    operation::{Kind, Request},
    results::NodeRole,
    scenario::{Client, Protocol, Scenario},
    target::{Driver, DriverConnection, PrivateNode, PrivateRole, PrivateServer, Served, Target},
};

use super::{
    clients::{done, locally, spoken},
    plan::{plain, request, scenario, service, value},
    topologies::ask,
};
use crate::support::{Turn, deployment, until};

const KEYS: u64 = 60;

fn of(kinds: &[Kind], client: Client) -> Scenario {
    let mut service = service("test", kinds);
    service.client = client;
    scenario(vec![service])
}

async fn target(server: &PrivateServer, plan: &Scenario) -> Target {
    Target::of_private(server, plan).unwrap().found().await.unwrap()
}

fn set(number: u64) -> Request {
    request(Kind::Set, &format!("test:str:{number}"), value(&format!("v{number}")))
}

fn get(number: u64) -> Request {
    plain(Kind::Get, &format!("test:str:{number}"))
}

fn primaries(server: &PrivateServer) -> Vec<&PrivateNode> {
    server.nodes().iter().filter(|node| node.role() == PrivateRole::Primary).collect()
}

/// Writes keys with one client, reads them with the other, one by one and together, and checks that every primary served some.
async fn write_and_read(writer: &impl Driver, reader: &impl Driver) {
    let (writer, reader) = (writer.open().await.unwrap(), reader.open().await.unwrap());
    let mut served = Vec::new();
    for number in 0..KEYS {
        let answer = writer.issue(set(number)).await;
        answer.result.unwrap();
        let read = reader.issue(get(number)).await;
        assert_eq!(read.result.unwrap().hits, 1);
        assert_eq!(read.served, answer.served, "both clients ask the same node");
        served.push(answer.served);
    }
    let mut requests: Vec<_> = (0..KEYS).map(get).collect();
    let mut answers = Vec::new();
    reader.issue_all(&mut requests, &mut answers).await;
    let bytes = answers.iter().map(|answer| answer.result.as_ref().unwrap().bytes);
    assert!(bytes.eq((0..KEYS).map(|number| format!("v{number}").len() as u32)), "in the order of the requests");
    assert!(answers.iter().map(|answer| answer.served).eq(served.iter().copied()));
    served.sort_by_key(|served| if let Served::By(node) = served { *node } else { u16::MAX });
    served.dedup();
    assert_eq!(served.len(), 3, "{served:?}");
    writer.close().await;
    reader.close().await;
}

#[test]
fn both_clients_find_every_node_of_a_cluster() {
    locally(async {
        let _turn = Turn::beside();
        let server = deployment("cluster").await;
        let plan = of(&[Kind::Get, Kind::Set, Kind::Eval], Client::Fred);
        let target = target(&server, &plan).await;
        let facts = target.preflight(&plan).await.unwrap();
        let with = |role| facts.nodes.iter().filter(move |node| node.role == role);
        assert_eq!((with(NodeRole::Primary).count(), with(NodeRole::Replica).count()), (3, 3));
        assert_eq!(with(NodeRole::Primary).map(|node| node.slots).sum::<u32>(), 16_384);
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let plan = spoken(protocol, plan.clone());
            let target = self::target(&server, &plan).await;
            target.preflight(&plan).await.unwrap();
            let (fred, wire) = (target.connector(0), target.cluster_connector(0).unwrap());
            write_and_read(&fred, &wire).await;
            write_and_read(&wire, &fred).await;
            assert_eq!(target.cleanup(&plan).await.unwrap(), KEYS, "on all nodes");
        }
    });
}

#[test]
fn keys_in_several_slots_are_refused_before_the_load() {
    locally(async {
        let _turn = Turn::beside();
        let server = deployment("cluster:2x0").await;
        let plan = of(&[Kind::Get, Kind::MGet], Client::Fred);
        let error = target(&server, &plan).await.preflight(&plan).await.unwrap_err().to_string();
        assert!(
            error.contains("operation `MGet`") && error.contains("CROSSSLOT") && error.contains("hash tag"),
            "{error}"
        );
        let mut tagged = plan.clone();
        tagged.services[0].keys.prefix = "{test}:".to_owned();
        target(&server, &tagged).await.preflight(&tagged).await.unwrap();
    });
}

#[test]
fn another_database_than_the_only_one_is_refused() {
    locally(async {
        let _turn = Turn::beside();
        let server = deployment("cluster:1x0").await;
        let mut plan = of(&[Kind::Get], Client::Fred);
        plan.services[0].database = 2;
        let error = Target::of_private(&server, &plan).unwrap().found().await.unwrap_err().to_string();
        assert!(error.contains("service `test`: a cluster has database 0 only"), "{error}");
    });
}

/// Moves the slot of a key, without its keys, half the way or the whole way.
fn move_slot(server: &PrivateServer, number: u64, whole: bool) {
    let nodes = primaries(server);
    let says = |node: &PrivateNode, line: &str| ask(server, node, line);
    let slot = says(nodes[0], &format!("CLUSTER KEYSLOT test:str:{number}"))
        .lines()
        .next()
        .unwrap()
        .trim_start_matches(':')
        .to_owned();
    let id = |node: &PrivateNode| says(node, "CLUSTER MYID").lines().nth(1).unwrap().to_owned();
    let owns = |node: &&&PrivateNode| says(node, &format!("GET test:str:{number}")).starts_with('$');
    let from = nodes.iter().find(owns).expect("one of them has the slot");
    let to = nodes.iter().find(|node| node.pid() != from.pid()).unwrap();
    if whole {
        for node in [to, from] {
            assert!(says(node, &format!("CLUSTER SETSLOT {slot} NODE {}", id(to))).starts_with("+OK"));
        }
    } else {
        assert!(says(to, &format!("CLUSTER SETSLOT {slot} IMPORTING {}", id(from))).starts_with("+OK"));
        assert!(says(from, &format!("CLUSTER SETSLOT {slot} MIGRATING {}", id(to))).starts_with("+OK"));
    }
}

#[test]
fn the_wire_client_follows_redirections_and_counts_them() {
    locally(async {
        let _turn = Turn::beside();
        let server = deployment("cluster:3x0").await;
        let plan = of(&[Kind::Get], Client::Wire);
        let driver = target(&server, &plan).await.cluster_connector(0).unwrap();
        let connection = driver.open().await.unwrap();
        // A key that is not there yet is asked for where the slot is going to.
        move_slot(&server, 7, false);
        let asked = connection.issue(set(7)).await;
        assert_eq!((asked.result.is_ok(), asked.served), (true, Served::Redirected));
        assert_eq!(driver.losses().redirections(), (0, 1));
        move_slot(&server, 8, true);
        let moved = connection.issue(set(8)).await;
        assert_eq!((moved.result.is_ok(), moved.served), (true, Served::Redirected));
        assert_eq!(driver.losses().redirections(), (1, 1));
        let known = connection.issue(get(8)).await;
        assert!(matches!((known.result, known.served), (Ok(reply), Served::By(_)) if reply.hits == 1));
        assert_eq!(driver.losses().redirections(), (1, 1), "the owner is known now");
        // Together with others, each has its own answer.
        move_slot(&server, 9, true);
        let (mut requests, mut answers) = ((0..12).map(set).collect::<Vec<_>>(), Vec::new());
        connection.issue_all(&mut requests, &mut answers).await;
        assert!(answers.iter().all(|answer| answer.result.is_ok()), "{answers:?}");
        connection.close().await;
    });
}

/// Writes with a connection until that succeeds.
async fn writes_again(connection: &impl DriverConnection) {
    for _ in 0..200 {
        if connection.issue(set(1)).await.result.is_ok() {
            return;
        }
        tokio::time::timeout(Duration::from_secs(1), connection.recover()).await.ok();
    }
    panic!("no write within 200 attempts");
}

async fn follows_a_failover<D: Driver>(driver: &D, server: &PrivateServer) {
    let connection = driver.open().await.unwrap();
    done(&connection, set(1)).await;
    let sentinel = server.nodes().iter().find(|node| node.role() == PrivateRole::Sentinel).unwrap();
    let primary = || ask(server, sentinel, "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster");
    let before = primary();
    until("a failover begins", || ask(server, sentinel, "SENTINEL FAILOVER mymaster").starts_with("+OK"));
    until("the Sentinel names another primary", || primary() != before);
    writes_again(&connection).await;
    connection.close().await;
}

#[test]
fn both_clients_follow_a_failover_of_sentinels() {
    locally(async {
        let _turn = Turn::beside();
        let server = deployment("sentinel").await;
        let plan = of(&[Kind::Set], Client::Fred);
        let target = target(&server, &plan).await;
        let facts = target.preflight(&plan).await.unwrap();
        assert!(facts.address.starts_with("redis+sentinel://") && facts.address.ends_with("/mymaster"), "{facts:?}");
        assert_eq!(facts.nodes.len(), 3);
        follows_a_failover(&target.connector(0), &server).await;
        follows_a_failover(&target.wire_connector(0), &server).await;
        let plan = spoken(Protocol::Resp3, plan);
        let target = self::target(&server, &plan).await;
        target.preflight(&plan).await.unwrap();
        done(&target.connector(0).open().await.unwrap(), set(2)).await;
        done(&target.wire_connector(0).open().await.unwrap(), set(2)).await;
    });
}
