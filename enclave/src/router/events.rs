//! Server-sent events (HTML, section 9.2): a body that says something when there is something to say, and now and then that it is there.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use r3e_feeds::Reports;
use tokio::time::timeout;

use crate::limits::STREAM_HEARTBEAT;

/// A comment: clients pass it over, and what stands between learns that the connection is used.
const HEARTBEAT: &[u8] = b":\n\n";

/// What comes next, and how it goes on.
type Next = Pin<Box<dyn Future<Output = Option<(Bytes, Reports)>> + Send>>;

/// Reports as events. It is asked for the next one once the one before was taken, so that a slow reader has none wait for it.
struct Events(Option<Next>);

/// Answers with reports as they come.
pub(super) fn answer(reports: Reports) -> Response {
    let body = Body::new(Events(Some(Box::pin(next(reports)))));
    ([(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")], body).into_response()
}

async fn next(mut reports: Reports) -> Option<(Bytes, Reports)> {
    let event = match timeout(STREAM_HEARTBEAT, reports.next()).await {
        Err(_) => Bytes::from_static(HEARTBEAT),
        Ok(Ok(Some(signed))) => {
            let data = serde_json::to_string(&signed).ok()?;
            format!("id: {}\nevent: report\ndata: {data}\n\n", signed.report.sequence).into()
        }
        Ok(Ok(None)) => return None,
        // Whoever comes again goes on where this ended.
        Ok(Err(error)) => {
            tracing::warn!(%error, "a stream of reports ends");
            return None;
        }
    };
    Some((event, reports))
}

impl HttpBody for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(coming) = &mut self.0 else { return Poll::Ready(None) };
        let Some((event, reports)) = ready!(coming.as_mut().poll(context)) else {
            self.0 = None;
            return Poll::Ready(None);
        };
        self.0 = Some(Box::pin(next(reports)));
        Poll::Ready(Some(Ok(Frame::data(event))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }
}
