//! TLS as the attested channel needs it: version 1.3, ALPN `r3e/1`, full handshakes only.
//!
//! The server's certificate is self-signed and vouches for nothing, so no chain, name or date is checked. What is
//! checked is the handshake's signature: the server holds the key in the certificate. Whose key that is, the
//! attestation document says, because the session's binding holds both this key and the session's exporter value.
//! Nothing here decides whether to trust the other end; [`crate::Connector`] does, after the handshake.

use std::sync::Arc;

use r3e_proto::channel::ALPN;
use r3e_proto::limits::MAX_SPKI_BYTES;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, PeerIncompatible,
    PeerMisbehaved, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::error::NotR3e;

/// The client's side of the channel's TLS.
///
/// # Errors
/// [`Error`], if the provider offers no TLS 1.3, which the one built in does.
pub(crate) fn config() -> Result<ClientConfig, Error> {
    let provider = CryptoProvider {
        // Key exchange that a later quantum computer does not open first; the classical one for servers without it.
        kx_groups: vec![aws_lc_rs::kx_group::X25519MLKEM768, aws_lc_rs::kx_group::X25519],
        ..aws_lc_rs::default_provider()
    };
    let algorithms = provider.signature_verification_algorithms;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(HolderOfKey { algorithms }))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A resumed session skips the certificate, and with it the key that the binding names.
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    Ok(config)
}

/// The `SubjectPublicKeyInfo` (DER) of a certificate.
///
/// It is taken by the parser that took the key for the handshake's signature, so that the key which was shown to be
/// held and the key which is bound are one.
///
/// # Errors
/// [`Error`]: not an X.509 v3 certificate, or a key beyond `MAX_SPKI_BYTES`.
pub(crate) fn spki(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, Error> {
    let spki = ParsedCertificate::try_from(certificate)?.subject_public_key_info().as_ref().to_vec();
    if spki.len() > MAX_SPKI_BYTES {
        return Err(CertificateError::BadEncoding.into());
    }
    Ok(spki)
}

/// What a failed handshake says of the other end, where it says that no appliance is there.
pub(crate) fn not_r3e(error: &Error) -> Option<NotR3e> {
    match error {
        Error::AlertReceived(AlertDescription::NoApplicationProtocol)
        | Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedApplicationProtocol) => {
            Some(NotR3e::OtherProtocol)
        }
        Error::AlertReceived(AlertDescription::ProtocolVersion)
        | Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => Some(NotR3e::OldTls),
        Error::InvalidMessage(_) => Some(NotR3e::NotTls),
        _ => None,
    }
}

/// Accepts whoever holds the private key of the certificate that is shown.
#[derive(Debug)]
struct HolderOfKey {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for HolderOfKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        spki(end_entity).map(|_| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // TLS 1.2's exporter is not bound to the whole handshake (RFC 7627), so it must never open a channel.
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
        // An appliance makes its key at boot and chooses among these; RSA is slower and of no use to it.
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ED25519,
        ]
    }
}
