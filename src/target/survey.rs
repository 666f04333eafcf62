//! Inspecting all nodes of a cluster, or of a primary with its replicas. A node that does not answer is part of the result.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use fred::types::Value;
use tokio::{task::JoinSet, time::timeout};

use super::{
    Connector, Endpoint, Target, TargetError, Topology,
    ask::ask,
    nodes::{Node, endpoint},
    preflight::same_machine,
};
use crate::{
    results::{NodeInspection, NodeRole, SentinelInspection},
    server,
};

/// Time that one node may take; all are asked at the same time.
const LIMIT: Duration = Duration::from_secs(5);

impl Target {
    /// All nodes and Sentinels; none of a server that stands alone, or whose replicas are no part of the target.
    pub(super) async fn survey(&self) -> (Vec<NodeInspection>, Vec<SentinelInspection>) {
        match &self.site.topology {
            Topology::Standalone if self.replicas().next().is_none() => (Vec::new(), Vec::new()),
            Topology::Standalone => (self.survey_watched(Vec::new()).await, Vec::new()),
            Topology::Cluster => (self.survey_cluster().await, Vec::new()),
            Topology::Sentinel { service } => {
                let (nodes, sentinels) = self.survey_sentinels(service).await;
                (self.survey_watched(nodes).await, sentinels)
            }
        }
    }

    /// Nodes of the cluster that are known, and those that they name.
    async fn survey_cluster(&self) -> Vec<NodeInspection> {
        let mut visits = self.visits(self.nodes.iter().map(|node| node.endpoint.clone()).collect(), true).await;
        let list = visits.iter().find_map(Visit::list).map(<[Listed]>::to_vec).unwrap_or_default();
        let further = list.iter().filter(|listed| !visits.iter().any(|visit| visit.is_of(listed)));
        let further = further.filter_map(|listed| listed.endpoint.clone()).collect();
        visits.extend(self.visits(further, true).await);
        let address = |id: &str| {
            let listed = list.iter().find(|listed| listed.id == id)?;
            let visit = visits.iter().find(|visit| visit.is_of(listed));
            visit.map(|visit| visit.endpoint.to_string()).or(listed.endpoint.as_ref().map(ToString::to_string))
        };
        let node = |visit: &Visit| {
            let listed = list.iter().find(|listed| visit.is_of(listed));
            let known = self.nodes.iter().find(|node| node.endpoint == visit.endpoint);
            let suspects = visit.list().into_iter().flatten().filter(|listed| listed.is("fail") || listed.is("fail?"));
            NodeInspection {
                slots: listed.map_or_else(|| known.map_or(0, Node::slots), |listed| listed.slots),
                primary: listed.and_then(|listed| address(listed.primary.as_deref()?)),
                suspects: suspects.filter_map(|listed| address(&listed.id)).collect(),
                ..visit.node(match listed {
                    Some(listed) if listed.is("slave") => NodeRole::Replica,
                    Some(_) => NodeRole::Primary,
                    None => known.map_or(NodeRole::Primary, |node| node.role),
                })
            }
        };
        visits.iter().map(node).collect()
    }

    /// A primary with its replicas, as Sentinels name them, or as it names them itself.
    async fn survey_watched(&self, named: Vec<(Endpoint, NodeRole)>) -> Vec<NodeInspection> {
        let mut nodes = named;
        for node in &self.nodes {
            if !nodes.iter().any(|(endpoint, _)| *endpoint == node.endpoint) {
                nodes.push((node.endpoint.clone(), node.role));
            }
        }
        let visits = self.visits(nodes.iter().map(|(endpoint, _)| endpoint.clone()).collect(), false).await;
        let node = |(visit, (_, role)): (&Visit, &(Endpoint, NodeRole))| {
            let found = visit.node(*role);
            let fact = |name: &str| found.info.get(name);
            let primary = fact("master_host").zip(fact("master_port").and_then(|port| port.parse().ok()));
            let primary = primary.and_then(|(host, port)| visit.endpoint.naming(host, port));
            NodeInspection { primary: primary.map(|primary| primary.to_string()), ..found }
        };
        visits.iter().zip(&nodes).map(node).collect()
    }

