//! `plimsoll audit` and the document of an analysis, against real servers.

use serde_json::Value;

use super::{Desk, Server, USER};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn severity<'a>(audit: &'a Value, rule: &str) -> &'a str {
    let rulings = audit["rulings"].as_array().unwrap();
    let ruling = rulings.iter().find(|ruling| ruling["rule"] == rule);
    ruling.unwrap_or_else(|| panic!("{rule} says nothing: {audit}"))["severity"].as_str().unwrap()
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
