//! Replicas: whether each primary has one, on another host, with the current data, and whether writes wait for them.

use super::{
    Quantity, Remedy, Rule, Ruling, Scope, Severity, Subject,
    nodes::{addresses, at, together},
};
use crate::results::{NodeInspection, NodeRole, place};

/// Seconds without a word from the other side after which a replica is late: the server's own `min-replicas-max-lag`.
const LATE: u64 = 10;

pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    let primaries = || subject.reached_primaries().filter(move |node| node.slots > 0 || !subject.is_cluster());
    let mut rulings = together(subject, primaries().map(|node| (node, replication(subject, node))));
    rulings.extend(host(subject));
    rulings.extend(link(subject));
    let guarded = primaries().filter_map(|node| Some((node, min_replicas(node)?)));
    rulings.extend(together(subject, guarded));
    rulings
}

/// Number of replicas that are connected to a primary.
fn connected(primary: &NodeInspection) -> u64 {
    primary.number("connected_slaves").unwrap_or(0)
}

fn replication(subject: &Subject<'_>, primary: &NodeInspection) -> Ruling {
    let known = subject.replicas_of(primary).count() as u64;
    let alone = known.max(connected(primary)) == 0;
    let severity = match (alone, subject.target.private) {
        (false, _) => Severity::Passed,
        // Nobody would miss it.
        (true, true) => Severity::Note,
        (true, false) => Severity::Warning,
    };
    // Any node of a cluster will do: the new one becomes a replica of the primary with the fewest.
    let asked = subject.reached_primaries().next().map_or(&primary.address, |node| &node.address);
    let place = place(asked);
    let remedy = if subject.is_cluster() {
        Remedy::Shell(format!("redis-cli --cluster add-node NEW-HOST:PORT {place} --cluster-slave"))
    } else {
        let (host, port) = place.rsplit_once(':').unwrap_or((place, "6379"));
        let line = format!("replicaof {} {port}", host.trim_matches(['[', ']']));
        Remedy::Elsewhere { place: "In the configuration of a new server", line }
    };
    Ruling::new(Rule::Replication, severity)
        .with("role", "master")
        .with("replicas", Quantity::Count(known.max(connected(primary))))
        .with("connected", Quantity::Count(connected(primary)))
        .remedy(remedy)
}

/// Whether a primary and its replicas fail together.
fn host(subject: &Subject<'_>) -> Option<Ruling> {
    let nodes = &subject.inspection.nodes;
    let replicas = nodes.iter().filter(|node| node.role == NodeRole::Replica);
    let pairs: Vec<_> = replicas
        .filter_map(|replica| {
            let primary = nodes.iter().find(|node| replica.primary.as_ref() == Some(&node.address))?;
            Some((replica, primary))
        })
        .collect();
    if pairs.is_empty() {
        return None;
    }
    if nodes.iter().all(NodeInspection::is_loopback) {
        let why = "the addresses are those of the loopback interface, which name no host";
        return Some(Ruling::new(Rule::ReplicaHost, Severity::Unknown).with("reason", why));
    }
    let close: Vec<_> = pairs.iter().filter(|(replica, primary)| replica.host() == primary.host()).collect();
    let severity = if close.is_empty() { Severity::Passed } else { Severity::Warning };
    let shared = close.iter().map(|(replica, primary)| format!("{} of {}", replica.address, primary.address));
    let shared: Vec<_> = shared.collect();
    let ruling = Ruling::new(Rule::ReplicaHost, severity)
        .with("replicas", Quantity::Count(pairs.len() as u64))
        .with_known("on the host of their primary", addresses(shared.iter().map(String::as_str)));
    let ruling = if subject.is_cluster() {
        ruling.remedy(Remedy::Command("CLUSTER REPLICATE ID-OF-A-PRIMARY-ON-ANOTHER-HOST".to_owned()))
    } else {
        ruling.remedy(Remedy::Elsewhere {
            place: "In the configuration of a server on another host",
            line: "replicaof PRIMARY-HOST PORT".to_owned(),
        })
    };
    Some(ruling)
}

/// A replica that has all data, as its primary lists it; of others the link is down in their own words: `ip=...,port=...,state=online,offset=...,lag=0`.
struct Listed {
    address: String,
    lag: u64,
    behind: u64,
}

