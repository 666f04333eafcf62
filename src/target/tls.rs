//! TLS: trusted certificates, and the reasons for which a handshake fails.

use std::{env, io, path::Path, time::Duration};

use fred::{
    rustls::{ClientConfig, RootCertStore},
    rustls_native_certs::{CertificateResult, ErrorKind, load_certs_from_paths, load_native_certs},
    types::config::TlsConnector,
};
use tokio::{net::TcpStream, time::timeout};

use super::{Endpoint, Fault};

/// Variables that name files of CA certificates.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Types of TLS records that answer a `ClientHello`: alert and handshake.
const RECORDS: [u8; 2] = [21, 22];

/// Time that a handshake may take before the server is asked for a reply without TLS.
const HANDSHAKE: Duration = Duration::from_millis(500);

/// Limit of that question, and of its opposite.
const PATIENCE: Duration = Duration::from_secs(1);

/// The TLS configuration of an endpoint, if it uses TLS.
pub(super) fn connector(endpoint: &Endpoint) -> Result<Option<TlsConnector>, Fault> {
    if !endpoint.uses_tls() {
        return Ok(None);
    }
    let found = authorities(env::var_os(VARIABLES[0]).as_deref().map(Path::new));
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(found.certs);
    let variable = VARIABLES.into_iter().find_map(|name| Some((name, env::var_os(name)?)));
    // A damaged file of the system does no harm; one that the user names is an error.
    let reason = match (found.errors.into_iter().next(), &variable) {
        (None, _) | (_, None) if !trusted.is_empty() => {
            let config = ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth();
            return Ok(Some(config.into()));
        }
        (Some(error), _) => match error.kind {
            ErrorKind::Io { inner, path } => format!("cannot read {}: {inner}", path.display()),
            ErrorKind::Os(error) => error.to_string(),
            _ => "invalid PEM data".to_owned(),
        },
        (None, Some((name, value))) => format!("no certificate in {} ({name})", value.display()),
        (None, None) => "none are installed on this machine".to_owned(),
    };
    Err(Fault::Authorities(reason))
}

/// Certificates of the system, or none where the file that the user names has none: those from elsewhere would only hide that.
fn authorities(file: Option<&Path>) -> CertificateResult {
    let named = file.map(|file| load_certs_from_paths(Some(file), None));
    named.filter(|named| named.certs.is_empty()).unwrap_or_else(load_native_certs)
}

/// Fault of a server's certificate, by the error of the TLS library: a phrase that follows "the server's certificate".
pub(super) fn complaint(details: &str) -> String {
    let known = |names: &[&str]| names.iter().any(|name| details.contains(name));
    let text = if known(&["ExpiredRevocation", "UnknownRevocation", "Revoked"]) {
        "has been revoked, or its revocation status is unknown"
    } else if known(&["Expired"]) {
        "has expired: renew it, or correct this machine's clock"
    } else if known(&["NotValidYet"]) {
        "is not valid yet: correct the clocks of both machines"
    } else if known(&["UnknownIssuer"]) {
        "is not signed by a CA that this machine trusts: set SSL_CERT_FILE to the CA's certificate (PEM)"
    } else if known(&["NotValidForName"]) {
        let names = names(details);
        if names.is_empty() {
            "has no subjectAltName, and its common name (CN) is not used: issue one with a subjectAltName"
        } else {
            let names = names.join(", ");
            return format!(
                "is valid for {names} only: use such a name in the target, or issue a certificate for this name"
            );
        }
    } else if known(&["CaUsedAsEndEntity"]) {
        "is a CA certificate (CA:TRUE), which is not accepted as a server certificate: issue one with CA:FALSE"
    } else if known(&["InvalidPurpose", "RequiredEku"]) {
        "is not a server certificate: issue one with extendedKeyUsage serverAuth"
    } else if known(&["UnsupportedCertVersion"]) {
        "is not an X.509 version 3 certificate: issue one"
    } else if known(&["Signature"]) {
        "has an invalid signature, or one of an unsupported kind (SHA-1, RSA below 2048 bits)"
    } else {
        let name = details.split_once("InvalidCertificate(").map_or(details, |(_, name)| name);
        return format!("is not accepted ({})", name.trim_end_matches([')', '}', ' ']));
    };
    text.to_owned()
}

