//! TLS: certificates on both sides, and the reasons for which a handshake fails.

use std::{
    env,
    io::{self, Read, Write},
    net::IpAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};

use fred::{
    rustls::{
        ClientConfig, ClientConnection, DigitallySignedStruct, Error, InconsistentKeys, RootCertStore, SignatureScheme,
        StreamOwned,
        client::{
            ClientSessionMemoryCache, ClientSessionStore, Resumption,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        },
        crypto::CryptoProvider,
        pki_types::{
            CertificateDer, PrivateKeyDer, ServerName, UnixTime,
            pem::{self, PemObject as _},
        },
        sign::{CertifiedKey, SingleCertAndKey},
    },
    rustls_native_certs::{CertificateResult, ErrorKind, load_certs_from_paths, load_native_certs},
    types::config::{HostMapping, TlsConnector, TlsHostMapping},
};
use tokio::{net::TcpStream, time::timeout};

use super::{Endpoint, Fault, handshake::Stopwatch};
use crate::scenario::TlsOptions;

/// Variables that name files of CA certificates.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Types of TLS records that answer a `ClientHello`: alert and handshake.
const RECORDS: [u8; 2] = [21, 22];

/// Time that a handshake may take before the server is asked for a reply without TLS.
const HANDSHAKE: Duration = Duration::from_millis(500);

/// Limit of that question, and of its opposite.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Sessions that are kept to be resumed, as many as the TLS library keeps by itself.
const SESSIONS: usize = 256;

/// TLS of a target, for all of its connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tls(Arc<Settings>);

struct Settings {
    options: TlsOptions,
    config: ClientConfig,
    connector: TlsConnector,
    /// Of all connections.
    sessions: Arc<dyn ClientSessionStore>,
}

impl Tls {
    /// TLS of an endpoint, if it uses TLS.
    pub(super) fn of(endpoint: &Endpoint, options: &TlsOptions) -> Result<Option<Self>, Fault> {
        if !endpoint.uses_tls() {
            return Ok(None);
        }
        if let Some(name) = &options.server_name {
            ServerName::try_from(name.as_str())
                .map_err(|_| Fault::TlsSettings(format!("the server name `{name}` is no host name or IP address")))?;
        }
        let builder = ClientConfig::builder();
        let provider = Arc::clone(builder.crypto_provider());
        let builder = if options.insecure {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(Arc::clone(&provider))))
        } else {
            builder.with_root_certificates(trusted(options.ca.as_deref())?)
        };
        let mut config = match (&options.cert, &options.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(cert), Some(key)) => {
                let identity = SingleCertAndKey::from(identity(cert, key, &provider)?);
                builder.with_client_cert_resolver(Arc::new(identity))
            }
            (Some(cert), None) => return Err(half("client certificate", cert, "private key", "key")),
            (None, Some(key)) => return Err(half("private key", key, "client certificate", "cert")),
        };
        let sessions: Arc<dyn ClientSessionStore> = Arc::new(ClientSessionMemoryCache::new(SESSIONS));
        config.resumption = Resumption::store(Arc::clone(&sessions));
        let connector = config.clone().into();
        Ok(Some(Self(Arc::new(Settings { options: options.clone(), config, connector, sessions }))))
    }

    /// What connections are opened with.
    pub(super) fn connector(&self) -> &TlsConnector {
        &self.0.connector
    }

    /// What one connection is opened with whose handshakes are timed.
    pub(super) fn timed(&self) -> (TlsConnector, Arc<Stopwatch>) {
        let stopwatch = Arc::new(Stopwatch::new(Arc::clone(&self.0.sessions)));
        let mut config = self.0.config.clone();
        config.resumption = Resumption::store(Arc::<Stopwatch>::clone(&stopwatch));
        (config.into(), stopwatch)
    }

    /// A connection for questions that wait for their replies. The handshake is part of the first one.
    pub(super) fn blocking<T: Read + Write>(&self, host: &str, socket: T) -> io::Result<impl Read + Write + use<T>> {
        let name = ServerName::try_from(self.server_name(host).to_owned()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::new(self.0.config.clone()), name).map_err(io::Error::other)?;
        Ok(StreamOwned::new(connection, socket))
    }

    /// Name that the certificate of a host is checked for; of an IPv6 address it has no brackets.
    pub(super) fn server_name<'a>(&'a self, host: &'a str) -> &'a str {
        self.0.options.server_name.as_deref().unwrap_or_else(|| host.trim_matches(['[', ']']))
    }

    /// Names that the certificates of a cluster's nodes are checked for, which the cluster gives by address.
    pub(super) fn of_nodes(&self) -> TlsHostMapping {
        match &self.0.options.server_name {
            Some(name) => TlsHostMapping::Custom(Arc::new(OneName(name.clone()))),
            None => TlsHostMapping::None,
        }
    }

    /// Its settings.
    pub(super) fn options(&self) -> &TlsOptions {
        &self.0.options
    }

    /// Whether the server's certificate is not checked.
    pub(super) fn is_insecure(&self) -> bool {
        self.0.options.insecure
    }
}

/// One name for every node.
#[derive(Debug)]
struct OneName(String);

impl HostMapping for OneName {
    fn map(&self, _: &IpAddr, _: &str) -> Option<String> {
        Some(self.0.clone())
    }
}

