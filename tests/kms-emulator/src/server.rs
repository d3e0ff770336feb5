//! The emulator as a server: HTTPS for one host under an authority of its own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::accounts::Accounts;
use crate::attestation::NitroRoot;
use crate::authority::Authority;
use crate::fault::{Fault, Faults};
use crate::keys::Keys;
use crate::kms::{Asked, Kms};
use crate::policy::KeyPolicy;

/// The largest body of a request that KMS takes here.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// What an emulator is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The host that it is certified for.
    pub host: String,
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where its keys and its authority are kept.
    pub folder: PathBuf,
    /// The root of attestation documents.
    pub nitro_root: NitroRoot,
    /// Whose credentials there are.
    pub accounts: Accounts,
}

/// An emulator that serves until it is dropped.
pub struct Emulator {
    host: String,
    address: SocketAddr,
    authority: String,
    kms: Arc<Kms>,
    faults: Faults,
    serving: JoinHandle<()>,
}

impl Emulator {
    /// Starts one.
    pub async fn start(options: Options) -> Self {
        let Options { host, listen, folder, nitro_root, accounts } = options;
        std::fs::create_dir_all(&folder).expect("the emulator's folder");
        let authority = Authority::load_or_create(&folder);
        let listener = TcpListener::bind(listen).await.expect("a listener");
        let address = listener.local_addr().expect("its address");
        let keys = Mutex::new(Keys::load(&folder));
        let kms = Arc::new(Kms { keys, accounts, root: nitro_root, asked: Mutex::default() });
        let faults = Faults::default();
        let right = TlsAcceptor::from(authority.server(&host));
        let wrong = TlsAcceptor::from(Authority::unknown().server(&host));
        let serving = tokio::spawn(accept(listener, [right, wrong], Arc::clone(&kms), faults.clone()));
        Self { host, address, authority: authority.pem().to_owned(), kms, faults, serving }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of its authority, PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The parent's rule that brings port 443 of its host here.
    pub fn resolve_rule(&self) -> String {
        format!("{}:443:{}", self.host, self.address)
    }

    /// What it does wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// A new key with this policy; its ARN.
    pub fn create_key(&self, region: &str, policy: Value) -> String {
        self.kms.keys.lock().expect("no holder panicked").create(region, KeyPolicy::new(policy))
    }

    /// The ARN of the key that there is, if there is one.
    pub fn key(&self) -> Option<String> {
        self.kms.keys.lock().expect("no holder panicked").first()
    }

    /// Gives a key another policy.
    pub fn set_policy(&self, arn: &str, policy: Value) {
        self.kms.keys.lock().expect("no holder panicked").set_policy(arn, KeyPolicy::new(policy));
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.kms.asked.lock().expect("no holder panicked").clone()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, [right, wrong]: [TlsAcceptor; 2], kms: Arc<Kms>, faults: Faults) {
    // Connections end with the emulator, not after it.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a client");
        let acceptor = if faults.other_authority() { wrong.clone() } else { right.clone() };
        let (kms, faults) = (Arc::clone(&kms), faults.clone());
        connections.spawn(async move {
            // A client that does not trust the authority ends here.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(move |request| answer(Arc::clone(&kms), faults.clone(), request));
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(
    kms: Arc<Kms>,
    faults: Faults,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let fault = faults.of_answer();
    let (head, body) = request.into_parts();
    let with = |status: u16, body: String| {
        Response::builder()
            .status(status)
            .header("content-type", "application/x-amz-json-1.1")
            .header("location", "https://elsewhere.example/")
            .body(Full::new(Bytes::from(body)))
            .expect("an answer")
    };
    match fault {
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::Redirect) => return Ok(with(307, String::new())),
        Some(Fault::NotJson) => return Ok(with(503, "<html>Service Unavailable</html>".to_owned())),
        _ => {}
    }
    let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
        return Ok(with(413, String::new()));
    };
    let (status, body) = kms.answer(&head, &body.to_bytes(), fault);
    Ok(with(status, body.to_string()))
}
