//! From an address and a policy to an attested channel: the only way to one.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use r3e_proto::channel::binding::{Digest, Role, SessionBinding};
use r3e_proto::channel::evidence::Evidence;
use r3e_proto::channel::{ALPN, EXPORTER_BYTES, EXPORTER_LABEL};
use r3e_proto::limits::NONCE_BYTES;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::address::Address;
use crate::appliances::{ApplianceMemory, AppliancesInMemory};
use crate::channel::AttestedChannel;
use crate::clock::{Clock, SystemClock};
use crate::error::{ClientError, NotR3e};
use crate::evidence;
use crate::http::HttpStream;
use crate::limits;
use crate::policy::{Policy, claims};
use crate::sequences::{SequenceMemory, SequencesInMemory};
use crate::tls;

/// How long each step may take. The defaults are those of [`crate::limits`].
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// The TCP connection.
    pub connect_ms: u64,
    /// The TLS handshake.
    pub handshake_ms: u64,
    /// From the nonce to the last byte of Evidence.
    pub evidence_ms: u64,
    /// One request.
    pub request_ms: u64,
    /// One invocation, or deployment.
    pub invocation_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_ms: limits::CONNECT_TIMEOUT_MS,
            handshake_ms: limits::HANDSHAKE_TIMEOUT_MS,
            evidence_ms: limits::EVIDENCE_TIMEOUT_MS,
            request_ms: limits::REQUEST_TIMEOUT_MS,
            invocation_ms: limits::INVOCATION_TIMEOUT_MS,
        }
    }
}

/// Opens attested channels to one appliance. Cheap to clone; every connection is attested anew.
///
/// ```no_run
/// # async fn example(policy: r3e_client::Policy) -> Result<(), Box<dyn std::error::Error>> {
/// let connector = r3e_client::Connector::new("enclave.example:443".parse()?, policy)?;
/// let mut channel = connector.connect().await?;   // attested, or an error
/// println!("{}", channel.status().await?.version);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Connector {
    pub(crate) shared: Shared,
    tls: TlsConnectorDebug,
}

/// What a channel keeps of its connector.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) address: Address,
    pub(crate) policy: Arc<Policy>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timeouts: Timeouts,
    pub(crate) sequences: Arc<dyn SequenceMemory>,
    pub(crate) appliances: Arc<dyn ApplianceMemory>,
    pub(crate) accept_rolled_back: bool,
}

impl Connector {
    /// A connector to `address` that accepts what `policy` accepts, by this machine's clock, and remembers which
    /// appliance is there, and its sequence numbers, as long as it (or a clone) lives.
    ///
    /// # Errors
    /// [`ClientError::Tls`]: the TLS library cannot be set up.
    pub fn new(address: Address, policy: Policy) -> Result<Self, ClientError> {
        let tls = TlsConnector::from(Arc::new(tls::config().map_err(ClientError::Tls)?));
        let shared = Shared {
            address,
            policy: Arc::new(policy),
            clock: Arc::new(SystemClock),
            timeouts: Timeouts::default(),
            sequences: Arc::new(SequencesInMemory::default()),
            appliances: Arc::new(AppliancesInMemory::default()),
            accept_rolled_back: false,
        };
        Ok(Self { shared, tls: TlsConnectorDebug(tls) })
    }

