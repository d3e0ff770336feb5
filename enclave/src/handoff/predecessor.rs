//! The side that hands over: grants the root secret to a successor that keeps every rule, stops writing, and gives way.
//!
//! ```text
//! Serving --every rule holds--> Freezing --the store stands still--> Granted ---------done---------> Superseded
//!    ^                             |                                    |                              ^
//!    +----- it does not stop ------+                              nothing heard                        |
//!    |                                                                  v                              |
//!    +---------------- our own commit stands ----------------------- Settling --done, or it does not --+
//! ```
//!
//! Whoever breaks a rule changes nothing, so that nobody can keep a successor out by asking. While it is granted, what is
//! read may be as old as the grant; from the end of the patience on nothing is answered, until it is known whose the
//! state is ([`Standing`]).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use r3e_attestation::TrustAnchor;
use r3e_attester::TrustedClock;
use r3e_jobs::Jobs;
use r3e_keys::{KeyError, RootSecret};
use r3e_proto::channel::binding::Digest;
use r3e_proto::handoff::{Grant, Request};
use r3e_proto::release::{HandoffPolicy, Version};
use r3e_store::{Store, StoreError};
use thiserror::Error;
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};

use super::measured::{Claims, Own};
use super::refusals::Refusals;
use super::rules::{self, Refusal};
use crate::limits::{HANDOFF_TURN_WAIT, JOBS_DRAIN_TIMEOUT, SETTLING_TIME};

/// What a [`Handover`] is made of.
pub(crate) struct HandoverParts {
    /// What may be handed over.
    pub(crate) root: Arc<RootSecret>,
    /// Its commitment.
    pub(crate) identity: [u8; 32],
    /// The state that goes with it.
    pub(crate) store: Store,
    /// What works on that state by itself.
    pub(crate) jobs: Arc<Jobs>,
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
    state: watch::Sender<State>,
    /// Held while a request is judged: one at a time, in the order in which they came.
    turn: Mutex<()>,
    refusals: Refusals,
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
    /// Nothing was heard of that session in time, and our own commit has not stood yet.
    Settling {
        session: Digest,
    },
    /// Whether the successor said so before the patience ended.
    Superseded {
        in_time: bool,
    },
}