/// The names in a certificate, which the TLS library gives as `DnsName(\"a.example\")` or `IpAddress(10.0.0.1)`.
fn names(details: &str) -> Vec<&str> {
    let presented = details.split_once("presented: [").map_or("", |(_, names)| names);
    let presented = presented.split_once(']').map_or(presented, |(names, _)| names);
    let behind = presented.split('(').skip(1).filter_map(|part| part.split(')').next());
    behind.map(|name| name.trim_matches(['\\', '"'])).collect()
}

/// Reason of a failed handshake other than the server's certificate; `None` for other errors.
pub(super) fn failed(details: &str) -> Option<&'static str> {
    let known = |name: &str| details.contains(name);
    if known("AlertReceived(CertificateRequired)") {
        Some(
            "the server requires a client certificate, which plimsoll does not support (Redis: set tls-auth-clients to no or \
             optional)",
        )
    } else if known("AlertReceived(ProtocolVersion)") || known("PeerIncompatible") {
        Some("no TLS version or cipher suite in common with the server; plimsoll supports TLS 1.2 and 1.3")
    } else if known("AlertReceived(UnrecognizedName)") {
        Some("the server has no certificate for this host name: use another host name in the target")
    } else if known("AlertReceived(HandshakeFailure)") || known("AlertReceived(BadCertificate)") {
        Some(
            "the server requires a client certificate, which plimsoll does not support, or has no cipher suite in common \
             with plimsoll",
        )
    } else if known("AlertReceived(") || known("PeerMisbehaved") || known("InappropriateHandshakeMessage") {
        Some("the log of the server may have the reason")
    } else {
        None
    }
}

/// Returns when an endpoint that should use TLS has answered without; never returns otherwise.
pub(super) async fn answered_plainly(endpoint: &Endpoint) {
    if let Endpoint::Tcp { host, port, .. } = endpoint
        && endpoint.uses_tls()
    {
        tokio::time::sleep(HANDSHAKE).await;
        if let Some(b'+' | b'-') = first_byte(host, *port, b"PING\r\n").await {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Whether an endpoint that should not use TLS does. A proxy of another protocol may do so as well, and answers without it.
pub(super) async fn uses_tls(endpoint: &Endpoint) -> bool {
    let Endpoint::Tcp { host, port, .. } = endpoint else { return false };
    if endpoint.uses_tls() {
        return false;
    }
    let is_record = |byte: u8| RECORDS.contains(&byte);
    first_byte(host, *port, &client_hello()).await.is_some_and(is_record)
        && first_byte(host, *port, b"PING\r\n").await.is_none_or(is_record)
}

/// A record with a `ClientHello` of TLS 1.2 with one cipher suite and no extension. It contains no line feed, so a server
/// without TLS waits for the rest of a command.
fn client_hello() -> Vec<u8> {
    [&[22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3][..], &[0x55; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0]].concat()
}

/// The first byte of the reply of a port.
async fn first_byte(host: &str, port: u16, said: &[u8]) -> Option<u8> {
    let answer = async {
        let socket = TcpStream::connect(format!("{host}:{port}")).await?;
        socket.writable().await?;
        socket.try_write(said)?;
        let mut byte = [0];
        loop {
            socket.readable().await?;
            match socket.try_read(&mut byte) {
                Ok(1) => return Ok(byte[0]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => return Err(error),
            }
        }
    };
    timeout(PATIENCE, answer).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
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
            ("UnknownIssuer", "SSL_CERT_FILE"),
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
}
