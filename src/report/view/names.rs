//! Names and words that several parts of reports use.

use crate::{
    analysis::{Distribution, PercentileValue, Scope},
    report::format::counted,
    results::{NodeRole, Software, TargetFacts, Withheld, brief_address, first_host},
    scenario::{Client, Protocol, ReadFrom, Scenario, Service},
};

/// The program that made a report: `plimsoll 0.1.0 (3f2c9d1)`.
pub(in crate::report) fn made_by(software: &Software) -> String {
    let commit = software.commit.as_ref().map(|commit| format!(" ({commit})")).unwrap_or_default();
    format!("plimsoll {}{commit}", software.version)
}

/// A client library with its version: `fred 10.1.0`, `wire (plimsoll 0.1.0)`.
pub(super) fn client(client: Client, software: &Software) -> String {
    match client {
        Client::Fred => format!("fred {}", software.fred),
        Client::Wire => format!("wire (plimsoll {})", software.version),
    }
}

/// A part of the client side of a service, set by a field of the scenario.
pub(super) struct StackPart {
    /// Name of the field.
    pub(super) field: &'static str,
    /// What it is by default.
    pub(super) default: &'static str,
    other: fn(&Service) -> Option<&'static str>,
}

/// Client library, protocol, and nodes that are read from.
pub(super) const STACK: [StackPart; 3] = [
    StackPart {
        field: "client",
        default: "fred",
        other: |of| (of.client == Client::Wire).then_some("the wire client"),
    },
    StackPart { field: "protocol", default: "RESP2", other: |of| (of.protocol == Protocol::Resp3).then_some("RESP3") },
    StackPart {
        field: "read_from",
        default: "reads from primaries",
        other: |of| match of.read_from {
            ReadFrom::Primary => None,
            ReadFrom::Replica => Some("reads from replicas"),
            ReadFrom::Any => Some("reads from any node"),
        },
    },
];

impl StackPart {
    /// What is not the default, with its services unless all have it: `the wire client`, `RESP3 (api)`.
    pub(super) fn other(&self, scenario: &Scenario) -> Option<String> {
        let all = scenario.services.iter().filter_map(|of| Some((of.name.as_str(), (self.other)(of)?)));
        let (names, words): (Vec<_>, Vec<_>) = all.unzip();
        match names.len() {
            0 => None,
            all if all == scenario.services.len() => Some(words[0].to_owned()),
            _ => Some(format!("{} ({})", words[0], names.join(", "))),
        }
    }
}

/// All that is not the default: `the wire client (api) and RESP3`. `is_named` says of each field whether it is to be named.
pub(super) fn other_stack(scenario: &Scenario, is_named: impl Fn(&str) -> bool) -> Option<String> {
    let named = STACK.iter().filter(|part| is_named(part.field));
    Some(listed(&named.filter_map(|part| part.other(scenario)).collect::<Vec<_>>())).filter(|all| !all.is_empty())
}

/// A client library with its version, and what else is not the default: `fred 10.1.0, RESP3`.
pub(super) fn stack(service: &Service, software: &Software) -> String {
    let others = STACK[1..].iter().filter_map(|part| (part.other)(service)).map(|other| format!(", {other}"));
    client(service.client, software) + &others.collect::<String>()
}

/// Address of a server, and whether its certificate was checked: `redis+cluster://127.0.0.1:7000 and 5 more`.
pub(super) fn address(target: &TargetFacts) -> String {
    format!("{}{}", brief_address(&target.address), unchecked(target))
}

fn unchecked(target: &TargetFacts) -> &'static str {
    if target.tls_insecure { " (certificate not checked: --tls-insecure)" } else { "" }
}

/// Several servers that belong together: `cluster of 3 primaries and 3 replicas`. The mode of a server behind Sentinels is
/// `standalone`.
fn deployment(target: &TargetFacts) -> Option<String> {
    let kind = match target.scheme().split_once('+') {
        Some((_, "sentinel")) => "Sentinel deployment",
        Some((_, kind)) => kind,
        None if target.count(NodeRole::Replica) == 0 => return None,
        None => "replication",
    };
    let is_known = !target.nodes.is_empty() || target.replicas > 0;
    let number = |role, one, many| {
        let count = target.count(role);
        (is_known && count > 0).then(|| counted(count, one, many))
    };
    let primaries = number(NodeRole::Primary, "primary", "primaries");
    let nodes: Vec<_> = primaries.into_iter().chain(number(NodeRole::Replica, "replica", "replicas")).collect();
    Some(if nodes.is_empty() { kind.to_owned() } else { format!("{kind} of {}", listed(&nodes)) })
}

/// Whether a server stands alone, or what it is part of.
pub(super) fn mode(target: &TargetFacts) -> String {
    deployment(target).unwrap_or_else(|| target.mode.clone())
}

/// A server with its address: `redis 7.0.15 at redis://127.0.0.1:6379 (private server)`.
pub(super) fn server(target: &TargetFacts) -> String {
    let (address, _) = first_host(&target.address);
    let what = match (target.private, deployment(target)) {
        (true, deployment) => format!(" (private {})", deployment.as_deref().unwrap_or("server")),
        (false, Some(deployment)) => format!(" ({deployment})"),
        (false, None) => String::new(),
    };
    format!("{} at {address}{what}{}", target.software(), unchecked(target))
}

