//! Nodes of a cluster, and of a primary with its replicas: who they are at the moment.

use std::ops::RangeInclusive;

use bytes::Bytes;
use fred::{
    error::{Error, ErrorKind},
    types::Value,
};

use super::{Connector, Endpoint, Fault, TargetError, Topology, ask::ask, slots::SlotTable};
use crate::results::{NodeFacts, NodeRole};

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) endpoint: Endpoint,
    pub(super) role: NodeRole,
    /// Hash slots that it has; none outside a cluster, and none of a replica.
    pub(super) slots: Vec<RangeInclusive<u16>>,
}

impl Node {
    /// The node in the artifact.
    pub(super) fn facts(&self) -> NodeFacts {
        NodeFacts { address: self.endpoint.to_string(), role: self.role, slots: self.slots() }
    }

    /// Number of its slots.
    pub(super) fn slots(&self) -> u32 {
        self.slots.iter().map(|range| u32::from(range.end() - range.start()) + 1).sum()
    }
}

/// Nodes as a seed sees them; and whether a Sentinel was asked with the login of the servers.
pub(super) async fn seen_by(
    observer: &Connector,
    seed: &Endpoint,
    topology: &Topology,
) -> Result<(Vec<Node>, bool), TargetError> {
    match topology {
        Topology::Standalone => Ok((Vec::new(), false)),
        Topology::Cluster => of_cluster(observer, seed).await.map(|nodes| (nodes, false)),
        Topology::Sentinel { service } => of_sentinel(observer, seed, service).await,
    }
}

/// Nodes of a cluster as one of them sees it.
pub(super) async fn of_cluster(observer: &Connector, asked: &Endpoint) -> Result<Vec<Node>, TargetError> {
    let connector = observer.at(asked);
    let (client, _router) = connector.connect().await?;
    let reply = ask(&client, "CLUSTER", vec![Bytes::from_static(b"SLOTS")]).await;
    let reply = reply.map_err(|error| match error.details() {
        details if details.contains("cluster support disabled") => {
            TargetError::NoCluster { address: asked.to_string() }
        }
        _ => connector.explain(&error),
    })?;
    let mut nodes = parsed(&reply, asked).ok_or_else(|| connector.failed(Fault::NotAServer))?;
    if nodes.is_empty() {
        return Err(TargetError::NoPrimary { address: asked.to_string() });
    }
    // `SLOTS` leaves a replica out whose offset is not known to the node yet.
    let listed = ask(&client, "CLUSTER", vec![Bytes::from_static(b"NODES")]).await.ok();
    let listed = listed.as_ref().and_then(Value::as_str).map(|text| replicas(&text, asked)).unwrap_or_default();
    for endpoint in listed {
        if !nodes.iter().any(|node| node.endpoint == endpoint) {
            nodes.push(Node { endpoint, role: NodeRole::Replica, slots: Vec::new() });
        }
    }
    Ok(nodes)
}

/// Replicas in the reply to `CLUSTER NODES` that are not known to have failed: `ID HOST:PORT@BUS,HOSTNAME FLAGS ...` in each line.
fn replicas(text: &str, asked: &Endpoint) -> Vec<Endpoint> {
    let replica = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (address, flags) = (words.next()?, words.next()?);
        let flags: Vec<&str> = flags.split(',').collect();
        let (host, port) = address.split('@').next()?.rsplit_once(':')?;
        let is_here =
            flags.contains(&"slave") && !flags.iter().any(|flag| ["fail", "handshake", "noaddr"].contains(flag));
        asked.naming(host, port.parse().ok()?).filter(|_| is_here)
    };
    text.lines().filter_map(replica).collect()
}

/// The reply to `CLUSTER SLOTS`: each range of slots with its primary, then its replicas.
fn parsed(reply: &Value, asked: &Endpoint) -> Option<Vec<Node>> {
    let mut nodes: Vec<Node> = Vec::new();
    let Value::Array(ranges) = reply else { return None };
    for range in ranges {
        let Value::Array(parts) = range else { return None };
        let [first, last, members @ ..] = &parts[..] else { return None };
        let slot = |value: &Value| value.as_u64().and_then(|slot| u16::try_from(slot).ok());
        let slots = slot(first)?..=slot(last)?;
        for (position, member) in members.iter().enumerate() {
            let Value::Array(member) = member else { return None };
            let [host, port, ..] = &member[..] else { return None };
            let endpoint = endpoint(host, port, asked)?;
            let known = nodes.iter().position(|node| node.endpoint == endpoint).unwrap_or_else(|| {
                let role = if position == 0 { NodeRole::Primary } else { NodeRole::Replica };
                nodes.push(Node { endpoint, role, slots: Vec::new() });
                nodes.len() - 1
            });
            if position == 0 {
                nodes[known].slots.push(slots.clone());
            }
        }
    }
    Some(nodes)
}

/// Where a node listens.
pub(super) fn endpoint(host: &Value, port: &Value, asked: &Endpoint) -> Option<Endpoint> {
    let port = u16::try_from(port.as_u64()?).ok()?;
    asked.naming(host.as_str().as_deref().unwrap_or_default(), port)
}

/// Notes the owners of all slots.
pub(super) fn note(table: &SlotTable, nodes: &[Node]) {
    for node in nodes {
        let number = table.number(&node.endpoint);
        node.slots.iter().cloned().flatten().for_each(|slot| table.assign(slot, number));
    }
}

