//! One HTTP/1.1 request and its response over a stream that is already secured, within limits.

use std::{future::Future, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::OwnedSemaphorePermit,
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{
    error::{FetchError, Phase},
    fetch::FetchLimits,
    limits::MAX_RESPONSE_HEADERS,
    request::Request,
};

/// The head of a response and its whole body.
pub(crate) struct Exchanged {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Bytes,
}

/// A connection to a server that has proved its name. Dropped, it is closed.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    // Ends the connection when this is dropped, however that is.
    _task: JoinSet<Result<(), hyper::Error>>,
    opened: Instant,
    /// SHA-256 of the certificate by which it did.
    pub(crate) peer_certificate: [u8; 32],
    /// Its place among all connections.
    _place: OwnedSemaphorePermit,
}

impl Connection {
    /// Over a stream that is secured; the head of an answer may have so many bytes.
    pub(crate) async fn over<S>(
        stream: S,
        max_header_bytes: usize,
        peer_certificate: [u8; 32],
        place: OwnedSemaphorePermit,
    ) -> Result<Self, FetchError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .max_headers(MAX_RESPONSE_HEADERS)
            .max_header_size(max_header_bytes)
            .max_buf_size(max_header_bytes)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(FetchError::Http)?;
        let mut task = JoinSet::new();
        task.spawn(connection);
        Ok(Self { sender, _task: task, opened: Instant::now(), peer_certificate, _place: place })
    }

    /// Since when it is open.
    pub(crate) fn opened(&self) -> Instant {
        self.opened
    }

    /// Whether neither side has ended it.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends `request` and reads the response.
    pub(crate) async fn exchange(
        &mut self,
        request: http::Request<Full<Bytes>>,
        limits: &FetchLimits,
    ) -> Result<Exchanged, FetchError> {
        let response = within(Phase::Head, limits.header_timeout_ms, async {
            // One that is kept is free once all of the last answer is read.
            self.sender.ready().await.map_err(FetchError::Http)?;
            let sent = self.sender.send_request(request).await;
            sent.map_err(|error| FetchError::of_head(error, limits.max_header_bytes))
        })
        .await?;
        let (head, body) = response.into_parts();
        let body = collect(body, limits.max_response_bytes);
        let body = within(Phase::Body, limits.body_timeout_ms, body).await?;
        Ok(Exchanged { head, body })
    }
}

/// Bounds a phase in time.
pub(crate) async fn within<T>(
    phase: Phase,
    timeout_ms: u64,
    work: impl Future<Output = Result<T, FetchError>>,
) -> Result<T, FetchError> {
    match timeout(Duration::from_millis(timeout_ms), work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(FetchError::TimedOut { phase, timeout_ms }),
    }
}

/// The request in HTTP's form. Where the connection is not kept, the server need not wait for another.
pub(crate) fn assemble(request: &Request, is_kept: bool) -> Result<http::Request<Full<Bytes>>, FetchError> {
    let unusable = FetchError::Url { rule: "its path and query must be of HTTP's form" };
    let authority = request.authority();
    let mut assembled = http::Request::new(Full::new(request.body.clone()));
    *assembled.method_mut() = request.method.clone();
    let Ok(uri) = request.target.parse::<Uri>() else { return Err(unusable) };
    *assembled.uri_mut() = uri;
    assembled.headers_mut().clone_from(&request.headers);
    let host = authority.parse().map_err(|_| unusable)?;
    assembled.headers_mut().insert(header::HOST, host);
    if !is_kept {
        assembled.headers_mut().insert(header::CONNECTION, http::HeaderValue::from_static("close"));
    }
    Ok(assembled)
}

/// The whole body; refused as soon as it is known to be too large.
async fn collect(mut body: Incoming, limit_bytes: usize) -> Result<Bytes, FetchError> {
    use hyper::body::Body as _;
    if body.size_hint().lower() > limit_bytes as u64 {
        return Err(FetchError::BodyTooLarge { limit_bytes });
    }
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // Trailers are dropped: nothing may depend on them (RFC 9110 section 6.5.1).
        let Ok(data) = frame.map_err(FetchError::Http)?.into_data() else { continue };
        if data.len() > limit_bytes - collected.len() {
            return Err(FetchError::BodyTooLarge { limit_bytes });
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.freeze())
}
