//! Nonce in, evidence out: what turns a TLS connection into a [`Session`].

use r3e_proto::channel::binding::{Digest, Role, SessionBinding};
use r3e_proto::channel::evidence::EvidenceReply;
use r3e_proto::channel::{ALPN, EXPORTER_BYTES, EXPORTER_LABEL};
use r3e_proto::limits::{MAX_EVIDENCE_BYTES, NONCE_BYTES};
use r3e_transport::frame::{FrameError, write_frame};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::batch::{EvidenceSource, EvidenceUnavailable};
use crate::limits::{EVIDENCE_TIMEOUT, NONCE_TIMEOUT};
use crate::session::Session;

/// Why a connection became no session.
#[derive(Debug, Error)]
pub(super) enum HandshakeError {
    #[error("no nonce came in time")]
    NoNonce,
    #[error("the client did not take its evidence in time")]
    EvidenceNotTaken,
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    #[error("the connection broke: {0}")]
    Frame(#[from] FrameError),
    #[error("the TLS session has no exporter: {0}")]
    Exporter(#[from] rustls::Error),
    #[error(transparent)]
    Unavailable(#[from] EvidenceUnavailable),
}

/// Reads the nonce and answers with evidence. After this the client decides, and speaks HTTP or leaves.
pub(super) async fn attest<S>(
    stream: &mut TlsStream<S>,
    spki: &[u8],
    configuration: &Digest,
    source: &EvidenceSource,
) -> Result<Session, HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut nonce = [0; NONCE_BYTES];
    timeout(NONCE_TIMEOUT, stream.read_exact(&mut nonce)).await.map_err(|_| HandshakeError::NoNonce)??;
    let (_, connection) = stream.get_ref();
    let exporter =
        connection.export_keying_material([0; EXPORTER_BYTES], EXPORTER_LABEL, Some(nonce.as_slice()))?;
    let binding = SessionBinding {
        role: Role::Server,
        nonce: &nonce,
        exporter: &exporter,
        spki,
        alpn: ALPN,
        configuration,
        hpke_public_key: &[],
    }
    .digest();
    let evidence = source.evidence(binding).await;
    let reply = match &evidence {
        Ok(evidence) => EvidenceReply::Evidence(evidence.clone()),
        Err(unavailable) => EvidenceReply::Unavailable(unavailable.to_string()),
    };
    let send = async {
        write_frame(stream, &reply.encode(), MAX_EVIDENCE_BYTES).await?;
        Ok::<_, HandshakeError>(())
    };
    timeout(EVIDENCE_TIMEOUT, send).await.map_err(|_| HandshakeError::EvidenceNotTaken)??;
    evidence?;
    Ok(Session::attested(binding))
}
