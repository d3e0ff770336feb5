//! HTTP with a peer that was appraised: one request at a time, each answer bounded and wiped.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use r3e_attestation::AttestationResult;
use r3e_proto::channel::binding::Digest;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::error::PeerError;
use crate::limits::{MAX_PEER_ANSWER_BYTES, PEER_REQUEST_TIMEOUT};

/// An attested channel to another appliance. Dropped, it closes.
pub(crate) struct PeerSession {
    http: http1::SendRequest<Full<Bytes>>,
    connection: JoinHandle<()>,
    host: String,
    binding: Digest,
    attestation: AttestationResult,
}

impl PeerSession {
    pub(super) async fn begin<S>(
        stream: S,
        host: &str,
        binding: Digest,
        attestation: AttestationResult,
    ) -> Result<Self, PeerError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (http, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // What fails it is what the request under way answers with.
        let connection = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { http, connection, host: host.to_owned(), binding, attestation })
    }

    /// The session's binding: what the peer's evidence committed to, and what is fresh to both ends.
    pub(crate) fn binding(&self) -> &Digest {
        &self.binding
    }

    /// What the appraisal of the peer found.
    pub(crate) fn attestation(&self) -> &AttestationResult {
        &self.attestation
    }

    /// Makes a request; its status and its answer's body, of at most [`MAX_PEER_ANSWER_BYTES`]. The buffer is wiped; what
    /// passed through TLS and HTTP below it is not this code's to wipe.
    ///
    /// # Errors
    /// [`PeerError`]: no whole answer came in time.
    pub(crate) async fn request(
        &mut self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<(StatusCode, Zeroizing<Vec<u8>>), PeerError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/cbor")
            .body(Full::new(body.into()))?;
        match timeout(PEER_REQUEST_TIMEOUT, self.exchange(request)).await {
            Ok(answered) => answered,
            Err(_) => Err(PeerError::Timeout { awaited: "an answer" }),
        }
    }

    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Zeroizing<Vec<u8>>), PeerError> {
        self.http.ready().await?;
        let (head, mut body) = self.http.send_request(request).await?.into_parts();
        // All of it at once: a buffer that grew would leave its older self unwiped.
        let mut whole = Zeroizing::new(Vec::with_capacity(MAX_PEER_ANSWER_BYTES));
        while let Some(frame) = body.frame().await {
            let frame = frame?;
            let data = frame.data_ref().map_or(&[][..], Bytes::as_ref);
            if whole.len() + data.len() > MAX_PEER_ANSWER_BYTES {
                return Err(PeerError::AnswerTooLong(MAX_PEER_ANSWER_BYTES));
            }
            whole.extend_from_slice(data);
        }
        Ok((head.status, whole))
    }
}

impl Drop for PeerSession {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
