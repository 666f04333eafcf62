//! Nodes of a target: the rules of one server applied to each, with rulings that are alike put together, and whether all nodes
//! answer.

use std::collections::BTreeMap;

use super::{Measured, Quantity, Remedy, Rule, Ruling, Scope, Severity, Subject};
use crate::{
    analysis::{CommandTime, ServerSide, server::totals},
    results::{Inspection, NodeInspection, NodeRecord, NodeRole, TargetFacts, is_encrypted, place},
};

/// Addresses that the evidence of a ruling lists at most.
const LISTED: usize = 8;

/// Whether a rule is about the whole target, whatever the number of nodes: its services and keys.
fn is_of_target(rule: Rule, subject: &Subject<'_>) -> bool {
    match rule {
        Rule::ServiceLogin
        | Rule::PasswordStrength
        | Rule::LeastPrivilege
        | Rule::DangerousCommands
        | Rule::BigKeys
        | Rule::HotKeys
        | Rule::SharedDatabase
        | Rule::Dependencies => true,
        // What clients counted is of all nodes.
        Rule::HitRate => subject.measured.is_some(),
        _ => false,
    }
}

/// Whether a rule compares nodes with each other.
fn is_between_nodes(rule: Rule) -> bool {
    rule == Rule::Replication || (Rule::NodesAnswer..=Rule::SentinelDownAfter).contains(&rule)
}

/// Of the rulings on the server that was asked those on the whole target, and the rulings on each node that answers.
pub(super) fn of_nodes(
    subject: &Subject<'_>,
    asked: Vec<Ruling>,
    judge: fn(&Subject<'_>) -> Vec<Ruling>,
) -> Vec<Ruling> {
    let mut rulings: Vec<_> = asked.into_iter().filter(|ruling| is_of_target(ruling.rule, subject)).collect();
    let mut each = Vec::new();
    for node in subject.reached() {
        let (target, inspection) = seen_alone(subject, node);
        let record = subject.measured.and_then(|measured| {
            let record = measured.nodes.iter().find(|record| record.before.address == node.address)?;
            Some((measured, record, side(&measured, record)))
        });
        let measured = record.as_ref().map(|(measured, record, side)| Measured {
            record: &record.server,
            nodes: &[],
            side,
            recording: measured.recording,
            rows: &[],
        });
        let (target, inspection, scenario) = (&target, &inspection, subject.scenario);
        let own = judge(&Subject { target, inspection, dependencies: &[], scenario, measured });
        let own =
            own.into_iter().filter(|ruling| !is_of_target(ruling.rule, subject) && !is_between_nodes(ruling.rule));
        each.extend(own.map(|ruling| (node, ruling)));
    }
    rulings.extend(together(subject, each));
    rulings
}

/// The target and the inspection as if the node stood alone.
fn seen_alone(subject: &Subject<'_>, node: &NodeInspection) -> (TargetFacts, Inspection) {
    let known = subject.target;
    let target = TargetFacts {
        address: node.address.clone(),
        product: node.product.clone().unwrap_or_else(|| known.product.clone()),
        version: node.version.clone().unwrap_or_else(|| known.version.clone()),
        same_machine: node.same_machine,
        nodes: Vec::new(),
        replicas: 0,
        ..known.clone()
    };
    let inspection = Inspection {
        settings: node.settings.clone(),
        info: node.info.clone(),
        users: node.users.clone(),
        logins: subject.inspection.logins.clone(),
        machine: subject.inspection.machine.clone().filter(|_| node.same_machine),
        ..Inspection::default()
    };
    (target, inspection)
}

/// The server's side of a node, as far as rules of one server read it.
fn side(measured: &Measured<'_>, record: &NodeRecord) -> ServerSide {
    let seconds = &record.server.seconds;
    let period = measured.recording.period.measured_ns.max(1) as f64;
    let sent = |name: &String| measured.recording.series.iter().any(|series| series.commands.contains(name));
    let commands = record.server.commands.iter().filter(|used| used.calls > 0 && sent(&used.name));
    let command = |used: &crate::results::CommandUse| CommandTime {
        name: used.name.clone(),
        calls: used.calls,
        server: used.micros as f64 * 1e3 / used.calls as f64,
        server_p99: None,
        client: None,
        client_median: None,
        busy: used.micros as f64 * 1e3 / period,
        rejected: used.rejected,
        failed: used.failed,
    };
    ServerSide {
        totals: (!seconds.is_empty()).then(|| totals(seconds)),
        commands: commands.map(command).collect(),
        ..ServerSide::default()
    }
}

/// Rulings on nodes: one for those that are alike, with the figures of the first where they differ.
pub(super) fn together<'a>(
    subject: &Subject<'_>,
    each: impl IntoIterator<Item = (&'a NodeInspection, Ruling)>,
) -> Vec<Ruling> {
    let mut groups: Vec<(Ruling, Vec<String>, bool)> = Vec::new();
    let mut judged: BTreeMap<Rule, Vec<&NodeInspection>> = BTreeMap::new();
    for (node, ruling) in each {
        let nodes = judged.entry(ruling.rule).or_default();
        // A rule may apply to several things of one node.
        if nodes.last().is_none_or(|last| last.address != node.address) {
            nodes.push(node);
        }
        match groups.iter_mut().find(|(first, ..)| is_alike(first, &ruling)) {
            Some((first, nodes, differs)) => {
                *differs |= first.evidence != ruling.evidence;
                nodes.push(node.address.clone());
            }
            None => groups.push((ruling, vec![node.address.clone()], false)),
        }
    }
    let known = subject.inspection.nodes.len();
    let group = |(ruling, nodes, differs): (Ruling, Vec<String>, bool)| {
        let judged = &judged[&ruling.rule];
        let primaries = judged.iter().all(|node| node.role == NodeRole::Primary)
            && judged.len() == subject.reached_primaries().count()
            && judged.len() < subject.reached().count();
        let ruling = ruling.with_known("figures of", differs.then(|| nodes[0].clone()));
        Ruling { scope: Some(Scope { nodes, judged: judged.len(), known, primaries }), ..ruling }
    };
    groups.into_iter().map(group).collect()
}

/// Whether two rulings say the same and ask for the same.
fn is_alike(one: &Ruling, other: &Ruling) -> bool {
    (one.rule, one.severity, &one.about, &one.remedies) == (other.rule, other.severity, &other.about, &other.remedies)
}

impl<'a> Subject<'a> {
    /// Nodes that answer.
    pub(super) fn reached(&self) -> impl Iterator<Item = &'a NodeInspection> {
        self.inspection.nodes.iter().filter(|node| node.fault.is_none())
    }

    /// Primaries that answer.
    pub(super) fn reached_primaries(&self) -> impl Iterator<Item = &'a NodeInspection> {
        self.reached().filter(|node| node.role == NodeRole::Primary)
    }

    /// Replicas that a primary ought to have: those that name it.
    pub(super) fn replicas_of(&self, primary: &NodeInspection) -> impl Iterator<Item = &'a NodeInspection> {
        let address = primary.address.clone();
        self.inspection.nodes.iter().filter(move |node| node.primary.as_deref() == Some(&address))
    }
}

