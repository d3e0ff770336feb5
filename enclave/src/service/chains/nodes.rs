//! A network's nodes as a transport: HTTPS through the parent, ended here.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use r3e_chain::rpc::{Post, Posted, Transport, TransportError};
use r3e_egress::{Egress, FetchError, FetchLimits, HostAllowList, Request};

use crate::configuration::Node;
use crate::limits::{CHAIN_BODY_TIMEOUT, CHAIN_PHASE_TIMEOUT};

/// The nodes of one network, in the order of its table.
pub(super) struct HttpsNodes {
    egress: Arc<Egress>,
    nodes: Vec<(String, HostAllowList)>,
}

impl HttpsNodes {
    /// Through `egress`.
    ///
    /// # Errors
    /// [`FetchError::HostNotPublic`]: a node's host is none that may be reached.
    pub(super) fn new(egress: Arc<Egress>, nodes: &[Node]) -> Result<Self, FetchError> {
        let allowed = |node: &Node| Ok((node.url.clone(), HostAllowList::parse([node.host.as_str()])?));
        let nodes = nodes.iter().map(allowed).collect::<Result<_, FetchError>>()?;
        Ok(Self { egress, nodes })
    }

    async fn send(&self, node: usize, body: Vec<u8>, max_bytes: usize) -> Result<Posted, TransportError> {
        let Some((url, allowed)) = self.nodes.get(node) else {
            return Err(TransportError { code: "no_such_node" });
        };
        let failed = |error: FetchError| TransportError { code: error.code() };
        let header = [("content-type", "application/json".as_bytes())];
        let request = Request::parse("POST", url, header, Bytes::from(body)).map_err(failed)?;
        let phase_ms = milliseconds(CHAIN_PHASE_TIMEOUT);
        let limits = FetchLimits {
            connect_timeout_ms: phase_ms,
            tls_timeout_ms: phase_ms,
            header_timeout_ms: phase_ms,
            body_timeout_ms: milliseconds(CHAIN_BODY_TIMEOUT),
            max_response_bytes: max_bytes,
            ..FetchLimits::default()
        };
        let response = self.egress.fetch(request, allowed, &limits).await.map_err(failed)?;
        Ok(Posted { status: response.status, body: response.body.to_vec() })
    }
}

impl Transport for HttpsNodes {
    fn post(&self, endpoint: usize, body: Vec<u8>, max_bytes: usize) -> Post<'_> {
        Box::pin(self.send(endpoint, body, max_bytes))
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