    /// Appraises by another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.shared.clock = clock;
        self
    }

    /// Other timeouts.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.shared.timeouts = timeouts;
        self
    }

    /// Another memory of sequence numbers, such as [`crate::SequenceFiles`], which outlives the process.
    #[must_use]
    pub fn with_sequences(mut self, sequences: Arc<dyn SequenceMemory>) -> Self {
        self.shared.sequences = sequences;
        self
    }

    /// Another memory of which appliance is where.
    #[must_use]
    pub fn with_appliances(mut self, appliances: Arc<dyn ApplianceMemory>) -> Self {
        self.shared.appliances = appliances;
        self
    }

    /// Takes the state that the appliance has now for the latest, even if this client has seen a later one. For an
    /// owner who knows why (a restored backup), and only for as long.
    #[must_use]
    pub fn accepting_rolled_back_state(mut self) -> Self {
        self.shared.accept_rolled_back = true;
        self
    }

    /// Where it connects to.
    pub fn address(&self) -> &Address {
        &self.shared.address
    }

    /// Connects and attests.
    ///
    /// # Errors
    /// [`ClientError`]: no connection, not an appliance, or one whose attestation does not hold. Nothing but the nonce
    /// was sent then.
    pub async fn connect(&self) -> Result<AttestedChannel, ClientError> {
        let limit_ms = self.shared.timeouts.connect_ms;
        let dial = TcpStream::connect((self.shared.address.host(), self.shared.address.port()));
        let stream = within("connection", limit_ms, dial)
            .await?
            .map_err(|source| ClientError::Connect { address: self.shared.address.clone(), source })?;
        // A channel is a dialogue of small messages; where this is refused it is only slower.
        drop(stream.set_nodelay(true));
        self.connect_over(stream).await
    }

    /// The same over a stream that the caller opened to the appliance.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_over<S>(&self, stream: S) -> Result<AttestedChannel, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut stream = self.handshake(stream).await?;
        let (evidence, binding) = self.ask_evidence(&mut stream).await?;

        let now_ms = self.shared.clock.unix_ms();
        let attestation =
            self.shared.policy.appraise(&evidence.document, now_ms).map_err(ClientError::Appraisal)?;
        evidence::check(&evidence, claims(&attestation), &binding)?;
        self.shared.policy.check_configuration(&evidence.configuration)?;

        // From here on, and not before, HTTP has the stream.
        let authority = HeaderValue::from_str(&self.shared.address.to_string()).map_err(|error| {
            ClientError::Transport { during: "the start of HTTP", source: std::io::Error::other(error) }
        })?;
        let http = HttpStream::begin(stream, authority).await?;
        Ok(AttestedChannel::new(http, attestation, evidence, binding, self.shared.clone()))
    }

    /// TLS 1.3 with the ALPN of the channel, or no stream.
    async fn handshake<S>(&self, stream: S) -> Result<TlsStream<S>, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let handshake = self.tls.0.connect(self.shared.address.server_name(), stream);
        let stream = within("TLS handshake", self.shared.timeouts.handshake_ms, handshake)
            .await?
            .map_err(handshake_failed)?;
        match stream.get_ref().1.alpn_protocol() {
            Some(ALPN) => Ok(stream),
            Some(_) => Err(ClientError::NotR3e(NotR3e::OtherProtocol)),
            None => Err(ClientError::NotR3e(NotR3e::NoProtocol)),
        }
    }

    /// Sends the nonce, reads the answer, and derives the binding that the answer must be for.
    async fn ask_evidence<S>(&self, stream: &mut TlsStream<S>) -> Result<(Evidence, Digest), ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut nonce = [0; NONCE_BYTES];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| ClientError::Random)?;
        let exchange = async {
            let broke = |source| ClientError::Transport { during: "the nonce", source };
            stream.write_all(&nonce).await.map_err(broke)?;
            stream.flush().await.map_err(broke)?;
            evidence::read(stream).await
        };
        let evidence = within("evidence", self.shared.timeouts.evidence_ms, exchange).await??;

        let connection = stream.get_ref().1;
        let exporter: [u8; EXPORTER_BYTES] = connection
            .export_keying_material([0; EXPORTER_BYTES], EXPORTER_LABEL, Some(&nonce))
            .map_err(ClientError::Tls)?;
        let certificate = connection
            .peer_certificates()
            .and_then(<[_]>::first)
            .ok_or(ClientError::Tls(rustls::Error::NoCertificatesPresented))?;
        let binding = SessionBinding {
            role: Role::Server,
            nonce: &nonce,
            exporter: &exporter,
            spki: &tls::spki(certificate).map_err(ClientError::Tls)?,
            alpn: ALPN,
            configuration: &evidence.configuration,
            hpke_public_key: &evidence.hpke_public_key,
        };
        let digest = binding.digest();
        Ok((evidence, digest))
    }
}

async fn within<T>(
    awaited: &'static str,
    limit_ms: u64,
    step: impl Future<Output = T>,
) -> Result<T, ClientError> {
    let limit = Duration::from_millis(limit_ms);
    timeout(limit, step).await.map_err(|_| ClientError::Timeout { awaited, limit_ms })
}

fn handshake_failed(error: std::io::Error) -> ClientError {
    let tls_error = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).cloned();
    match tls_error {
        Some(tls_error) => match tls::not_r3e(&tls_error) {
            Some(why) => ClientError::NotR3e(why),
            None => ClientError::Tls(tls_error),
        },
        None => ClientError::Transport { during: "the TLS handshake", source: error },
    }
}

/// The TLS library's connector has no `Debug`, and nothing to show.
#[derive(Clone)]
struct TlsConnectorDebug(TlsConnector);

impl std::fmt::Debug for TlsConnectorDebug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TLS 1.3")
    }
}
