//! The transport of the tests: HTTP/1.1 to this machine, without TLS.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use r3e_chain::rpc::{Post, Posted, Transport, TransportError};
use serde_json::{Value, json};
use tokio::net::TcpStream;

const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Nodes on ports of this machine.
#[derive(Debug, Clone)]
pub struct HttpNodes {
    ports: Vec<u16>,
}

impl HttpNodes {
    /// The nodes on these ports, in this order.
    pub fn new(ports: &[u16]) -> Self {
        Self { ports: ports.to_vec() }
    }

    /// Asks the first node, as a test does that trusts it.
    ///
    /// # Errors
    /// There is no answer, or it is an error.
    pub async fn ask(&self, method: &str, parameters: Value) -> anyhow::Result<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let port = *self.ports.first().context("no node")?;
        let posted = post(port, body.to_string().into_bytes(), MAX_BYTES).await?;
        let mut answer: Value = serde_json::from_slice(&posted.body)?;
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(anyhow!("{method}: {answer}")),
        }
    }
}

impl Transport for HttpNodes {
    fn post(&self, endpoint: usize, body: Vec<u8>, max_bytes: usize) -> Post<'_> {
        Box::pin(async move {
            let port = *self.ports.get(endpoint).ok_or(TransportError { code: "no_such_node" })?;
            post(port, body, max_bytes).await.map_err(|_| TransportError { code: "unreachable" })
        })
    }
}

async fn post(port: u16, body: Vec<u8>, max_bytes: usize) -> anyhow::Result<Posted> {
    tokio::time::timeout(TIMEOUT, exchange(port, body, max_bytes)).await?
}

async fn exchange(port: u16, body: Vec<u8>, max_bytes: usize) -> anyhow::Result<Posted> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = http::Request::post("/")
        .header("host", format!("127.0.0.1:{port}"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), max_bytes).collect().await;
    connection.abort();
    let body = body.map_err(|error| anyhow!(error))?.to_bytes().to_vec();
    Ok(Posted { status, body })
}
