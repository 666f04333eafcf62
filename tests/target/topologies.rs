//! Private deployments of several servers: whole when they start, alike after a fault, gone at the end.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use plimsoll::target::{Endpoint, PrivateNode, PrivateRole, PrivateServer};

use super::private::runs;
use crate::support::{Turn, deployment, files, until};

pub(crate) fn port(endpoint: &Endpoint) -> u16 {
    let Endpoint::Tcp { port, .. } = endpoint else { panic!("{endpoint} is no port") };
    *port
}

/// The reply of a node to commands of nobody.
fn say(node: &PrivateNode, lines: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port(node.endpoint())))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(stream, "{lines}\r\n")?;
    // A Sentinel knows no `QUIT`, and a server forgets who waits and does not listen.
    if node.role() == PrivateRole::Sentinel {
        stream.shutdown(Shutdown::Write)?;
    } else {
        stream.write_all(b"QUIT\r\n")?;
    }
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    Ok(reply.replace('\r', ""))
}

fn try_to_ask(server: &PrivateServer, node: &PrivateNode, command: &str) -> std::io::Result<String> {
    let password = server.password("plimsoll").unwrap().expose();
    let reply = say(node, &format!("AUTH plimsoll {password}\r\n{command}"))?;
    Ok(reply.strip_prefix("+OK\n").unwrap_or(&reply).to_owned())
}

/// The reply of a node to a user of the services.
pub(crate) fn ask(server: &PrivateServer, node: &PrivateNode, command: &str) -> String {
    try_to_ask(server, node, command).unwrap()
}

/// Nodes with a role that they have now.
pub(crate) fn with_role<'a>(server: &'a PrivateServer, role: &str) -> Vec<&'a PrivateNode> {
    let info = |node: &&PrivateNode| try_to_ask(server, node, "INFO replication").unwrap_or_default();
    server.nodes().iter().filter(|node| info(node).contains(&format!("\nrole:{role}\n"))).collect()
}

