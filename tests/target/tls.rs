//! TLS with both clients: certificates on both sides, and the time of the handshake.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use plimsoll::{
    operation::Kind,
    scenario::{Protocol, TlsOptions},
    target::{Driver, DriverConnection as _, TargetUrl},
};

use super::{
    clients::{at, done, fred, locally, opened, refusal, wire},
    plan::{Server, plain, server},
};

fn pem(name: &str) -> String {
    format!("{}/tests/fixtures/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A server with a TLS port, and its address there.
async fn encrypted(certificate: &str, further: &[(&str, &str)]) -> (Server, TargetUrl) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let (certificate, key, ca) = (pem(certificate), pem("key.pem"), pem("ca.pem"));
    let settings: [(&str, &str); 4] =
        [("tls-port", &*port), ("tls-cert-file", &certificate), ("tls-key-file", &key), ("tls-ca-cert-file", &ca)];
    let server = server(&[&settings[..], further].concat()).await;
    let password = server.password("plimsoll").unwrap().expose().to_owned();
    let url: TargetUrl = format!("rediss://plimsoll:{password}@127.0.0.1:{port}").parse().unwrap();
    (server, TargetUrl { tls: TlsOptions { ca: Some(ca.into()), ..TlsOptions::default() }, ..url })
}

#[test]
fn both_check_the_certificate_of_the_server() {
    locally(async {
        for (certificate, expected) in [
            ("good.pem", None),
            ("expired.pem", Some("has expired")),
            ("elsewhere.pem", Some("is valid for cache.example, 192.0.2.1 only")),
            ("common-name.pem", Some("has no subjectAltName")),
        ] {
            let (_server, url) = encrypted(certificate, &[("tls-auth-clients", "no")]).await;
            match expected {
                None => opened(url.clone()).await,
                Some(expected) => {
                    let text = refusal(url.clone()).await;
                    assert!(text.contains(expected), "{text}");
                }
            }
            let name = if certificate == "elsewhere.pem" { "cache.example" } else { "other.example" };
            let named = TlsOptions { server_name: Some(name.to_owned()), ..url.tls.clone() };
            let named = TargetUrl { tls: named, ..url.clone() };
            match certificate {
                "elsewhere.pem" => opened(named).await,
                _ => assert!(refusal(named).await.contains("the server's certificate ")),
            }
            opened(TargetUrl { tls: TlsOptions { insecure: true, ..TlsOptions::default() }, ..url }).await;
        }
    });
}

#[test]
fn both_show_a_certificate_of_their_own() {
    locally(async {
        for version in ["TLSv1.2", "TLSv1.3"] {
            let (_server, url) = encrypted("good.pem", &[("tls-protocols", version)]).await;
            let with = |certificate: &str| {
                let (cert, key) = (Some(pem(certificate).into()), Some(pem("key.pem").into()));
                TargetUrl { tls: TlsOptions { cert, key, ..url.tls.clone() }, ..url.clone() }
            };
            opened(with("client.pem")).await;
            for (url, expected) in [
                (url.clone(), "the server requires a client certificate"),
                (with("stranger.pem"), "which is not signed by a CA that it trusts"),
                (with("expired.pem"), "which has expired"),
            ] {
                let text = refusal(url).await;
                assert!(text.contains(expected), "{version}: {text}");
            }
        }
    });
}

#[test]
fn both_time_the_handshake() {
    async fn times(driver: &impl Driver) -> (Duration, Duration) {
        let begun = Instant::now();
        let connection = driver.open().await.unwrap();
        let all = begun.elapsed();
        let handshake = connection.handshake().expect("it is encrypted");
        // The server sends its tickets with the reply.
        done(&connection, plain(Kind::Ping, "")).await;
        (handshake, all)
    }
    locally(async {
        for version in ["TLSv1.2", "TLSv1.3"] {
            let (plaintext, url) =
                encrypted("good.pem", &[("tls-auth-clients", "no"), ("tls-protocols", version)]).await;
            let target = at(url, Protocol::Resp2).await;
            // The second resumes the session of the first.
            for _ in 0..2 {
                for (handshake, all) in [times(&target.connector(0)).await, times(&target.wire_connector(0)).await] {
                    assert!(handshake > Duration::ZERO && handshake < all, "{version}: {handshake:?} of {all:?}");
                }
            }
            assert_eq!(fred(&plaintext).open().await.unwrap().handshake(), None);
            assert_eq!(wire(&plaintext).open().await.unwrap().handshake(), None);
        }
    });
}
