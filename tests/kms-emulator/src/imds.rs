//! EC2's instance metadata service, version 2: no answer without a token, no token without a PUT.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::accounts::{Accounts, Issued, random};

const ROLES_PATH: &str = "/latest/meta-data/iam/security-credentials/";

/// A metadata service that serves until it is dropped.
pub struct Imds {
    address: SocketAddr,
    shelf: Arc<Mutex<Shelf>>,
    serving: JoinHandle<()>,
}

struct Shelf {
    accounts: Accounts,
    /// The role that is attached, and how long its credentials hold.
    role: Option<(String, Duration)>,
    /// What is handed out in place of the role's own.
    planted: Option<Issued>,
    tokens: Vec<String>,
    /// Whether version 2 is there.
    tokens_given: bool,
    served: usize,
}

impl Imds {
    /// A service of an instance with this role, on `listen`.
    pub async fn start(listen: SocketAddr, accounts: Accounts, role_arn: &str) -> Self {
        let listener = TcpListener::bind(listen).await.expect("a listener");
        let address = listener.local_addr().expect("its address");
        let role = Some((role_arn.to_owned(), Duration::from_hours(6)));
        let shelf =
            Shelf { accounts, role, planted: None, tokens: Vec::new(), tokens_given: true, served: 0 };
        let shelf = Arc::new(Mutex::new(shelf));
        let serving = tokio::spawn(accept(listener, Arc::clone(&shelf)));
        Self { address, shelf, serving }
    }

    /// Where it is, as the parent takes it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Attaches another role, or none; its credentials hold for `lifetime`.
    pub fn set_role(&self, role_arn: Option<&str>, lifetime: Duration) {
        self.shelf().role = role_arn.map(|arn| (arn.to_owned(), lifetime));
    }

    /// Hands out these credentials, whoever's they are.
    pub fn plant(&self, issued: Issued) {
        self.shelf().planted = Some(issued);
    }

    /// Turns version 2 off: no token, and as in version 1, answers without one.
    pub fn only_version_1(&self) {
        self.shelf().tokens_given = false;
    }

    /// How often credentials were handed out.
    pub fn served(&self) -> usize {
        self.shelf().served
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().expect("no holder panicked")
    }
}

impl Drop for Imds {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, shelf: Arc<Mutex<Shelf>>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a client");
        let shelf = Arc::clone(&shelf);
        connections.spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let (status, body) = shelf.lock().expect("no holder panicked").answer(&request);
                let answer = Response::builder().status(status).body(Full::new(Bytes::from(body)));
                std::future::ready(Ok::<_, Infallible>(answer.expect("an answer")))
            });
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

impl Shelf {
    fn answer(&mut self, request: &Request<Incoming>) -> (u16, String) {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let path = request.uri().path();
        if request.method() == Method::PUT && path == "/latest/api/token" {
            let seconds =
                header("x-aws-ec2-metadata-token-ttl-seconds").and_then(|text| text.parse::<u32>().ok());
            if !self.tokens_given {
                return (403, String::new());
            }
            if !seconds.is_some_and(|seconds| (1..=21_600).contains(&seconds)) {
                return (400, String::new());
            }
            let token = hex::encode(random::<20>());
            self.tokens.push(token.clone());
            return (200, token);
        }
        let known =
            header("x-aws-ec2-metadata-token").is_some_and(|token| self.tokens.iter().any(|t| t == token));
        if self.tokens_given && !known {
            return (401, String::new());
        }
        let Some((role_arn, lifetime)) = self.role.clone() else { return (404, String::new()) };
        let name = role_arn.rsplit('/').next().unwrap_or_default().to_owned();
        if request.method() != Method::GET {
            return (405, String::new());
        }
        match path.strip_prefix(ROLES_PATH) {
            Some("") => (200, name),
            Some(asked) if asked == name => {
                self.served += 1;
                let issued = self.planted.clone().unwrap_or_else(|| self.accounts.issue(&role_arn, lifetime));
                (200, document(&issued))
            }
            _ => (404, String::new()),
        }
    }
}

fn document(issued: &Issued) -> String {
    let expires = i128::from(issued.expires_at_ms) * 1_000_000;
    let expires = OffsetDateTime::from_unix_timestamp_nanos(expires).expect("a time");
    let text = json!({
        "Code": "Success",
        "Type": "AWS-HMAC",
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": issued.secret_access_key,
        "Token": issued.session_token,
        "Expiration": expires.format(&Rfc3339).expect("a time"),
    });
    text.to_string()
}
