//! A price venue: an HTTPS server under a test CA that wants an API key, for functions to fetch from.
//!
//! | path | answer |
//! |---|---|
//! | `/v1/ticker?pair=…` | the next price of a fixed series, to whoever sends the right `x-api-key`; 401 to others |
//! | `/v1/slow` | none, until the connection ends |

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::tls::TestAuthority;

/// The prices that the ticker goes through, over and over.
pub const PRICES: [&str; 4] = ["11.9764", "12.0415", "12.3908", "11.8850"];

/// A venue that serves until it is dropped.
pub struct Venue {
    host: String,
    address: SocketAddr,
    authority: String,
    shelf: Arc<Shelf>,
    serving: JoinHandle<()>,
}

struct Shelf {
    api_key: String,
    seen: Mutex<Vec<Seen>>,
}

/// A request as the venue saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Path and query.
    pub path: String,
    /// The `x-api-key` field, if there was one.
    pub api_key: Option<String>,
}

impl Venue {
    /// A venue for `host`, which takes `api_key`, on `listen`.
    pub async fn start(host: &str, api_key: &str, listen: SocketAddr) -> Self {
        let authority = TestAuthority::new("venue's test CA");
        let acceptor = TlsAcceptor::from(authority.server(host));
        let listener = TcpListener::bind(listen).await.expect("a listener");
        let address = listener.local_addr().expect("its address");
        let shelf = Arc::new(Shelf { api_key: api_key.to_owned(), seen: Mutex::default() });
        let serving = tokio::spawn(accept(listener, acceptor, Arc::clone(&shelf)));
        Self { host: host.to_owned(), address, authority: authority.pem(), shelf, serving }
    }

    /// On a free port of this machine.
    pub async fn local(host: &str, api_key: &str) -> Self {
        Self::start(host, api_key, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The root certificate of its authority, PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The parent's rule that brings port 443 of its host here.
    pub fn resolve_rule(&self) -> String {
        format!("{}:443:{}", self.host, self.address)
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shelf.seen.lock().expect("no venue panicked").clone()
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shelf: Arc<Shelf>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a client");
        let (acceptor, shelf) = (acceptor.clone(), Arc::clone(&shelf));
        tokio::spawn(async move {
            // A client that does not trust the authority ends here.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| answer(Arc::clone(&shelf), request));
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(shelf: Arc<Shelf>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let api_key = request.headers().get("x-api-key").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let admitted = api_key.as_deref() == Some(&shelf.api_key);
    let nth = {
        let mut seen = shelf.seen.lock().expect("no venue panicked");
        seen.push(Seen { path, api_key });
        seen.len() - 1
    };
    let (status, body) = match (request.uri().path(), admitted) {
        ("/v1/slow", _) => std::future::pending().await,
        ("/v1/ticker", true) => {
            let pair =
                request.uri().query().and_then(|query| query.strip_prefix("pair=")).unwrap_or_default();
            let price = PRICES[nth % PRICES.len()];
            (200, serde_json::json!({ "pair": pair, "price": price }))
        }
        ("/v1/ticker", false) => (401, serde_json::json!({ "error": "no such API key" })),
        _ => (404, serde_json::json!({ "error": "no such path" })),
    };
    let body = Full::new(Bytes::from(body.to_string()));
    Ok(Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(body)
        .expect("an answer"))
}