/// What may be answered from the state as this enclave knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the appliance's.
    Own,
    /// It was the appliance's when it was handed over, no longer ago than the patience.
    HandedOver,
    /// It may be older than that.
    Unsettled,
    /// It is another enclave's.
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
    /// Others are judged first.
    #[error("too many ask to succeed this appliance; try again in a second")]
    Busy,
    /// The rules were not judged.
    #[error("the request was not judged: the appliance stops")]
    Interrupted,
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
        Arc::new(Self {
            parts,
            state: watch::Sender::new(State::Serving),
            turn: Mutex::default(),
            refusals: Refusals::default(),
            superseded: watch::Sender::new(false),
        })
    }

    /// What may be answered now.
    pub(crate) fn standing(&self) -> Standing {
        match *self.state.borrow() {
            State::Serving | State::Freezing => Standing::Own,
            State::Granted { .. } => Standing::HandedOver,
            State::Settling { .. } => Standing::Unsettled,
            State::Superseded { .. } => Standing::Superseded,
        }
    }

    /// Whether what was read earlier may be told now. Waits until it is known whose the state is, where it is not.
    pub(crate) async fn may_still_tell(&self) -> bool {
        let mut state = self.state.subscribe();
        let known = state.wait_for(|state| !matches!(state, State::Settling { .. })).await;
        // The sender lives in `self`: it cannot end before us.
        known.is_ok_and(|state| !matches!(*state, State::Superseded { in_time: false }))
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
        // Before anything is judged: what is under way already costs nobody a signature's verification.
        self.require_serving()?;
        let turn = timeout(HANDOFF_TURN_WAIT, self.turn.lock()).await.map_err(|_| HandoverError::Busy)?;
        self.require_serving()?;
        let judge = Arc::clone(&self);
        // Signatures of a release and a chain of certificates, apart from the threads that serve.
        let judged = tokio::task::spawn_blocking(move || judge.judge(&request, &session)).await;
        judged.map_err(|_| HandoverError::Interrupted)?.inspect_err(|error| {
            if let HandoverError::Refused(refusal) = error {
                self.refusals.log(refusal);
            }
        })?;
        if !self.moves(|state| state == State::Serving, State::Freezing) {
            return Err(HandoverError::UnderWay);
        }
        drop(turn);
        let granted = self.freeze().await;
        self.state.send_replace(if granted.is_ok() { State::Granted { session } } else { State::Serving });
        match &granted {
            Ok(grant) => {
                tracing::info!(sequence = grant.sequence, "the root secret was handed to a successor");
                tokio::spawn(Arc::clone(&self).wait_for_successor(session));
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
        let session = *session;
        let told = self
            .moves(|state| state == State::Granted { session }, State::Superseded { in_time: true })
            || self.moves(|state| state == State::Settling { session }, State::Superseded { in_time: false });
        if !told {
            return Err(HandoverError::NotOpen);
        }
        self.is_superseded();
        Ok(())
    }

    fn require_serving(&self) -> Result<(), HandoverError> {
        if *self.state.borrow() == State::Serving { Ok(()) } else { Err(HandoverError::UnderWay) }
    }

    fn judge(&self, request: &Request, session: &Digest) -> Result<(), HandoverError> {
        let HandoverParts { store, policy, own, identity, version, clock, trust, .. } = &self.parts;
        let release = rules::approved(policy.as_ref(), &request.manifest)?;
        rules::may_hand_over(&release, own, identity, version, store.sequence())?;
        let successor = Claims::appraise(&request.document, &release, trust, clock)?;
        Ok(rules::may_succeed(&release, &own.measured, &successor, session, &request.configuration)?)
    }

    async fn freeze(&self) -> Result<Grant, HandoverError> {
        let HandoverParts { root, store, jobs, .. } = &self.parts;
        let identity = root.commitment()?;
        // What ends now is recorded here, and what does not is made again by the successor.
        jobs.pause(JOBS_DRAIN_TIMEOUT).await;
        let frozen = store.freeze().await.inspect_err(|_| jobs.resume())?;
        Ok(Grant { root: root.reveal(), identity, sequence: frozen.sequence, head: frozen.head })
    }

    /// Waits for [`Self::done`]. Where it does not come, the store settles whose state it is: by a commit that either follows
    /// the head that was handed over, or finds that another one does.
    async fn wait_for_successor(self: Arc<Self>, session: Digest) {
        let mut superseded = self.superseded();
        let done = async { drop(superseded.wait_for(|superseded| *superseded).await) };
        let settled = async {
            tokio::select! {
                // Whoever has the root secret wrote, and a reader met that. Nothing more is to be waited for.
                found = self.parts.store.until_tampered() => return Err(found.into()),
                () = sleep(self.parts.patience) => {}
            }
            // From here on nothing is answered.
            self.moves(|state| state == State::Granted { session }, State::Settling { session });
            tracing::warn!("nothing was heard of the successor; finding out whose the state is");
            self.thaw().await
        };
        let thawed = tokio::select! {
            () = done => return,
            thawed = settled => thawed,
        };
        match thawed {
            Ok(sequence) => {
                tracing::info!(sequence, "the successor did not open the state; going on");
                // It may have come to serve after all, if it opened another store than ours.
                self.moves(|state| state == State::Settling { session }, State::Serving);
                self.parts.jobs.resume();
            }
            // Whatever it is that follows the head: what this enclave knows is not the state any more.
            Err(error) => {
                tracing::warn!(%error, "the state is not this appliance's any more");
                self.state.send_replace(State::Superseded { in_time: false });
                self.is_superseded();
            }
        }
    }

    /// However long it takes: a commit that was offered may stand or not, and to take either for granted could make two
    /// appliances of one, or none.
    async fn thaw(&self) -> Result<u64, StoreError> {
        let mut thawed = pin!(self.parts.store.thaw());
        if let Ok(in_time) = timeout(SETTLING_TIME, &mut thawed).await {
            return in_time;
        }
        tracing::error!(
            "the parent neither takes nor refuses this appliance's commit, and nothing is served until it does; if the \
             successor serves, end this enclave"
        );
        thawed.await
    }

    fn is_superseded(&self) {
        tracing::info!("superseded: the successor is the appliance");
        self.superseded.send_replace(true);
    }

    /// Whether the state was as it is to be; then it is `next`.
    fn moves(&self, from: impl FnOnce(State) -> bool, next: State) -> bool {
        self.state.send_if_modified(|state| {
            let moves = from(*state);
            if moves {
                *state = next;
            }
            moves
        })
    }
}
