//! Private deployments with TLS: whole when they start, used by both clients, gone at the end.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use plimsoll::{
    operation::Kind,
    target::{Driver, DriverConnection, Endpoint, PrivateNode, PrivateServer, Target},
};

use super::{
    clients::{done, locally},
    plan::{plain, request, scenario, service, value},
    private::runs,
};
use crate::support::{Turn, deployed};

const KEYS: u64 = 20;

/// Whether a node answers who does not use TLS.
fn answers_plainly(node: &PrivateNode) -> bool {
    let Endpoint::Tcp { host, port, .. } = node.endpoint() else { panic!("it listens on a port") };
    let mut stream = TcpStream::connect(format!("{host}:{port}")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut reply = [0];
    let read = stream.write_all(b"PING\r\n").and_then(|()| stream.read(&mut reply));
    // TLS answers with an alert, or with an end.
    matches!(read, Ok(1)) && matches!(reply[0], b'+' | b'-')
}

/// Writes keys with one client, and reads them with the other.
async fn write_and_read(writer: &impl Driver, reader: &impl Driver) {
    let (writer, reader) = (writer.open().await.unwrap(), reader.open().await.unwrap());
    for number in 0..KEYS {
        let key = format!("test:str:{number}");
        done(&writer, request(Kind::Set, &key, value(&key))).await;
        assert_eq!(done(&reader, plain(Kind::Get, &key)).await.hits, 1);
    }
    writer.close().await;
    reader.close().await;
}

async fn is_used_by_both_clients(server: &PrivateServer) {
    let plan = scenario(vec![service("test", &[Kind::Get, Kind::Set])]);
    let target = Target::of_private(server, &plan).unwrap().found().await.unwrap();
    let facts = target.preflight(&plan).await.unwrap();
    assert!(facts.address.starts_with("rediss") && !facts.tls_insecure, "{}", facts.address);
    assert!(facts.nodes.iter().all(|node| node.address.starts_with("rediss://")), "{:?}", facts.nodes);
    let fred = target.connector(0);
    if let Some(wire) = target.cluster_connector(0) {
        write_and_read(&fred, &wire).await;
        write_and_read(&wire, &fred).await;
    } else {
        let wire = target.wire_connector(0);
        write_and_read(&fred, &wire).await;
        write_and_read(&wire, &fred).await;
    }
    assert_eq!(target.cleanup(&plan).await.unwrap(), KEYS);
}

#[test]
fn every_topology_uses_tls_only_and_leaves_nothing() {
    locally(async {
        let _turn = Turn::beside();
        for topology in ["standalone", "replica", "sentinel", "cluster"] {
            let server = deployed(topology, true).await;
            assert!(!server.nodes().iter().any(answers_plainly), "{topology}");
            is_used_by_both_clients(&server).await;
            let (folder, pids) = (server.folder().to_owned(), server.nodes().iter().map(PrivateNode::pid));
            let pids: Vec<_> = pids.collect();
            let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(""), mode("key.pem")), (0o700, 0o600));
            drop(server);
            assert!(!folder.exists() && !pids.into_iter().any(runs), "{topology}");
        }
    });
}

#[test]
fn nodes_with_tls_start_again() {
    locally(async {
        let _turn = Turn::beside();
        let server = deployed("replica", true).await;
        server.restart().unwrap();
        is_used_by_both_clients(&server).await;
    });
}
