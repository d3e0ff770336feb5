//! The client's side of the channel's TLS: version 1.3, hybrid post-quantum key exchange, full handshakes only.
//!
//! A peer's certificate is self-signed: no name, chain or date in it means anything, and none is looked at. What is verified
//! is that the peer holds its key, by the handshake's signature; whose key it is, the evidence says.

use std::sync::Arc;

use r3e_proto::channel::ALPN;
use r3e_proto::limits::MAX_SPKI_BYTES;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, PeerIncompatible, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// How an enclave opens the channel to another.
pub(super) fn config() -> Result<Arc<ClientConfig>, Error> {
    // Both ends are ours, so nothing but the hybrid is needed: what a root secret travels in must not be opened later.
    let provider = CryptoProvider {
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768],
        ..aws_lc_rs::default_provider()
    };
    let algorithms = provider.signature_verification_algorithms;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(HoldsItsKey { algorithms }))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A resumed session would show no certificate, and so no key to bind.
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok(Arc::new(config))
}

/// The certificate's SubjectPublicKeyInfo, DER: read by the parser that the handshake's signature was verified with, so that
/// the key which is bound is the key which was shown to be held.
pub(super) fn spki(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, Error> {
    let spki = ParsedCertificate::try_from(certificate)?.subject_public_key_info().as_ref().to_vec();
    if spki.len() > MAX_SPKI_BYTES { Err(CertificateError::BadEncoding.into()) } else { Ok(spki) }
}

/// Accepts a certificate of whoever holds its private key.
#[derive(Debug)]
struct HoldsItsKey {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for HoldsItsKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        spki(end_entity)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Its exporter does not cover the whole handshake (RFC 7627).
        Err(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // What an appliance's key is made of, in this release and those before it.
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
