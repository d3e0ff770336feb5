//! Plain TLS 1.3: what a user has without attestation. Same library, key exchange, certificate and kind of socket.

use std::sync::Arc;

use anyhow::Context as _;
use r3e_transport::{EnclaveTransport, Endpoint, ParentTransport};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const PORT: u32 = 5000;

pub(crate) struct Plain {
    parent: ParentTransport,
    connector: TlsConnector,
    _folder: tempfile::TempDir,
}

impl Plain {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let endpoint = Endpoint::Unix { path: folder.path().join("plain") };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        let certificate = rcgen::CertificateParams::new(["plain.invalid".to_owned()])?.self_signed(&key)?;
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )?;
        config.send_tls13_tickets = 0;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut listener = EnclaveTransport::new(endpoint.clone()).listen(PORT).await?;
        tokio::spawn(async move {
            while let Ok(stream) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut tls) = acceptor.accept(stream).await else { return };
                    let mut nonce = [0; 32];
                    if tls.read_exact(&mut nonce).await.is_ok() {
                        drop(tls.write_all(&nonce).await);
                        drop(tls.shutdown().await);
                    }
                });
            }
        });
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self { parent: ParentTransport::new(endpoint), connector, _folder: folder })
    }

    /// One connection: handshake, 32 bytes there and back, as many messages as the attested one has.
    pub(crate) async fn handshake(&self) -> anyhow::Result<()> {
        let stream = self.parent.dial_enclave(PORT).await?;
        let mut tls = self.connector.connect(ServerName::try_from("plain.invalid")?, stream).await?;
        tls.write_all(&[7; 32]).await?;
        tls.flush().await?;
        let mut back = [0; 32];
        tls.read_exact(&mut back).await.context("the echo")?;
        Ok(())
    }
}

/// Accepts any certificate, and verifies the handshake's signature, as the attested client does.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
