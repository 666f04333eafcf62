//! What is said to a server and of its certificate.

use super::*;
use crate::target::Scheme;

#[test]
fn the_hello_is_well_formed_and_no_command() {
    let hello = client_hello();
    assert_eq!(usize::from(hello[4]), hello.len() - 5, "length of the record");
    assert_eq!(usize::from(hello[8]), hello.len() - 9, "length of the message");
    assert!(!hello.contains(&b'\n'));
}

#[test]
fn certificates_from_elsewhere_do_not_hide_that_the_file_has_none() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "not PEM").unwrap();
    let found = authorities(Some(file.path()));
    assert!(found.certs.is_empty() && found.errors.is_empty(), "{found:?}");
    let found = authorities(Some(Path::new("/nonexistent")));
    assert!(found.certs.is_empty() && !found.errors.is_empty(), "{found:?}");
}

/// A proxy that speaks TLS and another protocol on one port.
#[tokio::test]
async fn a_proxy_with_tls_that_answers_in_plain_text_is_no_server_with_tls() {
    use std::io::{Read as _, Write as _};
    for (plain, expected) in [(&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], false), (&[21, 3, 1], true), (&[], true)] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            while let Ok((mut guest, _)) = listener.accept() {
                let mut said = [0; 1];
                let _ = guest.read(&mut said);
                let _ = guest.write_all(if said == [22] { &[21, 3, 1] } else { plain });
            }
        });
        let endpoint = Endpoint::Tcp { host: "127.0.0.1".to_owned(), port, scheme: Scheme::REDIS };
        assert_eq!(uses_tls(&endpoint).await, expected, "{plain:?}");
    }
}

#[test]
fn every_error_of_a_certificate_has_a_sentence() {
    for (details, expected) in [
        ("ExpiredContext { time: UnixTime(9), not_after: UnixTime(1) }", "has expired"),
        ("NotValidYet", "is not valid yet"),
        ("ExpiredRevocationList", "has been revoked"),
        ("UnknownIssuer", "--tls-ca or SSL_CERT_FILE"),
        (r#"NotValidForNameContext { expected: DnsName("a"), presented: [] }"#, "has no subjectAltName"),
        (
            r#"NotValidForNameContext { expected: DnsName("a"), presented: ["DnsName(\"b.c\")", "IpAddress(10.0.0.1)"] }"#,
            "is valid for b.c, 10.0.0.1 only",
        ),
        ("Other(OtherError(CaUsedAsEndEntity))", "is a CA certificate"),
        ("InvalidPurposeContext { required: ServerAuth, presented: [ClientAuth] }", "serverAuth"),
        ("BadSignature", "has an invalid signature"),
        ("SomethingNew", "is not accepted (SomethingNew)"),
    ] {
        let text = complaint(&format!("Custom {{ kind: InvalidData, error: InvalidCertificate({details}) }}"));
        assert!(text.contains(expected), "{details}: {text}");
    }
}
