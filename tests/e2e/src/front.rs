//! HTTPS before a server of this machine that speaks plain HTTP: what stands before a chain's node, say. It may be made to lie or to be
//! silent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::tls::TestAuthority;

/// What a front does with answers.
#[derive(Debug, Clone, Default)]
pub enum Manner {
    /// Nothing.
    #[default]
    Honest,
    /// It keeps them.
    Silent,
    /// Wherever the one text stands in them, it says the other.
    Lying(String, String),
}

/// A front that serves until it is dropped.
pub struct Front {
    host: String,
    address: SocketAddr,
    authority: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    behind: SocketAddr,
    manner: Mutex<Manner>,
    asked: Mutex<usize>,
}

impl Front {
    /// For `host`, before what listens on `port` of this machine.
    pub async fn start(host: &str, port: u16) -> Self {
        let authority = TestAuthority::new(&format!("test CA of {host}"));
        let acceptor = TlsAcceptor::from(authority.server(host));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a listener");
        let address = listener.local_addr().expect("its address");
        let behind = SocketAddr::from(([127, 0, 0, 1], port));
        let shared = Arc::new(Shared { behind, manner: Mutex::default(), asked: Mutex::default() });
        let serving = tokio::spawn(accept(listener, acceptor, Arc::clone(&shared)));
        Self { host: host.to_owned(), address, authority: authority.pem(), shared, serving }
    }

    /// The root certificate of its authority, PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The parent's rule that brings port 443 of its host here.
    pub fn resolve_rule(&self) -> String {
        format!("{}:443:{}", self.host, self.address)
    }

    /// From here on it does this.
    pub fn behave(&self, manner: Manner) {
        *self.shared.manner.lock().expect("no front panicked") = manner;
    }

    /// Requests so far.
    pub fn asked(&self) -> usize {
        *self.shared.asked.lock().expect("no front panicked")
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a client");
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| answer(Arc::clone(&shared), request));
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    *shared.asked.lock().expect("no front panicked") += 1;
    let manner = shared.manner.lock().expect("no front panicked").clone();
    let Some((status, body)) = passed_on(&shared, request).await else {
        let bad_gateway = Response::builder().status(502).body(Full::default()).expect("an answer");
        return Ok(bad_gateway);
    };
    let body = match manner {
        Manner::Honest => body,
        Manner::Silent => std::future::pending().await,
        Manner::Lying(what, instead) => Bytes::from(String::from_utf8_lossy(&body).replace(&what, &instead)),
    };
    let answer = Response::builder().status(status).header("content-type", "application/json");
    Ok(answer.body(Full::new(body)).expect("an answer"))
}

async fn passed_on(shared: &Shared, request: Request<Incoming>) -> Option<(u16, Bytes)> {
    let stream = TcpStream::connect(shared.behind).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let (head, body) = request.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let inner = Request::builder()
        .method(head.method)
        // A front may have a path, as providers have; a node has none.
        .uri("/")
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .body(Full::new(body))
        .ok()?;
    let answer = sender.send_request(inner).await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.into_body().collect().await.ok()?.to_bytes()))
}
