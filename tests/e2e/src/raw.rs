//! A client without manners: it trusts whoever answers, and sends whatever it is told to. The product's own client does
//! neither, so it could not show what a server does with such a client.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use r3e_proto::channel::binding::{Digest, Role, SessionBinding};
use r3e_proto::channel::evidence::{Evidence, EvidenceReply};
use r3e_proto::channel::{ALPN, EXPORTER_BYTES, EXPORTER_LABEL};
use r3e_proto::limits::{MAX_EVIDENCE_BYTES, NONCE_BYTES};
use r3e_transport::frame::read_frame;
use rustls::ClientConfig;
use rustls::server::ParsedCertificate;
use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tls::trusting_client;

/// A TLS connection that offers `alpn`.
///
/// # Errors
/// No connection, or no handshake.
pub async fn tls(address: &str, alpn: &[u8]) -> io::Result<TlsStream<TcpStream>> {
    tls_with(address, trusting_client(&[alpn])).await
}

/// The same with a configuration that many connections share.
///
/// # Errors
/// No connection, or no handshake.
pub async fn tls_with(address: &str, config: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from("appliance.r3e.invalid").expect("a name");
    TlsConnector::from(config).connect(name, stream).await
}

/// A session of the attested channel, its evidence taken unseen.
pub struct RawSession {
    /// What comes next on it is HTTP.
    pub stream: TlsStream<TcpStream>,
    /// The evidence's frame, without its length.
    pub frame: Vec<u8>,
    /// The same, read.
    pub evidence: Evidence,
    /// The session's binding.
    pub binding: Digest,
}

impl RawSession {
    /// Opens a session with a nonce of the caller's choice.
    ///
    /// # Errors
    /// No connection, no handshake or no evidence.
    pub async fn open(address: &str, nonce: &[u8; NONCE_BYTES]) -> io::Result<Self> {
        Self::open_with(address, nonce, trusting_client(&[ALPN])).await
    }

    /// The same with a configuration that many sessions share.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(
        address: &str,
        nonce: &[u8; NONCE_BYTES],
        config: Arc<ClientConfig>,
    ) -> io::Result<Self> {
        let mut stream = tls_with(address, config).await?;
        stream.write_all(nonce).await?;
        stream.flush().await?;
        let frame = read_frame(&mut stream, MAX_EVIDENCE_BYTES).await.map_err(io::Error::other)?;
        let EvidenceReply::Evidence(evidence) = EvidenceReply::decode(&frame).map_err(io::Error::other)?
        else {
            return Err(io::Error::other("no evidence now"));
        };
        let connection = stream.get_ref().1;
        let exporter: [u8; EXPORTER_BYTES] = connection
            .export_keying_material([0; EXPORTER_BYTES], EXPORTER_LABEL, Some(nonce))
            .map_err(io::Error::other)?;
        let certificate = connection.peer_certificates().and_then(<[_]>::first).expect("a certificate");
        let certificate = ParsedCertificate::try_from(certificate).map_err(io::Error::other)?;
        let binding = SessionBinding {
            role: Role::Server,
            nonce,
            exporter: &exporter,
            spki: &certificate.subject_public_key_info(),
            alpn: ALPN,
            configuration: &evidence.configuration,
            hpke_public_key: &evidence.hpke_public_key,
        };
        let binding = binding.digest();
        Ok(Self { stream, frame, evidence, binding })
    }

    /// HTTP on this session.
    pub async fn into_http(self) -> Http {
        Http::over(self.stream).await.expect("HTTP on a session")
    }
}

/// HTTP/1.1 on one connection, with any request.
pub struct Http(SendRequest<Full<Bytes>>);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The API's error code, empty where the body has none.
    pub fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// The body of an answer that has not ended.
pub struct Streamed {
    body: Incoming,
    read: String,
}

impl Streamed {
    /// The text up to the next empty line; none at the end.
    pub async fn event(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.find("\n\n") {
                let event = self.read.drain(..end + 2).collect::<String>();
                return Some(event.trim_end_matches('\n').to_owned());
            }
            let frame = self.body.frame().await?.ok()?;
            let data = frame.into_data().ok()?;
            self.read.push_str(&String::from_utf8_lossy(&data));
        }
    }
}

impl Http {
    /// Over the connection of any HTTPS client, outside the attested channel.
    ///
    /// # Errors
    /// No connection, or no handshake.
    pub async fn public(address: &str) -> io::Result<Self> {
        Self::over(tls(address, b"http/1.1").await?).await
    }

    /// Over a new session of the attested channel.
    ///
    /// # Errors
    /// As [`RawSession::open`].
    pub async fn attested(address: &str) -> io::Result<Self> {
        Self::over(RawSession::open(address, &[7; NONCE_BYTES]).await?.stream).await
    }

    async fn over(stream: TlsStream<TcpStream>) -> io::Result<Self> {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // How it ends shows in the request that is open then.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self(sender))
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> io::Result<Answer> {
        let mut request = Request::builder().method(method).uri(path).header("host", "appliance");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).expect("a request");
        self.0.ready().await.map_err(io::Error::other)?;
        let response = self.0.send_request(request).await.map_err(io::Error::other)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// A GET whose answer is read as it comes.
    ///
    /// # Errors
    /// The connection broke, or the status is not 200.
    pub async fn stream(&mut self, path: &str, headers: &[(&str, &str)]) -> io::Result<Streamed> {
        let mut request = Request::builder().uri(path).header("host", "appliance");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::new())).expect("a request");
        self.0.ready().await.map_err(io::Error::other)?;
        let response = self.0.send_request(request).await.map_err(io::Error::other)?;
        if response.status() != 200 {
            return Err(io::Error::other(response.status().to_string()));
        }
        Ok(Streamed { body: response.into_body(), read: String::new() })
    }

    /// A GET.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }
}
