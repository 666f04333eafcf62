//! Encryption: whose certificates are trusted, and what is wrong where a server and the harness do not agree about TLS.

use std::{env, io, time::Duration};

use fred::{
    rustls::{ClientConfig, RootCertStore},
    rustls_native_certs::{ErrorKind, load_native_certs},
    types::config::TlsConnector,
};
use tokio::{net::TcpStream, time::timeout};

use super::{Endpoint, TargetError};

/// Variables that name files of certificates.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Types of TLS records that answer it: an alert, a handshake.
const RECORDS: [u8; 2] = [21, 22];

/// Time that a server has for its side of a handshake before it is asked whether it speaks TLS at all.
const HANDSHAKE: Duration = Duration::from_millis(500);

/// Time that a server has to answer a question about TLS.
const PATIENCE: Duration = Duration::from_secs(1);

/// What encrypts connections, where the endpoint wants it.
pub(super) fn connector(endpoint: &Endpoint) -> Result<Option<TlsConnector>, TargetError> {
    let Endpoint::Tcp { tls: true, .. } = endpoint else { return Ok(None) };
    let found = load_native_certs();
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(found.certs);
    let variable = VARIABLES.into_iter().find_map(|name| Some((name, env::var_os(name)?)));
    // A damaged file among the system's own does no harm, but what the user names is meant.
    let reason = match (found.errors.into_iter().next(), &variable) {
        (None, _) | (_, None) if !trusted.is_empty() => {
            let config = ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth();
            return Ok(Some(config.into()));
        }
        (Some(error), _) => match error.kind {
            ErrorKind::Io { inner, path } => format!("cannot read {}: {inner}", path.display()),
            ErrorKind::Os(error) => error.to_string(),
            _ => "a file of certificates is damaged".to_owned(),
        },
        (None, Some((name, value))) => format!("no certificate in {} ({name})", value.display()),
        (None, None) => "none on this machine".to_owned(),
    };
    Err(TargetError::Authorities { address: endpoint.to_string(), reason })
}

/// What is wrong with a server's certificate, by the client library's name of it: what follows "the certificate".
pub(super) fn complaint(details: &str) -> String {
    let known = |names: &[&str]| names.iter().any(|name| details.contains(name));
    let text = if known(&["ExpiredRevocation", "UnknownRevocation", "Revoked"]) {
        "is revoked, or may be"
    } else if known(&["Expired"]) {
        "has expired: renew it, or set this machine's clock right"
    } else if known(&["NotValidYet"]) {
        "is not valid yet: set the clocks of both machines right"
    } else if known(&["UnknownIssuer"]) {
        "is not signed by an authority that this machine knows: name the file with the authority's certificate (PEM) in \
         SSL_CERT_FILE"
    } else if known(&["NotValidForName"]) {
        let names = names(details);
        if names.is_empty() {
            "names no host: its common name (CN) does not count, so issue one with a subjectAltName"
        } else {
            let names = names.join(", ");
            return format!("is for {names}: use such a name in the target, or issue one for this name");
        }
    } else if known(&["CaUsedAsEndEntity"]) {
        "is that of an authority (CA:TRUE), which is not accepted of a server: issue one without CA:TRUE"
    } else if known(&["InvalidPurpose", "RequiredEku"]) {
        "is not one for servers: issue one whose extendedKeyUsage has serverAuth"
    } else if known(&["UnsupportedCertVersion"]) {
        "is not of X.509 version 3: issue one that is"
    } else if known(&["Signature"]) {
        "has a signature that is wrong, or of a kind that is not supported (SHA-1, RSA below 2048 bits)"
    } else {
        let name = details.split_once("InvalidCertificate(").map_or(details, |(_, name)| name);
        return format!("is not accepted ({})", name.trim_end_matches([')', '}', ' ']));
    };
    text.to_owned()
}

