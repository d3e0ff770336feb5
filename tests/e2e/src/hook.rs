//! A webhook's server: HTTPS under a test CA, which answers as it is told and keeps what it was sent.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use r3e_proto::notice::NOTICE_HEADER;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;

use crate::tls::TestAuthority;

const LIMIT: Duration = Duration::from_mins(2);

/// A server that serves until it is dropped.
pub struct Hook {
    host: String,
    address: SocketAddr,
    authority: String,
    kept: Arc<Kept>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    answers: Mutex<VecDeque<u16>>,
    told: Mutex<Vec<Told>>,
}

/// A request as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Path and query.
    pub path: String,
    /// The notice's header.
    pub notice: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Hook {
    /// For `host`, on a free port of this machine. It answers with these statuses in turn, and then with 204.
    pub async fn start(host: &str, answers: &[u16]) -> Self {
        let authority = TestAuthority::new("webhook's test CA");
        let acceptor = TlsAcceptor::from(authority.server(host));
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a listener");
        let address = listener.local_addr().expect("its address");
        let kept = Arc::new(Kept::default());
        kept.answers.lock().expect("no server panicked").extend(answers);
        let serving = tokio::spawn(accept(listener, acceptor, Arc::clone(&kept)));
        Self { host: host.to_owned(), address, authority: authority.pem(), kept, serving }
    }

    /// The root certificate of its authority, PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The parent's rule that brings port 443 of its host here.
    pub fn resolve_rule(&self) -> String {
        format!("{}:443:{}", self.host, self.address)
    }

    /// What it was sent, once that is so much.
    ///
    /// # Panics
    /// It takes too long.
    pub async fn told(&self, count: usize) -> Vec<Told> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let told = self.kept.told.lock().expect("no server panicked").clone();
            if told.len() >= count {
                return told;
            }
            assert!(Instant::now() < deadline, "told {} times, not {count}", told.len());
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, kept: Arc<Kept>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a client");
        let (acceptor, kept) = (acceptor.clone(), Arc::clone(&kept));
        tokio::spawn(async move {
            // A client that does not trust the authority ends here.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| answer(Arc::clone(&kept), request));
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(kept: Arc<Kept>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let notice = head.headers.get(NOTICE_HEADER).and_then(|value| value.to_str().ok());
    let told = Told {
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        notice: notice.unwrap_or_default().to_owned(),
        body: body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default(),
    };
    kept.told.lock().expect("no server panicked").push(told);
    let status = kept.answers.lock().expect("no server panicked").pop_front().unwrap_or(204);
    Ok(Response::builder().status(status).body(Full::default()).expect("an answer"))
}
