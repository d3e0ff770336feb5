//! HTTP/1.1 on a stream that is already attested: one request at a time, every answer bounded.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use r3e_proto::api::ErrorBody;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::error::ClientError;
use crate::limits::{MAX_MESSAGE_BYTES, MAX_RESPONSE_BYTES, MAX_RESPONSE_HEAD_BYTES};

/// A request's body.
pub(crate) enum Body {
    /// None.
    Empty,
    /// JSON text.
    Json(Bytes),
    /// Bytes that mean nothing to HTTP; their owner clears them when they were sent.
    Octets(Bytes),
}

/// A request. `name` stands for it in errors: a path may hold what belongs to a tenant.
pub(crate) struct Call<'a> {
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) authorization: Option<&'a ApiKeyHeader>,
    /// One more header.
    pub(crate) header: Option<(HeaderName, HeaderValue)>,
    pub(crate) body: Body,
    pub(crate) limit_ms: u64,
}

/// The text of an `Authorization` header, marked as sensitive: its `Debug` shows nothing of it.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeyHeader(pub(crate) HeaderValue);

impl ApiKeyHeader {
    /// `Bearer` and the key; none if the key cannot stand in a header.
    pub(crate) fn bearer(key: &str) -> Option<Self> {
        let text = Zeroizing::new(format!("Bearer {key}"));
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }
}

/// HTTP on one stream.
pub(crate) struct HttpStream {
    sender: http1::SendRequest<Full<Bytes>>,
    connection: JoinHandle<()>,
    authority: HeaderValue,
    broken: bool,
}

impl HttpStream {
    /// Begins HTTP on `stream`. Sends nothing yet.
    pub(crate) async fn begin<S>(stream: S, authority: HeaderValue) -> Result<Self, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .max_header_size(MAX_RESPONSE_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broke("the start of HTTP", error))?;
        // A failure of the connection is what the request in flight answers with.
        let connection = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, connection, authority, broken: false })
    }

    /// Whether the other end, or a failure, closed it.
    pub(crate) fn is_closed(&self) -> bool {
        self.broken || self.sender.is_closed()
    }

    /// Makes a request and gives the body of its success.
    pub(crate) async fn call(&mut self, call: Call<'_>) -> Result<Bytes, ClientError> {
        if self.is_closed() {
            return Err(ClientError::Closed);
        }
        let (name, limit_ms) = (call.name, call.limit_ms);
        // Until it is known to have gone well, the stream may hold half an exchange.
        self.broken = true;
        let outcome = match timeout(Duration::from_millis(limit_ms), self.exchange(call)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ClientError::Timeout { awaited: name, limit_ms }),
        };
        match outcome {
            Ok((status, body, closes)) => {
                self.broken = closes;
                if status.is_success() { Ok(body) } else { Err(refusal(status, &body)) }
            }
            Err(error) => {
                self.connection.abort();
                Err(error)
            }
        }
    }

    /// Status, body, and whether the other end closes the stream behind them.
    async fn exchange(&mut self, call: Call<'_>) -> Result<(StatusCode, Bytes, bool), ClientError> {
        let mut request = Request::builder().method(call.method).uri(call.path).header(HOST, &self.authority);
        if let Some(ApiKeyHeader(value)) = call.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        if let Some((name, value)) = call.header {
            request = request.header(name, value);
        }
        let body = match call.body {
            Body::Empty => Bytes::new(),
            Body::Json(text) => {
                request = request.header(CONTENT_TYPE, "application/json");
                text
            }
            Body::Octets(bytes) => {
                request = request.header(CONTENT_TYPE, "application/octet-stream");
                bytes
            }
        };
        let request = request.body(Full::new(body)).map_err(|error| answer(call.name, &error))?;
        self.sender.ready().await.map_err(|error| broke(call.name, error))?;
        let response = self.sender.send_request(request).await.map_err(|error| broke(call.name, error))?;
        let (head, body) = response.into_parts();
        let body = match Limited::new(body, MAX_RESPONSE_BYTES).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(answer(call.name, &format!("over {MAX_RESPONSE_BYTES} bytes")));
            }
            Err(error) => {
                let source = std::io::Error::other(error);
                return Err(ClientError::Transport { during: call.name, source });
            }
        };
        // RFC 9112 section 9.6: nothing more is sent on this stream, though its end may not be seen yet.
        let closes = head.headers.get_all(CONNECTION).iter().any(|value| {
            let options = value.to_str().unwrap_or_default();
            options.split(',').any(|option| option.trim().eq_ignore_ascii_case("close"))
        });
        Ok((head.status, body, closes))
    }
}

impl Drop for HttpStream {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl fmt::Debug for HttpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpStream").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// Reads an answer's JSON.
pub(crate) fn json<T: DeserializeOwned>(name: &'static str, body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|error| answer(name, &error))
}

/// Reads an answer that is text.
pub(crate) fn text(name: &'static str, body: Bytes) -> Result<String, ClientError> {
    String::from_utf8(body.into()).map_err(|error| answer(name, &error))
}

/// An answer that is not of the API's form.
pub(crate) fn answer(request: &'static str, why: &(impl ToString + ?Sized)) -> ClientError {
    ClientError::Answer { request, why: why.to_string() }
}

fn refusal(status: StatusCode, body: &[u8]) -> ClientError {
    let (code, mut message) = match serde_json::from_slice::<ErrorBody>(body) {
        Ok(ErrorBody { error }) => (error.code, error.message),
        Err(_) => ("http".to_owned(), "the answer says no more than its status".to_owned()),
    };
    message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES));
    ClientError::Api { status: status.as_u16(), code, message }
}

fn broke(during: &'static str, error: hyper::Error) -> ClientError {
    ClientError::Transport { during, source: std::io::Error::other(error) }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// A call to a server that answers with `head` and an error of the API's, and keeps the stream open.
    async fn answered(head: &str) -> HttpStream {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let body = r#"{"error":{"code":"superseded","message":"gone"}}"#;
        let answer =
            format!("HTTP/1.1 503 Unavailable\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len());
        tokio::spawn(async move {
            let mut asked = [0; 1024];
            while theirs.read(&mut asked).await.is_ok_and(|length| length > 0) {
                theirs.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let mut http = HttpStream::begin(ours, HeaderValue::from_static("appliance")).await.unwrap();
        let refused = call(&mut http).await.unwrap_err();
        assert!(matches!(&refused, ClientError::Api { code, .. } if code == "superseded"), "{refused}");
        http
    }

    async fn call(http: &mut HttpStream) -> Result<Bytes, ClientError> {
        let (method, body) = (Method::GET, Body::Empty);
        http.call(Call {
            name: "a test",
            method,
            path: "/",
            authorization: None,
            header: None,
            body,
            limit_ms: 10_000,
        })
        .await
    }

    #[tokio::test]
    async fn an_answer_that_closes_the_connection_closes_it_at_once() {
        for head in ["Connection: close\r\n", "connection: keep-alive, Close\r\n"] {
            let mut http = answered(head).await;
            assert!(http.is_closed(), "{head}");
            assert!(matches!(call(&mut http).await, Err(ClientError::Closed)), "nothing is sent any more");
        }
        let mut http = answered("").await;
        assert!(!http.is_closed());
        assert!(
            matches!(call(&mut http).await, Err(ClientError::Api { .. })),
            "an error alone closes nothing"
        );
    }
}
