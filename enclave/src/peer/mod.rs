//! Another appliance, as a client meets it: the attested channel's other end, for use inside the enclave.
//!
//! ```text
//! a stream that anyone may have opened -> TLS 1.3 -> ALPN r3e/1 -> nonce -> evidence, appraised -> PeerSession
//! ```
//!
//! A [`PeerSession`] exists only for a peer whose evidence satisfied the caller's policy and is for this very session.
//! This module knows nothing of what is asked of a peer, nor of which images are good ones: the policy is the caller's.

mod error;
mod evidence;
mod session;
mod tls;

pub(crate) use error::PeerError;
pub(crate) use session::PeerSession;

use r3e_attestation::{AppraisalPolicy, AppraisalPolicyBuilder, TrustAnchor, UnixTime, appraise};
use r3e_attester::TrustedClock;
use r3e_proto::channel::binding::{Digest, Role, SessionBinding};
use r3e_proto::channel::evidence::Evidence;
use r3e_proto::channel::{ALPN, EXPORTER_BYTES, EXPORTER_LABEL};
use r3e_proto::limits::NONCE_BYTES;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::limits::{PEER_CLOCK_SKEW_MS, PEER_EVIDENCE_TIMEOUT, PEER_HANDSHAKE_TIMEOUT, PEER_MAX_AGE_MS};

/// What is needed to meet a peer.
pub(crate) struct PeerParts<'a> {
    /// What its evidence must satisfy. Debug images are refused whatever it says.
    pub(crate) policy: &'a AppraisalPolicy,
    /// The time to appraise by.
    pub(crate) clock: &'a TrustedClock,
}

/// Meets peers.
pub(crate) struct Peer;

impl Peer {
    /// A policy to which the caller adds the images that it accepts: documents under `trust`, with the times of the
    /// hypervisors' clocks.
    pub(crate) fn policy(trust: &TrustAnchor) -> AppraisalPolicyBuilder {
        AppraisalPolicy::builder()
            .trust(trust.clone())
            .clock_skew_ms(PEER_CLOCK_SKEW_MS)
            .max_age_ms(PEER_MAX_AGE_MS)
    }

    /// Opens the attested channel over `stream`. `name` is what TLS asks for by SNI, and the `Host` of requests; it proves
    /// nothing. Nothing but a nonce was sent unless this succeeds.
    ///
    /// # Errors
    /// [`PeerError`]: no appliance, or none that the policy accepts.
    pub(crate) async fn connect<S>(
        stream: S,
        parts: &PeerParts<'_>,
        name: &str,
    ) -> Result<PeerSession, PeerError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut stream = handshake(stream, name).await?;
        let (evidence, binding) = match timeout(PEER_EVIDENCE_TIMEOUT, exchange(&mut stream)).await {
            Ok(exchanged) => exchanged?,
            Err(_) => return Err(PeerError::Timeout { awaited: "evidence" }),
        };
        let now = UnixTime::from_millis(parts.clock.now_ms());
        let attestation = appraise(&evidence.document, parts.policy, now)?;
        if attestation.is_debug() {
            return Err(PeerError::Debug);
        }
        evidence::check(&evidence, &attestation, &binding)?;
        // From here on, and not before, HTTP has the stream.
        PeerSession::begin(stream, name, binding, attestation).await
    }
}

/// TLS 1.3 with the ALPN of the channel.
async fn handshake<S>(stream: S, name: &str) -> Result<TlsStream<S>, PeerError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let server = ServerName::try_from(name.to_owned()).map_err(|_| PeerError::Name)?;
    let connector = TlsConnector::from(tls::config()?);
    let stream = match timeout(PEER_HANDSHAKE_TIMEOUT, connector.connect(server, stream)).await {
        Ok(connected) => connected.map_err(|source| PeerError::Io { during: "the TLS handshake", source })?,
        Err(_) => return Err(PeerError::Timeout { awaited: "the TLS handshake" }),
    };
    match stream.get_ref().1.alpn_protocol() {
        Some(ALPN) => Ok(stream),
        _ => Err(PeerError::NotAnAppliance),
    }
}

/// Sends the nonce, reads the evidence, and derives the binding that it must be for.
async fn exchange<S>(stream: &mut TlsStream<S>) -> Result<(Evidence, Digest), PeerError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut nonce = [0; NONCE_BYTES];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| PeerError::Random)?;
    let broke = |source| PeerError::Io { during: "the nonce", source };
    stream.write_all(&nonce).await.map_err(broke)?;
    stream.flush().await.map_err(broke)?;
    let evidence = evidence::read(stream).await?;
    let connection = stream.get_ref().1;
    let exporter =
        connection.export_keying_material([0; EXPORTER_BYTES], EXPORTER_LABEL, Some(nonce.as_slice()))?;
    let certificate = connection
        .peer_certificates()
        .and_then(<[_]>::first)
        .ok_or(PeerError::Tls(rustls::Error::NoCertificatesPresented))?;
    let binding = SessionBinding {
        role: Role::Server,
        nonce: &nonce,
        exporter: &exporter,
        spki: &tls::spki(certificate)?,
        alpn: ALPN,
        configuration: &evidence.configuration,
        hpke_public_key: &evidence.hpke_public_key,
    }
    .digest();
    Ok((evidence, binding))
}

#[cfg(test)]
mod tests;
