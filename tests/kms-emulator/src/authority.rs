//! The authority that certifies the emulator's host, kept in its folder, so that who trusts it may go on after a restart.

use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

const KEY_FILE: &str = "ca-key.pem";
const CERTIFICATE_FILE: &str = "ca.pem";

/// An authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// The authority of a folder, made if there is none.
    pub(crate) fn load_or_create(folder: &Path) -> Self {
        let (key, certificate) = (folder.join(KEY_FILE), folder.join(CERTIFICATE_FILE));
        if !certificate.exists() {
            let made = made();
            std::fs::write(&key, made.key().serialize_pem()).expect("the authority's key");
            std::fs::write(&certificate, made.pem()).expect("the authority's certificate");
        }
        let key = std::fs::read_to_string(key).expect("the authority's key");
        let key = KeyPair::from_pem(&key).expect("the authority's key");
        let pem = std::fs::read_to_string(certificate).expect("the authority's certificate");
        Self { issuer: Issuer::new(parameters(), key), pem }
    }

    /// An authority that nobody knows.
    pub(crate) fn unknown() -> Self {
        let made = made();
        let pem = made.pem();
        let key = KeyPair::from_pem(&made.key().serialize_pem()).expect("a key");
        Self { issuer: Issuer::new(parameters(), key), pem }
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// The configuration of a server for `host`.
    pub(crate) fn server(&self, host: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let parameters = CertificateParams::new([host.to_owned()]).expect("a host name");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        let certificate = CertificateDer::from(certificate.der().to_vec());
        let private = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], private.into())
            .expect("a certificate and its key");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

fn made() -> CertifiedIssuer<'static, KeyPair> {
    CertifiedIssuer::self_signed(parameters(), KeyPair::generate().expect("a key"))
        .expect("a root certificate")
}

fn parameters() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "KMS emulator's test CA");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    parameters
}
