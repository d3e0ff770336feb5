//! The side that hands over: grants the root secret to a successor that keeps every rule, stops writing, and gives way.
//!
//! ```text
//! Serving --every rule holds--> Freezing --the store stands still--> Granted --done, or the successor committed--> Superseded
//!    ^                             |                                    |
//!    +----- it does not stop ------+--- nothing heard, and our own -----+
//!                                       commit stands
//! ```
//!
//! Whoever breaks a rule changes nothing, so that nobody can keep a successor out by asking.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use r3e_attestation::TrustAnchor;
use r3e_attester::TrustedClock;
use r3e_keys::{KeyError, RootSecret};
use r3e_proto::channel::binding::Digest;
use r3e_proto::handoff::{Grant, Request};
use r3e_proto::release::{HandoffPolicy, Version};
use r3e_store::{Store, StoreError, Tampered};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::sleep;

use super::measured::{Claims, Own};
use super::rules::{self, Refusal};

/// What a [`Handover`] is made of.
pub(crate) struct HandoverParts {
    /// What may be handed over.
    pub(crate) root: Arc<RootSecret>,
    /// Its commitment.
    pub(crate) identity: [u8; 32],
    /// The state that goes with it.
    pub(crate) store: Store,
    /// Whose keys approve releases, if any do.
    pub(crate) policy: Option<HandoffPolicy>,
    /// The version that runs.
    pub(crate) version: Version,
    /// What this enclave measured.
    pub(crate) own: Own,
    /// The time that a successor's document is appraised by.
    pub(crate) clock: TrustedClock,
    /// The root that it must be signed under.
    pub(crate) trust: TrustAnchor,
    /// How long a successor may take after the grant.
    pub(crate) patience: Duration,
}

/// One appliance's way to its successor.
pub(crate) struct Handover {
    parts: HandoverParts,
    state: Mutex<State>,
    superseded: watch::Sender<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Serving,
    /// Whoever asked may have the root secret.
    Freezing,
    /// The store is frozen, and whoever asked on the session of this binding has the root secret.
    Granted {
        session: Digest,
    },
    Superseded,
}

/// Why nothing was handed over.
#[derive(Debug, Error)]
pub(crate) enum HandoverError {
    /// A rule.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Another request came first.
    #[error(
        "a handoff is under way already; if its successor does not come to serve, this appliance goes on within a minute"
    )]
    UnderWay,
    /// Nothing was granted on this session, or it was taken back.
    #[error(
        "nothing is handed over on this session, or it was taken back because nothing was heard for too long"
    )]
    NotOpen,
    /// The store does not stop: a commit of its own is not settled.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Handover {
    pub(crate) fn new(parts: HandoverParts) -> Arc<Self> {
        Arc::new(Self { parts, state: Mutex::new(State::Serving), superseded: watch::Sender::new(false) })
    }

    /// Turns true when this appliance has given way.
    pub(crate) fn superseded(&self) -> watch::Receiver<bool> {
        self.superseded.subscribe()
    }

    /// Grants the root secret to whoever asks on the session of this binding, if every rule holds. From then on the store
    /// takes no write, until the successor gives up. Must not be dropped half way.
    ///
    /// # Errors
    /// [`HandoverError`]: nothing was handed over, and the appliance goes on.
    pub(crate) async fn grant(
        self: Arc<Self>,
        request: Request,
        session: Digest,
    ) -> Result<Grant, HandoverError> {
        if let Err(refusal) = self.judge(&request, &session) {
            tracing::warn!(code = refusal.code(), %refusal, "a successor was refused");
            return Err(refusal.into());
        }
        {
            let mut state = self.state();
            if *state != State::Serving {
                return Err(HandoverError::UnderWay);
            }
            *state = State::Freezing;
        }
        let granted = self.freeze().await;
        *self.state() = if granted.is_ok() { State::Granted { session } } else { State::Serving };
        match &granted {
            Ok(grant) => {
                tracing::info!(sequence = grant.sequence, "the root secret was handed to a successor");
                tokio::spawn(Arc::clone(&self).wait_for_successor());
            }
            Err(error) => tracing::warn!(%error, "nothing could be handed over"),
        }
        granted
    }

    /// The successor of this session serves: it is the appliance from here on.
    ///
    /// # Errors
    /// [`HandoverError::NotOpen`].
    pub(crate) fn done(&self, session: &Digest) -> Result<(), HandoverError> {
        if *self.state() != (State::Granted { session: *session }) {
            return Err(HandoverError::NotOpen);
        }
        self.give_way();
        Ok(())
    }

    fn judge(&self, request: &Request, session: &Digest) -> Result<(), Refusal> {
        let HandoverParts { store, policy, own, identity, version, clock, trust, .. } = &self.parts;
        let release = rules::approved(policy.as_ref(), &request.manifest)?;
        rules::may_hand_over(&release, own, identity, version, store.sequence())?;
        let successor = Claims::appraise(&request.document, &release, trust, clock)?;
        rules::may_succeed(&release, &own.measured, &successor, session, &request.configuration)
    }

    async fn freeze(&self) -> Result<Grant, HandoverError> {
        let HandoverParts { root, store, .. } = &self.parts;
        let identity = root.commitment()?;
        let frozen = store.freeze().await?;
        Ok(Grant { root: root.reveal(), identity, sequence: frozen.sequence, head: frozen.head })
    }

    /// Waits for [`Self::done`]. Where it does not come, the store settles whose state it is: by a commit that either follows
    /// the head that was handed over, or finds that the successor's did.
    async fn wait_for_successor(self: Arc<Self>) {
        let mut superseded = self.superseded();
        tokio::select! {
            _ = superseded.wait_for(|superseded| *superseded) => return,
            () = sleep(self.parts.patience) => {}
        }
        tracing::warn!("nothing was heard of the successor; finding out whose the state is");
        let thawed = self.parts.store.thaw().await;
        match &thawed {
            Ok(sequence) => tracing::info!(sequence, "the successor did not open the state; going on"),
            Err(StoreError::Tampered(found)) => {
                tracing::warn!(%found, "the state is not this appliance's any more");
            }
            Err(error) => tracing::error!(%error, "the store does not go on"),
        }
        if is_successors(&thawed) {
            return self.give_way();
        }
        let mut state = self.state();
        // It may have come to serve after all, if it opened another store than ours.
        if *state != State::Superseded {
            *state = State::Serving;
        }
    }

    fn give_way(&self) {
        *self.state() = State::Superseded;
        tracing::info!("superseded: the successor is the appliance");
        self.superseded.send_replace(true);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody with the same root secret has committed since it was handed over.
fn is_successors(thawed: &Result<u64, StoreError>) -> bool {
    matches!(thawed, Err(StoreError::Tampered(Tampered::HeadForked { .. })))
}
