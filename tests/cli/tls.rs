//! TLS: certificates on both sides, and one sentence for each that is not accepted.

use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use plimsoll::{
    measure::merged,
    results::Run,
    target::{Endpoint, PrivateServer, ServerOptions},
};

use super::{Desk, Outcome, USER, addresses::says_in_a_sentence};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn path(name: &str) -> String {
    fixture(name).display().to_string()
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
        let Endpoint::Tcp { port, .. } = self.server.endpoint().clone() else {
            panic!("it listens on the loopback address")
        };
        port
    }
}

fn audit(desk: &Desk, url: &str, ca: &Path) -> Outcome {
    let mut command = desk.command(&["audit", "--target", url]);
    Outcome::of(command.env("SSL_CERT_FILE", ca).env_remove("SSL_CERT_DIR").output().unwrap())
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
        ("good.pem", "elsewhere.pem", "is not signed by a CA that is trusted here"),
    ] {
        let server = TlsServer::with(certificate, "no");
        let url = server.url("rediss", "localhost", server.port);
        says_in_a_sentence(audit(&desk, &url, &fixture(ca)), expected);
    }
}

#[test]
fn a_client_certificate_is_given_where_the_server_requires_one() {
    let (desk, server) = (Desk::new(), TlsServer::with("good.pem", "yes"));
    let url = server.url("rediss", "localhost", server.port);
    let audit = |certificate: &str| {
        let [ca, certificate, key] = ["ca.pem", certificate, "key.pem"].map(path);
        desk.run(&["audit", "--target", &url, "--tls-ca", &ca, "--tls-cert", &certificate, "--tls-key", &key])
    };
    for certificate in ["client.pem", "version-1.pem"] {
        audit(certificate).ends_with(0);
    }
    for (certificate, expected) in [
        ("stranger.pem", "not signed by a CA that it trusts"),
        ("expired.pem", "does not accept the client certificate, which has expired"),
    ] {
        says_in_a_sentence(audit(certificate), expected);
    }
    let without = desk.run(&["audit", "--target", &url, "--tls-ca", &path("ca.pem")]);
    says_in_a_sentence(without, "the server requires a client certificate: give one with --tls-cert and --tls-key");
}

#[test]
fn settings_come_from_options_the_environment_and_the_scenario() {
    let (desk, server) = (Desk::new(), TlsServer::with("elsewhere.pem", "no"));
    let url = server.url("rediss", "localhost", server.port);
    let audit = |options: &[&str], variables: &[(&str, &str)]| {
        let mut command = desk.command(&[&["audit", "short.toml", "--target", &url], options].concat());
        Outcome::of(command.envs(variables.iter().copied()).output().unwrap())
    };
    let (ca, good) = (path("ca.pem"), path("good.pem"));
    audit(&["--tls-ca", &ca], &[]).ends_with(3).complains("use such a name in the target or with --tls-server-name");
    audit(&["--tls-ca", &ca, "--tls-server-name", "cache.example"], &[]).ends_with(0);
    let names = [("PLIMSOLL_TLS_CA", ca.as_str()), ("PLIMSOLL_TLS_SERVER_NAME", "cache.example")];
    audit(&[], &names).ends_with(0);
    let fields = ["--set", &format!("tls.ca={ca}"), "--set", "tls.server_name=cache.example"];
    audit(&fields, &[]).ends_with(0);
    // What comes first has not signed it.
    let first = [&fields[..], &["--tls-ca", &good]].concat();
    says_in_a_sentence(audit(&first, &[]), "not signed by a CA that is trusted here");
    says_in_a_sentence(audit(&fields, &[("PLIMSOLL_TLS_CA", &good)]), "not signed by a CA that is trusted here");
}

#[test]
fn an_unchecked_certificate_is_mentioned_before_and_in_every_report() {
    let (desk, server) = (Desk::new(), TlsServer::with("expired.pem", "no"));
    let url = server.url("rediss", "localhost", server.port);
    let warning = "warning: the server's certificate is not checked (--tls-insecure)";
    let audit = desk.run(&["audit", "--target", &url, "--tls-insecure"]).ends_with(0).complains(warning);
    assert!(audit.stdout.contains("(certificate not checked: --tls-insecure)"), "{}", audit.stdout);
    let mut command = desk.command(&["clean", "short.toml", "--target", &url, "--yes"]);
    Outcome::of(command.env("PLIMSOLL_TLS_INSECURE", "true").output().unwrap()).ends_with(0).complains(warning);
    let run = ["run", "short.toml", "--target", &url, "--set", "tls.insecure=true", "--quiet", "--out", "out"];
    let run = desk.run(&run).complains(warning);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    let saved = fs::read_to_string(desk.path("out/run.json")).unwrap();
    assert!(Run::from_json(&saved).unwrap().target.tls_insecure);
    let report = fs::read_to_string(desk.path("out/report.md")).unwrap();
    assert!(report.contains("certificate not checked: --tls-insecure"), "{report}");
}

