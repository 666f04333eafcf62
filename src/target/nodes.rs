//! Nodes of a cluster, and of a primary with its replicas: who they are at the moment.

use std::ops::RangeInclusive;

use bytes::Bytes;
use fred::{
    error::{Error, ErrorKind},
    types::Value,
};

use super::{Connector, Endpoint, Fault, TargetError, Topology, ask::ask, roster::Roster, slots::SlotTable};
use crate::results::{NodeFacts, NodeRole};

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) endpoint: Endpoint,
    pub(super) role: NodeRole,
    /// Hash slots that it has; none outside a cluster, and none of a replica.
    pub(super) slots: Vec<RangeInclusive<u16>>,
    /// Primary of a replica, where it is known.
    pub(super) primary: Option<Endpoint>,
    /// Whether the others take it for unusable.
    pub(super) is_down: bool,
}

impl Node {
    fn new(endpoint: Endpoint, role: NodeRole, primary: Option<Endpoint>) -> Self {
        Self { endpoint, role, slots: Vec::new(), primary, is_down: false }
    }

    /// The node in the artifact.
    pub(super) fn facts(&self) -> NodeFacts {
        NodeFacts {
            address: self.endpoint.to_string(),
            role: self.role,
            slots: self.slots(),
            primary: self.primary.as_ref().map(ToString::to_string),
        }
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
        Topology::Standalone => of_replication(observer, seed).await.map(|nodes| (nodes, false)),
        Topology::Cluster => of_cluster(observer, seed).await.map(|nodes| (nodes, false)),
        Topology::Sentinel { service } => of_sentinel(observer, seed, service).await,
    }
}

/// Nodes of a cluster as one of them sees it.
async fn of_cluster(observer: &Connector, asked: &Endpoint) -> Result<Vec<Node>, TargetError> {
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
    for (endpoint, primary) in listed {
        if !nodes.iter().any(|node| node.endpoint == endpoint) {
            nodes.push(Node::new(endpoint, NodeRole::Replica, primary));
        }
    }
    Ok(nodes)
}

