//! Clusters and Sentinels that cannot be measured: one clear sentence with each client, and nothing left behind.

use std::net::TcpListener;

use plimsoll::target::{Endpoint, PrivateNode, PrivateRole, PrivateServer};

use super::{
    Desk, Outcome, Server,
    addresses::says_in_a_sentence,
    faults::{fails, refused},
};
use crate::{
    support::{block_on, deployment, url},
    target::topologies::ask,
};

const CLUSTER: &str = "cluster:2x0";
const SENTINEL: &str = "sentinel";

pub(super) fn start(topology: &str) -> PrivateServer {
    block_on(deployment(topology))
}

/// The address with other seeds.
fn url_at(server: &PrivateServer, ports: &[u16]) -> String {
    let seeds = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",");
    let (url, own) = (url(server), server.url().to_string());
    let own = own.split_once("://").unwrap().1.trim_end_matches("/mymaster");
    url.replace(own, &seeds)
}

fn port(node: &PrivateNode) -> u16 {
    let Endpoint::Tcp { port, .. } = node.endpoint() else { panic!("{node:?} is no port") };
    *port
}

fn seed(server: &PrivateServer) -> u16 {
    let seeds = server.url().site.seeds;
    server.nodes().iter().find(|node| seeds.contains(node.endpoint())).map(port).unwrap()
}

/// A port where nobody listens.
fn closed() -> u16 {
    silent().1
}

/// A port that accepts connections and never answers.
fn silent() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Has all servers do something.
fn all(server: &PrivateServer, command: &str) {
    for node in server.nodes().iter().filter(|node| node.role() != PrivateRole::Sentinel) {
        assert!(ask(server, node, command).starts_with("+OK"), "{command}");
    }
}

/// Runs with each client, which measure something.
fn measured(desk: &Desk, target: &str) {
    for client in ["fred", "wire"] {
        desk.run(&["run", "short.toml", "--target", target, "--client", client]).measured();
    }
}

#[test]
fn wrong_password() {
    let desk = Desk::new();
    for topology in [CLUSTER, SENTINEL] {
        let server = start(topology);
        let target = url(&server).replace(server.password("plimsoll").unwrap().expose(), "hush-hush");
        let outcome = refused(&desk, &target).complains("wrong password for the user `plimsoll`");
        assert!(!outcome.stderr.contains("hush-hush"));
        says_in_a_sentence(outcome, "plimsoll");
    }
}

#[test]
fn a_command_that_is_not_permitted() {
    let desk = Desk::new();
    for topology in [CLUSTER, SENTINEL] {
        let server = start(topology);
        all(&server, "ACL SETUSER plimsoll -set");
        says_in_a_sentence(refused(&desk, &url(&server)), "may not run SET on `shop:");
    }
}

#[test]
fn no_seed_that_is_there() {
    let desk = Desk::new();
    for (scheme, path) in [("redis+cluster", ""), ("redis+sentinel", "/mymaster")] {
        let seeds = format!("{scheme}://127.0.0.1:{},127.0.0.1:{}{path}", closed(), closed());
        says_in_a_sentence(refused(&desk, &seeds), &format!("{seeds}: connection refused"));
    }
}

#[test]
fn one_seed_is_enough() {
    let desk = Desk::new();
    for topology in [CLUSTER, SENTINEL] {
        let server = start(topology);
        measured(&desk, &url_at(&server, &[closed(), closed(), seed(&server)]));
        let (_listener, silent) = silent();
        measured(&desk, &url_at(&server, &[silent, seed(&server)]));
    }
}

#[test]
fn a_seed_that_never_answers() {
    let desk = Desk::new();
    for topology in [CLUSTER, SENTINEL] {
        let (server, (_listener, port)) = (start(topology), silent());
        let target = url_at(&server, &[port]);
        let outcome = refused(&desk, &target).complains(&format!("127.0.0.1:{port}"));
        says_in_a_sentence(outcome, ": no answer within 5s: is it the right port");
    }
}

/// A node that gives an address at which it is not.
fn announced(setting: &str, value: &str) -> (Outcome, u16) {
    let (desk, server) = (Desk::new(), start("cluster:1x0"));
    all(&server, &format!("CONFIG SET {setting} {value}"));
    let port = seed(&server);
    (refused(&desk, &url(&server)), port)
}

#[test]
fn an_announced_address_that_cannot_be_reached() {
    let (outcome, port) = announced("cluster-announce-ip", "127.9.9.9");
    let sentence = format!(
        "redis://127.0.0.1:{port} names the node redis://127.9.9.9:{port}, which cannot be reached from here (connection refused"
    );
    says_in_a_sentence(outcome.complains("cluster-announce-ip"), &sentence);
    let (_listener, silent) = silent();
    let (outcome, _) = announced("cluster-announce-port", &silent.to_string());
    says_in_a_sentence(
        outcome,
        &format!("names the node redis://127.0.0.1:{silent}, which cannot be reached from here"),
    );
}

#[test]
fn a_primary_that_is_down_and_that_sentinels_still_name() {
    let (desk, server) = (Desk::new(), start(SENTINEL));
    for sentinel in server.nodes().iter().filter(|node| node.role() == PrivateRole::Sentinel) {
        assert!(ask(&server, sentinel, "SENTINEL SET mymaster down-after-milliseconds 600000").starts_with("+OK"));
    }
    server.kill();
    let sentence = format!("names the node {}, which cannot be reached from here", server.endpoint());
    says_in_a_sentence(refused(&desk, &url(&server)), &sentence);
}

#[test]
fn a_name_that_no_sentinel_knows() {
    let (desk, server) = (Desk::new(), start(SENTINEL));
    says_in_a_sentence(
        refused(&desk, &url(&server).replace("/mymaster", "/nobody")),
        "the Sentinel knows no primary of the name `nobody`",
    );
}

#[test]
fn lines_name_the_first_host_and_how_many_more_there_are() {
    let (desk, server) = (Desk::new(), start(CLUSTER));
    let (target, hosts) = (url(&server), server.url().to_string());
    let brief = format!("{} and 1 more", hosts.split(',').next().unwrap());
    desk.run(&["run", "short.toml", "--target", &target, "--keep-data", "--out", "out"]).measured();
    let cleaned = desk.run(&["clean", "short.toml", "--target", &target, "--yes"]).ends_with(0);
    let cleaned = cleaned.complains(&format!("Keys of `short` on {brief}:\n"));
    cleaned.says(&format!("Removed 100 keys of `short` from {brief}\n"));
    let saved = std::fs::read_to_string(desk.path("out/run.json")).unwrap();
    assert!(saved.contains(&format!("\"address\":\"{hosts}\"")), "the artifact has all");
}

#[test]
fn another_topology_than_the_address_says() {
    let (desk, standalone, cluster) = (Desk::new(), Server::start(), start(CLUSTER));
    let sentinel = standalone.url().replace("redis://", "redis+sentinel://") + "/mymaster";
    says_in_a_sentence(refused(&desk, &sentinel), "not a Sentinel: check host and port");
    let of_cluster = standalone.url().replace("redis://", "redis+cluster://");
    says_in_a_sentence(refused(&desk, &of_cluster), "not in cluster mode: use redis:// instead of redis+cluster://");
    let node = url_at(&cluster, &[seed(&cluster)]).replace("redis+cluster://", "redis://");
    says_in_a_sentence(refused(&desk, &node), "a node of a cluster");
    let database = url_at(&cluster, &[seed(&cluster)]) + "/2";
    fails(&desk, &database, 2).complains("a cluster has database 0 only");
}