    /// Asks nodes, all at the same time; the result is in their order.
    async fn visits(&self, endpoints: Vec<Endpoint>, in_cluster: bool) -> Vec<Visit> {
        let mut asked = JoinSet::new();
        for (number, endpoint) in endpoints.into_iter().enumerate() {
            let connector = self.observer.at(&endpoint);
            asked.spawn(async move {
                let silent = |_| Err(format!("no answer within {LIMIT:?}"));
                let found = timeout(LIMIT, visit(&connector, &endpoint, in_cluster)).await.unwrap_or_else(silent);
                let same_machine = timeout(LIMIT, same_machine(&endpoint)).await.unwrap_or(false);
                (number, Visit { endpoint, same_machine, found })
            });
        }
        let mut visits = asked.join_all().await;
        visits.sort_by_key(|(number, _)| *number);
        visits.into_iter().map(|(_, visit)| visit).collect()
    }
}

/// A node that was asked, or the reason why it was not.
struct Visit {
    endpoint: Endpoint,
    same_machine: bool,
    /// What the node is like, and the nodes of the cluster as it lists them.
    found: Result<(NodeInspection, Vec<Listed>), String>,
}

impl Visit {
    /// Nodes of the cluster as this one lists them, if it does.
    fn list(&self) -> Option<&[Listed]> {
        self.found.as_ref().ok().map(|(_, list)| &list[..]).filter(|list| !list.is_empty())
    }

    /// Whether this is the node of a line of another node's list. An address may have several names; a node has one ID.
    fn is_of(&self, listed: &Listed) -> bool {
        let own = self.list().and_then(|list| list.iter().find(|listed| listed.is("myself")));
        match own {
            Some(own) => own.id == listed.id,
            None => listed.endpoint.as_ref() == Some(&self.endpoint),
        }
    }

    /// The node by itself, in a role unless it reports one.
    fn node(&self, role: NodeRole) -> NodeInspection {
        let (address, same_machine) = (self.endpoint.to_string(), self.same_machine);
        match &self.found {
            Ok((node, _)) => {
                let role = if node.info.contains_key("role") { node.role } else { role };
                NodeInspection { address, role, same_machine, ..node.clone() }
            }
            Err(fault) => NodeInspection {
                address,
                role,
                primary: None,
                slots: 0,
                fault: Some(fault.clone()),
                same_machine,
                product: None,
                version: None,
                settings: BTreeMap::new(),
                info: BTreeMap::new(),
                users: Vec::new(),
                suspects: Vec::new(),
                busiest: Vec::new(),
                withheld: Vec::new(),
            },
        }
    }
}

/// What a node is like, and in a cluster the nodes as it lists them; or why it cannot be asked.
async fn visit(
    connector: &Connector,
    endpoint: &Endpoint,
    in_cluster: bool,
) -> Result<(NodeInspection, Vec<Listed>), String> {
    let (client, _router) = connector.connect().await.map_err(|error| match error {
        TargetError::Connection { fault, .. } => fault.to_string(),
        error => error.to_string(),
    })?;
    let node = server::inspect_node(client.clone(), in_cluster).await;
    if !in_cluster {
        return Ok((node, Vec::new()));
    }
    let question = |word: &'static str| ask(&client, "CLUSTER", vec![Bytes::from_static(word.as_bytes())]);
    // Only `SLOTS` has the names that clients are to use, and only `NODES` has all nodes.
    let names = question("SLOTS").await.map(|reply| names(&reply, endpoint)).unwrap_or_default();
    let list = question("NODES").await.ok();
    let list = list.as_ref().and_then(Value::as_str).map(|text| listed(&text, &names, endpoint)).unwrap_or_default();
    Ok((node, list))
}

