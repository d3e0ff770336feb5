//! Servers that a client may meet, and what they received of it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here fails the test")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, CertifiedKey as Certified, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{HandshakeKind, NamedGroup, ServerConfig};
use rustls_pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A server waits so long for a client that does not close, and then fails the test.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a server received from one client.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Whether the TLS handshake came to its end.
    pub(crate) handshake_done: bool,
    /// The key exchange that was agreed on.
    pub(crate) group: Option<NamedGroup>,
    /// Whether it was a full handshake.
    pub(crate) kind: Option<HandshakeKind>,
    /// Every byte that TLS brought, to the connection's end.
    pub(crate) bytes: Vec<u8>,
}

/// A TLS 1.3 server for one connection.
pub(crate) struct TlsPeer {
    port: u16,
    task: JoinHandle<Received>,
}

impl TlsPeer {
    /// Serves with these ALPN names; answers the first 32 bytes with `answer`, and ends its own direction.
    pub(crate) async fn start(protocols: &[&[u8]], answer: Vec<u8>) -> Self {
        Self::start_with(protocols, answer_with(answer)).await
    }

    /// Serves two connections, one after the other, with a configuration that offers session tickets.
    pub(crate) async fn start_twice_with_tickets(protocol: &[u8]) -> (u16, JoinHandle<[Received; 2]>) {
        let Certified { cert, signing_key } = certificate();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let mut config = builder().with_single_cert(vec![cert.der().clone()], key.into()).unwrap();
        config.alpn_protocols = vec![protocol.to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new().unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let first = receive(&listener, Arc::clone(&config), answer_with(vec![])).await;
            [first, receive(&listener, config, answer_with(vec![])).await]
        });
        (port, task)
    }

    /// Serves with these ALPN names; `then` acts once the first 32 bytes came.
    pub(crate) async fn start_with<F>(
        protocols: &[&[u8]],
        then: impl FnOnce(TlsStream<TcpStream>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = TlsStream<TcpStream>> + Send,
    {
        let Certified { cert, signing_key } = certificate();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = builder().with_single_cert(vec![cert.der().clone()], key.into()).unwrap();
        Self::serve(config, protocols, then).await
    }

    /// Shows one certificate and signs with the key of another.
    pub(crate) async fn start_with_stolen_certificate(protocol: &[u8]) -> Self {
        let (stolen, own) = (certificate(), certificate());
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let key = aws_lc_rs::sign::any_supported_type(&key.into()).unwrap();
        let pair = CertifiedKey::new(vec![stolen.cert.der().clone()], key);
        let config = builder().with_cert_resolver(Arc::new(Always(Arc::new(pair))));
        Self::serve(config, &[protocol], |stream| async { stream }).await
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What was received, once the client has closed.
    pub(crate) async fn finish(self) -> Received {
        timeout(PATIENCE, self.task).await.expect("the client closes").unwrap()
    }

    async fn serve<F>(
        mut config: ServerConfig,
        protocols: &[&[u8]],
        then: impl FnOnce(TlsStream<TcpStream>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = TlsStream<TcpStream>> + Send,
    {
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move { receive(&listener, Arc::new(config), then).await });
        Self { port, task }
    }
}

/// Takes one connection to its end.
async fn receive<F>(
    listener: &TcpListener,
    config: Arc<ServerConfig>,
    then: impl FnOnce(TlsStream<TcpStream>) -> F + Send + 'static,
) -> Received
where
    F: Future<Output = TlsStream<TcpStream>> + Send,
{
    let (stream, _) = listener.accept().await.unwrap();
    let mut received = Received::default();
    let Ok(mut stream) = TlsAcceptor::from(config).accept(stream).await else {
        return received;
    };
    received.handshake_done = true;
    let connection = stream.get_ref().1;
    received.group = connection.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name);
    received.kind = connection.handshake_kind();
    // The client may close without TLS's own goodbye; what came before counts.
    let _ = (&mut stream).take(32).read_to_end(&mut received.bytes).await;
    if received.bytes.len() == 32 {
        stream = then(stream).await;
    }
    let _ = stream.read_to_end(&mut received.bytes).await;
    received
}

/// Sends `answer`, and ends the server's direction.
fn answer_with(
    answer: Vec<u8>,
) -> impl FnOnce(TlsStream<TcpStream>) -> Pin<Box<dyn Future<Output = TlsStream<TcpStream>> + Send>> {
    |mut stream| {
        Box::pin(async move {
            // A client that has left already does not take it.
            if stream.write_all(&answer).await.is_ok() {
                let _ = stream.shutdown().await;
            }
            stream
        })
    }
}

/// A server for one connection that answers whatever comes first with `answer` and closes its direction. Gives what it
/// received.
pub(crate) async fn raw(answer: Vec<u8>) -> (u16, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = vec![0; 16 * 1024];
        let first = stream.read(&mut received).await.unwrap();
        received.truncate(first);
        stream.write_all(&answer).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut received)).await.expect("the client closes");
        received
    });
    (port, task)
}

/// The content types of the TLS records (RFC 8446 section 5.1) in `bytes`.
pub(crate) fn record_types(mut bytes: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = bytes {
        types.push(*kind);
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        bytes = rest.get(length..).expect("whole records");
    }
    assert!(bytes.is_empty(), "whole records");
    types
}

/// A `ServerHello` of TLS 1.2 (RFC 5246 section 7.4.1.3) in its record.
pub(crate) fn server_hello_tls12() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([0x5a; 32]);
    // No session, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, no compression, no extension.
    body.extend([0, 0xc0, 0x2b, 0, 0, 0]);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![0x16, 3, 3, 0, length + 4, 2, 0, 0, length];
    record.extend(body);
    record
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn certificate() -> Certified<KeyPair> {
    let signing_key = KeyPair::generate().unwrap();
    let cert =
        CertificateParams::new(["peer.invalid".to_owned()]).unwrap().self_signed(&signing_key).unwrap();
    Certified { cert, signing_key }
}

fn builder() -> rustls::ConfigBuilder<ServerConfig, rustls::server::WantsServerCert> {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
}