/// What a row is called in running text: `api GET`, `api`, `all services`.
pub(super) fn row_name(service: Option<&str>, operation: Option<&str>) -> String {
    match (service, operation) {
        (Some(service), Some(operation)) => format!("{service} {operation}"),
        (Some(service), None) => service.to_owned(),
        (None, _) => "all services".to_owned(),
    }
}

/// What could not be learned, each reason once.
pub(super) fn not_learned<'a>(withheld: impl Iterator<Item = &'a Withheld>) -> Option<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for Withheld { what, reason } in withheld {
        let (reason, what) = match reason.split_once("; Redis has them since ") {
            Some((reason, since)) => (reason, format!("{what}, from Redis {since} on")),
            None => (reason.as_str(), what.clone()),
        };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, all)) => all.push(what),
            None => reasons.push((reason, vec![what])),
        }
    }
    let said: Vec<_> = reasons.into_iter().map(|(reason, all)| format!("{} ({reason})", all.join(", "))).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

pub(super) fn scope_name(scope: &Scope) -> String {
    row_name(scope.service.as_deref(), scope.operation.as_deref())
}

/// A percentile of a distribution, if analysis offers it.
pub(super) fn known_percentile(distribution: &Distribution, percentile: f64) -> Option<PercentileValue> {
    // Both numbers come from decimal literals or the same field; they are equal or they are different percentiles.
    distribution.percentiles.iter().find(|known| (known.percentile - percentile).abs() < 1e-9).map(|known| known.value)
}

/// The value of a percentile in nanoseconds, where it may be printed.
pub(super) fn printed(distribution: &Distribution, percentile: f64) -> Option<f64> {
    match known_percentile(distribution, percentile)? {
        PercentileValue::Known { nanos, .. } => Some(nanos as f64),
        PercentileValue::TooFew { .. } => None,
    }
}

/// Names joined as a sentence does: `a, b and c`.
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Text that begins a sentence.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        results::{NodeFacts, sample},
        scenario::load,
    };

    #[test]
    fn of_several_hosts_the_first_is_named() {
        let mut target = sample::run().target;
        target.address = "redis+cluster://node1:7000,node2:7001,[::1]:7002".to_owned();
        assert_eq!(address(&target), "redis+cluster://node1:7000 and 2 more");
        assert_eq!((mode(&target).as_str(), target.private), ("cluster", true));
        let node = |role, slots| NodeFacts { address: "redis://node1:7000".to_owned(), role, slots, primary: None };
        target.nodes = [(NodeRole::Primary, 8192), (NodeRole::Primary, 8192), (NodeRole::Replica, 0)]
            .map(|(role, slots)| node(role, slots))
            .to_vec();
        let spaced = |text: String| text.replace('\u{202f}', " ");
        let said = "redis 7.0.15 at redis+cluster://node1:7000 (private cluster of 2 primaries and 1 replica)";
        assert_eq!(spaced(server(&target)), said);
        target.nodes.remove(0);
        target.address = "rediss+sentinel://s1:26379,s2:26379/mymaster".to_owned();
        (target.private, target.tls_insecure) = (false, true);
        assert_eq!(spaced(mode(&target)), "Sentinel deployment of 1 primary and 1 replica");
        let unchecked = "(certificate not checked: --tls-insecure)";
        let said = format!("redis 7.0.15 at rediss+sentinel://s1:26379/mymaster ({}) {unchecked}", mode(&target));
        assert_eq!(server(&target), said);
        assert_eq!(address(&target), format!("rediss+sentinel://s1:26379/mymaster and 1 more {unchecked}"));
        target.nodes.clear();
        assert_eq!(mode(&target), "Sentinel deployment");
        (target.address, target.private, target.tls_insecure) = ("redis://127.0.0.1:7000".to_owned(), true, false);
        assert_eq!(mode(&target), "standalone");
        target.replicas = 2;
        let said = "redis 7.0.15 at redis://127.0.0.1:7000 (private replication of 1 primary and 2 replicas)";
        assert_eq!(spaced(server(&target)), said);
    }

    #[test]
    fn client_and_protocol_are_named_unless_they_are_the_default() {
        let mut scenario = load("workflow-engine").unwrap();
        assert_eq!(other_stack(&scenario, |_| true), None);
        scenario.services[1].client = Client::Wire;
        assert_eq!(other_stack(&scenario, |_| true).unwrap(), "the wire client (api)");
        scenario.services.iter_mut().for_each(|service| service.protocol = Protocol::Resp3);
        assert_eq!(other_stack(&scenario, |_| true).unwrap(), "the wire client (api) and RESP3");
        assert_eq!(other_stack(&scenario, |field| field != "client").unwrap(), "RESP3");
        scenario.services[0].read_from = ReadFrom::Replica;
        let all = "the wire client (api), RESP3 and reads from replicas (chat)";
        assert_eq!(other_stack(&scenario, |_| true).unwrap(), all);
        let software = sample::run().software;
        assert_eq!(
            [0, 1].map(|index: usize| stack(&scenario.services[index], &software)),
            ["fred 10.1.0, RESP3, reads from replicas", "wire (plimsoll 0.1.0), RESP3"]
        );
    }
}
