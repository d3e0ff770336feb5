//! One HTTP/1.1 request and its response over a stream that is already secured, within limits.

use std::{future::Future, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinSet,
    time::timeout,
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

/// Sends `request` and reads the response.
pub(crate) async fn exchange<S>(
    stream: S,
    request: Request,
    limits: &FetchLimits,
) -> Result<Exchanged, FetchError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limit_bytes = limits.max_header_bytes;
    // Ends the connection when this function does, however it does.
    let mut connection_task = JoinSet::new();
    let response = within(Phase::Head, limits.header_timeout_ms, async {
        let (mut sender, connection) = http1::Builder::new()
            .max_headers(MAX_RESPONSE_HEADERS)
            .max_header_size(limit_bytes)
            .max_buf_size(limit_bytes)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(FetchError::Http)?;
        connection_task.spawn(connection);
        let request = assemble(request)?;
        sender.send_request(request).await.map_err(|error| FetchError::of_head(error, limit_bytes))
    })
    .await?;
    let (head, body) = response.into_parts();
    let body = within(Phase::Body, limits.body_timeout_ms, collect(body, limits.max_response_bytes)).await?;
    Ok(Exchanged { head, body })
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

fn assemble(request: Request) -> Result<http::Request<Full<Bytes>>, FetchError> {
    let unusable = FetchError::Url { rule: "its path and query must be of HTTP's form" };
    let authority = request.authority();
    let mut assembled = http::Request::new(Full::new(request.body));
    *assembled.method_mut() = request.method;
    let Ok(uri) = request.target.parse::<Uri>() else { return Err(unusable) };
    *assembled.uri_mut() = uri;
    *assembled.headers_mut() = request.headers;
    let host = authority.parse().map_err(|_| unusable)?;
    assembled.headers_mut().insert(header::HOST, host);
    // One request a connection: the server need not wait for another.
    assembled.headers_mut().insert(header::CONNECTION, http::HeaderValue::from_static("close"));
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
