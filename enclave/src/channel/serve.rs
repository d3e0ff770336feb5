//! HTTP/1.1 on one connection: the header and idle timeouts that `axum::serve` has not, and an orderly end.

use std::sync::Arc;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::counters::Counters;
use super::leftover::lend;
use crate::limits::{HEADER_TIMEOUT, MAX_HEADER_BYTES, MAX_HEADERS};
use crate::session::Session;

/// Serves `router` until the client leaves, goes quiet or one of `stops` says so. Every request carries `session`, if
/// there is one; every answer is counted.
pub(super) async fn serve<S>(
    stream: S,
    router: Router,
    session: Option<Arc<Session>>,
    counters: Arc<Counters>,
    stops: [watch::Receiver<bool>; 2],
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut request, leftover) = lend(request);
        if let Some(session) = &session {
            request.extensions_mut().insert(Arc::clone(session));
        }
        let (answering, counters) = (router.clone().oneshot(request), Arc::clone(&counters));
        async move {
            let answer = answering.await.inspect(|answer| counters.answered(answer.status()));
            leftover.discard().await;
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let [mut first, mut second] = stops;
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = either(stopped(&mut first), stopped(&mut second)) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "the connection ended");
    }
}

async fn either(first: impl Future<Output = ()>, second: impl Future<Output = ()>) {
    tokio::select! {
        () = first => {}
        () = second => {}
    }
}

/// Returns once `stop` says so, or nobody is left to say it.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // What comes back is a guard that must not be held across an await.
    drop(stop.wait_for(|stopped| *stopped).await);
}
