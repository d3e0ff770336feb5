//! The outbound HTTPS of an enclave.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use r3e_transport::EnclaveTransport;
use rustls::{ClientConfig, client::Resumption, crypto::aws_lc_rs::default_provider};
use rustls_pki_types::ServerName;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsConnector;

use crate::{
    allow::HostAllowList,
    clock::TrustedClock,
    error::{FetchError, Phase, RootsError},
    exchange::{Connection, Exchanged, assemble, within},
    kept::{Kept, Server},
    limits::{
        BODY_TIMEOUT_MS, CONNECT_TIMEOUT_MS, HEADER_TIMEOUT_MS, MAX_CONNECTIONS, MAX_REQUEST_BODY_BYTES,
        MAX_RESPONSE_BODY_BYTES, MAX_RESPONSE_HEADER_BYTES, MIN_RESPONSE_HEADER_BYTES, TLS_TIMEOUT_MS,
    },
    request::{Request, Response},
    roots::TrustRoots,
    tunnel,
};

/// The limits of one fetch. The default is the most there is; a caller may ask for less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// For the parent to resolve and connect.
    pub connect_timeout_ms: u64,
    /// For the TLS handshake.
    pub tls_timeout_ms: u64,
    /// For the request to go out and the response's head to come in.
    pub header_timeout_ms: u64,
    /// For the whole body to come in.
    pub body_timeout_ms: u64,
    /// The body of the request.
    pub max_request_bytes: usize,
    /// The head of the response; at least [`MIN_RESPONSE_HEADER_BYTES`].
    pub max_header_bytes: usize,
    /// The body of the response.
    pub max_response_bytes: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            connect_timeout_ms: CONNECT_TIMEOUT_MS,
            tls_timeout_ms: TLS_TIMEOUT_MS,
            header_timeout_ms: HEADER_TIMEOUT_MS,
            body_timeout_ms: BODY_TIMEOUT_MS,
            max_request_bytes: MAX_REQUEST_BODY_BYTES,
            max_header_bytes: MAX_RESPONSE_HEADER_BYTES,
            max_response_bytes: MAX_RESPONSE_BODY_BYTES,
        }
    }
}

impl FetchLimits {
    /// These limits, none above the most there is.
    fn clamped(&self) -> Self {
        let most = Self::default();
        Self {
            connect_timeout_ms: self.connect_timeout_ms.min(most.connect_timeout_ms),
            tls_timeout_ms: self.tls_timeout_ms.min(most.tls_timeout_ms),
            header_timeout_ms: self.header_timeout_ms.min(most.header_timeout_ms),
            body_timeout_ms: self.body_timeout_ms.min(most.body_timeout_ms),
            max_request_bytes: self.max_request_bytes.min(most.max_request_bytes),
            max_header_bytes: self.max_header_bytes.clamp(MIN_RESPONSE_HEADER_BYTES, most.max_header_bytes),
            max_response_bytes: self.max_response_bytes.min(most.max_response_bytes),
        }
    }
}

/// The way out. One for the whole enclave.
pub struct Egress {
    transport: EnclaveTransport,
    tls: TlsConnector,
    connections: Arc<Semaphore>,
    kept: Option<Kept>,
}

