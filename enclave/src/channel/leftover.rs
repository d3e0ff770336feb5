//! What is left of a request's body once it was answered. A connection that is closed on bytes that nobody read is reset,
//! and a client that still sends may then lose the very answer that says why it was refused (RFC 9112 section 9.6).
//! So the rest is read and forgotten first, within limits.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::EXPECT;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::limits::{DISCARD_TIMEOUT, MAX_DISCARDED_BYTES};

/// Where a handler's unread rest of a body comes back to.
pub(super) struct Leftover(Option<oneshot::Receiver<Incoming>>);

/// Lends a request's body to a handler.
pub(super) fn lend(request: Request<Incoming>) -> (Request<Body>, Leftover) {
    // A client that waits to be asked for the body has not sent it.
    if request.headers().contains_key(EXPECT) {
        return (request.map(Body::new), Leftover(None));
    }
    let (back, returned) = oneshot::channel();
    let lent = |body| Body::new(Lent { body: Some(body), back: Some(back) });
    (request.map(lent), Leftover(Some(returned)))
}

impl Leftover {
    /// Reads the rest and forgets it, unless it is too long or too slow in coming.
    pub(super) async fn discard(self) {
        let Some(returned) = self.0 else { return };
        let discard = async {
            // A body that was read to its end does not come back.
            let Ok(mut body) = returned.await else { return };
            let mut left = MAX_DISCARDED_BYTES;
            while left > 0
                && body.size_hint().lower() <= left
                && let Some(Ok(frame)) = body.frame().await
            {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                left = left.saturating_sub(bytes as u64);
            }
        };
        // Whoever sends too slowly loses no more than it would have.
        drop(timeout(DISCARD_TIMEOUT, discard).await);
    }
}

/// A body that goes back when its reader has had enough of it.
struct Lent {
    body: Option<Incoming>,
    back: Option<oneshot::Sender<Incoming>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take())
            && !body.is_end_stream()
        {
            // Nobody waits for it when the connection is gone.
            drop(back.send(body));
        }
    }
}
