//! Addresses, logins and TLS: servers that must be reached, and one sentence for each that cannot be.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
};

use plimsoll::target::{Endpoint, PrivateServer, ServerOptions};

use super::{Desk, Outcome, Server, USER};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// A server with a TLS port and one without TLS.
struct TlsServer {
    server: PrivateServer,
    port: u16,
}

impl TlsServer {
    /// With a certificate of the fixtures.
    fn with(certificate: &str, clients: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = |name| fixture(name).display().to_string();
        let config = [
            // Without IPv6 the server does without.
            ("bind", "127.0.0.1 -::1".to_owned()),
            ("tls-port", port.to_string()),
            ("tls-cert-file", path(certificate)),
            ("tls-key-file", path("key.pem")),
            ("tls-ca-cert-file", path("ca.pem")),
            ("tls-auth-clients", clients.to_owned()),
        ];
        let options = ServerOptions {
            users: vec![USER.to_owned()],
            config: config.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            ..ServerOptions::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(PrivateServer::start(options)).unwrap_or_else(|error| panic!("{error}"));
        Self { server, port }
    }

    fn url(&self, scheme: &str, host: &str, port: u16) -> String {
        format!("{scheme}://{USER}:{}@{host}:{port}", self.server.password(USER).unwrap().expose())
    }

    fn plain_port(&self) -> u16 {
        let Endpoint::Tcp { port, .. } = self.server.url().endpoint else {
            panic!("it listens on the loopback address")
        };
        port
    }
}

fn audit(desk: &Desk, url: &str, ca: &Path) -> Outcome {
    let mut command = desk.command(&["audit", "--target", url]);
    Outcome::of(command.env("SSL_CERT_FILE", ca).env_remove("SSL_CERT_DIR").output().unwrap())
}

/// Fails unless the one thing that is said is one sentence that says this, without the words of a library.
#[track_caller]
fn says_in_a_sentence(outcome: Outcome, expected: &str) {
    let outcome = outcome.ends_with(3).complains(expected);
    let library = ["{ kind", "Os {", "Certificate(", "Alert", "AsEndEntity", "(os error"];
    assert!(!library.iter().any(|word| outcome.stderr.contains(word)), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
}

#[test]
fn a_server_with_tls_is_reached_by_name_and_by_either_kind_of_address() {
    let (desk, server) = (Desk::new(), TlsServer::with("good.pem", "no"));
    let ipv6 = TcpListener::bind("[::1]:0").is_ok().then_some("[::1]");
    for host in ["localhost", "127.0.0.1"].into_iter().chain(ipv6) {
        for scheme in ["rediss", "valkeys"] {
            let url = server.url(scheme, host, server.port);
            audit(&desk, &url, &fixture("ca.pem")).ends_with(0).says(&format!("{scheme}://{host}:{}", server.port));
        }
    }
}

#[test]
fn a_certificate_that_is_not_accepted_is_reported_in_one_sentence() {
    let desk = Desk::new();
    for (certificate, ca, expected) in [
        ("expired.pem", "ca.pem", "the server's certificate has expired"),
        ("elsewhere.pem", "ca.pem", "the server's certificate is valid for cache.example, 192.0.2.1 only"),
        (
            "common-name.pem",
            "ca.pem",
            "the server's certificate has no subjectAltName, and its common name (CN) is not used",
        ),
        ("authority.pem", "ca.pem", "the server's certificate is a CA certificate (CA:TRUE)"),
        ("good.pem", "elsewhere.pem", "is not signed by a CA that this machine trusts"),
    ] {
        let server = TlsServer::with(certificate, "no");
        let url = server.url("rediss", "localhost", server.port);
        says_in_a_sentence(audit(&desk, &url, &fixture(ca)), expected);
    }
    let server = TlsServer::with("good.pem", "yes");
    let url = server.url("rediss", "localhost", server.port);
    says_in_a_sentence(audit(&desk, &url, &fixture("ca.pem")), "the server requires a client certificate");
}

#[test]
fn missing_or_invalid_files_of_ca_certificates_are_named() {
    let desk = Desk::new();
    std::fs::write(desk.path("empty.pem"), "nothing\n").unwrap();
    let damaged = "-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n";
    std::fs::write(desk.path("damaged.pem"), damaged).unwrap();
    for (file, expected) in [
        ("nowhere.pem", "nowhere.pem: No such file or directory"),
        ("", "Is a directory"),
        ("empty.pem", "empty.pem (SSL_CERT_FILE)"),
        ("damaged.pem", "invalid PEM data"),
    ] {
        let outcome = audit(&desk, "rediss://127.0.0.1:1", &desk.path(file)).ends_with(2).complains(expected);
        let said = &outcome.stderr;
        assert!(said.contains("no CA certificates") && said.lines().count() == 1, "{said}");
        assert!(!said.contains(['{', '[']), "{said}");
    }
}

#[test]
fn tls_on_one_side_only_is_reported_at_once() {
    let (desk, server) = (Desk::new(), TlsServer::with("good.pem", "no"));
    let url = server.url("rediss", "127.0.0.1", server.plain_port());
    says_in_a_sentence(audit(&desk, &url, &fixture("ca.pem")), "the server does not use TLS on this port");
    let url = server.url("redis", "127.0.0.1", server.port);
    says_in_a_sentence(audit(&desk, &url, &fixture("ca.pem")), "the server uses TLS on this port");
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