#[test]
fn handshakes_have_a_figure_of_their_own() {
    let (desk, server) = (Desk::new(), TlsServer::with("good.pem", "no"));
    let encrypted = server.url("rediss", "localhost", server.port);
    let plain = server.url("redis", "localhost", server.plain_port());
    for (client, url) in [("fred", &encrypted), ("wire", &encrypted), ("wire", &plain)] {
        let ca = path("ca.pem");
        let tls: &[&str] = if *url == plain { &[] } else { &["--tls-ca", &ca] };
        let run = ["run", "short.toml", "--target", url, "--client", client, "--out", "out", "--force", "--quiet"];
        desk.run(&[&run[..], tls].concat()).measured();
        let run = Run::from_json(&fs::read_to_string(desk.path("out/run.json")).unwrap()).unwrap();
        let report = fs::read_to_string(desk.path("out/report.md")).unwrap();
        assert_eq!(report.contains("**TLS handshakes**: p50 "), *url == encrypted, "{report}");
        let service = &run.recording.services[0];
        let Some(handshake) = &service.handshake else {
            assert_eq!(*url, plain, "{client}");
            continue;
        };
        let (handshake, connect) = (merged([handshake]), merged([&service.connect]));
        assert_eq!(handshake.len(), service.connections, "{client}");
        assert!(handshake.min() > 0 && handshake.mean() < connect.mean(), "{client}");
    }
}

#[test]
fn settings_that_nothing_can_use_are_refused() {
    let desk = Desk::new();
    fs::write(desk.path("empty.pem"), "nothing\n").unwrap();
    let [ca, client, key, other] = ["ca.pem", "client.pem", "key.pem", "other-key.pem"].map(path);
    let encrypted = "rediss://127.0.0.1:1";
    for (target, options, expected) in [
        (encrypted, &["--tls-cert", &client][..], "has no private key: give it with --tls-key, PLIMSOLL_TLS_KEY"),
        (encrypted, &["--tls-key", &key], "has no client certificate: give it with --tls-cert"),
        (
            encrypted,
            &["--tls-cert", &client, "--tls-key", &other],
            "other-key.pem: it is not that of the certificate in ",
        ),
        (encrypted, &["--tls-cert", "empty.pem", "--tls-key", &key], "empty.pem: the file has no certificate in PEM"),
        (encrypted, &["--tls-cert", &client, "--tls-key", "no.pem"], "the private key in no.pem: No such file"),
        (encrypted, &["--tls-cert", &client, "--tls-key", &ca], "ca.pem: the file has no private key in PEM"),
        (encrypted, &["--tls-ca", "no.pem"], "the CA certificates in no.pem: No such file"),
        (encrypted, &["--tls-ca", "empty.pem"], "empty.pem: the file has no certificate in PEM"),
        (encrypted, &["--tls-server-name", "a b"], "`a b` is no host name"),
        ("redis://127.0.0.1:1", &["--tls-ca", &ca], "--tls-ca applies to a target rediss://... or valkeys://... only"),
        ("unix:///run/redis.sock", &["--tls-insecure"], "--tls-insecure applies to"),
        ("embedded", &["--tls-server-name", "x"], "--tls-server-name applies to"),
        (encrypted, &["--tls"], "--tls applies to a private server only: omit it, and use a target rediss://"),
    ] {
        let outcome = desk.run(&[&["audit", "short.toml", "--target", target], options].concat());
        let outcome = outcome.ends_with(2).complains(expected);
        assert!(!outcome.stderr.contains("{ "), "{}", outcome.stderr);
    }
    let gate =
        desk.run(&["gate", "short.toml", "--a", "target=redis://h:1", "--b", "target=redis://h:2", "--tls-insecure"]);
    gate.ends_with(2).complains("--tls-insecure applies to");
    // A variable may be meant for other commands.
    let mut command = desk.command(&["audit", "short.toml", "--target", "redis://127.0.0.1:1"]);
    Outcome::of(command.env("PLIMSOLL_TLS_CA", &ca).output().unwrap()).ends_with(3).complains("connection refused");
}

#[test]
fn a_server_program_without_tls_is_named() {
    let desk = Desk::new();
    let program = desk.path("server");
    // A program that does not know the settings.
    fs::write(&program, "#!/bin/sh\nsed -i 's/^tls-/no-tls-/' \"$1\"\nexec redis-server \"$@\"\n").unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    let outcome = desk.run(&["run", "short.toml", "--tls", "--server-bin", &program.display().to_string()]);
    let outcome = outcome.ends_with(2).complains("is built without TLS: omit --tls, or name a program with TLS with");
    assert!(!outcome.stderr.contains("Bad directive"), "{}", outcome.stderr);
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
