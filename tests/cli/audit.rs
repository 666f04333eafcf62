//! `plimsoll audit` and the document of an analysis, against real servers.

use plimsoll::target::{PrivateNode, PrivateRole};
use serde_json::Value;

use super::{Desk, Server, USER, sites::start};
use crate::{support::url, target::topologies::ask};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn rulings<'a>(audit: &'a Value, rule: &str) -> Vec<&'a Value> {
    let rulings: Vec<_> = audit["rulings"].as_array().unwrap().iter().filter(|ruling| ruling["rule"] == rule).collect();
    assert!(!rulings.is_empty(), "{rule} says nothing: {audit}");
    rulings
}

fn severity<'a>(audit: &'a Value, rule: &str) -> &'a str {
    rulings(audit, rule)[0]["severity"].as_str().unwrap()
}

/// Nodes that a ruling is about.
fn nodes(ruling: &Value) -> Vec<&str> {
    ruling["nodes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Addresses of nodes with a role.
fn addresses(nodes: &[PrivateNode], is_role: fn(PrivateRole) -> bool) -> Vec<String> {
    nodes.iter().filter(|node| is_role(node.role())).map(|node| node.endpoint().to_string()).collect()
}

#[test]
fn an_audit_changes_nothing_and_says_what_to_type() {
    let (desk, server) = (Desk::new(), Server::start());
    let (users, settings) = (server.ask("ACL LIST"), server.ask("CONFIG GET *"));
    let audit = desk.run(&["audit", "short.toml", "--target", &server.url(), "--format", "json"]).ends_with(0);
    assert!(!audit.stdout.contains(&server.password) && audit.stderr.is_empty(), "{}", audit.stderr);
    let audit = json(&audit.stdout);
    assert_eq!(severity(&audit, "default-user"), "passed");
    assert_eq!(severity(&audit, "password-strength"), "passed");
    assert_eq!(severity(&audit, "least-privilege"), "warning");
    let line = audit["rulings"].as_array().unwrap().iter().find(|ruling| ruling["rule"] == "least-privilege").unwrap();
    let expected = format!("ACL SETUSER {USER} resetkeys resetchannels -@all ~shop:* +get +ping +set");
    assert_eq!(line["remedies"][0]["line"], expected);
    assert_eq!(server.ask("ACL LIST"), users);
    assert_eq!(server.ask("CONFIG GET *"), settings);
    assert_eq!(server.keys(), 0);
}

#[test]
fn the_server_proves_the_rights_that_are_proposed_where_it_may() {
    let (desk, server) = (Desk::new(), Server::start());
    let users = server.ask("ACL LIST");
    let arguments = ["audit", "short.toml", "--target", &server.url(), "--format", "markdown"];
    desk.run(&arguments).ends_with(0).says("proof that the proposed rights suffice none: ");
    let proven = desk.run(&[&arguments[..], &["--prove-rights"]].concat()).ends_with(0);
    proven.says("proof that the proposed rights suffice by ACL DRYRUN of 2 commands");
    assert_eq!(server.ask("ACL LIST"), users, "the user of the proof is gone");
}

#[test]
fn findings_fail_an_audit_only_where_that_is_asked_for() {
    let (desk, server) = (Desk::new(), Server::start());
    let with = |further: &[&str]| desk.run(&[&["audit", "--target", &server.url()], further].concat());
    with(&[]).ends_with(0).says("No critical finding: ");
    with(&["--fail-on", "critical"]).ends_with(0);
    with(&["--fail-on", "warning"]).ends_with(1);
    // A pool that the server cannot serve.
    let crowded = ["audit", "short.toml", "--target", &server.url(), "--set", "service.shop.pool.size=20000"];
    desk.run(&crowded).ends_with(0).says("critical: maxclients is too low for the connections of all pools");
    desk.run(&[&crowded[..], &["--fail-on", "critical"]].concat()).ends_with(1);
}

#[test]
fn wrong_turns_are_reported() {
    let desk = Desk::new();
    desk.run(&["audit"]).ends_with(2).complains("--target");
    desk.run(&["audit", "shrt.toml", "--target", "embedded"]).ends_with(2).complains("shrt.toml");
    desk.run(&["audit", "--target", "redis://127.0.0.1:1"]).ends_with(3).complains("connection refused");
    desk.run(&["audit", "--target", "redis://127.0.0.1:6379", "--server-bin", "x"])
        .ends_with(2)
        .complains("--server-bin");
    desk.run(&["audit", "--target", "nonsense"]).ends_with(2);
}

#[test]
fn a_page_of_its_own_and_a_private_server() {
    let desk = Desk::new();
    let page = desk.run(&["audit", "short.toml", "--target", "embedded", "--format", "html"]).ends_with(0);
    page.says("<!DOCTYPE html>").says("<h2 id=\"audit-heading\">");
}

#[test]
fn an_analysis_is_made_from_a_saved_run() {
    let desk = Desk::new();
    desk.run(&["run", "short.toml", "--out", "out"]).measured();
    assert!(!desk.path("out/analysis.html").exists());
    desk.run(&["report", "out", "--style", "analysis"]).ends_with(0).says("Analysis: out/analysis.html");
    let read = |name: &str| std::fs::read_to_string(desk.path(name)).unwrap();
    let document = read("out/analysis.md");
    for part in ["## Executive summary", "| Ping latency | PING, without load | 500 |", "## Setup", "up for"] {
        assert!(document.contains(part), "{part}:\n{document}");
    }
    desk.run(&["report", "out", "--style", "analysis", "--format", "json"]).ends_with(0);
    assert_eq!(read("out/analysis.md"), document, "the same run gives the same document");
    desk.run(&["run", "short.toml", "--out", "at-once", "--style", "analysis"])
        .measured()
        .says("at-once/analysis.html");
    assert!(read("at-once/analysis.md").contains("## Server configuration"));
    desk.run(&["report", "out", "--style", "analyses"]).ends_with(2).complains("analysis");
}

#[test]
fn all_nodes_of_a_private_cluster_are_audited() {
    let desk = Desk::new();
    let arguments = ["audit", "short.toml", "--target", "embedded", "--topology", "cluster:2x1", "--format", "json"];
    let audit = json(&desk.run(&arguments).ends_with(0).stdout);
    for (rule, expected) in [
        ("nodes-answer", "passed"),
        ("replication", "passed"),
        ("replica-host", "unknown"),
        ("replica-link", "passed"),
        ("min-replicas", "note"),
        ("slot-coverage", "passed"),
        ("slot-balance", "passed"),
        ("full-coverage", "note"),
    ] {
        assert_eq!(severity(&audit, rule), expected, "{rule}: {audit}");
    }
    let [limit] = &rulings(&audit, "memory-limit")[..] else { panic!("alike at all nodes: {audit}") };
    assert_eq!((&limit["severity"], nodes(limit).len()), (&Value::from("passed"), 4));
    assert!(limit["fact"].as_str().unwrap().starts_with("all 4 nodes: "), "{limit}");
    assert_eq!(nodes(rulings(&audit, "full-coverage")[0]).len(), 2, "of primaries only");
    assert!(audit["rulings"].as_array().unwrap().iter().all(|ruling| ruling["rule"] != "sentinel-count"));
    desk.run(&["audit", "short.toml", "--target", "embedded", "--topology", "cluster:2x1"])
        .ends_with(0)
        .says("all 4 nodes: ");
}

#[test]
fn all_nodes_and_sentinels_of_a_private_deployment_are_audited() {
    let desk = Desk::new();
    let arguments = ["audit", "short.toml", "--target", "embedded", "--topology", "sentinel", "--format", "json"];
    let audit = json(&desk.run(&arguments).ends_with(0).stdout);
    for rule in [
        "nodes-answer",
        "replication",
        "replica-link",
        "sentinel-count",
        "sentinel-quorum",
        "sentinel-agreement",
        "sentinel-down-after",
    ] {
        assert_eq!(severity(&audit, rule), "passed", "{rule}: {audit}");
    }
    assert_eq!(nodes(rulings(&audit, "memory-limit")[0]).len(), 3);
    assert!(audit["rulings"].as_array().unwrap().iter().all(|ruling| ruling["rule"] != "slot-balance"));
}

#[test]
fn a_node_that_differs_is_named_and_so_is_one_that_is_down() {
    let (desk, server) = (Desk::new(), start("cluster:3x0"));
    let [first, second, third] = server.nodes() else { panic!("{:?}", server.nodes()) };
    assert!(ask(&server, second, "CONFIG SET maxmemory 0").starts_with("+OK"));
    let of_url = ["audit", "--target", &url(&server), "--format", "json"];
    let audit = json(&desk.run(&of_url).ends_with(0).stdout);
    let limits = rulings(&audit, "memory-limit");
    let unlimited = limits.iter().find(|ruling| ruling["severity"] == "warning").unwrap();
    assert_eq!(nodes(unlimited), [second.endpoint().to_string()]);
    let limited = limits.iter().find(|ruling| ruling["severity"] == "passed").unwrap();
    assert_eq!(nodes(limited).len(), 2);
    assert_eq!(nodes(rulings(&audit, "replication")[0]).len(), 3, "no primary has a replica");
    assert_eq!(severity(&audit, "replication"), "warning");
    third.kill();
    let outcome = desk.run(&[&of_url[..], &["--fail-on", "critical"]].concat()).ends_with(1);
    let audit = json(&outcome.stdout);
    let silent = rulings(&audit, "nodes-answer")[0];
    assert_eq!(silent["severity"], "critical");
    assert!(silent["fact"].as_str().unwrap().contains(&third.endpoint().to_string()), "{silent}");
    // The node that is asked first may be the one that is down.
    third.restart().unwrap();
    first.kill();
    let audit = json(&desk.run(&of_url).ends_with(0).stdout);
    let silent = rulings(&audit, "nodes-answer")[0];
    assert!(silent["fact"].as_str().unwrap().contains(&first.endpoint().to_string()), "{silent}");
}

#[test]
fn a_primary_and_a_sentinel_that_are_down_are_findings() {
    let (desk, server) = (Desk::new(), start("sentinel"));
    let sentinels: Vec<_> = server.nodes().iter().filter(|node| node.role() == PrivateRole::Sentinel).collect();
    for sentinel in &sentinels {
        assert!(ask(&server, sentinel, "SENTINEL SET mymaster down-after-milliseconds 600000").starts_with("+OK"));
    }
    sentinels[2].kill();
    server.kill();
    let audit = json(&desk.run(&["audit", "--target", &url(&server), "--format", "json"]).ends_with(0).stdout);
    assert_eq!(severity(&audit, "nodes-answer"), "critical");
    assert_eq!(severity(&audit, "sentinel-agreement"), "warning");
    assert_eq!(severity(&audit, "sentinel-down-after"), "note");
    assert_eq!(severity(&audit, "sentinel-count"), "passed");
    assert_eq!(severity(&audit, "replica-link"), "warning");
    let mut replicas = addresses(server.nodes(), |role| matches!(role, PrivateRole::Replica { .. }));
    replicas.sort_unstable();
    let mut reached = nodes(rulings(&audit, "memory-limit")[0]);
    reached.sort_unstable();
    assert_eq!(reached, replicas);
}

#[test]
fn the_audit_of_a_run_has_the_nodes_as_they_are_after_the_load() {
    let desk = Desk::new();
    // The first node is the one that is asked about the server.
    for topology in ["cluster:2x1", "sentinel"] {
        let out = ["--duration", "1s", "--at", "700ms=kill:1", "--out", topology];
        let run = desk.run(&[&["run", "short.toml", "--topology", topology, "--format", "json"], &out[..]].concat());
        let summary = json(&run.stdout);
        let ruling = |rule: &str| {
            let rulings = summary["audit"].as_array().unwrap();
            rulings.iter().find(|ruling| ruling["rule"] == rule).unwrap_or_else(|| panic!("{rule}: {summary}"))
        };
        // A replica may have taken over meanwhile: then the node is no primary any more.
        let severity = &ruling("nodes-answer")["severity"];
        assert!(severity == "critical" || severity == "warning", "{topology}: {severity}");
        assert_eq!(ruling("service-login")["severity"], "passed", "another node is asked: {topology}");
        assert!(nodes(ruling("memory-limit")).len() > 1, "{topology}");
        let saved = std::fs::read_to_string(desk.path(topology).join("run.json")).unwrap();
        let inspected = json(&saved)["inspection"]["nodes"].as_array().unwrap().clone();
        assert_eq!(inspected.iter().filter(|node| node["fault"].is_string()).count(), 1, "{topology}");
    }
}