impl Egress {
    /// Through the parent at the other end of `transport`; servers are judged by `roots` at the time of `clock`.
    ///
    /// # Errors
    /// [`RootsError::Library`] only if the TLS library was built without TLS 1.2 or 1.3.
    pub fn new(
        transport: EnclaveTransport,
        roots: TrustRoots,
        clock: TrustedClock,
    ) -> Result<Self, RootsError> {
        let mut config = ClientConfig::builder_with_details(Arc::new(default_provider()), Arc::new(clock))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| RootsError::Library(Box::new(error)))?
            .with_root_certificates(roots.into_store())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A resumed session skips the certificate, and would tie the requests of two tenants together.
        config.resumption = Resumption::disabled();
        let tls = TlsConnector::from(Arc::new(config));
        Ok(Self { transport, tls, connections: Arc::new(Semaphore::new(MAX_CONNECTIONS)), kept: None })
    }

    /// The same, with connections that are kept for a while for who asks the same server again, whoever that is: for requests of which no
    /// two must be kept apart, and that may be made twice: where no answer comes over one that was kept, in half of the time for it, another is tried. A server may have ended a connection in the moment in which a request goes out;
    /// then that goes out again, on a new one.
    #[must_use]
    pub fn keeping(self) -> Self {
        Self { kept: Some(Kept::default()), ..self }
    }

    /// Sends one request and returns the whole response, whatever its status. Nothing of the request leaves the
    /// enclave before the server has proved its name. Dropping the future closes the connection.
    ///
    /// # Errors
    /// Any [`FetchError`]; its `code` is stable.
    pub async fn fetch(
        &self,
        request: Request,
        allowed: &HostAllowList,
        limits: &FetchLimits,
    ) -> Result<Response, FetchError> {
        let limits = limits.clamped();
        if !allowed.allows(request.host(), request.port()) {
            return Err(FetchError::HostNotAllowed { host: request.host, port: request.port });
        }
        if request.body.len() > limits.max_request_bytes {
            let limit = limits.max_request_bytes;
            return Err(FetchError::RequestTooLarge { what: "the body, in bytes,", limit });
        }
        let name = ServerName::try_from(request.host.clone())
            .map_err(|_| FetchError::HostNotPublic { host: request.host.clone() })?;
        let Some(kept) = &self.kept else {
            let mut connection = self.open(name, &request, &limits).await?;
            let exchanged = connection.exchange(assemble(&request, false)?, &limits).await?;
            return Ok(response(exchanged, &connection));
        };
        let server = Server {
            host: request.host.clone(),
            port: request.port,
            max_header_bytes: limits.max_header_bytes,
        };
        if let Some(connection) = kept.take(&server) {
            let doubt = kept.doubt(&server);
            // Half of the time, so that there is some for another one.
            let half = FetchLimits { header_timeout_ms: limits.header_timeout_ms / 2, ..limits };
            match exchange_and_keep(kept, server.clone(), connection, &request, &half).await {
                // It was ended on the other side, or was about to be; or what is sent comes to nobody.
                Err(FetchError::Http(_) | FetchError::TimedOut { phase: Phase::Head, .. }) => drop(doubt),
                Ok(response) => {
                    doubt.over();
                    return Ok(response);
                }
                Err(error) => return Err(error),
            }
        }
        let connection = self.open(name, &request, &limits).await?;
        exchange_and_keep(kept, server, connection, &request, &limits).await
    }

    /// A connection to the request's host, once that has proved its name.
    async fn open(
        &self,
        name: ServerName<'static>,
        request: &Request,
        limits: &FetchLimits,
    ) -> Result<Connection, FetchError> {
        let place = self.place()?;
        let connect = tunnel::open(&self.transport, &request.host, request.port);
        let stream = within(Phase::Connect, limits.connect_timeout_ms, connect).await?;
        let stream = within(Phase::Tls, limits.tls_timeout_ms, async {
            self.tls.connect(name, stream).await.map_err(FetchError::of_handshake)
        })
        .await?;
        let peer_certificate = leaf_digest(stream.get_ref().1)?;
        Connection::over(stream, limits.max_header_bytes, peer_certificate, place).await
    }

    /// A place for a connection; one that waits for nothing gives way.
    fn place(&self) -> Result<OwnedSemaphorePermit, FetchError> {
        loop {
            if let Ok(place) = Arc::clone(&self.connections).try_acquire_owned() {
                return Ok(place);
            }
            if !self.kept.as_ref().is_some_and(Kept::give_way) {
                return Err(FetchError::Busy);
            }
        }
    }
}

async fn exchange_and_keep(
    kept: &Kept,
    server: Server,
    mut connection: Connection,
    request: &Request,
    limits: &FetchLimits,
) -> Result<Response, FetchError> {
    let exchanged = connection.exchange(assemble(request, true)?, limits).await?;
    let response = response(exchanged, &connection);
    if connection.is_open() {
        kept.put(server, connection);
    }
    Ok(response)
}

fn response(exchanged: Exchanged, connection: &Connection) -> Response {
    let Exchanged { head, body } = exchanged;
    let peer_certificate = connection.peer_certificate;
    Response { status: head.status.as_u16(), headers: head.headers, body, peer_certificate }
}

/// SHA-256 of the certificate that the handshake has just verified.
fn leaf_digest(session: &rustls::ClientConnection) -> Result<[u8; 32], FetchError> {
    let missing = || FetchError::of_handshake(std::io::Error::other(rustls::Error::NoCertificatesPresented));
    let leaf = session.peer_certificates().and_then(|chain| chain.first()).ok_or_else(missing)?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, leaf).as_ref());
    Ok(sha256)
}
