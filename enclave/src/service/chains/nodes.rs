//! A network's nodes as a transport: HTTPS through the parent, ended here.

use std::time::Duration;

use bytes::Bytes;
use r3e_attester::TrustedClock;
use r3e_chain::rpc::{Post, Posted, Quorum, Transport, TransportError};
use r3e_egress::{Egress, FetchError, FetchLimits, HostAllowList, Request};
use r3e_transport::EnclaveTransport;
use tokio::time::timeout;

use super::resting::SILENT;
use crate::configuration::{ChainChoice, Configuration, Node};
use crate::limits::{CHAIN_ANSWER_TIMEOUT, CHAIN_PHASE_TIMEOUT};
use crate::service::ServiceError;
use crate::service::egress::open_egress;

/// What a fetch's error is called where the body is over the limit.
pub(super) const OVER_LONG: &str = "response_body_too_large";

/// The nodes of one network, in the order of its table.
pub(crate) struct HttpsNodes {
    egress: Egress,
    nodes: Vec<(String, HostAllowList)>,
}

impl HttpsNodes {
    /// Through `egress`.
    ///
    /// # Errors
    /// [`FetchError::HostNotPublic`]: a node's host is none that may be reached.
    pub(super) fn new(egress: Egress, nodes: &[Node]) -> Result<Self, FetchError> {
        let allowed = |node: &Node| Ok((node.url.clone(), HostAllowList::parse([node.host.as_str()])?));
        let nodes = nodes.iter().map(allowed).collect::<Result<_, FetchError>>()?;
        // What is asked may be asked twice: a transaction that a node has is the same one.
        Ok(Self { egress: egress.keeping(), nodes })
    }

    async fn send(&self, node: usize, body: Vec<u8>, max_bytes: usize) -> Result<Posted, TransportError> {
        // Each phase may be slow; not all of them.
        let sent = timeout(CHAIN_ANSWER_TIMEOUT, self.send_for_long(node, body, max_bytes));
        sent.await.unwrap_or(Err(TransportError { code: SILENT }))
    }

    async fn send_for_long(
        &self,
        node: usize,
        body: Vec<u8>,
        max_bytes: usize,
    ) -> Result<Posted, TransportError> {
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
            max_response_bytes: max_bytes,
            ..FetchLimits::default()
        };
        let response = self.egress.fetch(request, allowed, &limits).await.map_err(failed)?;
        Ok(Posted { status: response.status, body: response.body.to_vec() })
    }
}

/// The nodes of `chain`, with a way out of their own, so many of which must agree.
///
/// # Errors
/// [`ServiceError::Internal`]: there is no way out.
pub(crate) fn quorum_of(
    chain: &ChainChoice,
    transport: &EnclaveTransport,
    configuration: &Configuration,
    clock: &TrustedClock,
) -> Result<Quorum<HttpsNodes>, ServiceError> {
    let internal = |error: &dyn std::fmt::Display| ServiceError::Internal(error.to_string());
    let egress = open_egress(transport.clone(), configuration, clock)?;
    let nodes = HttpsNodes::new(egress, &chain.nodes).map_err(|error| internal(&error))?;
    Quorum::new(nodes, chain.nodes.len(), chain.agree).map_err(|error| internal(&error))
}

impl Transport for HttpsNodes {
    fn post(&self, endpoint: usize, body: Vec<u8>, max_bytes: usize) -> Post<'_> {
        Box::pin(self.send(endpoint, body, max_bytes))
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