fn roles(server: &PrivateServer) -> String {
    server.nodes().iter().map(|node| node.role().to_string()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_replica_is_in_sync_when_it_starts_and_when_it_starts_again() {
    let _turn = Turn::beside();
    let server = deployment("replica").await;
    assert_eq!(roles(&server), "primary replica");
    let [primary, replica] = server.nodes() else { panic!("{:?}", server.nodes()) };
    assert_eq!(server.url().site.seeds, [primary.endpoint().clone()]);
    assert_eq!(ask(&server, primary, "SET key x\r\nWAIT 1 2000"), "+OK\n:1\n+OK\n");
    assert_eq!(ask(&server, replica, "GET key"), "$1\nx\n+OK\n");
    replica.restart().unwrap();
    until("the replica has the data again", || ask(&server, replica, "GET key") == "$1\nx\n+OK\n");
}

#[tokio::test]
async fn sentinels_know_all_and_promote_a_replica() {
    let _turn = Turn::beside();
    let server = deployment("sentinel").await;
    assert_eq!(roles(&server), "primary replica replica Sentinel Sentinel Sentinel");
    let (servers, sentinels) = server.nodes().split_at(3);
    assert_eq!(server.url().site.seeds, sentinels.iter().map(|node| node.endpoint().clone()).collect::<Vec<_>>());
    assert_eq!(with_role(&server, "slave").len(), 2);
    let primary_is = |node: &PrivateNode| {
        let port = port(node.endpoint()).to_string();
        let address = format!("*2\n$9\n127.0.0.1\n${}\n{port}\n", port.len());
        // Clients of Sentinels seldom log in.
        sentinels.iter().all(|node| say(node, "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster").unwrap() == address)
    };
    let refused = say(&sentinels[0], "SENTINEL REMOVE mymaster").unwrap();
    assert!(refused.starts_with("-NOPERM"), "{refused}");
    assert!(primary_is(&servers[0]));
    for sentinel in sentinels {
        let quorum = ask(&server, sentinel, "SENTINEL CKQUORUM mymaster");
        assert!(quorum.starts_with("+OK 3 usable Sentinels"), "{quorum}");
    }
    servers[0].kill();
    until("a replica is promoted", || {
        let promoted = with_role(&server, "master");
        promoted.len() == 1 && primary_is(promoted[0])
    });
    let promoted = with_role(&server, "master")[0];
    until("the other replica follows it", || ask(&server, promoted, "SET key x\r\nWAIT 1 1000").contains(":1\n"));
    for user in ["plimsoll", server.admin()] {
        let password = server.password(user).unwrap().expose();
        for (file, content) in files(server.folder()) {
            assert!(!String::from_utf8_lossy(&content).contains(password), "{}", file.display());
        }
    }
}

#[tokio::test]
async fn a_cluster_has_all_slots_and_survives_a_primary() {
    let _turn = Turn::beside();
    let server = deployment("cluster").await;
    assert_eq!(roles(&server), "primary primary primary replica replica replica");
    assert_eq!(server.url().site.seeds.len(), 6);
    for node in server.nodes() {
        let info = ask(&server, node, "CLUSTER INFO");
        for fact in ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:6", "cluster_size:3"] {
            assert!(info.contains(&format!("\n{fact}\n")), "{info}");
        }
        let list = ask(&server, node, "CLUSTER NODES");
        for slots in ["0-5460", "5461-10921", "10922-16383"] {
            assert!(list.contains(&format!(" connected {slots}\n")), "{list}");
        }
    }
    for node in &server.nodes()[3..] {
        let PrivateRole::Replica { of } = node.role() else { panic!("{:?}", node.role()) };
        let info = ask(&server, node, "INFO replication");
        let primary = format!("\nmaster_port:{}\n", port(server.nodes()[of].endpoint()));
        assert!(info.contains(&primary) && info.contains("\nmaster_link_status:up\n"), "{info}");
    }
    let killed = &server.nodes()[0];
    killed.kill();
    until("its replica takes over", || {
        let info = ask(&server, &server.nodes()[1], "CLUSTER INFO");
        with_role(&server, "master").len() == 3 && info.contains("\ncluster_state:ok\n")
    });
    killed.restart().unwrap();
    until("it is back as a replica", || {
        let info = ask(&server, killed, "INFO replication");
        info.contains("\nrole:slave\n") && info.contains("\nmaster_link_status:up\n")
    });
}

#[tokio::test]
async fn a_cluster_may_have_any_size() {
    let _turn = Turn::beside();
    for (size, nodes, primaries) in [("cluster:1x0", 1, 1), ("cluster:2x2", 6, 2)] {
        let server = deployment(size).await;
        assert_eq!(server.topology().to_string(), size);
        assert_eq!((server.nodes().len(), with_role(&server, "master").len()), (nodes, primaries), "{size}");
        assert!(ask(&server, &server.nodes()[0], "CLUSTER INFO").contains("\ncluster_state:ok\n"));
    }
}

#[tokio::test]
async fn two_at_a_time_do_not_mix_and_leave_nothing_behind() {
    let _turn = Turn::beside();
    let (one, other) = tokio::join!(deployment("cluster"), deployment("cluster"));
    for server in [&one, &other] {
        let info = ask(server, &server.nodes()[5], "CLUSTER INFO");
        assert!(info.contains("\ncluster_known_nodes:6\n"), "{info}");
    }
    let pids = |server: &PrivateServer| server.nodes().iter().map(PrivateNode::pid).collect::<Vec<_>>();
    let (pids, folder, handle) = (pids(&one), one.folder().to_owned(), one.nodes()[0].clone());
    assert!(pids.iter().all(|pid| runs(*pid)) && folder.exists());
    drop(one);
    assert!(!pids.iter().any(|pid| runs(*pid)) && !folder.exists());
    let error = handle.restart().unwrap_err().to_string();
    assert!(error.contains("is gone"), "{error}");
    assert!(ask(&other, &other.nodes()[5], "CLUSTER INFO").contains("\ncluster_state:ok\n"));
}

#[tokio::test]
async fn a_node_that_is_stopped_answers_when_it_is_resumed() {
    let _turn = Turn::beside();
    let server = deployment("replica").await;
    let node = &server.nodes()[1];
    node.stop();
    assert!(try_to_ask(&server, node, "PING").is_err());
    assert!(runs(node.pid()));
    node.resume();
    assert_eq!(ask(&server, node, "PING"), "+PONG\n+OK\n");
    node.stop();
    let (pid, folder) = (node.pid(), server.folder().to_owned());
    drop(server);
    assert!(!runs(pid) && !folder.exists());
}