fn listed(primary: &NodeInspection) -> Vec<Listed> {
    let written = primary.number::<u64>("master_repl_offset");
    let lines = primary.info.iter().filter(|(name, _)| name.strip_prefix("slave").is_some_and(is_number));
    let replica = |line: &str| {
        let field = |name: &str| {
            let mut pairs = line.split(',').filter_map(|pair| pair.split_once('='));
            pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        // Until it has confirmed the copy of all data, its offset says nothing.
        (field("state")? == "online").then_some(())?;
        Some(Listed {
            address: format!("{}:{}", field("ip")?, field("port")?),
            lag: field("lag").and_then(|lag| lag.parse().ok()).unwrap_or(0),
            behind: written?.saturating_sub(field("offset")?.parse().ok()?),
        })
    };
    lines.filter_map(|(_, line)| replica(line)).collect()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the replicas have the current data, by both sides: the reply of the primary has its own offset and those of its replicas at
/// one time.
fn link(subject: &Subject<'_>) -> Option<Ruling> {
    let replicas: Vec<_> = subject.reached().filter(|node| node.role == NodeRole::Replica).collect();
    let seen: Vec<_> = subject
        .reached_primaries()
        .flat_map(|primary| listed(primary).into_iter().map(move |of| (primary, of)))
        .collect();
    if replicas.is_empty() && seen.is_empty() {
        return None;
    }
    let down: Vec<_> = replicas
        .iter()
        .filter(|node| node.info.get("master_link_status").is_some_and(|status| status != "up"))
        .collect();
    let since = down.iter().filter_map(|node| node.number("master_link_down_since_seconds")).max();
    let backlog = seen.iter().filter_map(|(primary, _)| primary.limit::<u64>("repl-backlog-size")).min();
    // What is no longer in the backlog has to be copied with all data once the connection breaks.
    let is_late = |of: &Listed| of.lag > LATE || backlog.is_some_and(|backlog| of.behind > backlog);
    let late: Vec<_> = seen.iter().filter(|(_, of)| is_late(of)).collect();
    let severity = if down.is_empty() && late.is_empty() { Severity::Passed } else { Severity::Warning };
    let lag = seen.iter().map(|(_, of)| of.lag).max();
    let behind = seen.iter().map(|(_, of)| of.behind).max();
    let ruling = Ruling::new(Rule::ReplicaLink, severity)
        .with("replicas", Quantity::Count(replicas.len().max(seen.len()) as u64))
        .with_known("link down", addresses(down.iter().map(|node| node.address.as_str())))
        .with_known("for", since.map(Quantity::Age))
        .with_known("late", addresses(late.iter().map(|(_, of)| of.address.as_str())))
        .with_known("longest time without a word", lag.map(Quantity::Age))
        .with_known("behind at most", behind.map(Quantity::Bytes))
        .with_known("repl-backlog-size", backlog.map(Quantity::Bytes));
    let ruling = match (down.first(), late.first()) {
        (Some(node), _) => ruling.remedy(at(node, "INFO replication")),
        (None, Some((primary, _))) => ruling.remedy(at(primary, "INFO replication")),
        (None, None) => ruling,
    };
    let scope = down.iter().map(|node| node.address.clone()).collect::<Vec<_>>();
    let (judged, known) = (subject.reached().count(), subject.inspection.nodes.len());
    Some(Ruling {
        scope: (!scope.is_empty()).then_some(Scope { nodes: scope, judged, known, primaries: false }),
        ..ruling
    })
}

/// Whether a primary refuses writes without replicas; `None` of one that has no replica, which is a matter of its own.
fn min_replicas(primary: &NodeInspection) -> Option<Ruling> {
    let wanted: u64 = primary.limit("min-replicas-to-write")?;
    let connected = connected(primary);
    let good = primary.number("min_slaves_good_slaves").unwrap_or(connected);
    if wanted == 0 && connected == 0 {
        return None;
    }
    let severity = match wanted {
        0 => Severity::Note,
        wanted if wanted > good => Severity::Critical,
        _ => Severity::Passed,
    };
    let better = if wanted == 0 { 1 } else { good };
    Some(
        Ruling::new(Rule::MinReplicas, severity)
            .with("min-replicas-to-write", Quantity::Count(wanted))
            .with_known("min-replicas-max-lag", primary.limit("min-replicas-max-lag").map(Quantity::Age))
            .with("connected replicas", Quantity::Count(connected))
            .with("of these in time", Quantity::Count(good))
            .setting("min-replicas-to-write", better.to_string()),
    )
}
