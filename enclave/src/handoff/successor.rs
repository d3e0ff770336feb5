//! The side that takes over: asks the parent whom, appraises that appliance, and asks it for its root secret.

use http::{Method, StatusCode};
use r3e_attestation::{PolicyError, TrustAnchor};
use r3e_attester::{Attester, AttesterError, TrustedClock};
use r3e_keys::{KeyError, RootSecret};
use r3e_proto::WireError;
use r3e_proto::api::ErrorBody;
use r3e_proto::channel::statement::Statement;
use r3e_proto::handoff::{Grant, Request, successor_binding};
use r3e_proto::release::Release;
use r3e_store::Expected;
use r3e_transport::EnclaveTransport;
use thiserror::Error;

use super::lifecycle::{self, LifecycleError, Offer};
use super::measured::{Claims, Own, policy};
use super::rules::{self, Refusal};
use crate::configuration::Configuration;
use crate::limits::MAX_REFUSAL_CHARS;
use crate::peer::{Peer, PeerError, PeerParts, PeerSession};

/// What the predecessor is called in the handshake. It proves nothing.
const PREDECESSOR_NAME: &str = "predecessor.r3e.invalid";

/// What it takes to ask a predecessor.
pub(crate) struct SuccessorParts<'a> {
    /// The way to the parent, and through it to the predecessor.
    pub(crate) transport: &'a EnclaveTransport,
    /// The measured configuration, with the keys that approve releases.
    pub(crate) configuration: &'a Configuration,
    /// What this enclave measured.
    pub(crate) own: &'a Own,
    /// The attestation device.
    pub(crate) attester: &'a Attester,
    /// The time that the predecessor's evidence is appraised by.
    pub(crate) clock: &'a TrustedClock,
    /// The root that it must be signed under.
    pub(crate) trust: &'a TrustAnchor,
}

/// What a predecessor handed over, and the predecessor, which waits to hear how that went.
pub(crate) struct Succession {
    /// What was handed over.
    pub(crate) inherited: Inherited,
    /// Who did it.
    pub(crate) predecessor: Predecessor,
}

/// What is handed over.
pub(crate) struct Inherited {
    /// The root secret.
    pub(crate) root: RootSecret,
    /// The state to open, and no other.
    pub(crate) expected: Expected,
}

/// A predecessor that has stopped writing.
pub(crate) struct Predecessor(PeerSession);

/// Why there is no succession where the parent offered one. The boot ends, and the predecessor goes on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SuccessionError {
    /// The parent did not say whether there is a predecessor.
    #[error("the parent does not say whether there is an appliance to succeed: {0}")]
    Parent(String),
    /// A rule of this end's.
    #[error("{code}: {message}")]
    Rule {
        /// Its code.
        code: &'static str,
        /// In words.
        message: String,
    },
    /// The predecessor refused.
    #[error("{code}: the predecessor refuses: {message}")]
    Refused {
        /// Its code.
        code: String,
        /// Its words.
        message: String,
    },
    /// There is no session with the predecessor.
    #[error("the predecessor cannot be met: {0}")]
    Peer(String),
    /// What it answered.
    #[error("the predecessor's answer is none: {0}")]
    Answer(String),
    /// The device.
    #[error("the attestation device: {0}")]
    Device(#[from] AttesterError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<LifecycleError> for SuccessionError {
    fn from(error: LifecycleError) -> Self {
        Self::Parent(error.to_string())
    }
}

impl From<Refusal> for SuccessionError {
    fn from(refusal: Refusal) -> Self {
        Self::Rule { code: refusal.code(), message: refusal.to_string() }
    }
}

impl From<PeerError> for SuccessionError {
    fn from(error: PeerError) -> Self {
        Self::Peer(error.to_string())
    }
}

impl From<PolicyError> for SuccessionError {
    fn from(error: PolicyError) -> Self {
        Self::Peer(error.to_string())
    }
}

impl From<WireError> for SuccessionError {
    fn from(error: WireError) -> Self {
        Self::Answer(error.to_string())
    }
}

/// Asks the parent, and whoever it offers. None in an ordinary boot.
///
/// # Errors
/// [`SuccessionError`]. Where there was an offer, the parent is told why nothing comes of it.
pub(crate) async fn succession(parts: SuccessorParts<'_>) -> Result<Option<Succession>, SuccessionError> {
    let Some(offer) = lifecycle::predecessor(parts.transport).await? else { return Ok(None) };
    tracing::info!("the parent offers a predecessor");
    let taken = take_over(&parts, offer).await;
    if let Err(error) = &taken {
        lifecycle::failed(parts.transport, &error.to_string()).await;
    }
    taken.map(Some)
}

async fn take_over(parts: &SuccessorParts<'_>, offer: Offer) -> Result<Succession, SuccessionError> {
    let Offer { manifest, stream } = offer;
    let release = rules::approved(parts.configuration.handoff(), &manifest)?;
    let accepted = policy(release.predecessors(), parts.trust)?;
    let met = PeerParts { policy: &accepted, clock: parts.clock };
    let mut session = Peer::connect(stream, &met, PREDECESSOR_NAME).await?;
    rules::may_take_over(&release, parts.own, &Claims::of(session.attestation()))?;
    let grant = ask(parts, &mut session, manifest).await?;
    let root = accept(&release, &grant)?;
    let expected = Expected { sequence: grant.sequence, head: grant.head };
    tracing::info!(sequence = grant.sequence, "the predecessor handed its root secret over");
    Ok(Succession { inherited: Inherited { root, expected }, predecessor: Predecessor(session) })
}

async fn ask(
    parts: &SuccessorParts<'_>,
    session: &mut PeerSession,
    manifest: Vec<u8>,
) -> Result<Grant, SuccessionError> {
    let configuration = *parts.configuration.digest();
    let binding = successor_binding(session.binding(), &configuration);
    let statement = Statement::Successor { binding }.encode();
    let document = parts.attester.attest(Some(&statement), None, None).await?.into_bytes();
    let request = Request { manifest, document, configuration }.encode();
    let (status, body) = session.request(Method::POST, "/v1/handoff", request).await?;
    if status == StatusCode::OK {
        return Ok(Grant::decode(&body)?);
    }
    let Ok(ErrorBody { error }) = serde_json::from_slice(&body) else {
        return Err(SuccessionError::Answer(format!("status {status}")));
    };
    let short = |text: String| text.chars().take(MAX_REFUSAL_CHARS).collect();
    Err(SuccessionError::Refused { code: short(error.code), message: short(error.message) })
}

/// The root secret, if it is whole and its state is late enough.
fn accept(release: &Release, grant: &Grant) -> Result<RootSecret, SuccessionError> {
    rules::recent(release, grant.sequence)?;
    let root = RootSecret::from_recovered(&grant.root);
    if root.commitment()? != grant.identity {
        return Err(SuccessionError::Answer("the root secret is not that of its commitment".to_owned()));
    }
    rules::meant_for(release, &grant.identity)?;
    Ok(root)
}

impl Predecessor {
    /// Tells the predecessor that this enclave serves in its place. Where it does not hear it, it finds out by itself.
    pub(crate) async fn done(mut self) {
        match self.0.request(Method::POST, "/v1/handoff/done", Vec::new()).await {
            Ok((status, _)) if status.is_success() => tracing::info!("the predecessor has given way"),
            Ok((status, _)) => tracing::warn!(%status, "the predecessor does not give way yet"),
            Err(error) => tracing::warn!(%error, "the predecessor was not told"),
        }
    }
}