/// The names in a certificate, of which the client library says `DnsName(\"a.example\")` or `IpAddress(10.0.0.1)`.
fn names(details: &str) -> Vec<&str> {
    let presented = details.split_once("presented: [").map_or("", |(_, names)| names);
    let presented = presented.split_once(']').map_or(presented, |(names, _)| names);
    let behind = presented.split('(').skip(1).filter_map(|part| part.split(')').next());
    behind.map(|name| name.trim_matches(['\\', '"'])).collect()
}

/// Why a handshake failed, other than by the server's certificate: what follows "TLS".
pub(super) fn failed(details: &str) -> Option<&'static str> {
    let known = |name: &str| details.contains(name);
    if known("AlertReceived(CertificateRequired)") {
        Some(
            "the server asks for a certificate of the client, and plimsoll has none (Redis: tls-auth-clients no or optional)",
        )
    } else if known("AlertReceived(ProtocolVersion)") || known("PeerIncompatible") {
        Some("the server has no version or cipher of TLS in common with plimsoll, which speaks 1.2 and 1.3")
    } else if known("AlertReceived(UnrecognizedName)") {
        Some("the server has no certificate for this name: use another host name in the target")
    } else if known("AlertReceived(HandshakeFailure)") || known("AlertReceived(BadCertificate)") {
        Some(
            "the server refuses the handshake: it asks for a certificate of the client, which plimsoll does not have, or \
             has no cipher in common with it",
        )
    } else if known("AlertReceived(") || known("PeerMisbehaved") || known("InappropriateHandshakeMessage") {
        Some("the handshake failed: the log of the server may say why")
    } else {
        None
    }
}

/// Returns when the endpoint, which should encrypt, has answered in plain text; for ever waits where it does not.
pub(super) async fn answered_plainly(endpoint: &Endpoint) {
    if let Endpoint::Tcp { host, port, tls: true } = endpoint {
        tokio::time::sleep(HANDSHAKE).await;
        if let Some(b'+' | b'-') = first_byte(host, *port, b"PING\r\n").await {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Whether an endpoint that should not encrypt does.
pub(super) async fn encrypts(endpoint: &Endpoint) -> bool {
    match endpoint {
        Endpoint::Tcp { host, port, tls: false } => {
            first_byte(host, *port, &client_hello()).await.is_some_and(|byte| RECORDS.contains(&byte))
        }
        _ => false,
    }
}

/// The start of a handshake: a record with a `ClientHello` of TLS 1.2 that offers one cipher suite and no extension. It
/// has no line feed, so a server without TLS waits for the rest of a command.
fn client_hello() -> Vec<u8> {
    [&[22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3][..], &[0x55; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0]].concat()
}

/// The first byte of what a port answers.
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

    #[test]
    fn the_hello_is_well_formed_and_no_command() {
        let hello = client_hello();
        assert_eq!(usize::from(hello[4]), hello.len() - 5, "length of the record");
        assert_eq!(usize::from(hello[8]), hello.len() - 9, "length of the message");
        assert!(!hello.contains(&b'\n'));
    }

    #[test]
    fn every_complaint_of_the_library_is_a_sentence() {
        for (details, expected) in [
            ("ExpiredContext { time: UnixTime(9), not_after: UnixTime(1) }", "has expired"),
            ("NotValidYet", "is not valid yet"),
            ("ExpiredRevocationList", "is revoked"),
            ("UnknownIssuer", "SSL_CERT_FILE"),
            (r#"NotValidForNameContext { expected: DnsName("a"), presented: [] }"#, "names no host"),
            (
                r#"NotValidForNameContext { expected: DnsName("a"), presented: ["DnsName(\"b.c\")", "IpAddress(10.0.0.1)"] }"#,
                "is for b.c, 10.0.0.1: ",
            ),
            ("Other(OtherError(CaUsedAsEndEntity))", "that of an authority"),
            ("InvalidPurposeContext { required: ServerAuth, presented: [ClientAuth] }", "serverAuth"),
            ("BadSignature", "has a signature that is wrong"),
            ("SomethingNew", "is not accepted (SomethingNew)"),
        ] {
            let text = complaint(&format!("Custom {{ kind: InvalidData, error: InvalidCertificate({details}) }}"));
            assert!(text.contains(expected), "{details}: {text}");
        }
    }
}
