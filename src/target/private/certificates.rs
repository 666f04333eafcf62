//! Certificates of a private deployment, made anew for each and removed with its folder.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, Error, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose,
};

use super::file::write;
use crate::{scenario::TlsOptions, target::TargetError};

/// Names of this machine that the certificate is valid for.
const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// Characters of a line in PEM.
const LINE: usize = 64;

/// Files of a CA and of one certificate for all nodes.
#[derive(Debug)]
pub(super) struct Certificates {
    pub(super) ca: PathBuf,
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
}

impl Certificates {
    /// Makes the files in a folder. The key of the CA is in none, so nothing else can be signed by it.
    pub(super) fn create(folder: &Path) -> Result<Self, TargetError> {
        let [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map(|name| folder.join(name));
        let contents = contents().map_err(|error| TargetError::Certificates(error.to_string()))?;
        let written = [&ca, &cert, &key].into_iter().zip(&contents).try_for_each(|(path, text)| write(path, text));
        written.map_err(TargetError::ServerPlace)?;
        Ok(Self { ca, cert, key })
    }

    /// TLS of the connections to the nodes.
    pub(super) fn options(&self) -> TlsOptions {
        TlsOptions { ca: Some(self.ca.clone()), ..TlsOptions::default() }
    }

    /// Settings of a node.
    pub(super) fn settings(&self) -> [(&'static str, &Path); 3] {
        [("tls-ca-cert-file", &self.ca), ("tls-cert-file", &self.cert), ("tls-key-file", &self.key)]
    }
}

/// CA, certificate and its key in PEM.
fn contents() -> Result<[String; 3], Error> {
    let mut params = named("plimsoll private CA", &[])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let mut params = named("plimsoll private server", &NAMES)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // Nodes of a cluster are clients of each other.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    let cert = params.signed_by(&key, &ca)?;
    Ok([pem("CERTIFICATE", ca.der()), pem("CERTIFICATE", cert.der()), pem("PRIVATE KEY", key.serialized_der())])
}

/// A certificate with a name of its own: one that is named as its issuer would pass for one that signed itself.
fn named(name: &str, hosts: &[&str]) -> Result<CertificateParams, Error> {
    let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines: Vec<_> = encoded.as_bytes().chunks(LINE).map(String::from_utf8_lossy).collect();
    let lines = lines.join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}