/// A line of the reply to `CLUSTER NODES`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    id: String,
    /// Where it listens; `None` where the node that lists it does not know.
    endpoint: Option<Endpoint>,
    flags: Vec<String>,
    /// ID of its primary.
    primary: Option<String>,
    slots: u32,
}

impl Listed {
    fn is(&self, flag: &str) -> bool {
        self.flags.iter().any(|known| known == flag)
    }
}

/// The reply to `CLUSTER NODES`: `ID HOST:PORT@BUS,HOSTNAME FLAGS PRIMARY PING PONG EPOCH LINK SLOTS...` in each line. Nodes that are
/// only just being met are left out.
fn listed(text: &str, names: &BTreeMap<String, Endpoint>, asked: &Endpoint) -> Vec<Listed> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [id, address, flags, primary, _ping, _pong, _epoch, _link, slots @ ..] = &words[..] else { return None };
        let flags: Vec<String> = flags.split(',').map(str::to_owned).collect();
        let place = address.split('@').next()?.rsplit_once(':');
        let place = place.and_then(|(host, port)| asked.naming(host, port.parse().ok()?));
        let node = Listed {
            id: (*id).to_owned(),
            endpoint: names.get(*id).cloned().or(place),
            flags,
            primary: (*primary != "-").then(|| (*primary).to_owned()),
            slots: slots.iter().filter_map(|range| count(range)).sum(),
        };
        let node = if node.is("noaddr") { Listed { endpoint: None, ..node } } else { node };
        (!node.is("handshake")).then_some(node)
    };
    text.lines().filter_map(line).collect()
}

/// Number of slots of a range, `0-5460` or `7`; none of one that is being moved, `[7->-ID]`.
fn count(range: &str) -> Option<u32> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last): (u16, u16) = (first.parse().ok()?, last.trim_end().parse().ok()?);
    last.checked_sub(first).map(|more| u32::from(more) + 1)
}

/// The reply to `CLUSTER SLOTS`: where the node of each ID listens.
fn names(reply: &Value, asked: &Endpoint) -> BTreeMap<String, Endpoint> {
    let Value::Array(ranges) = reply else { return BTreeMap::new() };
    let members = ranges.iter().filter_map(|range| if let Value::Array(parts) = range { parts.get(2..) } else { None });
    let name = |member: &Value| {
        let Value::Array(member) = member else { return None };
        let [host, port, id, ..] = &member[..] else { return None };
        Some((id.as_str()?.to_string(), endpoint(host, port, asked)?))
    };
    members.flatten().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Scheme;

    #[test]
    fn lists_of_nodes_are_read_with_the_names_for_clients() {
        let asked = Endpoint::Tcp { host: "seed".to_owned(), port: 1, scheme: Scheme::REDIS };
        let member = Value::Array(vec![Value::from("host-a"), Value::Integer(7000), Value::from("a")]);
        let reply = Value::Array(vec![Value::Array(vec![Value::Integer(0), Value::Integer(9), member])]);
        let text = "a 10.0.0.1:7000@17000,host-a myself,master - 0 0 1 connected 0-9 20 [21->-b]\n\
                    b 10.0.0.2:7001@17001 slave,fail? a 0 0 1 connected\n\
                    c :0@0 master,fail,noaddr - 0 0 1 disconnected\n\
                    d 10.0.0.4:7003@17003 handshake - 0 0 0 connected\n\
                    \n";
        let nodes = listed(text, &names(&reply, &asked), &asked);
        let seen: Vec<_> = nodes
            .iter()
            .map(|node| {
                let endpoint = node.endpoint.as_ref().map(ToString::to_string);
                (node.id.as_str(), endpoint, node.primary.as_deref(), node.slots)
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("a", Some("redis://host-a:7000".to_owned()), None, 11),
                ("b", Some("redis://10.0.0.2:7001".to_owned()), Some("a"), 0),
                ("c", None, None, 0),
            ]
        );
        assert!(nodes[1].is("fail?") && !nodes[1].is("fail") && nodes[0].is("myself"));
    }
}
