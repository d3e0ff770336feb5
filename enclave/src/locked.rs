//! The locked stage: the attested channel serves, and there is no root secret yet. What can be asked is what a quorum's
//! member needs to know before it approves, and what unlocks.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_attester::{Attester, AttesterError, TrustedClock};
use r3e_keys::UnlockProvider as _;
use r3e_keys::quorum::{Approve, Init, Quorum, QuorumError, Stage, View};
use r3e_proto::api::unlock::{Unlock, UnlockState};
use r3e_proto::channel::binding::Digest;

use crate::channel::{Counters, EvidenceSource};
use crate::configuration::Configuration;
use crate::limits::SETUP_ENTROPY_BYTES;
use crate::router::Bodies;
use crate::unlock::DrawnEntropy;

/// What a request can reach while the appliance is locked.
pub(crate) struct Locked {
    /// The configuration as it was measured.
    pub(crate) configuration: Configuration,
    /// Who unlocks it.
    pub(crate) quorum: Arc<Quorum>,
    /// The attestation device.
    pub(crate) attester: Attester,
    /// The clock that the device sets.
    pub(crate) clock: TrustedClock,
    /// Evidence for bindings.
    pub(crate) evidence: EvidenceSource,
    /// The TLS certificate's SubjectPublicKeyInfo.
    pub(crate) spki: Vec<u8>,
    /// Room for request bodies.
    pub(crate) bodies: Bodies,
    /// What the listener counts.
    pub(crate) counters: Arc<Counters>,
    /// When it began.
    pub(crate) started: Instant,
}

impl Locked {
    /// How far the unlocking is.
    pub(crate) fn view(&self) -> Unlock {
        describe(&self.quorum, self.quorum.view(), false)
    }

    /// Has a root secret made, at a member's request on the session of `binding`.
    ///
    /// # Errors
    /// [`InitError`]: nothing was made.
    pub(crate) async fn init(&self, request: Init<'_>, binding: &Digest) -> Result<Unlock, InitError> {
        // The device is asked for those alone who may use it.
        self.quorum.may_init(request, binding)?;
        let entropy = DrawnEntropy::draw(&self.attester, SETUP_ENTROPY_BYTES).await?;
        let view = self.quorum.init(request, binding, &entropy).await?;
        tracing::info!(
            member = request.member,
            "a member had a new root secret made, and split for the quorum"
        );
        Ok(describe(&self.quorum, view, false))
    }

    /// Takes a member's approval on the session of `binding`.
    ///
    /// # Errors
    /// [`QuorumError`]: which rule it breaks.
    pub(crate) fn approve(&self, approval: Approve<'_>, binding: &Digest) -> Result<Unlock, QuorumError> {
        let view = self.quorum.approve(approval, binding)?;
        tracing::info!(approved = view.approved.join(", "), "a member approved");
        Ok(describe(&self.quorum, view, false))
    }
}

/// Why no root secret was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InitError {
    /// A rule, or the parent.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
    /// The device gives no entropy.
    #[error("the attestation device gives no entropy now: {0}")]
    Entropy(#[from] AttesterError),
}

/// A quorum's unlocking as the API describes it; `serving` says that the sealed state is open, too.
pub(crate) fn describe(quorum: &Quorum, view: View, serving: bool) -> Unlock {
    let threshold = quorum.policy().threshold();
    let (state, detail) = match view.stage {
        Stage::Reading => (UnlockState::Reading, "reading what the parent keeps".to_owned()),
        Stage::NoSetup => (
            UnlockState::NoSetup,
            "a new appliance: a member has its root secret made by `r3e operator init`".to_owned(),
        ),
        Stage::Unusable(problem) => (UnlockState::SetupUnusable, problem.to_string()),
        Stage::Waiting => {
            let missing = usize::from(threshold).saturating_sub(view.approved.len());
            (UnlockState::Waiting, format!("{missing} more must approve by `r3e operator approve`"))
        }
        Stage::Released if serving => (UnlockState::Unlocked, "the appliance serves".to_owned()),
        Stage::Released => (UnlockState::Opening, "the sealed state is being opened".to_owned()),
    };
    Unlock {
        provider: quorum.name().to_owned(),
        state,
        policy: hex::encode(quorum.policy().encode()),
        setup: view.setup.map(|setup| STANDARD.encode(setup)),
        threshold: Some(threshold),
        approved: view.approved,
        detail,
    }
}