impl NodeInspection {
    /// A field of `INFO` that is a number.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.info.get(name)?.parse().ok()
    }

    /// A setting that is a number.
    pub(super) fn limit<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.settings.get(name)?.parse().ok()
    }

    /// Host of its address, without a port.
    pub(super) fn host(&self) -> &str {
        let place = place(&self.address);
        place.rsplit_once(':').map_or(place, |(host, _)| host)
    }

    /// Whether its address is one that every machine has for itself.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host().trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host == "::1" || host.starts_with("127.")
    }
}

/// Addresses, as evidence.
pub(super) fn addresses<'a>(nodes: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let nodes: Vec<_> = nodes.into_iter().collect();
    let more = nodes.len().saturating_sub(LISTED);
    let listed = nodes.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    match (nodes.len(), more) {
        (0, _) => None,
        (_, 0) => Some(listed),
        _ => Some(format!("{listed} and {more} more")),
    }
}

/// The call of `redis-cli` for a node.
pub(super) fn cli(node: &NodeInspection) -> String {
    let port = node.address.rsplit_once(':').map_or("6379", |(_, port)| port);
    let tls = if is_encrypted(&node.address) { " --tls" } else { "" };
    format!("redis-cli{tls} -h {} -p {port}", node.host().trim_matches(['[', ']']))
}

/// A command for a node, typed in a shell.
pub(super) fn at(node: &NodeInspection, command: &str) -> Remedy {
    Remedy::Shell(format!("{} {command}", cli(node)))
}

/// Whether all nodes answer, this harness and each other.
pub(super) fn rulings(subject: &Subject<'_>) -> Vec<Ruling> {
    let nodes = &subject.inspection.nodes;
    let silent: Vec<_> = nodes.iter().filter(|node| node.fault.is_some()).collect();
    let suspected: Vec<_> =
        nodes.iter().filter(|node| nodes.iter().any(|other| other.suspects.contains(&node.address))).collect();
    // Outside a cluster the primary has no slots.
    let serves = |node: &&NodeInspection| node.role == NodeRole::Primary && (node.slots > 0 || !subject.is_cluster());
    let severity = if silent.iter().chain(&suspected).any(serves) {
        Severity::Critical
    } else if silent.is_empty() && suspected.is_empty() {
        Severity::Passed
    } else {
        Severity::Warning
    };
    let reason = |node: &&NodeInspection| Some(format!("{}: {}", node.address, node.fault.as_ref()?));
    let reasons: Vec<_> = silent.iter().filter_map(reason).collect();
    let suspects = addresses(suspected.iter().map(|node| node.address.as_str()));
    let ruling = Ruling::new(Rule::NodesAnswer, severity)
        .with("nodes", Quantity::Count(nodes.len() as u64))
        .with_known("no answer", (!reasons.is_empty()).then(|| reasons.join("; ")))
        .with_known("taken for failed by others", suspects);
    let first = silent.iter().chain(&suspected).next();
    vec![match first {
        Some(node) => ruling.remedy(at(node, "PING")),
        None => ruling,
    }]
}