/// The primary of a service as a Sentinel names it, and its replicas; and whether the Sentinel was asked with the login of the
/// servers.
pub(super) async fn of_sentinel(
    observer: &Connector,
    sentinel: &Endpoint,
    service: &str,
) -> Result<(Vec<Node>, bool), TargetError> {
    let connector = observer.at(sentinel);
    let (client, _router, has_login) = observer.sentinel(sentinel).await.map_err(|fault| connector.failed(fault))?;
    let question = |word: &'static str| {
        let words = [word.as_bytes(), service.as_bytes()].map(Bytes::copy_from_slice).to_vec();
        let client = client.clone();
        async move { ask(&client, "SENTINEL", words).await }
    };
    let primary = question("MASTER").await.map_err(|error| match error.details() {
        details if details.contains("No such master") => {
            TargetError::UnknownService { address: sentinel.to_string(), service: service.to_owned() }
        }
        details if details.contains("unknown command") => TargetError::NoSentinel { address: sentinel.to_string() },
        _ => connector.explain(&error),
    })?;
    // The right to ask for them may be missing.
    let replicas = question("REPLICAS").await.unwrap_or(Value::Null);
    let node = |facts: &Value, role| Some(Node { endpoint: of_facts(facts, sentinel)?, role, slots: Vec::new() });
    let replicas = if let Value::Array(replicas) = &replicas { &replicas[..] } else { &[] };
    let primary = node(&primary, NodeRole::Primary).ok_or_else(|| connector.failed(Fault::NotAServer))?;
    let replicas = replicas.iter().filter_map(|facts| node(facts, NodeRole::Replica));
    Ok(([primary].into_iter().chain(replicas).collect(), has_login))
}

/// The primary of a service as a Sentinel names it.
pub(super) async fn primary(connector: &Connector, sentinel: &Endpoint, service: &str) -> Result<Endpoint, Error> {
    let refused = |fault: Fault| Error::new(ErrorKind::Sentinel, fault.to_string());
    let (client, _router, _) = connector.sentinel(sentinel).await.map_err(refused)?;
    let words = [b"GET-MASTER-ADDR-BY-NAME", service.as_bytes()].map(Bytes::copy_from_slice).to_vec();
    let unknown = || Error::new(ErrorKind::Sentinel, "the Sentinel does not know the primary");
    match ask(&client, "SENTINEL", words).await? {
        Value::Array(address) => match &address[..] {
            [host, port] => endpoint(host, port, sentinel).ok_or_else(unknown),
            _ => Err(unknown()),
        },
        _ => Err(unknown()),
    }
}

/// Address among facts, each a name followed by its value.
fn of_facts(facts: &Value, sentinel: &Endpoint) -> Option<Endpoint> {
    let Value::Array(words) = facts else { return None };
    let fact = |name: &str| {
        let mut pairs = words.chunks_exact(2);
        pairs.find(|pair| pair[0].as_str().as_deref() == Some(name)).map(|pair| &pair[1])
    };
    endpoint(fact("ip")?, fact("port")?, sentinel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Scheme;

    fn node(host: &str, port: i64) -> Value {
        Value::Array(vec![Value::from(host), Value::Integer(port), Value::from("id")])
    }

    fn range(first: i64, last: i64, members: Vec<Value>) -> Value {
        Value::Array([Value::Integer(first), Value::Integer(last)].into_iter().chain(members).collect())
    }

    #[test]
    fn slots_of_a_node_in_several_ranges_add_up() {
        let asked = Endpoint::Tcp { host: "seed".to_owned(), port: 1, scheme: Scheme::REDIS };
        let reply = Value::Array(vec![
            range(0, 9, vec![node("::1", 7000), node("b", 7001)]),
            range(10, 19, vec![node("", 7002)]),
            range(20, 20, vec![node("::1", 7000), node("b", 7001)]),
        ]);
        let nodes = parsed(&reply, &asked).unwrap();
        let seen: Vec<_> = nodes.iter().map(|node| (node.endpoint.to_string(), node.role, node.slots())).collect();
        assert_eq!(
            seen,
            [
                ("redis://[::1]:7000".to_owned(), NodeRole::Primary, 11),
                ("redis://b:7001".to_owned(), NodeRole::Replica, 0),
                ("redis://seed:7002".to_owned(), NodeRole::Primary, 10),
            ]
        );
        let table = SlotTable::new(Vec::new());
        note(&table, &nodes);
        assert_eq!((table.owner(20), table.owner(21), table.owners().len()), (Some(0), None, 2));
        assert_eq!(parsed(&Value::Null, &asked), None);
    }

    #[test]
    fn replicas_are_those_that_answer() {
        let asked = Endpoint::Tcp { host: "seed".to_owned(), port: 1, scheme: Scheme::REDIS };
        let text = "a 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-16383\n\
                    b 10.0.0.2:7001@17001,host-b slave a 0 0 1 connected\n\
                    c ::1:7002@17002 slave a 0 0 1 connected\n\
                    d 10.0.0.4:7003@17003 slave,fail a 0 0 1 disconnected\n";
        let found: Vec<_> = replicas(text, &asked).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["redis://10.0.0.2:7001", "redis://[::1]:7002"]);
    }
}