/// CA certificates: those of a file, else those of the system.
fn trusted(ca: Option<&Path>) -> Result<RootCertStore, Fault> {
    let mut trusted = RootCertStore::empty();
    if let Some(ca) = ca {
        let unusable = |reason: &str| Fault::TlsSettings(format!("the CA certificates in {}: {reason}", ca.display()));
        let found = load_certs_from_paths(Some(ca), None);
        if let Some(error) = found.errors.first() {
            return Err(unusable(&reason(&error.kind)));
        }
        let (added, _) = trusted.add_parsable_certificates(found.certs);
        return if added > 0 { Ok(trusted) } else { Err(unusable("the file has no certificate in PEM")) };
    }
    let found = authorities(env::var_os(VARIABLES[0]).as_deref().map(Path::new));
    trusted.add_parsable_certificates(found.certs);
    let variable = VARIABLES.into_iter().find_map(|name| Some((name, env::var_os(name)?)));
    // A damaged file of the system does no harm; one that the user names is an error.
    let why = match (found.errors.into_iter().next(), &variable) {
        (None, _) | (_, None) if !trusted.is_empty() => return Ok(trusted),
        (Some(error), _) => match &error.kind {
            ErrorKind::Io { path, .. } => format!("cannot read {}: {}", path.display(), reason(&error.kind)),
            kind => reason(kind),
        },
        (None, Some((name, value))) => format!("no certificate in {} ({name})", value.display()),
        (None, None) => "none are installed on this machine".to_owned(),
    };
    Err(Fault::Authorities(why))
}

fn reason(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::Io { inner, .. } => inner.to_string(),
        ErrorKind::Os(error) => error.to_string(),
        _ => "invalid PEM data".to_owned(),
    }
}

/// Certificates of the system, or none where the file that the user names has none: those from elsewhere would only hide that.
fn authorities(file: Option<&Path>) -> CertificateResult {
    let named = file.map(|file| load_certs_from_paths(Some(file), None));
    named.filter(|named| named.certs.is_empty()).unwrap_or_else(load_native_certs)
}

/// The fault of a certificate without its key, or the reverse.
fn half(what: &str, path: &Path, missing: &str, field: &str) -> Fault {
    Fault::TlsSettings(format!(
        "the {what} {} has no {missing}: give it with --tls-{field}, PLIMSOLL_TLS_{}, or `{field}` in [tls] of the scenario",
        path.display(),
        field.to_uppercase()
    ))
}

/// The client certificate with its key. Whether it is good for anything is left to the server.
fn identity(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, Fault> {
    let unusable =
        |what: &str, path: &Path, why: &str| Fault::TlsSettings(format!("the {what} in {}: {why}", path.display()));
    let unread = |what: &str, path: &Path, error: pem::Error, none: &str| match error {
        pem::Error::Io(error) => unusable(what, path, &error.to_string()),
        pem::Error::NoItemsFound => unusable(what, path, none),
        _ => unusable(what, path, "invalid PEM data"),
    };
    let no_certificate = "the file has no certificate in PEM";
    let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| unread("client certificate", cert, error, no_certificate))?;
    if chain.is_empty() {
        return Err(unusable("client certificate", cert, no_certificate));
    }
    let read = PrivateKeyDer::from_pem_file(key);
    let read = read.map_err(|error| {
        let none = "the file has no private key in PEM without a passphrase (openssl pkey removes one)";
        unread("private key", key, error, none)
    })?;
    let usable = provider.key_provider.load_private_key(read);
    let usable = usable.map_err(|_| {
        unusable("private key", key, "expected RSA with 2048 bits or more, ECDSA with P-256 or P-384, or Ed25519")
    })?;
    let identity = CertifiedKey::new(chain, usable);
    if let Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) = identity.keys_match() {
        return Err(unusable("private key", key, &format!("it is not that of the certificate in {}", cert.display())));
    }
    Ok(identity)
}

/// Accepts every certificate.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
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
        "is not signed by a CA that is trusted here: give the CA's certificate (PEM) with --tls-ca or SSL_CERT_FILE"
    } else if known(&["NotValidForName"]) {
        let names = names(details);
        if names.is_empty() {
            "has no subjectAltName, and its common name (CN) is not used: issue one with a subjectAltName"
        } else {
            let names = names.join(", ");
            return format!(
                "is valid for {names} only: use such a name in the target or with --tls-server-name, or issue a certificate \
                 for this name"
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
    let alert = |names: &[&str]| names.iter().any(|name| details.contains(&format!("AlertReceived({name})")));
    if alert(&["CertificateRequired"]) {
        Some("the server requires a client certificate: give one with --tls-cert and --tls-key")
    } else if alert(&["UnknownCA"]) {
        Some(
            "the server does not accept the client certificate, which is not signed by a CA that it trusts (Redis: \
             tls-ca-cert-file)",
        )
    } else if alert(&["CertificateExpired"]) {
        Some(
            "the server does not accept the client certificate, which has expired: renew it, or correct the server's clock",
        )
    } else if alert(&[
        "BadCertificate",
        "UnsupportedCertificate",
        "CertificateRevoked",
        "CertificateUnknown",
        "AccessDenied",
    ]) {
        Some(
            "the server does not accept the client certificate, or requires one (--tls-cert and --tls-key); its log may have \
              the reason",
        )
    } else if alert(&["ProtocolVersion"]) || details.contains("PeerIncompatible") {
        Some("no TLS version or cipher suite in common with the server; plimsoll supports TLS 1.2 and 1.3")
    } else if alert(&["UnrecognizedName"]) {
        Some(
            "the server has no certificate for this host name: use another one in the target or with --tls-server-name",
        )
    } else if alert(&["HandshakeFailure"]) {
        Some(
            "the server requires a client certificate (--tls-cert and --tls-key), or has no cipher suite in common with \
             plimsoll",
        )
    } else if ["AlertReceived(", "PeerMisbehaved", "InappropriateHandshakeMessage"]
        .iter()
        .any(|name| details.contains(name))
    {
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
    timeout(TIMEOUT, answer).await.ok()?.ok()
}

#[cfg(test)]
mod tests;
