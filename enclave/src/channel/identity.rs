//! The TLS identity: a key made at boot and a certificate that it signs itself. Nobody vouches for the certificate:
//! the evidence binds the key to the image.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData as _};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::NoServerSessionStorage;
use rustls_pki_types::PrivatePkcs8KeyDer;
use thiserror::Error;

use r3e_proto::channel::ALPN;

/// The name in the certificate. Clients compare evidence, not names.
const CERTIFICATE_NAME: &str = "appliance.r3e.invalid";

/// The appliance's end of TLS.
pub(crate) struct TlsIdentity {
    config: Arc<ServerConfig>,
    spki: Vec<u8>,
}

/// Why no TLS identity could be made.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The certificate.
    #[error("cannot make the TLS certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The protocol's configuration.
    #[error("cannot configure TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl TlsIdentity {
    /// Makes a key and a certificate for it.
    pub(crate) fn generate() -> Result<Self, IdentityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = CertificateParams::new([CERTIFICATE_NAME.to_owned()])?.self_signed(&key)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let private = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private.into())?;
        config.alpn_protocols = vec![ALPN.to_vec(), b"http/1.1".to_vec()];
        // A resumed session would skip what binds it to evidence, and 0-RTT data could be replayed.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        Ok(Self { config: Arc::new(config), spki: key.subject_public_key_info() })
    }

    /// What the listener's acceptor uses.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The certificate's SubjectPublicKeyInfo, DER.
    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }
}