/// Replicas in the reply to `CLUSTER NODES` that are not known to have failed, each with its primary: `ID HOST:PORT@BUS,HOSTNAME
/// FLAGS PRIMARY ...` in each line.
fn replicas(text: &str, asked: &Endpoint) -> Vec<(Endpoint, Option<Endpoint>)> {
    let lines = || text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let endpoint = |address: &str| {
        let (host, port) = address.split('@').next()?.rsplit_once(':')?;
        asked.naming(host, port.parse().ok()?)
    };
    let with_id = |id: &str| lines().find(|words| words[0] == id).and_then(|words| endpoint(words.get(1)?));
    let replica = |words: Vec<&str>| {
        let [_, address, flags, primary, ..] = words[..] else { return None };
        let flags: Vec<&str> = flags.split(',').collect();
        let is_here =
            flags.contains(&"slave") && !flags.iter().any(|flag| ["fail", "handshake", "noaddr"].contains(flag));
        is_here.then(|| endpoint(address)).flatten().map(|replica| (replica, with_id(primary)))
    };
    lines().filter_map(replica).collect()
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
        let mut primary = None;
        for (position, member) in members.iter().enumerate() {
            let Value::Array(member) = member else { return None };
            let [host, port, ..] = &member[..] else { return None };
            let endpoint = endpoint(host, port, asked)?;
            let known = nodes.iter().position(|node| node.endpoint == endpoint).unwrap_or_else(|| {
                let role = if position == 0 { NodeRole::Primary } else { NodeRole::Replica };
                nodes.push(Node::new(endpoint, role, primary.clone()));
                nodes.len() - 1
            });
            if position == 0 {
                nodes[known].slots.push(slots.clone());
                primary = Some(nodes[known].endpoint.clone());
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

/// Notes who the primaries are, and their replicas that are not down.
pub(super) fn note_replicas(roster: &Roster, nodes: &[Node]) {
    let primary = nodes.iter().find(|node| node.role == NodeRole::Primary);
    let up = nodes.iter().filter(|node| node.role == NodeRole::Replica && !node.is_down);
    roster.note(
        primary.map(|primary| &primary.endpoint),
        up.filter_map(|node| Some((&node.endpoint, node.primary.as_ref()?))),
    );
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
    let replicas = if let Value::Array(replicas) = &replicas { &replicas[..] } else { &[] };
    let primary = of_facts(&primary, sentinel).ok_or_else(|| connector.failed(Fault::NotAServer))?;
    let replica = |facts: &Value| {
        let replica = Node::new(of_facts(facts, sentinel)?, NodeRole::Replica, Some(primary.clone()));
        let flags = fact(facts, "flags")?.as_str().unwrap_or_default();
        let is_down =
            ["s_down", "o_down", "disconnected"].iter().any(|flag| flags.split(',').any(|word| word == *flag));
        Some(Node { is_down, ..replica })
    };
    let replicas = replicas.iter().filter_map(replica);
    let nodes = [Node::new(primary.clone(), NodeRole::Primary, None)].into_iter().chain(replicas).collect();
    Ok((nodes, has_login))
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

/// Address among facts.
fn of_facts(facts: &Value, sentinel: &Endpoint) -> Option<Endpoint> {
    endpoint(fact(facts, "ip")?, fact(facts, "port")?, sentinel)
}

/// One of several facts, each a name followed by its value.
fn fact<'a>(facts: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Array(words) = facts else { return None };
    let mut pairs = words.chunks_exact(2);
    pairs.find(|pair| pair[0].as_str().as_deref() == Some(name)).map(|pair| &pair[1])
}

/// A primary that no Sentinel watches, as it was addressed, and its replicas that are in sync.
async fn of_replication(observer: &Connector, asked: &Endpoint) -> Result<Vec<Node>, TargetError> {
    let connector = observer.at(asked);
    let (client, _router) = connector.connect().await?;
    let reply = ask(&client, "INFO", vec![Bytes::from_static(b"replication")]).await;
    let text = reply.map_err(|error| connector.explain(&error))?.into_string().unwrap_or_default();
    connected(&text, asked).ok_or_else(|| TargetError::NotPrimary { address: asked.to_string() })
}

/// A primary with the replicas in its reply to `INFO replication`; nothing where it is a replica.
fn connected(text: &str, asked: &Endpoint) -> Option<Vec<Node>> {
    if text.lines().any(|line| line == "role:slave") {
        return None;
    }
    let replica = |line: &str| {
        let (number, facts) = line.strip_prefix("slave")?.split_once(':')?;
        number.parse::<u32>().ok()?;
        let fact = |name: &str| {
            let mut facts = facts.split(',').filter_map(|fact| fact.split_once('='));
            facts.find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        let endpoint = asked.naming(fact("ip")?, fact("port")?.parse().ok()?)?;
        Some(Node {
            is_down: fact("state") != Some("online"),
            ..Node::new(endpoint, NodeRole::Replica, Some(asked.clone()))
        })
    };
    let primary = Node::new(asked.clone(), NodeRole::Primary, None);
    Some([primary].into_iter().chain(text.lines().filter_map(replica)).collect())
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
        let named = |(replica, primary): &(Endpoint, Option<Endpoint>)| {
            (replica.to_string(), primary.as_ref().map(ToString::to_string))
        };
        let found: Vec<_> = replicas(text, &asked).iter().map(named).collect();
        let primary = || Some("redis://10.0.0.1:7000".to_owned());
        assert_eq!(
            found,
            [("redis://10.0.0.2:7001".to_owned(), primary()), ("redis://[::1]:7002".to_owned(), primary())]
        );
    }

    #[test]
    fn a_primary_by_itself_names_the_replicas_that_are_in_sync() {
        let asked = Endpoint::Tcp { host: "seed".to_owned(), port: 1, scheme: Scheme::REDIS };
        let text = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n\
                    slave0:ip=10.0.0.2,port=7001,state=online,offset=14,lag=0\r\n\
                    slave1:ip=::1,port=7002,state=wait_bgsave,offset=0,lag=0\r\nslave_expires_tracked_keys:0\r\n";
        let nodes = connected(text, &asked).unwrap();
        let seen: Vec<_> = nodes.iter().map(|node| (node.endpoint.to_string(), node.role, node.is_down)).collect();
        assert_eq!(
            seen,
            [
                ("redis://seed:1".to_owned(), NodeRole::Primary, false),
                ("redis://10.0.0.2:7001".to_owned(), NodeRole::Replica, false),
                ("redis://[::1]:7002".to_owned(), NodeRole::Replica, true),
            ]
        );
        assert_eq!(connected("role:slave\r\nmaster_host:a\r\n", &asked), None);
    }
}
