//! Addresses and logins: servers that must be reached, and one sentence for each that cannot be.

use super::{Desk, Outcome, Server};

/// Fails unless the one thing that is said is one sentence that says this, without the words of a library.
#[track_caller]
pub(super) fn says_in_a_sentence(outcome: Outcome, expected: &str) {
    let outcome = outcome.ends_with(3).complains(expected);
    let library = ["{ kind", "Os {", "Certificate(", "Alert", "AsEndEntity", "(os error"];
    assert!(!library.iter().any(|word| outcome.stderr.contains(word)), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
}

#[test]
fn a_user_without_a_password_is_tried() {
    let (desk, server) = (Desk::new(), Server::start());
    server.ask("ACL SETUSER worker on nopass ~* &* +@all");
    server.ask("ACL SETUSER locked on >secret ~* &* +@all");
    let port = server.port;
    for url in [format!("redis://worker@127.0.0.1:{port}"), format!("valkey://worker:@127.0.0.1:{port}")] {
        let outcome = desk.run(&["audit", "short.toml", "--target", &url]).ends_with(0);
        assert!(outcome.stderr.is_empty() && !outcome.stdout.contains("password is short"), "{}", outcome.stdout);
    }
    let run = |url: &str, further: &[&str]| desk.run(&[&["run", "short.toml", "--target", url], further].concat());
    says_in_a_sentence(run(&format!("redis://locked@127.0.0.1:{port}"), &[]), "the user `locked` needs a password");
    // A user of the scenario's own.
    let plain = format!("redis://127.0.0.1:{port}");
    says_in_a_sentence(run(&plain, &["--set", "service.shop.username=locked"]), "the user `locked` needs a password");
    let short = ["--set", "service.shop.username=worker", "--set", "run.duration=200ms", "--quiet"];
    run(&plain, &short).measured();
}

#[test]
fn a_password_with_a_percent_sign_logs_in() {
    let (desk, server) = (Desk::new(), Server::start());
    server.ask("ACL SETUSER worker on >abc%de ~* &* +@all");
    let outcome = desk.run(&["audit", "--target", &format!("redis://worker:abc%de@127.0.0.1:{}", server.port)]);
    outcome.ends_with(0);
}

#[test]
fn the_default_scenario_logs_in_to_a_given_server_as_its_address_says() {
    let (desk, server) = (Desk::new(), Server::start());
    let keys = ["chat", "api", "ml"].map(|service| format!("service.{service}.keys.count=10"));
    let keys = keys.iter().flat_map(|setting| ["--set", setting]);
    let small = ["--duration", "200ms", "--warmup", "50ms", "--rate", "300", "--workers", "1"].into_iter().chain(keys);
    let small: Vec<_> = small.collect();
    let run = |url: &str, further: &[&str]| desk.run(&[&["run", "--target", url][..], &small, further].concat());
    let note = "note: the users of the built-in scenario workflow-engine exist on private servers only";

    let plain = format!("redis://127.0.0.1:{}", server.port);
    run(&plain, &[]).ends_with(3).complains("the server requires a login");
    server.ask("ACL SETUSER default on nopass ~* &* +@all");
    for url in [&plain, &server.url()] {
        let outcome = run(url, &["--quiet"]);
        assert!(outcome.stderr.starts_with(note) && outcome.stderr.lines().count() == 1, "{}", outcome.stderr);
        assert!(outcome.stdout.contains("workflow-engine"), "{}", outcome.stdout);
    }
    // Users that are asked for stay, and so do those of a file.
    let asked = run(&plain, &["--set", "service.api.username=lwe-app"]).ends_with(3);
    asked.complains("service `api`: ").complains("the user `lwe-app` needs a password");
    let shown = desk.run(&["scenarios", "show", "workflow-engine"]);
    std::fs::write(desk.path("mine.toml"), shown.stdout).unwrap();
    let own = desk.run(&["run", "mine.toml", "--target", &plain]).ends_with(3);
    own.complains("services `chat`, `api` and `ml`: ").complains("the user `lwe-app` needs a password");
}

#[test]
fn invalid_numbers_are_refused_in_plain_words() {
    let desk = Desk::new();
    for (arguments, expected) in [
        (&["run", "--seed", "abc"][..], "not a whole number from 0 to 9223372036854775807"),
        (&["run", "--workers", "0"], "not a whole number from 1 to 65535"),
        (&["run", "--rate", "1e"], "not a number above 0"),
        (&["capacity", "--pool", "1,x"], "not a whole number from 1 to 100000"),
        (&["capacity", "--clients", "x"], "not a whole number from 1 to 1000000"),
        (&["capacity", "--seed", "-1"], "not a whole number"),
        (&["gate", "--blocks", "6"], "not a whole number from 7 to 200"),
        (&["gate", "--seed", "1.5"], "not a whole number"),
        (&["run", "--set", "seed=99999999999999999999"], "is not a whole number from 0 to"),
        (
            &["run", "--target", "redis://127.0.0.1:port"],
            "`redis://127.0.0.1:port` is not a target: the port is not a number",
        ),
    ] {
        let outcome = desk.run(arguments).ends_with(2).complains(expected);
        for library in ["invalid digit", "too large", "literal"] {
            assert!(!outcome.stderr.contains(library), "{}", outcome.stderr);
        }
    }
}

#[test]
fn a_target_of_the_environment_is_named_by_its_variable() {
    let output = Desk::new().command(&["run", "short.toml"]).env("PLIMSOLL_TARGET", "").output().unwrap();
    Outcome::of(output).ends_with(2).complains("environment variable PLIMSOLL_TARGET: `` is not a target");
}
